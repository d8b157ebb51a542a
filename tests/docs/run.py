#!/usr/bin/env python3
"""Runs the `python` and `sh` blocks of documentation pages.

    run.py PREFIX [PAGE…]    default: all of docs

Each page runs in a folder of its own below build/docs, block after block, with PREFIX as the installed library. A
block whose fence names a file, as in ```cpp main.cpp, is written there first. A failing block fails the run.
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


def commands(text, folder):
    """Writes the page's files and returns its commands."""
    lines = []
    for number, (language, name, code) in enumerate(FENCE.findall(text)):
        if language == "python":
            name = name or f"block_{number}.py"
            lines.append(f"python {name}")
        elif language == "sh":
            lines.append(code)
        if "." in name:
            (folder / name).write_text(code)
    return "\n".join(lines)


def run(page, prefix):
    folder = ROOT / "build/docs" / page.resolve().relative_to(ROOT).with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    script = commands(page.read_text(), folder)
    if not script:
        return True
    environment = dict(os.environ, PREFIX=str(prefix), ARCHIVES=str(ROOT / "tests/archives/2.11.0"),
                       PATH=f"{ROOT}/.venv/bin:{prefix}/bin:{os.environ['PATH']}",
                       PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig")
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=600)
    print(f"{page}: {'passed' if done.returncode == 0 else f'failed with {done.returncode}'}", flush=True)
    if done.returncode:
        print(done.stdout)
    return done.returncode == 0


def main():
    prefix, named = Path(sys.argv[1]).resolve(), [Path(name) for name in sys.argv[2:]]
    sys.exit(not all([run(page, prefix) for page in named or sorted(ROOT.glob("docs/**/*.md"))]))


main()
