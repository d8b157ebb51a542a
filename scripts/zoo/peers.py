"""The loaders that the zoo measures, each in a process of its own, and how far their outputs are from Python's."""

import subprocess
import sys
import tempfile

import numpy as np

LIMIT = 300
TOLERANCE = 1e-5


def difference(expected, got):
    """The largest relative error of any output: 0 where every bit is the same, infinite where shapes or dtypes differ."""
    same = [a.dtype == b.dtype for a, b in zip(expected, got)]
    return distance(expected, got) if all(same) else float("inf")


def distance(expected, got):
    """The same, whatever the dtypes."""
    if [a.shape for a in expected] != [b.shape for b in got]:
        return float("inf")
    worst = 0.0
    for a, b in zip(expected, got):
        if a.dtype == b.dtype and a.tobytes() == b.tobytes():
            continue
        gap = np.abs(a.astype(np.float64) - b.astype(np.float64)).max(initial=0) / max(np.abs(a).max(initial=0), 1e-30)
        worst = max(worst, float("inf") if np.isnan(gap) else float(gap))
    return worst


def judge(expected, loaded, outputs):
    error = max((difference(e, g) for e, g in zip(expected, outputs)), default=float("inf"))
    return {"ok": error <= TOLERANCE, "error": error, "load": loaded}


def arrays(path):
    with np.load(path) as file:
        return [file[name] for name in file.files]


class Ended(Exception):
    """A loader's process ended; why, as text: a refusal and a crash alike."""


class Libpt2:
    """A process that holds one loaded archive (zoo.worker)."""

    def __init__(self, path, level):
        self.path, self.said = path, tempfile.TemporaryFile("w+")
        command = [sys.executable, "-m", "zoo.worker", path, level]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.said, text=True
        )

    def __enter__(self):
        self.loaded = float(self.answer())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def ask(self, *words):
        try:
            print(*words, file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass  # the answer says why
        return self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if line:
            return line
        status = self.process.wait()
        self.said.seek(0)
        said = self.said.read().strip().replace(str(self.path), self.path.name)
        raise Ended(f"killed by signal {-status}" if status < 0 else said[-600:])


def run_libpt2(path, files, expected):
    outputs = []
    try:
        with Libpt2(path, "exact") as libpt2:
            for file in files:
                out = file.with_suffix(".exact.npz")
                libpt2.ask("run", file, out)
                outputs.append(arrays(out))
            return judge(expected, libpt2.loaded, outputs)
    except Ended as why:
        return {"ok": False, "why": str(why)}


def run_nativert(path, files, expected):
    """nativert can end its process, so it has one of its own."""
    command = [sys.executable, "-m", "zoo.native", path, *files]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return {"ok": False, "why": f"no end after {LIMIT} s"}
    if done.returncode:
        said = f"killed by signal {-done.returncode}" if done.returncode < 0 else done.stderr.strip()[-2000:]
        return {"ok": False, "why": (said or "no reason given").splitlines()[-1]}
    outputs = [arrays(file.with_suffix(".nativert.npz")) for file in files]
    return judge(expected, float(done.stdout.split()[-1]), outputs)
