"""The time of one forward, in Python's exported module and in libpt2 as it is by default, taking turns."""

import fcntl
import os
import statistics
import time

import torch
from torch.utils._pytree import tree_leaves

from zoo.peers import Ended, Libpt2, run_libpt2

SECONDS = 4.0
ROUNDS = 41
WARM = 3


def forward(module, call):
    """A forward ends when its outputs are on the host, here as in zoo.worker. Its time, and its CPU time."""
    start, cpu = time.perf_counter(), time.process_time()
    with torch.no_grad():
        for leaf in tree_leaves(module(*call)):
            if isinstance(leaf, torch.Tensor):
                leaf.cpu()
    return 1e3 * (time.perf_counter() - start), 1e3 * (time.process_time() - cpu)


def compare(module, call, path, file):
    """Medians of rounds in which the two take turns; one model at a time on the machine."""
    ours, theirs = [], []
    with Libpt2(path, "fast") as libpt2, open(os.environ["ZOO_TURNS"], "w") as turns:
        libpt2.ask("hold", file)
        fcntl.flock(turns, fcntl.LOCK_EX)
        for _ in range(WARM):
            forward(module, call), libpt2.ask("time")
        end = time.perf_counter() + SECONDS
        while len(ours) < ROUNDS and (len(ours) < 5 or time.perf_counter() < end):
            theirs.append(forward(module, call))
            ours.append(tuple(map(float, libpt2.ask("time").split())))
    (python, python_cpu), (libpt2, libpt2_cpu) = medians(theirs), medians(ours)
    times = {"python": python, "libpt2": libpt2, "python_cpu": python_cpu, "libpt2_cpu": libpt2_cpu}
    return times | {"rounds": len(ours)}


def medians(pairs):
    """CPU time depends less on what else the machine does; with one thread, it is what the work costs."""
    return [statistics.median(values) for values in zip(*pairs)]


def steady(module, call, path, files, expected):
    """Times of the first call, and how far the default level is from Python."""
    result = run_libpt2(path, files, expected, "fast")
    try:
        return result | (compare(module, call, path, files[0]) if "why" not in result else {})
    except Ended as why:
        return {"ok": False, "why": str(why)}
