"""Checks what `cargo metadata` says of the dependencies, in seconds and without a network.

Licences, sources and duplicate versions follow deny.toml, so that cargo-deny need not be installed.
The `rust-version` of Cargo.toml must be what the code and its dependencies require: no less, no more.
"""

import json
import pathlib
import re
import subprocess
import sys

try:
    import tomllib
except ImportError:  # Python 3.10
    print("Python 3.11 or newer is needed to read deny.toml: dependencies are not checked")
    sys.exit(0)

ROOT = pathlib.Path(__file__).parent.parent
REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"
# Features of the language that the sources use, and the version of Rust that brought them.
LANGUAGE = {"edition 2024": (1, 85, 0), "let chains": (1, 88, 0)}


def version(text):
    numbers = [int(number) for number in text.split("-")[0].split("+")[0].split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))


def satisfied(expression, allowed):
    """Whether licences that are allowed satisfy an SPDX expression."""
    tokens = re.findall(r"[()]|[\w.+-]+", expression.replace("/", " OR "))

    def either():
        value = both()
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            value = both() or value
        return value

    def both():
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = one() and value
        return value

    def one():
        name = tokens.pop(0)
        if name == "(":
            value = either()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            name = f"{name} {tokens.pop(0)} {tokens.pop(0)}"
        return name in allowed

    return either()


def matches(package, rule):
    """A rule is `name` or `name@version`, where parts of the version may be missing."""
    name, _, wanted = rule["crate"].partition("@")
    given = package["version"].split(".")
    return package["name"] == name and given[: len(wanted.split("."))] == (wanted.split(".") if wanted else given[:1])


def licences(packages, rules):
    for package in packages:
        extra = [e["allow"] for e in rules.get("exceptions", []) if e["crate"] == package["name"]]
        allowed = set(rules["allow"]).union(*extra)
        if not package["license"] or not satisfied(package["license"], allowed):
            yield f"{package['name']} {package['version']}: licence {package['license']} is not in deny.toml"


def sources(packages):
    for package in packages:
        if package["source"] not in (None, REGISTRY):
            yield f"{package['name']} {package['version']}: comes from {package['source']}"


def below(packages, nodes, roots):
    """The packages that these depend on, themselves included."""
    found, open_ = set(), [p["id"] for p in packages if any(matches(p, rule) for rule in roots)]
    while open_:
        one = open_.pop()
        if one not in found:
            found.add(one)
            open_ += nodes[one]
    return found


def duplicates(packages, nodes, rules):
    skipped = below(packages, nodes, rules.get("skip-tree", []))
    counted = [p for p in packages if p["id"] not in skipped and not any(matches(p, r) for r in rules.get("skip", []))]
    versions = {}
    for package in counted:
        versions.setdefault(package["name"], []).append(package["version"])
    for name, all_ in versions.items():
        if len(all_) > 1:
            yield f"{name}: versions {', '.join(all_)} are in use; update, or add one to deny.toml with a reason"


def features():
    yield "edition 2024"
    files = [path for folder in ("src", "crates") for path in (ROOT / folder).rglob("*.rs")]
    if any(re.search(r"&& let \w", path.read_text(encoding="utf-8")) for path in files):
        yield "let chains"


def rust_version(packages, own):
    stated = version(own["rust_version"])
    needs = [(version(p["rust_version"]), p["name"]) for p in packages if p["rust_version"] and p["source"]]
    needs += [(LANGUAGE[name], name) for name in features()]
    newest, name = max(needs)
    if newest > stated:
        yield f"rust-version is {own['rust_version']}, but {name} needs {'.'.join(map(str, newest))}"
    if newest < stated:
        yield f"rust-version is {own['rust_version']}, but nothing needs more than {'.'.join(map(str, newest))}"


def main():
    command = ["cargo", "metadata", "--format-version", "1", "--locked", "--all-features"]
    metadata = json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout)
    rules = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))
    packages = metadata["packages"]
    nodes = {node["id"]: node["dependencies"] for node in metadata["resolve"]["nodes"]}
    own = next(p for p in packages if p["id"] == metadata["resolve"]["root"])
    problems = [
        *licences(packages, rules["licenses"]),
        *sources(packages),
        *duplicates(packages, nodes, rules["bans"]),
        *rust_version(packages, own),
    ]
    print("\n".join(problems) or f"{len(packages)} packages; rust-version {own['rust_version']}")
    sys.exit(bool(problems))


main()
