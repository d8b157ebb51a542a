"""Tests one libpt2 with every libtorch that it has an engine for, each beside its own PyTorch.

    .venv/bin/python scripts/test_versions.py [MINOR…] [--prefix PREFIX] [--environments FOLDER] [--only PART…] [--record]

PREFIX holds one libpt2.so and the engines. The list of versions is packaging/libtorch_versions.txt. Parts:

    c_tests       tests/c with that libtorch, through CTest
    comparisons   tests/python beside that PyTorch, and one C program that is built once for all versions

--record adds times in turns and writes bench/results/libtorch_versions.json and the tables of
docs/reference/libtorch_versions.md. Logs and results are in build/versions. Environments take about 4 GB a version; what
several of them install is shared by hard links.
"""

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from versions import c_tests, comparisons, table, timing
from versions.environment import Environment
from versions.release import PINNED, ROOT, releases

PARTS = {"c_tests": c_tests, "comparisons": comparisons}
OUT = ROOT / "build/versions"
RESULTS = ROOT / "bench/results/libtorch_versions.json"


def test(environment, prefix, parts):
    """Returns the results of the parts that were asked for beside earlier ones of the others."""
    minor = environment.release.minor
    path, log = OUT / f"{minor}.json", OUT / f"{minor}.log"
    log.unlink(missing_ok=True)
    results = json.loads(path.read_text()) if path.exists() else {}
    engine = prefix / f"lib/libpt2_core-{minor}.so"
    results |= {"torch": environment.release.torch, "torchvision": environment.release.torchvision,
                "engine_bytes": engine.stat().st_size}  # fmt: skip
    for part in parts:
        print(f"== libtorch {minor}: {part}", flush=True)
        begin = time.time()
        results[part] = PARTS[part].run(environment, prefix, OUT, log)
        results[part]["seconds"] = round(time.time() - begin)
        path.write_text(json.dumps(results, indent=1) + "\n")
        report(results[part])
    return results


def report(part):
    for name, result in part.items():
        if isinstance(result, dict):
            print(f"   {name}: {'passed' if result['passed'] else 'FAILED'}: {result['summary'][:160]}", flush=True)
        else:
            print(f"   {name}: {result}", flush=True)


def failures(results):
    """What failed, by names."""
    failed = list(results.get("c_tests", {}).get("failed", []))
    scripts = results.get("comparisons", {}).items()
    return failed + [name for name, result in scripts if isinstance(result, dict) and not result["passed"]]


def record(by_minor, environments, prefix, rounds):
    """Measures times, keeps everything beside the results of versions that were not tested now, and writes the tables."""
    recorded = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"versions": {}}
    recorded["versions"] |= by_minor
    pinned = [Environment(release, environments) for release in releases([PINNED])]
    measured = pinned + [Environment(release, environments) for release in releases(by_minor) if release.minor != PINNED]
    for environment in measured:
        environment.make()
    print(f"== Times with {', '.join(environment.release.minor for environment in measured)} in turns", flush=True)
    for minor, times in timing.run(measured, prefix, OUT, rounds).items():
        recorded["versions"].setdefault(minor, {})["times"] = times
    recorded |= {"date": time.strftime("%Y-%m-%d"), "machine": machine(), "load": os.getloadavg()[0], "rounds": rounds}
    RESULTS.write_text(json.dumps(recorded, indent=1) + "\n")
    table.write(recorded)


def machine():
    models = [line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return f"{models[0] if models else platform.processor()}, {os.cpu_count()} cores"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("minors", nargs="*", metavar="MINOR")
    parser.add_argument("--prefix", type=Path, default=OUT / "prefix")
    parser.add_argument("--environments", type=Path, default=OUT)
    parser.add_argument("--only", nargs="*", choices=PARTS, default=list(PARTS))
    parser.add_argument("--make-environments", action="store_true", help="make the environments and test nothing")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    prefix, by_minor = options.prefix.resolve(), {}
    for release in releases(options.minors):
        environment = Environment(release, options.environments)
        environment.make()
        if not options.make_environments:
            by_minor[release.minor] = test(environment, prefix, options.only)
    if options.record:
        record(by_minor, options.environments, prefix, options.rounds)
    failed = {minor: failures(results) for minor, results in by_minor.items() if failures(results)}
    for minor, names in failed.items():
        print(f"libtorch {minor}: failed: {', '.join(names)} (see {OUT / minor}.log)")
    if by_minor:
        print(f"{len(by_minor) - len(failed)} passed, {len(failed)} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
