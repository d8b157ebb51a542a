"""Releases of PyTorch that libpt2 has an engine for."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "packaging/libtorch_versions.txt"
# The release that .venv has.
PINNED = re.search(r"^torch==(\d+\.\d+)", (ROOT / "requirements.txt").read_text(), re.M)[1]


@dataclass(frozen=True)
class Release:
    minor: str
    torch: str
    torchvision: str


def releases(minors=()):
    """The releases of the list, or those with these minor versions."""
    lines = (line.partition("#")[0].split() for line in LIST.read_text().splitlines())
    listed = {words[0]: Release(*words) for words in lines if words}
    unknown = set(minors) - set(listed)
    if unknown:
        raise SystemExit(f"error: {LIST.name} does not list {', '.join(sorted(unknown))}")
    return [release for minor, release in listed.items() if not minors or minor in minors]
