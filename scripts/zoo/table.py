"""bench/results/zoo.md, between its marks: a table for each device, the counts over it, and the times of one forward."""

import statistics

START, END = "<!-- zoo rows -->", "<!-- end of zoo rows -->"
COLUMNS = """model,variant,nodes,MB,load ms: libpt2,Python,nativert,libpt2,largest error,nativert,largest error,note"""
RULES = "|---|---|--:|--:|--:|--:|--:|---|--:|---|--:|---|"
STEADY = """| model | Python ms | libpt2 ms | Python / libpt2 | of CPU time | difference | error: Python | libpt2 |
|---|--:|--:|--:|--:|--:|--:|--:|
"""


def number(value, digits=0):
    return "–" if value is None else f"{value:.{digits}f}"


def error(result, name="error"):
    value = result.get(name)
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
        return f"| {row['name']} | – | – | {cell(times.get('why'))} | – | – | – | – |\n"
    cells = [row["name"], f"{times['python']:.2f}", f"{times['libpt2']:.2f}", f"{ratio(row):.2f}", f"{ratio(row, '_cpu'):.2f}"]
    cells += [error(times), error(times, "python_error"), error(times, "libpt2_error")]
    return f"| {' | '.join(cells)} |\n"


def ratio(row, kind=""):
    return row["steady"][f"python{kind}"] / row["steady"][f"libpt2{kind}"]


def accuracy(timed):
    """Of those that float64 can judge: below 1e-6 both are as near as float32 can tell."""
    judged = [row["steady"] for row in timed if "libpt2_error" in row["steady"]]
    worse = [times for times in judged if times["libpt2_error"] > max(2 * times["python_error"], 1e-6)]
    return f"Against float64, libpt2's error is over twice Python's in {len(worse)} of {len(judged)}."


def steady(rows, device):
    timed = sorted((row for row in rows if "python" in row.get("steady", {})), key=lambda row: row["name"])
    ratios = sorted(map(ratio, timed))
    if not ratios:
        return ""
    slower = [row["name"] for row in timed if ratio(row) < 1 and ratio(row, "_cpu") < 1]
    failed = [row for row in rows if "why" in row.get("steady", {})]
    return (
        f"\n### One forward on {device}\n\nPython / libpt2: median {statistics.median(ratios):.2f}, least {ratios[0]:.2f},"
        f" most {ratios[-1]:.2f}; libpt2 is slower, by the clock and by CPU time, in {len(slower)} of {len(ratios)}"
        f"{': ' if slower else ''}{', '.join(slower)}. {accuracy(timed)}\n\n{STEADY}"
        + "".join(map(steady_line, [*timed, *failed]))
    )


def section(rows, device):
    rows = [row for row in rows if row["device"] == device]
    rows.sort(key=lambda row: (row["name"], row["variant"] == "decomposed"))
    return f"\n## On {device}\n{loaders(rows)}{steady(rows, device)}"


def loaders(rows):
    """The table of all loaders, where they were tried."""
    if not any("python" in row for row in rows):
        return ""
    header = f"| {COLUMNS.replace(',', ' | ')} |\n{RULES}\n"
    return f"\n{counts(rows)}\n\n{header}{''.join(map(line, rows))}"


def write(path, rows):
    head, rest = path.read_text().split(START)
    _, tail = rest.split(END)
    body = "".join(section(rows, device) for device in sorted({row["device"] for row in rows}))
    path.write_text(f"{head}{START}\n{body}{END}{tail}")
