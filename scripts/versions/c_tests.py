"""The C and C++ tests with one libtorch. All versions share a build: only tests of libtorch's own interfaces are compiled again."""

import os
import subprocess
import xml.etree.ElementTree as xml
from pathlib import Path

from versions.process import logged, variables
from versions.release import ROOT


def run(environment, prefix, out, log):
    """Returns counts and the names of failed and skipped tests."""
    torchvision = out / f"libtorchvision-{environment.release.minor}.so"
    build, report = out / "tests", out / f"ctest-{environment.release.minor}.xml"
    required([ROOT / "scripts/torchvision_library.sh", torchvision, environment.python], log)
    required(["cmake", "-S", ROOT / "tests/c", "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
              f"-DPT2_LIBTORCH={environment.libtorch}", f"-DPT2_STABLE_LIBTORCH={environment.libtorch}",
              f"-DPT2_TORCHVISION={torchvision}",
              "-DCMAKE_BUILD_TYPE=Release", "--log-level=WARNING"], log)  # fmt: skip
    required(["cmake", "--build", build], log)
    report.unlink(missing_ok=True)
    command = ["ctest", "--test-dir", build, "--parallel", str(os.cpu_count()), "--output-on-failure", "--output-junit", report]
    logged(command, log, 3600, PT2_LIBTORCH=str(environment.libtorch))
    return counts(report)


def required(command, log):
    """Runs a command that must succeed."""
    status, text = logged(command, log, 3600)
    if status != 0:
        raise SystemExit(f"error: {command[0]}: {text[-2000:]}\nSee {log}")


def counts(report):
    if not Path(report).exists():
        return {"passed": 0, "failed": ["ctest"], "skipped": []}
    names = {"passed": [], "failed": [], "skipped": []}
    for case in xml.parse(report).getroot().iter("testcase"):
        names[outcome(case)].append(case.get("name"))
    return {"passed": len(names["passed"]), "failed": sorted(names["failed"]), "skipped": sorted(names["skipped"])}


def outcome(case):
    """CTest also calls a test skipped that it could not start."""
    skipped = case.find("skipped")
    if skipped is not None:
        return "skipped" if skipped.get("message", "").startswith("SKIP_") else "failed"
    return "passed" if case.get("status") == "run" else "failed"
