"""The results: one line of JSON for each process that was measured, so that what several runs wrote can be put together."""

import json
from collections import Counter

# What tells measurements apart; those alike are repetitions of one.
KEY = ("machine", "device", "case", "dtype", "mode", "runner", "batch", "threads", "cache")


def key(record):
    return tuple(record.get(field) for field in KEY)


def read(paths):
    """Lines that a killed process left half written are passed over."""
    records = []
    for path in paths:
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                records.append(json.loads(line))
            except json.JSONDecodeError:
                continue
    return records


def append(path, record):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(rounded(record), ensure_ascii=False) + "\n")


def rounded(record):
    return {name: float(f"{value:.6g}") if isinstance(value, float) else value for name, value in record.items()}


def counts(records):
    return Counter(map(key, records))
