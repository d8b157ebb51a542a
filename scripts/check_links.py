#!/usr/bin/env python3
"""Checks that links, anchors and paths in all Markdown files exist: `tests/c/run.c` names a file. Prints those that do not."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PLACE = re.compile(r"`((?:tests|scripts|bench|docs|cpp_examples|crates|fuzz)/[\w./-]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def prose(path):
    """The text without fenced code and inline code."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return text, re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """The anchors of a page's headings, as GitHub forms them."""
    names = re.findall(r"^#+ (.*)$", prose(path)[0], re.M)
    return {re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-") for name in names}


def broken(page):
    for target in LINK.findall(prose(page)[1]):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            yield target, "no such file"
        elif anchor and anchor not in anchors(file):
            yield target, "no such heading"
    for place in PLACE.findall(prose(page)[0]):
        if not (ROOT / place).exists():
            yield place, "no such file"


def main():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.md"], cwd=ROOT, text=True,
                            capture_output=True, check=True)
    pages = [ROOT / name for name in listed.stdout.split() if (ROOT / name).exists()]
    found = [f"{page.relative_to(ROOT)}: {target}: {why}" for page in pages for target, why in broken(page)]
    print("\n".join(found) or f"All links and paths of {len(pages)} Markdown files exist")
    sys.exit(bool(found))


main()
