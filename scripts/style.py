#!/usr/bin/env python3
"""Counts departures from docs/contributing/style.md and compares them with a budget that may only fall.

    style.py            figures; fails if one exceeds scripts/style_budget.json
    style.py --lower    writes lower figures into the budget
    style.py --show     lists the places

Counted in Markdown, in the header and in comments of Rust, C and C++: subjects that are clauses and banned words, for
10,000 words; doc comments that open with a question word; the 90th percentile of words in a sentence; lines over 100
columns of Markdown and header.
"""
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GUIDE = "docs/contributing/style.md"  # quotes the banned words
BUDGET = ROOT / "scripts/style_budget.json"
CLAUSE = re.compile(
    r"\b[Ww]hat (?:is|was|are|were|it|the|only|they|a|no|it's|others?|calls?|has|had|have|does|can|must|lies|goes|"
    r"comes|stays)\b|\b(?:[Ww]hoever|[Nn]obody|[Ss]omebody)\b|\b(?:tells?|told|anew)\b|\blets? go\b")
QUESTION = re.compile(r"^(?:What|Where|Who|Whose|Which|Whether|That|How|When)\b")
COMMENT = re.compile(r"^\s*(///|//!|//|\*(?!/)|/\*\*?)\s?(.*?)(?:\*/)?$")
CODE = (".rs", ".c", ".cpp", ".h", ".hpp")
AREAS = {
    "docs": lambda name: name.endswith(".md") and not name.startswith("bench/results/") and name != GUIDE,
    "results": lambda name: name.endswith(".md") and name.startswith("bench/results/"),
    "header": lambda name: name.startswith("include/"),
    "comments": lambda name: name.endswith(CODE) and not name.startswith("include/"),
}


def markdown(lines):
    """(line number, prose, False), without code and tables; an empty line ends a paragraph."""
    fenced = False
    for number, line in enumerate(lines, 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
            yield number, "", False
        elif not fenced:
            text = line.strip().lstrip("# ")
            yield number, "" if text.startswith(("|", "<!--", "![")) else text, False


def comments(lines):
    """(line number, prose, whether it opens a doc comment)"""
    inside = False
    for number, line in enumerate(lines, 1):
        match = COMMENT.match(line)
        text = match[2].strip() if match else ""
        doc = bool(match) and match[1] in ("///", "//!", "*", "/**", "/*")
        yield number, text, doc and not inside and text != ""
        inside = text != ""


def plain(text):
    return re.sub(r"\]\([^)]*\)", "]", re.sub(r"`[^`]*`", "x", text))


def sentences(lines):
    """(first line number, sentence); list items and empty lines end one."""
    start, text = 0, ""
    for number, prose, _ in [*lines, (0, "", False)]:
        item = re.match(r"(?:[-*]|\d+\.) ", prose)
        if not prose or item:
            for sentence in re.split(r"(?<=[.!?])\s+", plain(text)):
                if sentence:
                    yield start, sentence
            start, text = number, prose[item.end():] if item else ""
        else:
            start, text = start or number, f"{text} {prose}"


class Area:
    """The figures of one area and the places that they count."""

    def __init__(self):
        self.words, self.clauses, self.questions, self.wide, self.lengths, self.places = 0, 0, 0, 0, [], []

    def add(self, name, text):
        raw = text.split("\n")
        lines = list(markdown(raw) if name.endswith(".md") else comments(raw))
        for number, prose, opens in lines:
            self.words += len(plain(prose).split())
            found = CLAUSE.findall(plain(prose))
            self.clauses += len(found)
            self.note(name, number, found, f"'{' '.join(found)}'")
            asks = opens and QUESTION.match(prose)
            self.questions += bool(asks)
            self.note(name, number, asks, "opens with a question word")
            wide = len(raw[number - 1]) > 100 and name.endswith((".md", ".h", ".hpp")) and prose
            self.wide += bool(wide)
            self.note(name, number, wide, "over 100 columns")
        for number, sentence in sentences(lines):
            self.lengths.append(len(sentence.split()))
            self.note(name, number, self.lengths[-1] > 30, f"{self.lengths[-1]} words in a sentence")

    def note(self, name, number, holds, what):
        if holds:
            self.places.append(f"{name}:{number}: {what}")

    def figures(self):
        lengths = sorted(self.lengths) or [0]
        return {"clauses for 10,000 words": round(1e4 * self.clauses / max(self.words, 1), 1),
                "openings with a question word": self.questions,
                "90th percentile of words in a sentence": lengths[len(lengths) * 9 // 10],
                "lines over 100 columns": self.wide}


def measured():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True, capture_output=True)
    areas = {area: Area() for area in AREAS}
    for name in sorted(listed.stdout.split("\n")):
        for area, belongs in AREAS.items():
            if name.endswith((*CODE, ".md")) and belongs(name) and (ROOT / name).is_file():
                areas[area].add(name, (ROOT / name).read_text(encoding="utf-8", errors="replace"))
    return areas


def main():
    areas = measured()
    figures = {area: counted.figures() for area, counted in areas.items()}
    if "--show" in sys.argv:
        print("\n".join(place for area in areas.values() for place in area.places))
    if not BUDGET.exists():
        BUDGET.write_text(json.dumps(figures, indent=2) + "\n")
    budget = json.loads(BUDGET.read_text())
    over = [f"{area}: {name}: {value}, at most {budget[area][name]}"
            for area, all_ in figures.items() for name, value in all_.items() if value > budget[area][name]]
    for area, all_ in figures.items():
        print(f"{area}: " + ", ".join(f"{name} {value} (budget {budget[area][name]})" for name, value in all_.items()))
    if over:
        sys.exit("Style: over the budget (scripts/style.py --show lists the places):\n" + "\n".join(over))
    if "--lower" in sys.argv:
        BUDGET.write_text(json.dumps(figures, indent=2) + "\n")


main()
