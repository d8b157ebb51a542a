"""The plot of a report: what a process pays before its first output, and the steady forward by batch."""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

import tables  # noqa: E402
from cases import CHAINS  # noqa: E402
from runners import RUNNERS, is_peer  # noqa: E402

OURS = {"libpt2-fast": "#d62728", "libpt2-exact": "#ff9896"}


def color(key):
    """One for each runner in every panel; libpt2's stand out."""
    runner = tables.named(key)["runner"]
    return OURS.get(runner) or plt.cm.tab10(list(RUNNERS).index(runner))


def start_panel(axes, results, keys):
    """Bars of load and first forward, at the first batch."""
    batch = min(tables.named(key)["batch"] for key in keys)
    keys = [key for key in keys if tables.named(key)["batch"] == batch and results.values(key, "load")]
    for index, key in enumerate(keys):
        load, first = results.median(key, "load"), results.median(key, "first")
        axes.barh(index, load, color=color(key))
        axes.barh(index, first, left=load, color=color(key), alpha=0.5)
    axes.set_yticks(range(len(keys)), [tables.label(key).replace("`", "") for key in keys])
    axes.invert_yaxis()
    # Of a logarithmic axis the left end is free: everybody's load shall be seen.
    least = min(results.median(key, "load") for key in keys) / 2
    axes.set(xscale="log", xlim=(least, None), xlabel=f"ms: load, then first forward, batch {batch}")


def steady_panel(axes, results, keys):
    names = dict.fromkeys((tables.named(key)["runner"], tables.named(key)["cache"]) for key in keys)
    for name in names:
        mine = [key for key in keys if (tables.named(key)["runner"], tables.named(key)["cache"]) == name]
        points = [(tables.named(key)["batch"], results.median(key, "steady")) for key in mine if results.rounds.get(key)]
        if points and name[1] != "cold":
            style = "o--" if is_peer(name[0]) else "o-"
            axes.plot(*zip(*points), style, color=color(mine[0]), label=tables.label(mine[0]).replace("`", ""))
    axes.set(xscale="log", yscale="log", xlabel="batch", ylabel="ms, steady forward")
    axes.legend(fontsize=7, loc="upper left")


def write(results, path):
    groups = dict.fromkeys(key[:4] for key in results.rounds if tables.named(key)["mode"] == "latency")
    groups = [group for group in groups if tables.named(group)["case"] not in CHAINS]
    if not groups:
        return
    figure, rows = plt.subplots(len(groups), 2, figsize=(13, 4 * len(groups)), squeeze=False)
    for (left, right), group in zip(rows, groups):
        keys = tables.of_mode(results, group, "latency")
        start_panel(left, results, keys)
        steady_panel(right, results, keys)
        left.set_title(", ".join(str(tables.named(group)[field]) for field in ("case", "dtype", "device")))
    figure.tight_layout()
    figure.savefig(path, dpi=90)
