"""Seeds for the fuzz targets, from the archives of the tests: python scripts/fuzz_seeds.py FOLDER [PT2]

PT2, the program, writes the graphs' text form; without it that target starts from the example in the documentation.
"""

import io
import json
import re
import subprocess
import sys
import zipfile
from hashlib import sha1
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
MARK = b"\xff\xfe#\x00"
LARGEST = 64 << 10


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def flat(data):
    """As fuzz/src/flat.rs reads it: zips in the zip are opened."""
    pieces = []
    for name, body in entries(data):
        inner = [(f"{name}\t{key}", held) for key, held in entries(body)] if body[:4] == b"PK\x03\x04" else []
        pieces += [MARK + key.encode() + b"\n" + held for key, held in inner or [(name, body)]]
    return b"".join(pieces)


def texts(tree, key):
    """Every string under this key."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key and isinstance(value, str):
                yield value
            yield from texts(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts(value, key)


def of_program(body):
    yield "program", body
    tree = json.loads(body)
    for text in texts(tree, "expr_str"):
        yield "expression", text.encode()
    if tree.get("guards_code"):
        yield "guards", "\n".join(tree["guards_code"]).encode()


def of_archive(data):
    yield "archive", data
    yield "whole", flat(data)
    for name, body in entries(data):
        if name.endswith("_config.json"):
            yield "weights_config", body
        elif name.endswith(".json"):
            yield from of_program(body)
        elif body[:4] == b"PK\x03\x04":
            yield "pickle", flat(body)


def graph_texts(pt2, archives):
    page = (TESTS.parent / "src/graph/text/mod.rs").read_text()
    example = re.search(r"```text\n(.*?)//! ```", page, re.S)[1]
    yield "graph_text", re.sub(r"^//! ?", "", example, flags=re.M).encode()
    for path in archives if pt2 else []:
        done = subprocess.run([pt2, "inspect", "--graph", path], capture_output=True)
        if done.returncode == 0:
            yield "graph_text", done.stdout


def seeds(pt2):
    archives = sorted([*TESTS.glob("archives/*/*.pt2"), *TESTS.glob("special_archives/*/*.pt2")])
    for path in archives:
        yield from of_archive(path.read_bytes())
    for path in sorted(TESTS.glob("programs/*.json")):
        if path.stem == "expressions":
            yield from (("expression", case["text"].encode()) for case in json.loads(path.read_text()))
        else:
            yield from of_program(path.read_bytes())
    yield from graph_texts(pt2, archives)


def main(folder, pt2=None):
    counts = {}
    for target, data in seeds(pt2):
        if len(data) <= LARGEST:
            place = Path(folder) / target
            place.mkdir(parents=True, exist_ok=True)
            (place / sha1(data).hexdigest()[:16]).write_bytes(data)
            counts[target] = counts.get(target, 0) + 1
    print(", ".join(f"{target} {count}" for target, count in sorted(counts.items())))


if __name__ == "__main__":
    main(*sys.argv[1:])
