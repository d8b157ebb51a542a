"""Virtual environments with one PyTorch each, which share files by hard links into one cache."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from versions.release import ROOT

TOOLS = f"{ROOT / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"


class Environment:
    def __init__(self, release, folder):
        self.release, self.path = release, Path(folder).resolve() / release.minor
        self.python = self.path / "bin/python"

    @property
    def packages(self):
        return next(self.path.glob("lib/python3*/site-packages"), self.path / "lib/site-packages")

    @property
    def libtorch(self):
        return self.packages / "torch"

    def is_complete(self):
        wanted = (f"torch-{self.release.torch}.dist-info", f"torchvision-{self.release.torchvision}.dist-info")
        return all((self.packages / name).exists() for name in wanted)

    def make(self):
        """Makes the environment unless it has these releases."""
        if self.is_complete():
            return
        uv = shutil.which("uv", path=TOOLS)
        if not uv:
            raise SystemExit("error: uv is missing: make setup installs it into .venv")
        variables = os.environ | {"UV_CACHE_DIR": str(self.path.parent / "cache"), "UV_LINK_MODE": "hardlink",
                                  "UV_HTTP_TIMEOUT": "600"}  # fmt: skip
        call = lambda *words: subprocess.run([uv, *map(str, words)], env=variables, check=True)  # noqa: E731
        print(f"== Fetching PyTorch {self.release.torch} into {self.path}", flush=True)
        call("venv", "--quiet", "--clear", "--python", sys.executable, self.path)
        call("pip", "install", "--quiet", "--python", self.python, f"torch=={self.release.torch}",
             f"torchvision=={self.release.torchvision}", *pinned("numpy", "safetensors"))  # fmt: skip


def pinned(*names):
    """The lines of requirements.txt for these packages, with their markers."""
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    return [line for line in lines if re.split("[=;]", line)[0] in names]
