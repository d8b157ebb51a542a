"""docs/zoo.md, between its marks: a table for each device, the counts over it, and the times of one forward."""

import statistics

START, END = "<!-- zoo rows -->", "<!-- end of zoo rows -->"
COLUMNS = """model,variant,nodes,MB,load ms: libpt2,Python,nativert,libpt2,largest error,nativert,largest error,note"""
RULES = "|---|---|--:|--:|--:|--:|--:|---|--:|---|--:|---|"
STEADY = """| model | variant | Python ms | libpt2 ms | Python / libpt2 | of CPU time | largest error |
|---|---|--:|--:|--:|--:|--:|
"""


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
    return "| " + " | ".join(cells) + " |\n"


def counts(rows):
    """How many each loader passes, of those that Python runs."""
    ran = [row for row in rows if "python" in row]
    passed = lambda loader: sum(row[loader]["ok"] for row in ran)  # noqa: E731
    same = sum(row["libpt2"].get("error") == 0 for row in ran)
    models = len({row["name"] for row in rows})
    return (
        f"{models} models. Of {len(rows)} rows Python's loader runs {len(ran)}; libpt2 passes {passed('libpt2')} of them,"
        f" {same} with the same bits in every output; nativert passes {passed('nativert')}."
    )


def steady_line(row):
    times = row["steady"]
    if "python" not in times:
        return f"| {row['name']} | {row['variant']} | – | – | {cell(times.get('why'))} | – | – |\n"
    ours, theirs = times["libpt2"], times["python"]
    cpu = f"{times['python_cpu'] / times['libpt2_cpu']:.2f}" if "libpt2_cpu" in times else "–"
    cells = [row["name"], row["variant"], f"{theirs:.2f}", f"{ours:.2f}", f"{theirs / ours:.2f}", cpu, error(times)]
    return f"| {' | '.join(cells)} |\n"


def steady(rows, device):
    timed = sorted((row for row in rows if "steady" in row), key=lambda row: (row["name"], row["variant"] == "decomposed"))
    ratios = sorted(row["steady"]["python"] / row["steady"]["libpt2"] for row in timed if "python" in row["steady"])
    if not ratios:
        return ""
    slower = sum(ratio < 1 for ratio in ratios)
    return (
        f"\n### One forward on {device}\n\nPython / libpt2: median {statistics.median(ratios):.2f}, least {ratios[0]:.2f},"
        f" most {ratios[-1]:.2f}; libpt2 is slower in {slower} of {len(ratios)}.\n\n{STEADY}"
        + "".join(map(steady_line, timed))
    )


def section(rows, device):
    rows = [row for row in rows if row["device"] == device]
    rows.sort(key=lambda row: (row["name"], row["variant"] == "decomposed"))
    header = f"| {COLUMNS.replace(',', ' | ')} |\n{RULES}\n"
    return f"\n## On {device}\n\n{counts(rows)}\n\n{header}{''.join(map(line, rows))}{steady(rows, device)}"


def write(path, rows):
    head, rest = path.read_text().split(START)
    _, tail = rest.split(END)
    body = "".join(section(rows, device) for device in sorted({row["device"] for row in rows}))
    path.write_text(f"{head}{START}\n{body}{END}{tail}")
