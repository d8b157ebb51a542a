"""The two loaders that the zoo measures, each in a process of its own, and how far their outputs are from Python's."""

import re
import subprocess
import sys

import numpy as np

LIMIT = 300
TOLERANCE = 1e-5


def difference(expected, got):
    """The largest relative error of any output: 0 where every bit is the same, infinite where shapes differ."""
    if len(expected) != len(got):
        return float("inf")
    worst = 0.0
    for a, b in zip(expected, got):
        if a.shape != b.shape or a.dtype != b.dtype:
            return float("inf")
        if a.tobytes() == b.tobytes():
            continue
        gap = np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0) / max(np.abs(a).max(initial=0), 1e-30)
        worst = max(worst, float("inf") if np.isnan(gap) else float(gap))
    return worst


def spawn(command):
    """Runs a loader; a crash, a refusal and a hang are all text."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None, f"no end after {LIMIT} s"
    if done.returncode < 0:
        return None, f"killed by signal {-done.returncode}"
    if done.returncode:
        return None, (done.stderr.strip() or done.stdout.strip())
    return done.stdout, None


def judge(expected, loaded, outputs):
    error = max((difference(e, g) for e, g in zip(expected, outputs)), default=float("inf"))
    return {"ok": error <= TOLERANCE, "error": error, "load": loaded}


def arrays(path):
    with np.load(path) as file:
        return [file[name] for name in file.files]


def run_libpt2(pt2, path, files, device, expected):
    outputs, loads = [], []
    for file in files:
        out = file.with_suffix(".libpt2.npz")
        command = [pt2, "run", path, "--exact", "--device", device, "--input", file, "--output", out, "--repeat", "1"]
        text, failure = spawn(command)
        if failure:
            return {"ok": False, "why": failure.replace(str(path), path.name)}
        loads.append(float(re.search(r"^load\s+([\d.]+) ms", text, re.M)[1]))
        outputs.append(arrays(out))
    return judge(expected, min(loads), outputs)


def run_nativert(path, files, expected):
    """nativert can end its process, so it has one of its own."""
    text, failure = spawn([sys.executable, "-m", "zoo.native", path, *files])
    if failure:
        return {"ok": False, "why": failure.splitlines()[-1]}
    return judge(expected, float(text.split()[-1]), [arrays(file.with_suffix(".nativert.npz")) for file in files])
