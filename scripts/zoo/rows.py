"""The rows of the zoo as lines of JSON: what was measured, one line a device, model and variant."""

import fcntl
import json


def read(path):
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines() if line]


def key(row):
    return row["device"], row["name"], row["variant"]


def merged(old, new):
    """New rows in place of old ones; a model that has come to rows is no longer one that failed as a whole. Times of one
    forward are taken apart from the rest, and neither takes the place of the other."""
    rows = {key(row): row for row in old}
    for row in new:
        rows.pop((row["device"], row["name"], "–"), None)
        before = rows.get(key(row), {})
        rows[key(row)] = before | row if "steady" in row else {k: before[k] for k in ("steady",) if k in before} | row
    return sorted(rows.values(), key=key)


def add(path, new):
    """Several runs may add at once."""
    with path.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        rows = merged([json.loads(line) for line in file if line.strip()], new)
        file.seek(0)
        file.truncate()
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def complete(paths, device, steady):
    """The models that need no other run: both variants, or its times, or a step that PyTorch itself cannot do."""
    variants = {}
    for row in (row for path in paths for row in read(path)):
        if row["device"] == device and ("failed" in row or ("steady" in row if steady else "python" in row)):
            variants.setdefault(row["name"], set()).add(row["variant"])
    needed = {"exported"} if steady else {"exported", "decomposed"}
    return {name for name, found in variants.items() if found >= needed or "–" in found}
