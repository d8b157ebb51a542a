"""The time of one forward, in Python's exported module and in libpt2 as it is by default, taking turns; and how far both
are from what float64 gives."""

import copy
import fcntl
import os
import statistics
import time

import torch
from torch.utils._pytree import tree_leaves, tree_map

from zoo.peers import Ended, Libpt2, arrays, distance

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


def in_float64(model, calls):
    """The outputs of the model as it was before it was exported, or why it does not run in float64."""
    precise = lambda leaf: leaf.double() if leaf.is_floating_point() else leaf  # noqa: E731
    try:
        model = copy.deepcopy(model).double()
        with torch.no_grad():
            outputs = [tree_leaves(model(*tree_map(precise, call))) for call in calls]
    except Exception as reason:
        return str(reason).splitlines()[0][:120]
    return [[leaf.cpu().numpy() for leaf in leaves if isinstance(leaf, torch.Tensor)] for leaves in outputs]


def worst(expected, outputs):
    return max(map(distance, expected, outputs))


def steady(module, calls, path, files, expected, precise):
    """Errors of all calls, times of the first."""
    try:
        with Libpt2(path, "fast") as libpt2:
            for file in files:
                libpt2.ask("run", file, file.with_suffix(".fast.npz"))
    except Ended as why:
        return {"why": str(why)}
    outputs = [arrays(file.with_suffix(".fast.npz")) for file in files]
    errors = {"error": worst(expected, outputs)}
    if isinstance(precise, str):
        errors["no_float64"] = precise
    else:
        errors |= {"libpt2_error": worst(precise, outputs), "python_error": worst(precise, expected)}
    return errors | compare(module, calls[0], path, files[0])
