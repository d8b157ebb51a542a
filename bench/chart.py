#!/usr/bin/env python3
"""Draws the charts of the documentation: bench/results/charts.json to docs/images/*.svg.

    chart.py [--check]    --check: draws nothing and fails if a file differs
"""
import json
import sys
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WIDTH, LABEL, ROW, TOP = 760, 230, 26, 40


def bar(place, label, value, largest):
    y = TOP + place * ROW
    length = max(1, round((WIDTH - LABEL - 80) * value / largest))
    color = "#2f6fde" if label.startswith("libpt2") else "#9aa4b2"
    return (f'<text x="{LABEL - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>'
            f'<rect x="{LABEL}" y="{y}" width="{length}" height="{ROW - 8}" fill="{color}"/>'
            f'<text x="{LABEL + length + 6}" y="{y + 14}">{value:g}</text>')


def drawn(chart):
    bars = chart["bars"]
    height, largest = TOP + len(bars) * ROW + 6, max(value for _, value in bars)
    rows = "\n".join(bar(place, label, value, largest) for place, (label, value) in enumerate(bars))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'font-family="sans-serif" font-size="13" fill="#24292f">\n<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
            f'<text x="8" y="22" font-size="15" font-weight="bold">{escape(chart["title"])}</text>\n{rows}\n</svg>\n')


def main():
    stale = []
    for chart in json.loads((ROOT / "bench/results/charts.json").read_text()):
        file, text = ROOT / f"docs/images/{chart['file']}.svg", drawn(chart)
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(file.name)
    sys.exit(f"python3 bench/chart.py draws {', '.join(stale)} differently" if stale else 0)


main()
