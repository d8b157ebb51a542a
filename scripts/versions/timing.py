"""Start, load and forward of ResNet-50 with each libtorch, in turns."""

import re
import statistics
import subprocess
import time

from versions.process import variables
from versions.release import ROOT

FIGURES = {"load": r"^load +([0-9.]+) s", "first": r"^first forward +([0-9.]+) s", "steady": r"^steady forward +([0-9.]+) s"}
ARCHIVE = "resnet50.pt2"

# One archive for all versions, of the pinned PyTorch.
EXPORT = """
import sys, torch
from torchvision.models import resnet50
torch.manual_seed(0)
torch.export.save(torch.export.export(resnet50().eval(), (torch.randn(1, 3, 224, 224),)), sys.argv[1])
"""


def run(environments, prefix, out, rounds):
    """Returns the times of every round in seconds, by minor version and figure."""
    archive, program = out / ARCHIVE, out / "resnet152"
    if not archive.exists():
        subprocess.run([ROOT / ".venv/bin/python", "-W", "ignore", "-c", EXPORT, archive], check=True)
    subprocess.run(["c++", "-std=c++17", "-O2", f"-I{prefix}/include", ROOT / "cpp_examples/resnet152.cpp", "-o", program,
                    f"-L{prefix}/lib", "-lpt2", f"-Wl,-rpath,{prefix}/lib"], env=variables(), check=True)  # fmt: skip
    times = {environment.release.minor: {"process": [], "load": [], "first": [], "steady": []} for environment in environments}
    for turn in range(rounds + 1):
        print(f"   round {turn} of {rounds}", flush=True)
        for environment in environments:
            found = measured(program, archive, environment)
            for figure, seconds in found.items() if turn else ():  # the first round reads files into memory
                times[environment.release.minor][figure].append(seconds)
    return times


def measured(program, archive, environment):
    """Times of a process with one forward, and of another process with some more."""
    given = variables(PT2_LIBTORCH=str(environment.libtorch))
    begin = time.perf_counter()
    subprocess.run([program, archive, "--repeat", "0"], env=given, check=True, stdout=subprocess.DEVNULL)
    process = time.perf_counter() - begin
    text = subprocess.run([program, archive, "--repeat", "20"], env=given, check=True, capture_output=True, text=True).stdout
    return {"process": process} | {name: float(re.search(figure, text, re.M)[1]) for name, figure in FIGURES.items()}


def medians(times):
    return {figure: statistics.median(values) for figure, values in times.items()}
