"""Programs exported with a `ShapesSpec` (PyTorch 2.14): unbacked sizes, and relations between them.

`cases()` yields the name, the module, the spec, the sizes and ints of calls that PyTorch accepts (the first is the
example) and of those that it refuses, and a function that makes positional and keyword arguments of the leaves of one.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

try:
    from torch.fx.experimental.dynamic_spec import DictSpec, IntVar, SeqSpec, ShapesSpec, ShapeVar, TensorSpec
except ImportError:
    ShapesSpec = None


class Even(nn.Module):
    """The batch is even, and the second input has twice as many rows."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x, y):
        h = self.linear(x)
        return h, y.reshape(x.shape[0], 6) + h.sum(), x.reshape(x.shape[0] // 2, 6)


class Order(nn.Module):
    """Sizes that are compared with each other."""

    def forward(self, x, y):
        return torch.cat([x, y]), x[: y.shape[0]] + y, x.shape[0] - y.shape[0]


class Free(nn.Module):
    """A size without bounds: 0 and 1 are like any other."""

    def __init__(self):
        super().__init__()
        self.linear, self.norm = nn.Linear(3, 4), nn.LayerNorm(4)

    def forward(self, x, y):
        h = self.norm(self.linear(x))
        return h, F.softmax(h, -1), x + y, x.sum(0), x.shape[0] * 2, torch.cat([x, x]), h.t()


class Ints(nn.Module):
    """Ints as inputs, one of them negative and one fixed."""

    def forward(self, x, n, k, fixed):
        return x * n, x.new_full((k, 2), n), x + k * fixed, n - k, n % 3


class Nested(nn.Module):
    """Specs of a list, a dict, further positional and further keyword arguments."""

    def forward(self, pair, table, *rest, **more):
        return pair[0] + pair[1].sum(), table["a"] * 2, [row.sum(0) for row in rest], more["k"].t() @ more["k"]


class Derived(nn.Module):
    """Sizes that are a sum and a product of others."""

    def forward(self, x, y, z, w):
        return x + torch.cat([y, z]), w.sum(), torch.outer(y, z).reshape(-1) + w[1:].sum()


class Image(nn.Module):
    """Convolutions on images of any height and width that four divides."""

    def __init__(self):
        super().__init__()
        self.first, self.norm, self.second = nn.Conv2d(3, 4, 3, 2, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3, 2, 1)

    def forward(self, x):
        h = self.second(F.relu(self.norm(self.first(x))))
        return h, F.adaptive_avg_pool2d(h, 1).flatten(1), F.max_pool2d(h, 2, 2, 1)


def cases():
    if ShapesSpec is None:
        return
    spec, var = TensorSpec, ShapeVar
    flat = lambda leaves: (tuple(leaves), {})
    batch = var("batch", min=2, max=32)
    rows = lambda *sizes: [(size, 3) for size in sizes]
    even = ShapesSpec({"x": spec([batch, 3]), "y": spec([batch * 2, 3])}, assumptions=[batch % 2 == 0])
    fits = [rows(8, 16), rows(2, 4), rows(32, 64)]
    wrong = [rows(7, 14), rows(8, 15), rows(0, 0), rows(1, 2), rows(34, 68), rows(32, 65)]
    for name in ("spec_even", "spec_even_core"):
        yield name, Even(), even, fits, wrong, flat
    a, b = var("a"), var("b")
    order = ShapesSpec({"x": spec([a, 3]), "y": spec([b, 3])}, assumptions=[a > b, a % 3 == 2, a != 11, a <= 2 * b + 3])
    fits = [rows(8, 5), rows(2, 0), rows(2, 1), rows(14, 6)]
    wrong = [rows(0, 0), rows(5, 8), rows(5, 5), rows(11, 8), rows(8, 0), rows(9, 5)]
    yield "spec_order", Order(), order, fits, wrong, flat
    sizes = lambda size: [(size, 3), (3,)]
    free = ShapesSpec({"x": spec([var("a"), None])})
    yield "spec_free", Free(), free, [sizes(size) for size in (8, 0, 1, 2)], [], flat
    n, k = IntVar("n", min=-10, max=10), var("k", max=6)
    ints = ShapesSpec({"x": spec([var("r"), 2]), "n": n, "k": k, "fixed": 3}, assumptions=[n + k > 0])
    fits = [[(3, 2), 5, 4, 3], [(0, 2), -5, 6, 3], [(1, 2), 10, 0, 3]]
    wrong = [[(1, 2), -11, 6, 3], [(1, 2), 11, 1, 3], [(1, 2), 5, -1, 3], [(1, 2), 5, 7, 3], [(1, 2), -5, 5, 3], [(1, 2), 5, 4, 2]]
    yield "spec_ints", Ints(), ints, fits, wrong, flat
    a, b, c = var("a"), var("b"), var("c", min=1)
    nested = ShapesSpec(
        {
            "pair": SeqSpec([spec([a, 2]), spec([a, 2])]),
            "table": DictSpec({"a": spec([a + 1])}),
            "*args": [spec([b, 2]), spec([b * 2, 2])],
            "**kwargs": {"k": spec([c, 3])},
        },
        assumptions=[c <= a * b],
    )
    call = lambda a, b, c, other=0, next=1, twice=0: [(a, 2), (a + other, 2), (a + next,), (b, 2), (2 * b + twice, 2), (c, 3)]
    fits = [call(4, 3, 7), call(1, 1, 1), call(2, 5, 10)]
    wrong = [call(4, 3, 7, other=1), call(4, 3, 7, next=2), call(4, 3, 7, twice=1), call(4, 3, 13), call(4, 3, 0), call(0, 0, 0)]
    packed = lambda leaves: ((leaves[:2], {"a": leaves[2]}, *leaves[3:5]), {"k": leaves[5]})
    yield "spec_nested", Nested(), nested, fits, wrong, packed
    a, b = var("a"), var("b")
    derived = ShapesSpec({"x": spec([a + b]), "y": spec([a]), "z": spec([b]), "w": spec([a * b + 1])})
    call = lambda a, b, sum=0, product=0: [(a + b + sum,), (a,), (b,), (a * b + 1 + product,)]
    fits = [call(3, 4), call(0, 0), call(1, 0), call(1, 1)]
    wrong = [call(3, 4, sum=1), call(3, 4, product=1), call(1, 2, product=-2)]
    yield "spec_derived", Derived(), derived, fits, wrong, flat
    b, h, w = var("b", min=1, max=8), var("h", min=8, max=32), var("w", min=8, max=32)
    image = ShapesSpec({"x": spec([b, 3, h, w])}, assumptions=[h % 4 == 0, w % 4 == 0, w >= h])
    call = lambda *sizes: [(sizes[0], 3, *sizes[1:])]
    fits = [call(2, 16, 24), call(1, 8, 8), call(3, 12, 16)]
    wrong = [call(0, 8, 8), call(9, 8, 8), call(1, 4, 8), call(1, 9, 12), call(1, 8, 13), call(1, 12, 8), call(1, 8, 36)]
    yield "spec_image", Image().eval(), image, fits, wrong, flat
