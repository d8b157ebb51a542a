"""The tables of docs/reference/libtorch_versions.md."""

from versions import timing
from versions.release import PINNED, ROOT, releases

PAGE = ROOT / "docs/reference/libtorch_versions.md"


def write(recorded):
    """Replaces what stands between a table's two comments."""
    rows = {release.minor: recorded["versions"].get(release.minor, {}) for release in releases()}
    text = PAGE.read_text()
    for name, lines in (("tests", tests(rows)), ("times", times(rows, recorded))):
        begin, end = f"<!-- {name}: scripts/test_versions.py -->\n", f"<!-- end of {name} -->\n"
        before, _, rest = text.partition(begin)
        if not rest or end not in rest:
            raise SystemExit(f"error: {PAGE} has no place for the table of {name}")
        text = before + begin + "\n" + "\n".join(lines) + "\n\n" + end + rest.partition(end)[2]
    PAGE.write_text(text)


def tests(rows):
    yield "| libtorch | torch, torchvision | C and C++ tests passed, failed, skipped | outputs bit-equal to PyTorch's | one C program, two ways | other comparisons |"
    yield "|---|---|---|---|---|---|"
    for minor, row in rows.items():
        scripts = {name: result for name, result in row.get("comparisons", {}).items() if isinstance(result, dict)}
        failed = [name for name, result in scripts.items() if not result["passed"]]
        cells = [minor, f"{row.get('torch', '–')}, {row.get('torchvision', '–')}", c_tests(row), *(
            equal(scripts.get(name)) for name in ("against_pytorch", "one_program")), ", ".join(failed) or "passed" if scripts else "–"]  # fmt: skip
        yield f"| {' | '.join(cells)} |"


def c_tests(row):
    found = row.get("c_tests")
    return f"{found['passed']}, {len(found['failed'])}, {len(found['skipped'])}" if found else "–"


def equal(result):
    return f"{result['bit_equal']} of {result['outputs']}" if result and "outputs" in result else "–"


def times(rows, recorded):
    yield f"{recorded['machine']}, {recorded['date']}, medians of {recorded['rounds']} rounds in turns; in parentheses beside {PINNED}."
    yield ""
    yield "| libtorch | process with one forward, ms | load, ms | steady forward, ms | engine, MB |"
    yield "|---|---|---|---|---|"
    measured = {minor: timing.medians(row["times"]) for minor, row in rows.items() if row.get("times")}
    for minor, found in measured.items():
        cells = [beside(found[figure], measured[PINNED][figure]) for figure in ("process", "load", "steady")]
        size = f"{rows[minor]['engine_bytes'] / 1e6:.1f}" if "engine_bytes" in rows[minor] else "–"
        yield f"| {' | '.join([minor, *cells, size])} |"
    yield ""
    yield "Raw figures: [libtorch_versions.json](../../bench/results/libtorch_versions.json)."


def beside(seconds, pinned):
    return f"{seconds * 1e3:.1f} ({seconds / pinned:.2f})"
