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
    """A forward ends when its outputs are on the host, here as in zoo.worker."""
    start = time.perf_counter()
    with torch.no_grad():
        for leaf in tree_leaves(module(*call)):
            if isinstance(leaf, torch.Tensor):
                leaf.cpu()
    return 1e3 * (time.perf_counter() - start)


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
            ours.append(float(libpt2.ask("time")))
    return {"python": statistics.median(theirs), "libpt2": statistics.median(ours), "rounds": len(ours)}


def steady(module, call, path, files, expected):
    """Times of the first call, and how far the default level is from Python."""
    result = run_libpt2(path, files, expected, "fast")
    try:
        return result | (compare(module, call, path, files[0]) if "why" not in result else {})
    except Ended as why:
        return {"ok": False, "why": str(why)}
