"""Scripts that compare libpt2 with PyTorch, in processes of one version's Python."""

import re
import subprocess

from versions.process import logged, variables
from versions.release import ROOT

SCRIPTS = ROOT / "tests/python"
WARNING = re.compile(r"^\[W\d")  # of libtorch
COUNTS = re.compile(r"^(\d+) of (\d+) outputs of", re.M)


def run(environment, prefix, out, log):
    """Returns for each script whether it passed, its last words, and counts where it prints some."""
    library = prefix / "lib/libpt2.so"
    scripts = {
        "against_pytorch": [library],
        "sizes": [library],
        "default_dtype": [library],
        "beside_pytorch": [library],
        "random_networks": [library, "--count", "60"],
        "one_program": [program(prefix, out)],
    }
    minor = environment.release.minor
    if int(minor.partition(".")[2]) >= 11:  # before, PyTorch compiles with setuptools, which the environments lack
        scripts["compiled_packages"] = [library, out / f"packages-{minor}"]
    return {name: compared(environment, name, arguments, log) for name, arguments in scripts.items()}


def program(prefix, out):
    """The C program, compiled once for all versions."""
    path = out / "run_calls"
    subprocess.run(["cc", "-std=c99", "-O2", f"-I{prefix}/include", ROOT / "tests/versions/run_calls.c", "-o", path,
                    f"-L{prefix}/lib", "-lpt2", f"-Wl,-rpath,{prefix}/lib"], env=variables(), check=True)  # fmt: skip
    return path


def compared(environment, name, arguments, log):
    status, text = logged([environment.python, "-W", "ignore", SCRIPTS / f"{name}.py", *arguments], log, 3600)
    lines = [line for line in text.splitlines() if line.strip() and not WARNING.match(line)]
    result = {"passed": status == 0, "summary": lines[-1] if lines else ""}
    counts = COUNTS.search(text)
    return result | ({"bit_equal": int(counts[1]), "outputs": int(counts[2])} if counts else {})
