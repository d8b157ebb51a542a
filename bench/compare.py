"""libpt2 beside its peers, in one run: start, steady forward, throughput, memory.

    python bench/compare.py [--preset quick|cpu|optimizer|bfloat16|gpu|gpu-bfloat16] [--option value …]

Each measurement is a process of its own, and the rounds take turns. Results are lines of JSON; a run that is stopped, or
whose time is up, goes on with --resume. Beside them come the tables (.md, .json) and a plot (.png) of what is there.
"""

import argparse
import sys
from pathlib import Path

import report
from plan import DEFAULTS, MODES, PRESETS
from runners import RUNNERS
from session import Session

BUILD = Path(__file__).resolve().parent.parent / "build" / "bench"


def add_what(parser):
    parser.add_argument("--preset", choices=PRESETS, default="quick")
    parser.add_argument("--device", help="cpu, cuda:0, …")
    parser.add_argument("--cases", nargs="+", metavar="CASE", help="torchvision's models, chain-number, chain-tensor")
    parser.add_argument("--dtypes", nargs="+", choices=["float32", "bfloat16"])
    parser.add_argument("--runners", nargs="+", choices=RUNNERS, metavar="RUNNER", help=", ".join(RUNNERS))
    parser.add_argument("--batches", nargs="+", type=int, metavar="N", help="the first is that of the throughput")
    parser.add_argument("--python-batches", nargs="+", type=int, metavar="N", help="only these for runners in Python")
    parser.add_argument("--threads", nargs="*", type=int, metavar="N", help="callers of the throughput; none: left out")
    parser.add_argument("--modes", nargs="+", choices=MODES, help=f"default {' '.join(DEFAULTS['modes'])}; on the CPU latency has the start in it")
    parser.add_argument("--rounds", type=int)


def add_how(parser):
    parser.add_argument("--repeat", type=int, default=50, help="forwards of which the median is the steady one")
    parser.add_argument("--seconds", type=float, default=3, help="that the steady forwards, or a throughput, may take")
    parser.add_argument("--pair-repeat", type=int, default=300, help="the same for each of two in one process")
    parser.add_argument("--pair-seconds", type=float, default=8)
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="of one process")
    parser.add_argument("--time-limit", type=float, default=1e9, metavar="SECONDS", help="nothing begins after this time")
    parser.add_argument("--grace", type=float, default=20, metavar="SECONDS", help="what has begun may take so much longer")
    parser.add_argument("--calm", type=float, default=0, metavar="SECONDS", help="wait so long at most for an idle machine")
    parser.add_argument("--programs", type=Path, default=BUILD / "programs", metavar="FOLDER", help="of bench/build.sh")
    parser.add_argument("--work", type=Path, default=BUILD / "work", metavar="FOLDER", help="archives, packages, caches")
    parser.add_argument("--packages", type=Path, default=BUILD / "packages", metavar="FOLDER", help="bench/requirements.txt")
    parser.add_argument("--results", type=Path, default=BUILD / "results.jsonl", metavar="FILE")
    parser.add_argument("--resume", action="store_true", help="go on with what --results holds")
    parser.add_argument("--earlier", type=Path, nargs="*", default=[], metavar="FILE", help="results that count, too")


def arguments(words=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_what(parser)
    add_how(parser)
    preset = parser.parse_known_args(words)[0].preset
    parser.set_defaults(**DEFAULTS | PRESETS[preset])
    return parser.parse_args(words)


def main():
    options = arguments()
    if not options.resume:
        options.results.unlink(missing_ok=True)
    missing = Session(options).run()
    report.write([options.results, *options.earlier], options.results, options.packages)
    print(f"{missing} measurements are missing; --resume takes them." if missing else "All measurements were taken.")


if __name__ == "__main__":
    sys.exit(main())
