"""The tables and the plot of results, which may come from several runs.

    python bench/report.py RESULTS.jsonl … [--out FILE] [--into DOCUMENT --mark NAME]

Writes FILE.md, FILE.json and FILE.png; or puts the tables between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` of
a document.
"""

import argparse
import json
import sys
from pathlib import Path

import loaders
import records
import tables
from cases import CHAINS
from neighbours import CALM
from statistic import Results


def groups_of(results):
    return list(dict.fromkeys(key[:4] for key in results.keys()))


def section(results, group, level):
    about = tables.named(group)
    parts = [
        f"{level} {about['case']}, {about['dtype']}, {about['device'].split(':')[0]}\n",
        tables.latency(results, group),
        tables.same_bits(results, group),
        loaders.pairs(results, group),
        loaders.starts(results, group),
        tables.quotients(results, group),
        tables.throughput(results, group),
        tables.memory(results, group),
        tables.preparation(results, group),
    ]
    return "\n".join(part for part in parts if part)


def provenance(rows, machine):
    """When, on what, and with which builds the figures were taken."""
    rows = [row for row in rows if row["machine"] == machine and row["mode"] != "prepare"]
    days = sorted({row["time"][:10] for row in rows})
    builds = sorted({row["build"] for row in rows})
    when = " to ".join(dict.fromkeys((days[0], days[-1])))
    mixed = f" Of {len(builds)} builds of libpt2: {', '.join(builds)}." if len(builds) > 1 else ""
    disturbed, counted = Results(rows).disturbed()
    others = f" In {disturbed} of {counted} processes others took over {CALM} cores." if disturbed else ""
    return f"{machine}, {when}. Median of the rounds (lowest–highest).{mixed}{others}\n"


def markdown(rows, level="###"):
    results, parts = Results(rows), []
    groups = groups_of(results)
    for machine in dict.fromkeys(group[0] for group in groups):
        mine = [group for group in groups if group[0] == machine]
        parts.append(provenance(rows, machine))
        parts += [section(results, group, level) for group in mine if tables.named(group)["case"] not in CHAINS]
        chain = tables.chains(results, mine)
        parts += [f"{level} A chain of 1,000 additions on tensors of one element\n\n{chain}"] if chain else []
    return "\n".join(parts)


def summary(rows):
    """The medians, for programs to read."""
    results = Results(rows)
    fields = [*tables.FIELDS, "rate", "ratio", "steady_peer", "seconds", "peak_host", "anonymous_host", "peak_device", "read_calls", "read_disk"]
    return [
        tables.named(key)
        | {field: value for field in fields if (value := results.median(key, field)) is not None}
        | {"rounds": len(results.rounds.get(key, ()))}
        | ({"failed": results.failures[key]} if key in results.failures else {})
        for key in results.keys()
    ]


def write(paths, out, packages=None):
    rows = records.read(paths)
    out.with_suffix(".md").write_text(markdown(rows))
    out.with_suffix(".json").write_text(json.dumps(summary(rows), indent=1, ensure_ascii=False) + "\n")
    print(markdown(rows))
    sys.path += [str(packages)] if packages else []
    try:
        import plot
    except ImportError as missing:
        return print(f"No plot: {missing} (bench/README.md).")
    plot.write(Results(rows), out.with_suffix(".png"))


def put_into(document, mark, text):
    start, end = f"<!-- bench:{mark} -->", f"<!-- /bench:{mark} -->"
    head, rest = document.read_text().split(start)
    document.write_text(f"{head}{start}\n{text}{end}{rest.split(end)[1]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path, nargs="+", metavar="RESULTS.jsonl")
    parser.add_argument("--out", type=Path, metavar="FILE")
    parser.add_argument("--into", type=Path, metavar="DOCUMENT")
    parser.add_argument("--mark", metavar="NAME")
    parser.add_argument("--packages", type=Path, metavar="FOLDER", help="of bench/requirements.txt")
    options = parser.parse_args()
    if options.into:
        put_into(options.into, options.mark, markdown(records.read(options.results)))
    if options.out or not options.into:
        write(options.results, options.out or options.results[0], options.packages)


if __name__ == "__main__":
    main()
