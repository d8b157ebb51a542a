"""The tables of a report, in Markdown."""

import statistics

from cases import CHAIN_NODES, CHAINS
from records import KEY
from runners import RUNNERS, is_peer
from statistic import cell, difference, figure

FIELDS = {"load": "load", "first": "first forward", "load_first": "load + first", "process": "process start to output",
          "process_cpu": "CPU time of that", "steady": "steady forward", "steady_cpu": "CPU time of that"}  # fmt: skip
PACKAGE_LOADERS = ("libpt2-aoti", "aoti")
# TF32, and sums in another order, stay below; wrong outputs do not.
TOLERANCE = {"float32": 0.02, "bfloat16": 0.1}


def table(header, rows):
    return "".join(f"| {' | '.join(row)} |\n" for row in [header, ["---"] * len(header), *rows])


def named(key):
    return dict(zip(KEY, key))


def label(key):
    about = named(key)
    return RUNNERS[about["runner"]].label + (f", {about['cache']} cache" if about["cache"] else "")


def order(key):
    about = named(key)
    return (about["batch"], [*RUNNERS, *STEPS, "archive"].index(about["runner"]), about["cache"], about["threads"])


def of_mode(results, group, mode):
    keys = [key for key in results.keys() if key[:4] == group and named(key)["mode"] == mode]
    return sorted(keys, key=order)


def swapped(key, **fields):
    return tuple((named(key) | fields)[field] for field in KEY)


def field_of(results, key, field):
    """On CUDA the start of a process is measured apart, with nothing done ahead."""
    apart = swapped(key, mode="start")
    return results.values(apart if field == "process" and results.values(apart, field) else key, field)


def disagrees(results, key):
    """A runner that computes something else is no peer."""
    output = results.outputs(key)
    trusted = [results.outputs(swapped(key, runner=name, cache="")) for name in ("eager", "libpt2-exact")]
    reference = next(filter(None, trusted), None)
    return bool(reference and output) and difference(output, reference) > TOLERANCE[named(key)["dtype"]]


def latency(results, group):
    rows = []
    for key in of_mode(results, group, "latency"):
        wrong = " — **other outputs**" if disagrees(results, key) else ""
        cells = [cell(field_of(results, key, field)) for field in FIELDS]
        if key in results.failures and not results.rounds.get(key):
            cells[0] = f"failed: {results.failures[key]}"
        rows.append([str(named(key)["batch"]), label(key) + wrong, *cells])
    return table(["batch", "milliseconds", *FIELDS.values()], rows)


def quotient(results, keys, ours, field):
    """One level of libpt2 by the fastest peer, and which that is."""
    medians = {key: statistics.median(values) for key in [*keys, ours] if (values := field_of(results, key, field))}
    peers = [key for key in medians if is_peer(named(key)["runner"]) and not disagrees(results, key)]
    if not peers or ours not in medians:
        return "–"
    best = min(peers, key=medians.get)
    return f"{figure(medians[ours] / medians[best])} ({label(best)})"


def quotients(results, group):
    """How libpt2 stands to the fastest peer in each column."""
    keys, rows = of_mode(results, group, "latency"), []
    for ours in keys:
        if not is_peer(named(ours)["runner"]):
            same = [key for key in keys if named(key)["batch"] == named(ours)["batch"]]
            cells = [quotient(results, same, ours, field) for field in FIELDS if field != "first"]
            rows.append([str(named(ours)["batch"]), label(ours), *cells])
    header = ["batch", "÷ the fastest peer", *(text for field, text in FIELDS.items() if field != "first")]
    return table(header, rows) if rows else ""


def same_bits(results, group):
    """Whether both loaders of one package get the same bytes out of it, by the digests of whole first outputs."""
    verdicts = {True: [], False: []}
    for key in of_mode(results, group, "latency"):
        ours, theirs = (set(results.values(swapped(key, runner=name), "digest")) for name in PACKAGE_LOADERS)
        if named(key)["runner"] == PACKAGE_LOADERS[0] and ours and theirs:
            verdicts[len(ours | theirs) == 1].append(str(named(key)["batch"]))
    names = " and ".join(RUNNERS[name].label for name in PACKAGE_LOADERS)
    said = {True: "are bit-equal", False: "**differ**"}
    parts = [f"{said[equal]} at batch {', '.join(batches)}" for equal, batches in verdicts.items() if batches]
    return f"Whole first outputs of {names} {'; they '.join(parts)}.\n" if parts else ""


def throughput(results, group):
    keys = of_mode(results, group, "throughput")
    threads = sorted({named(key)["threads"] for key in keys})
    rows = []
    for key in dict.fromkeys(swapped(key, threads=0) for key in keys):
        cells = [cell(results.values(swapped(key, threads=count), "rate")) for count in threads]
        if any(cell != "–" for cell in cells):
            rows.append([str(named(key)["batch"]), label(key), *cells])
    return table(["batch", "calls a second", *(f"{count} threads" for count in threads)], rows) if rows else ""


MEMORY = {"peak_host": "host, peak", "anonymous_host": "of it not of files", "peak_device": "GPU",
          "read_calls": "read by calls", "read_disk": "read from disk"}  # fmt: skip
STEPS = {"aoti": "AOTInductor's package", "aoti-frozen": "AOTInductor's package with frozen weights",
         "onnx": "torch.onnx.export"}  # fmt: skip


def memory(results, group):
    """Peaks in MiB over load and all forwards."""
    columns = [field for field in MEMORY if field != "peak_device" or named(group)["device"] != "cpu"]
    rows = [
        [str(named(key)["batch"]), label(key), *(cell(results.values(key, field), 2**-20) for field in columns)]
        for key in of_mode(results, group, "latency")
        if results.rounds.get(key)
    ]
    return table(["batch", "MiB", *map(MEMORY.get, columns)], rows)


def preparation(results, group):
    took = []
    for key in of_mode(results, group, "prepare"):
        seconds = results.median(key, "seconds")
        if named(key)["runner"] in STEPS and seconds is not None:
            took.append(f"{STEPS[named(key)['runner']]} {figure(seconds)} s")
    return f"Made beforehand, once: {', '.join(took)}.\n" if took else ""


def chains(results, groups):
    """Microseconds a node."""
    chosen = [group for group in groups if named(group)["case"] in CHAINS]
    names = list(dict.fromkeys(named(key)["runner"] for group in chosen for key in of_mode(results, group, "latency")))
    rows = []
    for group in chosen:
        keys = {named(key)["runner"]: key for key in of_mode(results, group, "latency")}
        cells = [cell(results.values(keys[name], "steady"), 1e3 / CHAIN_NODES) if name in keys else "–" for name in names]
        rows.append([named(group)["device"], named(group)["case"].replace("chain-", "tensor + "), *cells])
    return table(["device", "µs a node", *(RUNNERS[name].label for name in names)], rows) if rows else ""
