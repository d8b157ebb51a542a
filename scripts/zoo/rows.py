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
    """New rows in place of old ones; a model that has come to rows is no longer one that failed as a whole."""
    rows = {key(row): row for row in old}
    for row in new:
        rows.pop((row["device"], row["name"], "–"), None)
        rows[key(row)] = row
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
    """The models that need no other run: both variants, or a step that PyTorch itself cannot do."""
    variants = {}
    for row in (row for path in paths for row in read(path)):
        if row["device"] == device and ("failed" in row or not steady or "steady" in row):
            variants.setdefault(row["name"], set()).add(row["variant"])
    return {name for name, found in variants.items() if found >= {"exported", "decomposed"} or "–" in found}
