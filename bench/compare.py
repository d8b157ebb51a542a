"""libpt2 beside its peers on one archive, in one run: a Markdown table of medians and spreads.

    python bench/compare.py ARCHIVE DEVICE [--batches 1 32 512] [--rounds 5] [--repeat 50] [--programs FOLDER]

FOLDER holds the compiled bench/libpt2.cpp and bench/nativert.cpp. Each measurement is a process of its own, and
the rounds take turns, so that what changes on the machine changes for all.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path


def commands(programs):
    return {
        "libpt2, `fast`": [str(programs / "libpt2")],
        "libpt2, `exact`": [str(programs / "libpt2"), "--exact"],
        "nativert (C++)": [str(programs / "nativert")],
        "torch.export.load (Python)": [sys.executable, str(Path(__file__).with_name("python.py"))],
    }


def measure(command, archive, device, batch, repeat):
    done = subprocess.run([*command, archive, device, str(batch), str(repeat)], capture_output=True, text=True)
    if done.returncode != 0:
        return (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1][:120]
    return json.loads(done.stdout.strip().splitlines()[-1])


def cell(values):
    low, high = min(values), max(values)
    return f"{statistics.median(values):.1f} ({low:.1f}–{high:.1f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("archive")
    parser.add_argument("device")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 32, 512])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--repeat", type=int, default=50)
    parser.add_argument("--programs", type=Path, default=Path("build/bench"))
    options = parser.parse_args()
    print("| batch | | load, ms | first forward, ms | steady forward, ms |\n|---|---|---|---|---|")
    for batch in options.batches:
        results = {name: [] for name in commands(options.programs)}
        for _ in range(options.rounds):
            for name, command in commands(options.programs).items():
                results[name].append(measure(command, options.archive, options.device, batch, options.repeat))
        for name, rounds in results.items():
            failed = [result for result in rounds if isinstance(result, str)]
            if failed:
                print(f"| {batch} | {name} | {failed[0]} | | |")
                continue
            columns = (cell([result[key] for result in rounds]) for key in ("load", "first", "steady"))
            print(f"| {batch} | {name} | {' | '.join(columns)} |", flush=True)


if __name__ == "__main__":
    main()
