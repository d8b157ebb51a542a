"""Processes of a test run, with their output in a log."""

import os
import subprocess

from versions.environment import TOOLS

# As many threads in PyTorch and in libpt2: the order of some sums depends on it.
THREADS = os.environ.get("OMP_NUM_THREADS", str(os.cpu_count()))


def variables(**more):
    """The environment of a test: nothing but what is given leads to a libtorch."""
    kept = {name: value for name, value in os.environ.items()
            if name not in ("LD_LIBRARY_PATH", "PT2_LIBTORCH", "VIRTUAL_ENV", "PYTHONPATH")}  # fmt: skip
    return kept | {"PATH": TOOLS, "OMP_NUM_THREADS": THREADS} | more


def logged(command, log, limit, **more):
    """Returns the exit status and the output, which is also appended to a log. A process that exceeds its limit has none."""
    with open(log, "a+") as file:
        file.write(f"$ {' '.join(map(str, command))}\n")
        file.flush()
        begin = file.tell()
        try:
            status = subprocess.run(command, env=variables(**more), stdout=file, stderr=subprocess.STDOUT, timeout=limit).returncode
        except subprocess.TimeoutExpired:
            status = None
            file.write(f"longer than {limit} s\n")
            file.flush()
        file.seek(begin)
        return status, file.read()
