"""Which sizes and ints a program takes: libpt2 beside `torch.export.load(…).module()`, on a grid.

Every kind of dynamic dimension is crossed with small modules. Each program is called with sizes 0, 1, 2, 3 and around its
bounds. libpt2 must accept where PyTorch accepts, refuse where it refuses, and give the same outputs, at both levels.

    python tests/python/sizes.py LIBPT2.so [ARCHIVE…]

With archives, their programs are called on the grid instead of those that the script exports. DEVICE=cuda:0 in the
environment runs both there, with programs that were exported on the CPU.
"""

import itertools
import logging
import os
import sys
import tempfile
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from against_pytorch import Library, same
from libpt2 import EXACT, FAST
from torch.export import Dim, ShapesCollection, export
from torch.export.passes import move_to_device_pass
from torch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

DEVICE = os.environ.get("DEVICE", "cpu")
SIZES = [0, 1, 2, 3, 4, 5, 6, 9]


def symbol(**bounds):
    return lambda: Dim("b", **bounds)


# Kinds of one dimension of size 4 at export.
KINDS = {
    "dim": symbol(),
    "dim_min0": symbol(min=0),
    "dim_min1": symbol(min=1),
    "dim_min2": symbol(min=2),
    "dim_3_5": symbol(min=3, max=5),
    "dim_max5": symbol(max=5),
    "auto": lambda: Dim.AUTO,
    "dynamic": lambda: Dim.DYNAMIC,
    "dynamic_1_5": lambda: Dim.DYNAMIC(min=1, max=5),
    "dynamic_3_5": lambda: Dim.DYNAMIC(min=3, max=5),
    "twice": lambda: 2 * Dim("b"),
    "twice_min3": lambda: 2 * Dim("b", min=2, max=3),
    "plus1": lambda: Dim("b", max=4) + 1,
}
MOST = ["auto", "dim", "dynamic_3_5"]

WEIGHT = torch.linspace(-1, 1, 24).reshape(6, 4)
FILTERS = torch.linspace(-1, 1, 72).reshape(4, 2, 3, 3)

# Modules of one input of sizes (4, 4).
ONE = {
    "double": lambda self, x: x * 2 + 1,
    "linear": lambda self, x: F.linear(x, WEIGHT).relu(),
    "rows": lambda self, x: x.reshape(-1, 2, 4) if x.shape[0] % 2 == 0 else x,
    "flat": lambda self, x: x.reshape(-1),
    "view": lambda self, x: x.view(x.shape[0], 2, 2).transpose(1, 2).reshape(x.shape[0], -1),
    "cat": lambda self, x: torch.cat([x, x, torch.ones(1, 4)]),
    "first": lambda self, x: x[0],
    "two_rows": lambda self, x: x[:2] * 2 + torch.ones(2, 4),
    "tail": lambda self, x: x[1:] + x[:-1],
    "expand": lambda self, x: x.sum(1, keepdim=True).expand(x.shape[0], 3),
    "made": lambda self, x: torch.arange(x.shape[0]).float() + x.sum(1) + torch.zeros(x.shape[0]),
    "embed": lambda self, x: F.embedding(x.long().clamp(0, 5), WEIGHT),
    "softmax": lambda self, x: (x @ WEIGHT.t()).softmax(0).mean(1),
    "squeezed": lambda self, x: x.unsqueeze(0).squeeze(0) * 3,
    "largest": lambda self, x: x.max(1).values,
    "branch": lambda self, x: x * 2 if x.shape[0] > 3 else x + 1,
    "size": lambda self, x: (x.shape[0] * 2 + 1, x.sum() / x.shape[0]),
    "gram": lambda self, x: x @ x.t(),
    "self_attention": lambda self, x: F.scaled_dot_product_attention(x[None], x[None], x[None]),
}


def check_sum(self, x, y):
    torch._check(x.shape[0] + y.shape[0] > 5)
    return x.sum() + y.sum()


def unbacked(self, x):
    n = x[0, 0].abs().to(torch.int64).item() + 1
    torch._check(n <= x.shape[0])
    return x[:n] * 2


def conv(self, x):
    return F.conv2d(x.reshape(x.shape[0], 2, -1, 4), FILTERS, padding=1).relu()


def image(self, x):
    return F.max_pool2d(F.conv2d(x, FILTERS), 2) + 1


X, Y, WIDE = torch.linspace(-2, 2, 16).reshape(4, 4), torch.linspace(-1, 3, 20).reshape(5, 4), torch.ones(8, 4)
LONG = torch.linspace(-3, 3, 2 * 33000).reshape(2, 33000)
AUTO, DYNAMIC = Dim.AUTO, Dim.DYNAMIC


def special():
    """Name: (forward, arguments, keyword arguments, dynamic shapes)."""
    b, c = Dim("b"), Dim("c", max=6)
    two = ({0: AUTO}, {0: AUTO})
    image_input = torch.linspace(-1, 1, 2 * 2 * 8 * 9).reshape(2, 2, 8, 9)
    pair = {"a": [X, X + 1], "b": X * 2}
    shared = ShapesCollection()
    shared_x, shared_y = X.clone(), X + 1
    shared[shared_x], shared[shared_y] = {0: Dim("s", max=7)}, {0: Dim("s", max=7)}
    return {
        "two_symbols": (lambda self, x, y: (x * 2, y + 1), (X, Y), None, ({0: b, 1: c}, {0: Dim("d", min=3)})),
        "equal": (lambda self, x, y: x + y, (X, X + 1), None, ({0: b}, {0: b})),
        "equal_auto": (lambda self, x, y: x * y, (X, X + 1), None, two),
        "broadcast": (lambda self, x, y: x + y, (X, X[:1]), None, two),
        "twice": (lambda self, x, y: x + y.reshape(-1, 2, 4).sum(1), (X, WIDE), None, ({0: b}, {0: 2 * b})),
        "twice_alone": (lambda self, x, y: (x * 2, y + 1), (X, WIDE), None, ({0: b}, {0: 2 * b})),
        "plus1": (lambda self, x, y: x + y[1:], (X, Y), None, ({0: b}, {0: b + 1})),
        "plus1_auto": (lambda self, x, y: x + y[1:], (X, Y), None, two),
        "plus1_strict": (lambda self, x, y: x + y[1:], (X, Y), None, two, True),
        "hidden": (lambda self, x, y: (x * 2, y + 1), (WIDE, Y), None, ({0: 2 * b}, {0: b + 1})),
        "every_other": (lambda self, x, y: x[::2] + y, (WIDE, X), None, two),
        "cat": (lambda self, x, y: torch.cat([x, y]).sum(0), (X, Y), None, two),
        "check": (check_sum, (X, Y), None, two),
        "product": (lambda self, x, y: x @ y.t(), (X, Y), None, ({0: AUTO}, {0: DYNAMIC})),
        "int": (lambda self, x, n: x * n, (X, 5), None, ({0: b}, None)),
        "int_dynamic": (lambda self, x, n: x * n + n, (X, 5), None, ({0: AUTO}, DYNAMIC)),
        "int_auto": (lambda self, x, n: x[:n] * 2, (WIDE, 5), None, ({0: AUTO}, AUTO)),
        "int_made": (lambda self, x, n: torch.zeros(n) + x.sum(), (X, 5), None, (None, AUTO)),
        "constants": (
            lambda self, x, scale, flag, word, none: x * scale if flag else x,
            (X, 2.5, True, "a", None),
            None,
            ({0: AUTO}, None, None, None, None),
        ),
        "nested": (
            lambda self, d, *, mask: d["a"][0] + d["a"][1] * d["b"] * mask,
            (pair,),
            {"mask": X[:, :1] * 1},
            {"d": {"a": [{0: AUTO}, {0: AUTO}], "b": {0: AUTO}}, "mask": {0: AUTO}},
        ),
        "variadic": (lambda self, *xs: xs[0] + xs[1], (X, X + 1), None, (two,)),
        "shared": (lambda self, x, y: x - y, (shared_x, shared_y), None, shared),
        "written_over": (lambda self, x: (x[:2] * 2).sin() + LONG, (LONG.repeat(2, 1),), None, ({0: AUTO},)),
        "squeezed_batch": (lambda self, x: (x.squeeze(0).sin() + LONG).cos(), (LONG * 2,), None, ({0: AUTO},)),
        "unbacked": (unbacked, (X,), None, ({0: AUTO},)),
        "image": (image, (image_input,), None, ({0: AUTO, 2: AUTO, 3: AUTO},)),
        "image_batch": (image, (image_input,), None, ({0: Dim("b", min=2, max=5)},)),
        "conv": (conv, (torch.linspace(-1, 1, 96).reshape(4, 24),), None, ({0: DYNAMIC},)),
    }


def module(function):
    return type("Exported", (torch.nn.Module,), {"forward": function})().eval()


def programs():
    """Every program of the grid that PyTorch exports, by name, and whether its sample inputs are stored."""
    for (name, function), (kind, dim) in itertools.product(ONE.items(), KINDS.items()):
        if kind in MOST or name in ("double", "tail") or kind == "twice" and name in ("rows", "cat", "made"):
            yield f"{name}-{kind}", lambda: export(module(function), (X,), dynamic_shapes=({0: dim()},)), True
    for name, (function, args, kwargs, shapes, *strict) in special().items():
        make = lambda: export(module(function), args, kwargs, dynamic_shapes=shapes, strict=bool(strict))
        yield name, make, True
        if "dynamic" not in name:
            yield f"{name}-no_samples", make, False


def exported(make):
    try:
        return make()
    except Exception:  # a kind of dimension that does not fit the module
        return None


def places(program):
    """For each leaf of the inputs the dimensions that vary, and whether it is an int that varies."""
    names = program.graph_signature.user_inputs
    values = {node.name: node.meta.get("val") for node in program.graph.nodes if node.op == "placeholder"}
    for name in names:
        value = values.get(name) if isinstance(name, str) else None
        if isinstance(value, torch.Tensor):
            yield [dim for dim, size in enumerate(value.shape) if isinstance(size, torch.SymInt)]
        else:
            yield [None] if isinstance(value, torch.SymInt) else []


def resized(leaf, sizes):
    """The leaf with other sizes; values of `leaf` go round."""
    if None in sizes:
        return sizes[None]
    shape = [sizes.get(dim, size) for dim, size in enumerate(leaf.shape)]
    count = torch.Size(shape).numel()
    flat = leaf.flatten() if leaf.numel() else torch.zeros(1, dtype=leaf.dtype)
    return flat.repeat(count // flat.numel() + 1)[:count].reshape(shape)


def calls(program, leaves):
    """Inputs: all varying places at one size, twice it, one more; then each place alone at each size."""
    varying = [(leaf, dim) for leaf, dims in enumerate(places(program)) for dim in dims]
    original = [leaves[leaf] if dim is None else leaves[leaf].shape[dim] for leaf, dim in varying]
    bounds = {int(bound) + step for range in program.range_constraints.values() for step in (-1, 0, 1)
              for bound in (range.lower, range.upper) if bound.is_Integer and 0 <= bound + step < 70}  # fmt: skip
    sizes = sorted({*SIZES, *bounds})
    wanted = [original]
    for size in sizes:
        scaled = lambda value: size if value == min(original) else 2 * size if value == 2 * min(original) else size + 1
        wanted += [[size] * len(varying), [scaled(value) for value in original]]
        wanted += [[2 * size, size + 1][: len(varying)]] if len(varying) == 2 else []
        wanted += [original[:at] + [size] + original[at + 1 :] for at in range(len(varying))]
    wanted += [original[:at] + [-1] + original[at + 1 :] for at, (_, dim) in enumerate(varying) if dim is None]
    for choice in sorted({tuple(each) for each in wanted}):
        changes = {}
        for (leaf, dim), size in zip(varying, choice):
            changes.setdefault(leaf, {})[dim] = size
        yield [resized(leaf, changes[at]) if at in changes else leaf for at, leaf in enumerate(leaves)]
    fixed = {at for at, leaf in enumerate(leaves) if isinstance(leaf, (bool, int, float))} - {leaf for leaf, _ in varying}
    for other in fixed:
        yield [type(leaf)(not leaf) if at == other else leaf for at, leaf in enumerate(leaves)]


def attempt(function, *arguments):
    try:
        return function(*arguments), None
    except Exception as error:
        return None, error


def copied(leaves):
    return [leaf.to(DEVICE, copy=True) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]


class Placed(Library):
    """libpt2 on DEVICE, with torch's tensors on the CPU. Numbers stay there."""

    def call(self, model, leaves):
        number = lambda leaf: not isinstance(leaf, torch.Tensor)
        values = [number_tensor(leaf) for leaf in leaves]  # libpt2 borrows their memory
        held = [self.tensor(value) for value in values]
        given = [host if number(leaf) else self.to_device(host) for leaf, host in zip(leaves, held)]
        try:
            found = self.run(model, given)
        finally:
            self.free(held + [moved for moved, host in zip(given, held) if moved is not host])
        outputs = [self.value(output) for output in found]
        self.free(found)
        return outputs


def number_tensor(leaf):
    numbers = {int: torch.int64, float: torch.float64, bool: torch.bool}
    return torch.tensor(leaf, dtype=numbers[type(leaf)]) if type(leaf) in numbers else leaf


class Grid:
    """Counts of calls, and what differed."""

    def __init__(self, library):
        self.library, self.programs, self.accepted, self.refused, self.differences = library, 0, 0, 0, []
        self.broken_guards = set()

    def program(self, name, path):
        program = torch.export.load(path)
        theirs = (program if DEVICE == "cpu" else move_to_device_pass(program, DEVICE)).module()
        models = [self.library.load(path, level) for level in (EXACT, FAST)]
        leaves, spec = tree_flatten(program.example_inputs or self.examples)
        self.examples = program.example_inputs
        self.programs += 1
        for inputs in calls(program, leaves):
            self.call(name, theirs, spec, models, inputs)

    def call(self, name, theirs, spec, models, inputs):
        args, kwargs = tree_unflatten(copied(inputs), spec)
        torch.manual_seed(0)
        expected, reason = attempt(lambda: tree_leaves(theirs(*args, **kwargs), is_leaf=lambda leaf: leaf is None))
        if isinstance(reason, NameError):  # 2.9 writes guards on variadic arguments that its Python does not resolve
            self.broken_guards.add(name)
            return
        expected = expected and [leaf.cpu() if isinstance(leaf, torch.Tensor) else leaf for leaf in expected]
        self.accepted, self.refused = self.accepted + (not reason), self.refused + bool(reason)
        at = f"{name}{[tuple(leaf.shape) if isinstance(leaf, torch.Tensor) else leaf for leaf in inputs]}"
        for model, level in zip(models, ("exact", "fast")):
            torch.manual_seed(0)
            own = [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in inputs]
            ours, error = attempt(self.library.call, model, own)
            if bool(error) != bool(reason):
                self.differences.append(f"{at}, {level}: PyTorch {reason or 'accepts'!r}, libpt2 {error or 'accepts'!r}")
            elif not error and not all(map(level == "exact" and same or close, ours, expected)):
                self.differences.append(f"{at}, {level}: outputs differ")


def close(ours, theirs):
    """The same sizes and dtype, and values within a few roundings of the largest."""
    if not isinstance(theirs, torch.Tensor) or not theirs.is_floating_point() or ours.dtype != theirs.dtype:
        return same(ours, theirs)
    ours, theirs = ours.double(), theirs.double()
    largest = theirs[theirs.isfinite()].abs().max().item() if theirs.isfinite().any() else 0
    return ours.shape == theirs.shape and torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5 * largest, equal_nan=True)


def main(library, *archives):
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    torch.set_grad_enabled(False)
    grid = Grid(Placed(library, DEVICE))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/program.pt2"
        for name, make, samples in () if archives else programs():
            program = exported(make)
            if program is None:
                continue
            grid.examples = program.example_inputs
            if not samples:
                program._example_inputs = None
            torch.export.save(program, path)
            grid.program(name, path)
    for path in archives:
        grid.program(path, path) if attempt(torch.export.load, path)[0] else print("PyTorch does not load", path)
    print(f"{grid.programs} programs called with {grid.accepted + grid.refused} inputs: {grid.accepted} accepted and"
          f" {grid.refused} refused by PyTorch {torch.__version__}; {len(grid.differences)} differences; guards that"
          f" PyTorch cannot evaluate: {sorted(grid.broken_guards) or 'none'}")  # fmt: skip
    assert not grid.differences, "\n".join(grid.differences[:40])


if __name__ == "__main__":
    main(*sys.argv[1:])
