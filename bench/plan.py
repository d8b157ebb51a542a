"""Which measurements there are, in the order in which they are taken: rounds first, so that all take turns, and a run that
ends early has something of everything."""

from dataclasses import asdict, dataclass, replace

from cases import case_of
from runners import RUNNERS

# Options that belong together; any can be given beside a preset.
PRESETS = {
    "quick": {},
    "cpu": {
        "batches": [1, 4], "threads": [1, 2, 4, 8], "rounds": 5,
        "runners": [name for name, runner in RUNNERS.items() if "cpu" in runner.devices and "latency" in runner.modes],
    },
    "optimizer": {
        "cases": ["resnet152", "resnet50", "resnet18", "mobilenet_v2"], "batches": [1, 4], "threads": [], "rounds": 5,
        "runners": ["libpt2-fast", "libpt2-exact", "nativert", "aoti-frozen"],
    },
    "packages": {
        "cases": ["resnet152"], "threads": [], "rounds": 10, "repeat": 5, "seconds": 0.5, "modes": ("latency", "start", "pair"),
        "runners": ["libpt2-aoti", "aoti", "pair"],
    },
    "bfloat16": {"cases": ["resnet18"], "dtypes": ["bfloat16"], "batches": [1], "threads": []},
    "gpu": {
        "device": "cuda:0", "batches": [1, 8, 32, 128, 512], "python_batches": [1, 32], "threads": [1, 2, 4, 8],
        "runners": ["libpt2-fast", "libpt2-tuned", "libpt2-exact", "libpt2-aoti", "nativert", "aoti", "eager", "compile",
                    "compile-overhead", "compile-frozen", "onnxruntime"],
    },
    "gpu-bfloat16": {
        "device": "cuda:0", "cases": ["resnet152"], "dtypes": ["bfloat16"], "batches": [1, 32], "threads": [],
        "runners": ["libpt2-fast", "libpt2-tuned", "libpt2-exact", "libpt2-aoti", "nativert", "aoti", "compile-overhead", "compile-frozen"],
    },
}  # fmt: skip
MODES = ("latency", "start", "throughput", "pair", "control")
DEFAULTS = {
    "modes": MODES[:3],
    "device": "cpu",
    "cases": ["resnet152", "chain-number", "chain-tensor"],
    "dtypes": ["float32"],
    "batches": [1, 4],
    "python_batches": None,
    "threads": [1, 2],
    "rounds": 3,
    "runners": ["libpt2-fast", "libpt2-exact", "libpt2-aoti", "nativert", "aoti", "eager", "compile", "onnxruntime"],
}
CHAIN_RUNNERS = ("libpt2-fast", "libpt2-exact", "nativert", "eager")


@dataclass(frozen=True)
class Measurement:
    """`cache` is that of a compiler: "cold", "warm", or empty for runners without one."""

    case: str
    dtype: str
    device: str
    runner: str
    mode: str
    batch: int
    threads: int = 1
    cache: str = ""

    def record(self, machine):
        return {"machine": machine, **asdict(self)}

    def with_cache(self, cache):
        return replace(self, cache=cache)


def applies(runner, case, batch, options):
    """Python's runners start slowly; they may be asked for fewer batches."""
    some = options.python_batches
    fits = options.device.split(":")[0] in RUNNERS[runner].devices
    if not case_of(case).batched:
        return fits and runner in CHAIN_RUNNERS
    return fits and not (RUNNERS[runner].python and some and batch not in some)


def of_batch(case, dtype, batch, options):
    """On CUDA, a start is measured apart: in `latency` CUDA is up before the clock starts."""
    apart = options.device.startswith("cuda") and case_of(case).batched
    modes = [mode for mode in options.modes if mode != "throughput" and (mode != "start" or apart)]
    for runner in options.runners:
        for mode in (mode for mode in modes if mode in RUNNERS[runner].modes and applies(runner, case, batch, options)):
            yield Measurement(case, dtype, options.device, runner, mode, batch)


def of_threads(case, dtype, options):
    batch = options.batches[0]
    for threads in options.threads if case_of(case).batched and "throughput" in options.modes else ():
        for runner in options.runners:
            if "throughput" in RUNNERS[runner].modes and applies(runner, case, batch, options):
                yield Measurement(case, dtype, options.device, runner, "throughput", batch, threads)


def one_round(options):
    for case in options.cases:
        for dtype in options.dtypes if case_of(case).batched else options.dtypes[:1]:
            for batch in options.batches if case_of(case).batched else (1,):
                yield from of_batch(case, dtype, batch, options)
            yield from of_threads(case, dtype, options)
