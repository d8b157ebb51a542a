"""One C program, built once, beside this process's PyTorch: the stored calls of archives, bit for bit.

    python tests/python/one_program.py PROGRAM

PROGRAM is tests/versions/run_calls.c, linked with libpt2.so. It runs as a process of its own without Python, which finds
the libtorch of this Python's environment by VIRTUAL_ENV and, in another run, by PT2_LIBTORCH. Archives are one of each
kind from every PyTorch that wrote some. Those that this PyTorch does not load are compared with the stored outputs.
"""

import logging
import os
import struct
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from against_pytorch import ARCHIVES, loaded, same, stored_calls
from libpt2 import DTYPES, NAMES

KINDS = "mini_resnet mini_resnet_train train_buffers tree dtypes mutation branch".split()
LIBTORCH = Path(torch.__file__).parent


def packed(tensor):
    if tensor is None:
        return struct.pack("<3q", 0, 0, 0)
    data = tensor.contiguous().flatten().view(torch.uint8).numpy().tobytes() if tensor.numel() else b""
    fields = DTYPES[str(tensor.dtype).removeprefix("torch.")], tensor.dim(), *tensor.shape, len(data)
    return struct.pack(f"<{len(fields)}q", *fields) + data


def write_calls(path, calls):
    parts = [struct.pack("<q", len(calls))]
    for inputs, _ in calls:
        parts += [struct.pack("<q", len(inputs)), *map(packed, inputs)]
    path.write_bytes(b"".join(parts))


class Reader:
    """Numbers and tensors of a file that PROGRAM wrote."""

    def __init__(self, path):
        self.data, self.at = path.read_bytes(), 0

    def number(self):
        self.at += 8
        return struct.unpack_from("<q", self.data, self.at - 8)[0]

    def tensor(self):
        dtype, rank = self.number(), self.number()
        sizes = [self.number() for _ in range(rank)]
        size = self.number()
        self.at += size
        if not dtype:
            return None
        bits = torch.frombuffer(bytearray(self.data[self.at - size : self.at]), dtype=torch.uint8) if size else torch.empty(0)
        return (bits.view(getattr(torch, NAMES[dtype])) if size else bits.to(getattr(torch, NAMES[dtype]))).reshape(sizes)

    def calls(self):
        return [[self.tensor() for _ in range(self.number())] for _ in range(self.number())]


class Case:
    """An archive, the inputs of its calls and the outputs that are expected."""

    def __init__(self, path, folder):
        self.path = path
        self.calls_path = folder / f"{path.parent.name}-{path.stem}.calls"
        self.results_path = self.calls_path.with_suffix(".results")
        calls = stored_calls(path)
        write_calls(self.calls_path, calls)
        program, _ = loaded(path)
        self.is_live = program is not None
        self.expected = computed(program, calls) if program else [outputs for _, outputs in calls]


def computed(program, calls):
    """Outputs of this PyTorch, whose module keeps its state from call to call."""
    module, spec = program.module(), torch.utils._pytree.tree_structure(program.example_inputs)
    outputs = []
    for inputs, _ in calls:
        args, kwargs = torch.utils._pytree.tree_unflatten([leaf.clone() for leaf in inputs], spec)
        outputs.append(torch.utils._pytree.tree_leaves(module(*args, **kwargs), is_leaf=lambda leaf: leaf is None))
    return outputs


def run(program, cases, variable):
    """Runs the program on all archives. It must have opened this PyTorch's libtorch and its engine."""
    environment = {name: value for name, value in os.environ.items()
                   if name not in ("LD_LIBRARY_PATH", "PT2_LIBTORCH", "VIRTUAL_ENV")}  # fmt: skip
    environment |= {variable: sys.prefix if variable == "VIRTUAL_ENV" else str(LIBTORCH)}
    arguments = [str(word) for case in cases for word in (case.path, case.calls_path, case.results_path)]
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, f"{variable}: {done.stderr}"
    minor = ".".join(torch.__version__.split(".")[:2])
    libtorch, engine = map(Path, done.stdout.split("\n")[:2])
    assert libtorch.samefile(LIBTORCH / "lib/libtorch_cpu.so"), f"{variable}: {libtorch}"
    assert engine.name in (f"libpt2_core-{minor}.so", "libpt2_core.so"), f"{variable}: {engine}"


def compare(case):
    """Counts of outputs and of bit-equal ones, and a line for each difference."""
    results, differences, counts = Reader(case.results_path).calls(), [], [0, 0]
    for call, (ours, theirs) in enumerate(zip(results, case.expected, strict=True)):
        for index, (mine, reference) in enumerate(zip(ours, theirs, strict=True)):
            equal = same(mine, reference)
            counts = [counts[0] + 1, counts[1] + equal]
            if not equal:
                differences.append(f"{case.path}, call {call}, output {index}: {mine} is not {reference}"[:400])
    return counts, differences


def main(program):
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_grad_enabled(False)
    with tempfile.TemporaryDirectory() as folder:
        paths = [path for kind in KINDS for path in sorted(ARCHIVES.glob(f"*/{kind}.pt2"))]
        cases = [Case(path, Path(folder)) for path in paths]
        total = equal = 0
        differences = []
        for variable in ("VIRTUAL_ENV", "PT2_LIBTORCH"):
            run(program, cases, variable)
            for case in cases:
                counts, found = compare(case)
                total, equal, differences = total + counts[0], equal + counts[1], differences + found
                case.results_path.unlink()
    stored = [f"{case.path.parent.name}/{case.path.stem}" for case in cases if not case.is_live]
    writers = len({path.parent for path in paths})
    print(f"{equal} of {total} outputs of one C program on {len(cases)} archives of {writers} PyTorch versions equal PyTorch {torch.__version__}"
          f" bit for bit, found by VIRTUAL_ENV and by PT2_LIBTORCH; compared with stored outputs: {stored or 'none'}")  # fmt: skip
    assert not differences, "\n".join(differences)


if __name__ == "__main__":
    main(*sys.argv[1:])
