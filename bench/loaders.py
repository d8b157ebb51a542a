"""The tables about both loaders of one package, libpt2 and PyTorch's own: which is how much faster, and how sure that is."""

import statistics

from runners import RUNNERS
from statistic import figure, quartiles, ratio_of_medians
from tables import FIELDS, PACKAGE_LOADERS, field_of, named, of_mode, swapped, table

SHARED = {"pair": "libpt2 and PyTorch's loader", "control": "PyTorch's loader twice"}
STARTS = ("load", "first", "load_first", "process")


def spread(values):
    """Three digits behind the point, as these lie near 1: median (lowest–highest)."""
    return f"{statistics.median(values):.3f} ({min(values):.3f}–{max(values):.3f})"


def pair(results, key):
    blocks = [ratio for ratios in results.values(key, "ratios") for ratio in ratios]
    low, middle, high = statistics.quantiles(blocks, method="inclusive")
    medians = [figure(statistics.median(results.values(key, field))) for field in ("steady", "steady_peer")]
    same = all(results.values(key, "equal"))
    ratios, calls = results.values(key, "ratio"), sum(results.values(key, "calls"))
    return [str(named(key)["batch"]), SHARED[named(key)["mode"]], *medians, spread(ratios),
            f"{middle:.3f} ({low:.3f}–{high:.3f})", f"{len(ratios)}, {calls}", "bit-equal" if same else "**differ**"]  # fmt: skip


def shared_keys(results, group):
    return [key for mode in SHARED for key in of_mode(results, group, mode) if results.rounds.get(key)]


def pairs(results, group):
    """Steady forwards in one process, in turns."""
    header = ["batch", "steady forwards in turns in one process, ms", "the first", "the second", "ratio, of processes",
              "ratio, of blocks: median (quartiles)", "processes, calls of each", "whole outputs"]  # fmt: skip
    rows = [pair(results, key) for key in sorted(shared_keys(results, group), key=lambda key: named(key)["batch"])]
    return table(header, rows) if rows else ""


def starts(results, group):
    """Starts of processes in turns, where both were measured in one process too."""
    rows, names = [], [RUNNERS[name].label for name in PACKAGE_LOADERS]
    for key in of_mode(results, group, "latency") if shared_keys(results, group) else ():
        if named(key)["runner"] != PACKAGE_LOADERS[0]:
            continue
        for field in STARTS:
            ours, theirs = (field_of(results, swapped(key, runner=name), field) for name in PACKAGE_LOADERS)
            if min(len(ours), len(theirs)) > 1:
                rows.append([str(named(key)["batch"]), FIELDS[field], quartiles(ours), quartiles(theirs),
                             ratio_of_medians(ours, theirs), f"{len(ours)}, {len(theirs)}"])  # fmt: skip
    header = ["batch", "starts in turns, ms: median (quartiles)", *names, "ratio of medians (95 %)", "processes"]
    return table(header, rows) if rows else ""
