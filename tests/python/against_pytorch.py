"""Every archive against this machine's PyTorch: random inputs, several batch sizes, calls in a row.

At the exact level outputs are the same bit for bit. At the fast level they are as accurate as PyTorch's: their error
against the same program in float64 is at most twice that of PyTorch's own outputs.

Then every weight of the state dict is set to something else in both, and the outputs are compared again.

Archives that this PyTorch does not load or run are compared with the outputs stored beside them, which are those of the
PyTorch that wrote the archive: bit-equal or within 1e-5.

    python tests/python/against_pytorch.py LIBPT2.so [ARCHIVE…]

libpt2 is called through ctypes, in a process that holds libtorch already, as any language with a C FFI would.
"""

import copy
import logging
import sys
import warnings
from pathlib import Path

import numpy as np
import torch
import torch.ao.quantization.fx._decomposed  # registers quantized_decomposed with this PyTorch

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
import libpt2
from libpt2 import EXACT, FAST

ARCHIVES = Path(__file__).parents[1] / "archives"


class Library(libpt2.Library):
    """libpt2 with torch's tensors."""

    ints = {}  # tensors of ints that libpt2 borrows

    def tensor(self, value):
        if type(value) is int:
            value = self.ints.setdefault(value, torch.tensor(value))
        if not isinstance(value, torch.Tensor):
            return None  # a constant of the program may be left out
        return self.borrow(value.data_ptr(), str(value.dtype).removeprefix("torch."), value.shape, value.stride())

    def value(self, host):
        if not host:
            return None
        dtype, sizes, data = self.contents(host, lambda dtype: getattr(torch, dtype).itemsize)
        dtype = getattr(torch, dtype)
        return (torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)).reshape(sizes)

    def call(self, model, values):
        inputs = [self.tensor(value) for value in values]
        outputs = self.run(model, inputs)
        found = [self.value(output) for output in outputs]
        self.free(inputs + outputs)
        return found

    def exchange(self, model, values):
        """Sets weights by name, all at once."""
        tensors = [self.tensor(value) for value in values.values()]
        self.swap(model, list(values), tensors)
        self.free(tensors)


class Refused(Exception):
    """PyTorch does not run the program."""


class Tally:
    """Counts of compared outputs, and a line for each difference."""

    def __init__(self):
        self.outputs, self.bit_equal, self.differences = 0, 0, []

    def exact(self, at, mine, reference):
        self.outputs += 1
        equal = same(mine, reference)
        self.bit_equal += equal
        self.require(equal, f"{at}: {mine} is not {reference}")

    def require(self, holds, difference):
        if not holds:
            self.differences.append(difference)


def sample(leaf, old, new):
    """A random tensor like `leaf`, with every size `old` (and twice it) made `new`."""
    if not isinstance(leaf, torch.Tensor):
        return leaf
    sizes = [{old: new, 2 * old: 2 * new}.get(size, size) if d == 0 else size for d, size in enumerate(leaf.shape)]
    return torch.randn(sizes).to(leaf.dtype)


def same(ours, theirs):
    if not isinstance(theirs, torch.Tensor):
        return ours is None if isinstance(theirs, (str, type(None))) else ours is not None and ours.item() == theirs
    bits = lambda tensor: tensor.detach().clone(memory_format=torch.contiguous_format).flatten().view(torch.uint8) if tensor.numel() else tensor
    return ours.shape == theirs.shape and ours.dtype == theirs.dtype and torch.equal(bits(ours), bits(theirs))


def batches(program, args):
    """Sizes to try for the first dimension: others only where the program has a symbol there, and asserts nothing."""
    old = args[0].shape[0] if args[0].dim() else 1
    asserts = any(node.target is torch.ops.aten._assert_scalar.default for node in program.graph.nodes)
    return old, (old, 1, 7, 3) if program.range_constraints and old != 1 and not asserts else (old,) * 3


def widened(tree):
    """The same with every float tensor in float64."""
    widen = lambda leaf: leaf.double() if isinstance(leaf, torch.Tensor) and leaf.is_floating_point() else leaf
    return torch.utils._pytree.tree_map(widen, tree)


class Precise:
    """The program in float64; no more than PyTorch's own outputs where it fixes a dtype."""

    def __init__(self, module):
        self.module = copy.deepcopy(module)
        for owner in self.module.modules():
            for table in (owner._parameters, owner._buffers):
                table.update({name: torch.nn.Parameter(value.double(), False) if table is owner._parameters
                              else value.double() for name, value in table.items()
                              if value is not None and value.is_floating_point()})

    def outputs(self, args, kwargs):
        try:
            found = self.module(*widened(args), **widened(kwargs))
            return torch.utils._pytree.tree_leaves(found, is_leaf=lambda x: x is None)
        except (RuntimeError, AssertionError):  # operators, and the Python of quantised programs, insist on a dtype
            return None


def as_accurate(ours, theirs, precise):
    """Whether `ours` is at most twice as far from the truth as `theirs`, both relative to the largest element."""
    if not isinstance(theirs, torch.Tensor) or not theirs.is_floating_point() or precise is None:
        return same(ours, theirs)
    if ours.shape != theirs.shape or ours.dtype != theirs.dtype:
        return False
    if not theirs.numel() or not precise.isfinite().all() or precise.dtype != torch.float64:
        return same(ours, theirs)
    error = lambda tensor: ((tensor.double() - precise).abs().max() / precise.abs().max().clamp_min(1e-30)).item()
    # Where PyTorch happens to be exact, a few roundings of the result are no fault.
    return error(ours) <= 2 * error(theirs) + 2 * torch.finfo(theirs.dtype).eps


def computed(module, args, kwargs):
    """Outputs of PyTorch. The Python of its older versions asserts more than that of newer ones."""
    try:
        return torch.utils._pytree.tree_leaves(module(*args, **kwargs), is_leaf=lambda x: x is None)
    except Exception as error:
        raise Refused(f"{type(error).__name__}: {str(error)[:80]}") from error


def compare(library, path, program, tally):
    module = program.module()
    precise = Precise(module)
    exact, fast = library.load(path, EXACT), library.load(path, FAST)
    args, kwargs = program.example_inputs
    flat, spec = torch.utils._pytree.tree_flatten((args, kwargs))
    old, wanted = batches(program, [leaf for leaf in flat if isinstance(leaf, torch.Tensor)])
    lowest = max([int(range.lower) for range in program.range_constraints.values() if range.lower.is_Integer] + [1])
    clones = lambda: [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in inputs]
    unflatten = lambda leaves: torch.utils._pytree.tree_unflatten(leaves, spec)
    for call, batch in enumerate(max(batch, lowest) for batch in wanted):
        torch.manual_seed(call)
        inputs = [sample(leaf, old, batch) for leaf in flat]
        copies, ours_inputs, fast_inputs = clones(), clones(), clones()
        truth = precise.outputs(*unflatten(clones()))
        theirs = computed(module, *unflatten(copies))
        ours, regrouped = library.call(exact, ours_inputs), library.call(fast, fast_inputs)
        compare_outputs(f"{path}, call {call}", ours, regrouped, theirs, truth, tally)
        tensors = lambda *lists: (group for group in zip(*lists) if isinstance(group[0], torch.Tensor))
        for mine, reference in tensors(ours_inputs, copies):
            tally.require(same(mine, reference), f"{path}, call {call}: an input differs")
        for mine, reference in tensors(fast_inputs, copies):
            tally.require(as_accurate(mine, reference, None), f"{path}, call {call}, fast: an input differs")
    compare_swapped(library, path, program, exact, fast, module, tally)
    library.close(exact)
    library.close(fast)


def compare_outputs(at, ours, quick, theirs, truth, tally):
    """Outputs of the exact and the fast level with PyTorch's."""
    if not len(ours) == len(quick) == len(theirs):
        tally.require(False, f"{at}: {len(ours)} and {len(quick)} outputs, PyTorch gives {len(theirs)}")
    for index, (mine, regrouped, reference) in enumerate(zip(ours, quick, theirs)):
        tally.exact(f"{at}, output {index}", mine, reference)
        accurate = as_accurate(regrouped, reference, truth and truth[index])
        tally.require(accurate, f"{at}, output {index}, fast: {regrouped} for {reference}")


def moved(tensor):
    """Other values, the same ones for each element wherever it is seen from."""
    return tensor * 0.75 + 0.125 if tensor.dtype in (torch.float32, torch.float64, torch.float16, torch.bfloat16) else tensor.clone()


def compare_swapped(library, path, program, exact, fast, module, tally):
    """The models and the module as they are now, with every weight of the state dict moved."""
    given = {name: moved(value) for name, value in module.state_dict().items()
             if all(value.stride()) or value.numel() <= 1}
    for name, value in given.items():
        module.state_dict()[name].copy_(value)
    for model in (exact, fast):
        library.exchange(model, given)
    precise = Precise(module)
    args, kwargs = copy.deepcopy(program.example_inputs)
    inputs = torch.utils._pytree.tree_leaves(copy.deepcopy((args, kwargs)))
    truth = precise.outputs(*copy.deepcopy((args, kwargs)))
    ours, quick = library.call(exact, copy.deepcopy(inputs)), library.call(fast, inputs)
    theirs = computed(module, args, kwargs)
    compare_outputs(f"{path}, other weights", ours, quick, theirs, truth, tally)


def stored_calls(path):
    """Inputs and outputs of each call that make_archives.py stored, if any; None for values that are no tensors."""
    if not path.with_suffix(".npz").exists():
        return []
    with np.load(path.with_suffix(".npz")) as arrays:
        calls = {}
        for name, array in arrays.items():
            key, index, *dtype = name.split("_", 2)
            direction, call = key.rstrip("0123456789"), int(key.lstrip("inout"))
            tensor = torch.from_numpy(array.copy())
            if dtype:  # numpy lacks it: the bits are stored
                tensor = tensor.view(torch.bfloat16 if dtype[0] == "bf16" else getattr(torch, dtype[0]))
            calls.setdefault(call, {"in": {}, "out": {}})[direction][int(index)] = tensor
    listed = lambda values: [values.get(index) for index in range(max(values, default=-1) + 1)]
    return [(listed(calls[call]["in"]), listed(calls[call]["out"])) for call in sorted(calls)]


def compare_stored(library, path, tally):
    model = library.load(path, EXACT)
    for call, (inputs, outputs) in enumerate(stored_calls(path)):
        for index, (mine, reference) in enumerate(zip(library.call(model, inputs), outputs)):
            if reference is None:
                continue
            tally.outputs += 1
            tally.bit_equal += same(mine, reference)
            alike = mine.shape == reference.shape and mine.dtype == reference.dtype
            near = alike and torch.allclose(mine.double(), reference.double(), rtol=1e-5, atol=1e-5, equal_nan=True)
            tally.require(near, f"{path}, call {call}, output {index}: {mine}, stored {reference}")
    library.close(model)


def loaded(path):
    """The program, or None and the reason: PyTorch does not read all that its other versions wrote."""
    try:
        return torch.export.load(path), None
    except Exception as error:
        return None, type(error).__name__


def release(version):
    """Major and minor version; of a folder that is not named after a version, this PyTorch's."""
    parts = version.split(".")[:2]
    return [int(part) for part in parts] if all(part.isdigit() for part in parts) else release(torch.__version__)


def compare_with_either(library, path, live, stored, unread):
    """Compares with this PyTorch or, where it refuses, with the stored outputs."""
    program, reason = loaded(path)
    if program:
        try:
            return compare(library, path, program, live)
        except Refused as refused:
            reason = str(refused)
    unread[path] = reason
    compare_stored(library, path, stored)


def main(library, *paths):
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_grad_enabled(False)
    paths = [Path(path) for path in paths] or sorted(ARCHIVES.glob("*/*.pt2"))
    library, live, stored = Library(library), Tally(), Tally()
    unread = {}
    for path in paths:
        try:
            compare_with_either(library, path, live, stored, unread)
        except RuntimeError as error:  # of libpt2
            live.differences.append(f"{path}: {error}")
    print(f"{live.bit_equal} of {live.outputs} outputs of {len(paths) - len(unread)} archives equal PyTorch {torch.__version__} bit for bit,"
          f" and are as accurate at the fast level")  # fmt: skip
    print(f"PyTorch {torch.__version__} does not load or run {[f'{path.parent.name}/{path.stem} ({reason})' for path, reason in unread.items()]}:"
          f" {stored.bit_equal} of {stored.outputs} outputs equal the stored ones bit for bit, the others within 1e-5")  # fmt: skip
    differences = live.differences + stored.differences
    assert not differences, "\n".join([f"{len(differences)} differences:", *(line[:400] for line in differences[:40])])
    older = sum(release(path.parent.name) < release(torch.__version__) for path in unread)
    assert older <= 2 and live.outputs, unread


if __name__ == "__main__":
    main(*sys.argv[1:])
