"""Operators for which the exporter records other strides than the kernels give.

    python tests/python/recorded_strides.py

Needs no libpt2. Every operator of memory_formats.py, and those below, are run on contiguous, channels-last and permuted
tensors, and once more without kernels, as the exporter derives strides (fake tensors). Strides of dimensions of size one
are compared for contiguous tensors only: for others every kernel may choose them, and the passes rely on none. Exits with 1
if an operator differs that `crates/graph/src/passes/recorded_strides.rs` does not list for such tensors.
"""

import collections
import itertools
import sys
import warnings

import torch
import torch.nn.functional as F
from memory_formats import SPATIAL, operators
from torch._subclasses.fake_tensor import FakeTensorMode

# `UNLESS_CONTIGUOUS` and `IN_OTHER_ORDERS` there, by the names that the operators have here.
BINARY = "copysign div_mode floor_divide heaviside ldexp logaddexp logaddexp2 logical_and logical_or logical_xor xlogy".split()
UNLESS_CONTIGUOUS = {"pad reflect", "pad replicate", "channel_shuffle", "roll", "logsigmoid", "conv3d", "conv_transpose3d", *BINARY}
IN_OTHER_ORDERS = UNLESS_CONTIGUOUS | {"batch_norm", "batch_norm training", "max_pool1d"}
# What `max_pool1d` is given here is a channels-last tensor with pixels in one dimension, whose order has no name.
LISTED = {"contiguous": set(), "channels-last": UNLESS_CONTIGUOUS | {"max_pool1d"}, "permuted": IN_OTHER_ORDERS}
ELEMENTWISE = (
    "add sub mul div maximum fmod remainder atan2 pow floor_divide copysign heaviside ldexp logaddexp logical_and logical_or logical_xor "
    "eq gt hypot nextafter logaddexp2 fmax xlogy float_power true_divide"
).split()


def more(rank, channels):
    pixels = len(SPATIAL[rank])
    pad = [1] * (2 * pixels)
    yield "pad replicate", lambda x, p: F.pad(x, pad, "replicate")
    yield "pad reflect", lambda x, p: F.pad(x, [0] * (2 * pixels), "reflect")
    yield "pad circular", lambda x, p: F.pad(x, pad, "circular")
    yield "pad constant", lambda x, p: F.pad(x, pad)
    yield "channel_shuffle", lambda x, p: F.channel_shuffle(x, 2)
    yield "roll", lambda x, p: x.roll(1, 1)
    yield "flip", lambda x, p: x.flip(1)
    for name in ELEMENTWISE:
        call = lambda x, y, n=name: getattr(torch, n)(x, y)
        yield name, lambda x, p, c=call: c(x, p[0].sum())
        yield name, lambda x, p, c=call: c(x, p[0].reshape(-1, *[1] * pixels))
        yield name, lambda x, p, c=call: c(p[0].sum(), x)
        yield name, lambda x, p, c=call: c(x, p[0].sum() * torch.ones(x.shape))
        yield name, lambda x, p, c=call: c(x[:, :, :1], p[0].sum() * torch.ones(x.shape))
    yield "div_mode", lambda x, p: torch.div(x, p[0].sum(), rounding_mode="trunc")
    yield "max_pool1d", lambda x, p: F.max_pool1d(x.flatten(2), 2)
    if pixels == 2:
        for mode in ("bilinear", "bicubic", "nearest"):
            yield f"interpolate {mode}", lambda x, p, m=mode: F.interpolate(x, size=(1, 1), mode=m)
    yield "slice", lambda x, p: x[:, :1].relu()
    yield "where", lambda x, p: torch.where(x > 0, x, x.exp())
    yield "clone", lambda x, p: x.clone()
    yield "to", lambda x, p: x.to(torch.float64)
    for size, stride, groups in itertools.product((1, 3), (1, 3), (1, channels)):
        for name in (f"conv{pixels}d", f"conv_transpose{pixels}d"):
            weight = torch.randn(channels, channels // groups, *[size] * pixels)
            given = {"stride": stride, "groups": groups}
            yield name, lambda x, p, n=name, w=weight, g=given: getattr(F, n)(x, w.to(x), **g)


def seen(tensor, order):
    everything = order == "contiguous"
    return [stride for size, stride in zip(tensor.shape, tensor.stride()) if everything or size != 1] if tensor.numel() else []


def orders(plain):
    backwards = [0, *range(plain.dim() - 1, 0, -1)]
    yield "contiguous", plain
    yield "channels-last", plain.contiguous(memory_format=torch.channels_last if plain.dim() == 4 else torch.channels_last_3d)
    yield "permuted", plain.permute(backwards).contiguous().permute(backwards)


def recorded(run, image, parameters):
    mode = FakeTensorMode(allow_non_fake_inputs=True)
    with mode:
        return run(mode.from_tensor(image), [mode.from_tensor(parameter) for parameter in parameters])


def main():
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    differing, count = collections.defaultdict(dict), 0
    for sizes in ((2, 8, 8, 8), (1, 8, 4, 4), (2, 6, 1, 5), (2, 8, 1, 1), (2, 1, 4, 4), (2, 8, 4, 6, 4), (1, 4, 2, 3, 2)):
        plain, parameters = torch.randn(sizes), [torch.randn(sizes[1]) for _ in range(4)]
        for order, image in orders(plain):
            for name, run in (*operators(len(sizes), sizes[1]), *more(len(sizes), sizes[1])):
                try:
                    found = run(image, parameters)
                    derived = recorded(run, image, parameters)
                except (RuntimeError, ValueError):  # not for these sizes
                    continue
                count += 1
                if seen(found, order) != seen(derived, order):
                    differing[name][order] = f"{tuple(found.shape)}: kernel {found.stride()}, record {derived.stride()}"
    unknown = []
    for name, cases in differing.items():
        for order, example in cases.items():
            print(f"{name} of {order} tensors: {example}")
            unknown += [] if name in LISTED[order] else [(name, order)]
    print(f"{count} calls; in no list: {unknown or 'none'}")
    return bool(unknown) or not count


if __name__ == "__main__":
    sys.exit(main())
