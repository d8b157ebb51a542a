"""What a figure was taken on."""

import hashlib
import os
import subprocess
import sys
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def cpu_name():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "CPU")


def gpu_name():
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    name, driver = subprocess.run(query, capture_output=True, text=True, check=True).stdout.splitlines()[0].split(", ")
    return f"{name} (driver {driver}), "


def pytorch_version():
    try:
        return version("torch")
    except PackageNotFoundError:
        return "unknown"


def describe(device):
    gpu = gpu_name() if device.startswith("cuda") else ""
    cores = len(os.sched_getaffinity(0))
    return f"{gpu}{cores} core{'s' * (cores > 1)} of {cpu_name()}, PyTorch {pytorch_version()}"


def build_of(programs):
    """Tells builds of libpt2 apart, so that no table mixes them unseen."""
    halves = sorted(Path(programs).glob("libpt2*.so*"))
    return hashlib.sha256(b"".join(half.read_bytes() for half in halves)).hexdigest()[:8] if halves else "none"


@cache
def can_import(package, search):
    """Asked in a process of its own, which is where it will be imported."""
    asked = [sys.executable, "-c", f"import {package}"]
    return subprocess.run(asked, env=os.environ | {"PYTHONPATH": search}, capture_output=True).returncode == 0
