"""docs/zoo.md: rows that survive from run to run, and the counts over them."""

import fcntl
import re

START, END = "<!-- zoo rows -->", "<!-- end of zoo rows -->"
COLUMNS = """model,variant,nodes,MB,load ms: libpt2,Python,nativert,libpt2,largest error,nativert,largest error,note"""
RULES = "|---|---|--:|--:|--:|--:|--:|---|--:|---|--:|---|"
HEADER = f"| {COLUMNS.replace(',', ' | ')} |\n{RULES}\n"


def number(value, digits=0):
    return "–" if value is None else f"{value:.{digits}f}"


def error(result):
    value = result.get("error")
    return "–" if value is None else "0" if value == 0 else f"{value:.1e}"


def cell(text):
    return " ".join(str(text).replace("|", "/").split())[:300]


def verdict(result):
    if not result:
        return "–"
    return "pass" if result["ok"] else "refused" if result.get("why") else "FAIL"


def line(row):
    """A row of the table; the reasons of what did not pass go to the last column."""
    ours, native = row.get("libpt2", {}), row.get("nativert", {})
    notes = [row.get("failed"), row["note"], "outputs show nothing" if row.get("degenerate") else None]
    both = (("libpt2", ours), ("nativert", native))
    notes += [f"{name}: {result['why']}" for name, result in both if result.get("why")]
    cells = [
        row["name"], row["variant"], number(row.get("nodes")), number(row.get("mb"), 1),
        number(ours.get("load"), 1), number(row.get("python")), number(native.get("load")),
        verdict(ours), error(ours), verdict(native), error(native),
        "; ".join(cell(note) for note in notes if note),
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def parse(text):
    """(model, variant) → its line, in the order of the file."""
    rows = {}
    for match in re.finditer(r"^\| ([^|]+) \| (exported|decomposed|–) \|.*$", text, re.M):
        rows[match[1], match[2]] = match[0]
    return rows


def counts(rows):
    """How many each loader passes, of those that Python runs."""
    cells = [[cell.strip() for cell in row.split("|")] for row in rows.values()]
    ran = [c for c in cells if c[6] != "–"]
    ours, same = sum(c[8] == "pass" for c in ran), sum(c[9] == "0" for c in ran)
    native = sum(c[10] == "pass" for c in ran)
    return (
        f"Python runs {len(ran)} of {len(rows)} archives; libpt2 passes {ours} of them, {same} with the same bits in"
        f" every output; nativert passes {native}."
    )


def add(path, new, order):
    """Puts rows into the file, in place of those of the same model and variant."""
    with path.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        text = file.read()
        head, rest = text.split(START)
        old, tail = rest.split(END)
        rows = parse(old)
        for row in new:
            rows = {key: value for key, value in rows.items() if key != (row["name"], "–")}
            rows[row["name"], row["variant"]] = line(row)
        rows = dict(sorted(rows.items(), key=lambda item: (order.index(item[0][0]), item[0][1] == "decomposed")))
        file.seek(0)
        file.truncate()
        body = "\n".join(rows.values())
        file.write(f"{head}{START}\n{counts(rows)}\n\n{HEADER}{body}\n{END}{tail}")
