"""Who is measured. Each runner has a file of its own in this folder, in C++ or Python."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Runner:
    """`command` is a compiled program, or a Python module of this folder, with its own options; `reads` is the step
    of bench/prepare.py that makes what it loads."""

    label: str
    command: tuple[str, ...]
    reads: str = "archive"
    python: bool = False
    compiles: bool = False  # or measures, in its first forward, into a cache on disk
    devices: tuple[str, ...] = ("cpu", "cuda")
    modes: tuple[str, ...] = ("latency", "start", "throughput")
    needs: str = "torch"


RUNNERS = {
    "libpt2-fast": Runner("libpt2, `fast`", ("libpt2", "--level", "fast")),
    "libpt2-tuned": Runner("libpt2, `fast`, tuned", ("libpt2", "--level", "tuned"), compiles=True, devices=("cuda",)),
    "libpt2-exact": Runner("libpt2, `exact`", ("libpt2", "--level", "exact")),
    "libpt2-aoti": Runner("libpt2, AOTInductor's package", ("libpt2",), reads="aoti"),
    "nativert": Runner("nativert (C++)", ("nativert",)),
    "aoti": Runner("AOTInductor (C++)", ("aoti",), reads="aoti"),
    "aoti-frozen": Runner("AOTInductor, frozen weights (C++)", ("aoti",), reads="aoti-frozen"),
    "pair": Runner("both loaders in one process", ("pair",), reads="aoti", modes=("pair", "control")),
    "eager": Runner("`torch.export.load` (Python)", ("eager",), python=True),
    "compile": Runner("torch.compile", ("compiled",), python=True, compiles=True),
    "compile-overhead": Runner(
        "torch.compile, reduce-overhead",
        ("compiled", "--variant", "overhead"), python=True, compiles=True, devices=("cuda",),
    ),
    "compile-frozen": Runner(
        "torch.compile, frozen, channels-last, static", ("compiled", "--variant", "frozen"), python=True, compiles=True
    ),
    "onnxruntime": Runner("ONNX Runtime (Python)", ("ort",), reads="onnx", python=True, needs="onnxruntime"),
}  # fmt: skip


def is_peer(name):
    return not name.startswith("libpt2")
