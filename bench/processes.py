"""The processes that are measured: their commands, what they read from the environment, and how they end."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import prepare
from cases import case_of
from runners import RUNNERS

HERE = Path(__file__).resolve().parent


class OutOfTime(Exception):
    """Says nothing about what was being measured."""


def command(measurement, options):
    runner = RUNNERS[measurement.runner]
    name, *own = runner.command
    program = [sys.executable, "-m", f"runners.{name}"] if runner.python else [str(options.programs / name)]
    about = (measurement.case, measurement.dtype, measurement.device, options.work)
    inputs = case_of(measurement.case).arguments(measurement.dtype, measurement.batch)
    pair = measurement.mode in RUNNERS["pair"].modes
    repeat, seconds = (options.pair_repeat, options.pair_seconds) if pair else (options.repeat, options.seconds)
    limits = ("--repeat", repeat, "--seconds", seconds, "--threads", measurement.threads)
    given = (prepare.path_of(runner.reads, *about), measurement.device, measurement.mode, *inputs, *limits, *own)
    return [*program, *map(str, given)]


def cache(measurement, options):
    """A compiler's own for each measurement, so that the first is cold whatever came before."""
    about = (measurement.case, measurement.dtype, measurement.device, measurement.runner, measurement.mode,
             measurement.batch, measurement.threads)  # fmt: skip
    return options.work / "caches" / "-".join(map(str, about)).replace(":", "")


def python_path(options):
    return os.pathsep.join(map(str, (HERE, options.packages)))


def environment(measurement, options):
    """C++ programs find libtorch here; callers share the cores of a CPU as a server would have them do."""
    libtorch = Path(find_spec("torch").origin).parent / "lib"
    folders = [libtorch, *libtorch.parents[1].glob("nvidia/*/lib")]
    runner, new = RUNNERS[measurement.runner], {"PYTHONPATH": python_path(options)}
    if not runner.python:
        new["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, folders))
    if measurement.mode == "throughput" and measurement.device == "cpu":
        new["OMP_NUM_THREADS"] = str(max(1, len(os.sched_getaffinity(0)) // measurement.threads))
    if runner.compiles:
        folder = cache(measurement, options)
        folder.mkdir(parents=True, exist_ok=True)
        new |= {"TORCHINDUCTOR_CACHE_DIR": str(folder), "BENCH_TUNING_FOLDER": str(folder)}
    return os.environ | new


def ended(command, environment, left, grace, limit):
    """What the process printed, and why it failed or None. `left` are the seconds of the session, `limit` those of one
    process. It ends with all the processes it began."""
    if left <= 0:
        raise OutOfTime
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as printed:
        environment = environment | {"BENCH_START": str(time.monotonic_ns())}
        process = subprocess.Popen(command, stdout=printed, stderr=said, env=environment, start_new_session=True)
        try:
            status = process.wait(min(left + grace, limit))
        except subprocess.TimeoutExpired:
            if left + grace <= limit:
                raise OutOfTime from None
            return "", f"no end after {limit:.0f} s"
        finally:
            stop(process)
        said.seek(0), printed.seek(0)
        return printed.read(), None if status == 0 else last_words(said.read(), status)


def stop(process):
    """With what it left running; of the group nothing may be there any more."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()


def last_words(text, status):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return (lines or [f"exit status {status}"])[-1][:200]
