"""Operators whose kernels differ by memory format, with inputs that are hard: is channels-last as accurate as contiguous?

    python tests/python/memory_formats.py [--device cuda] [--seeds 3]

Needs no libpt2. Every operator that `passes::memory_format` lets read channels-last values is run on a contiguous tensor and on the
same numbers channels-last, and both are compared with float64 by the rule of `fast` (docs/concepts/optimiser.md): the error may be
twice that of the contiguous kernel, beside two roundings of the dtype. Prints what breaks the rule, and exits with 1 if an
operator does that is not in SENSITIVE, the list that `passes::memory_format` keeps in the exporter's format.
"""

import argparse
import collections
import sys
import warnings

import torch
import torch.nn.functional as F

# `SENSITIVE` of crates/graph/src/passes/memory_format.rs: these read the exporter's format.
SENSITIVE = {"group_norm", "std", "var"}
# `Order::Preferred`: these do so where that can be put back. Attention loses sums of denormal numbers only.
PREFERRED = {"attention"}
# `passes::op_effects` does not list them, so that they never read what layout has changed.
NEVER_CHANGED = {"batch_norm training", "norm", "grid_sample"}

# Name in aten, what is computed from an image (and parameters of its channels), for which ranks.
SPATIAL = {4: (2, 3), 5: (2, 3, 4)}


def operators(rank, channels):
    pixels = SPATIAL[rank]
    pool = {4: "2d", 5: "3d"}[rank]
    of = lambda name: getattr(F, name + pool)
    vector = lambda p, i: p[i]
    yield "group_norm", lambda x, p: F.group_norm(x, 2, vector(p, 0), vector(p, 1))
    yield "group_norm", lambda x, p: F.group_norm(x, channels)
    yield "group_norm", lambda x, p: F.group_norm(x, 1, vector(p, 0))
    yield "batch_norm", lambda x, p: F.batch_norm(x, vector(p, 1), vector(p, 2).abs() + 0.1, vector(p, 0), vector(p, 3))
    yield "batch_norm training", lambda x, p: F.batch_norm(x, None, None, vector(p, 0), vector(p, 1), True)
    yield "instance_norm", lambda x, p: F.instance_norm(x, weight=vector(p, 0), bias=vector(p, 1))
    yield "layer_norm", lambda x, p: F.layer_norm(x, x.shape[1:])
    yield "layer_norm", lambda x, p: F.layer_norm(x, x.shape[-1:])
    yield "rms_norm", lambda x, p: F.rms_norm(x, x.shape[-1:])
    yield "avg_pool", lambda x, p: of("avg_pool")(x, 3, 2, 1)
    yield "max_pool", lambda x, p: of("max_pool")(x, 3, 2, 1)
    yield "adaptive_avg_pool", lambda x, p: of("adaptive_avg_pool")(x, 1)
    yield "adaptive_avg_pool", lambda x, p: of("adaptive_avg_pool")(x, 3)
    yield "adaptive_max_pool", lambda x, p: of("adaptive_max_pool")(x, 3)
    yield "lp_pool", lambda x, p: of("lp_pool")(x, 2.0, 2)
    yield "upsample nearest", lambda x, p: F.interpolate(x, scale_factor=2.0, mode="nearest")
    linear = {4: "bilinear", 5: "trilinear"}[rank]
    yield "upsample linear", lambda x, p: F.interpolate(x, scale_factor=1.7, mode=linear)
    yield "upsample linear", lambda x, p: F.interpolate(x, size=[7] * len(pixels), mode=linear, align_corners=True)
    if rank == 4:
        yield "upsample bicubic", lambda x, p: F.interpolate(x, scale_factor=1.7, mode="bicubic")
        yield "upsample antialias", lambda x, p: F.interpolate(x, size=[5, 5], mode="bilinear", antialias=True)
        yield "pixel_shuffle", lambda x, p: F.pixel_shuffle(x, 2)
        yield "pixel_unshuffle", lambda x, p: F.pixel_unshuffle(x[..., :4, :4], 2)
        yield "local_response_norm", lambda x, p: F.local_response_norm(x, 3)
        yield "grid_sample", lambda x, p: F.grid_sample(x, torch.linspace(-1, 1, x.shape[0] * 18, dtype=x.dtype, device=x.device).reshape(x.shape[0], 3, 3, 2), align_corners=False)
    yield "pad reflect", lambda x, p: F.pad(x, [1, 1] * len(pixels), "reflect")
    for name in ("mean", "sum", "var", "std", "amax", "prod", "logsumexp"):
        for dims in (pixels, (1,), (0, *pixels), pixels[-1:]):
            if name == "prod":
                yield name, lambda x, p, d=dims: torch.prod(x, d[0])
            else:
                yield name, lambda x, p, n=name, d=dims: getattr(torch, n)(x, d)
    for name in ("mean", "sum", "var"):
        yield name, lambda x, p, n=name: getattr(torch, n)(x)
    yield "norm", lambda x, p: torch.linalg.vector_norm(x, 2, pixels)
    yield "norm", lambda x, p: torch.linalg.vector_norm(x, 2, 1)
    yield "normalize", lambda x, p: F.normalize(x, dim=1)
    yield "cumsum", lambda x, p: torch.cumsum(x, 1)
    yield "cumsum", lambda x, p: torch.cumsum(x, -1)
    for dim in (1, -1, 2):
        yield "softmax", lambda x, p, d=dim: F.softmax(x, d)
        yield "log_softmax", lambda x, p, d=dim: F.log_softmax(x, d)
    for name in ("relu", "gelu", "silu", "mish", "hardswish", "hardsigmoid", "relu6", "elu", "selu", "celu", "softplus", "logsigmoid", "leaky_relu", "tanhshrink", "softsign"):
        yield name, lambda x, p, n=name: getattr(F, n)(x)
    yield "gelu tanh", lambda x, p: F.gelu(x, approximate="tanh")
    for name in ("sigmoid", "tanh", "exp", "erf", "sqrt", "rsqrt", "log", "sin", "square", "log1p", "reciprocal"):
        yield name, lambda x, p, n=name: getattr(torch, n)(x)
    yield "prelu", lambda x, p: F.prelu(x, vector(p, 0))
    yield "glu", lambda x, p: F.glu(x, 1)
    yield "add", lambda x, p: x + x.flip(0)
    yield "mul", lambda x, p: x * vector(p, 0).reshape(-1, *[1] * len(pixels))
    yield "div", lambda x, p: x / (x.abs() + 1)
    yield "lerp", lambda x, p: torch.lerp(x, x.flip(0), 0.3)
    yield "addcmul", lambda x, p: torch.addcmul(x, x, x, value=0.5)
    yield "pow", lambda x, p: x.abs() ** 1.7
    yield "cat", lambda x, p: torch.cat([x, x.flip(0)], 1)
    yield "matmul", lambda x, p: x @ x.transpose(-1, -2)
    yield "linear", lambda x, p: F.linear(x, torch.linspace(-1, 1, 4 * x.shape[-1], dtype=x.dtype, device=x.device).reshape(4, -1))
    yield "attention", lambda x, p: F.scaled_dot_product_attention(x.flatten(3) if rank == 5 else x, x.flatten(3) if rank == 5 else x, x.flatten(3) if rank == 5 else x)


HARD = {
    "normal": lambda x: x,
    "offset 30": lambda x: x + 30,
    "offset 1000": lambda x: x + 1000,
    "offset 1e5, small": lambda x: x * 0.1 + 1e5,
    "one channel off": lambda x: x + 300 * (torch.arange(x.shape[1]) == 1).reshape(1, -1, *[1] * (x.dim() - 2)),
    "large": lambda x: x * 1e4,
    "huge": lambda x: x * 3e18,
    "small": lambda x: x * 1e-6,
    "denormal": lambda x: x * 1e-41,
    "all alike": lambda x: torch.full_like(x, 1.1),
}

SIZES = {4: [(2, 8, 8, 8), (1, 32, 16, 16), (2, 6, 5, 7), (1, 64, 40, 40)], 5: [(2, 8, 4, 6, 4), (1, 16, 5, 7, 6)]}


def error(found, truth):
    if not truth.numel():
        return 0.0
    return ((found.double() - truth).abs().max() / truth.abs().max().clamp_min(1e-300)).item()


def breaks(last, first, truth, dtype):
    """How much too large the error of channels-last is; None where the rule holds."""
    finite = truth.isfinite().all() and truth.abs().max() <= torch.finfo(dtype).max
    if not finite or not first.isfinite().all():
        return None
    mine, theirs = error(last, truth), error(first, truth)
    return (mine, theirs) if not mine <= 2 * theirs + 2 * torch.finfo(dtype).eps else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seeds", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    broken, count = collections.defaultdict(list), collections.Counter()
    for rank, sizes, dtype, seed in [(r, s, d, n) for r in SIZES for s in SIZES[r] for d in (torch.float32, torch.float16, torch.bfloat16) for n in range(options.seeds)]:
        torch.manual_seed(seed)
        plain = torch.randn(sizes)
        parameters = [torch.randn(sizes[1]) for _ in range(4)]
        parameters = [p.to(dtype).to(options.device) for p in parameters]
        for kind, make in HARD.items():
            image = make(plain).to(dtype)
            if not image.isfinite().all():
                continue
            first = image.to(options.device)
            last = first.contiguous(memory_format=torch.channels_last if rank == 4 else torch.channels_last_3d)
            truth_of = image.double().to(options.device), [p.double() for p in parameters]
            for name, run in operators(rank, sizes[1]):
                count[name] += 1
                try:
                    one = run(first, parameters)
                    truth = run(*truth_of)
                except RuntimeError:  # not for this dtype
                    continue
                found = breaks(run(last, parameters), one, truth, dtype)
                if found:
                    broken[name].append((found, kind, str(dtype), sizes))
    for name, cases in broken.items():
        (mine, theirs), *where = max(cases)
        print(f"{name}: {len(cases)} of {count[name]} calls, worst {mine:.2g} where contiguous has {theirs:.2g}: {where}; kinds {dict(collections.Counter(c[1] for c in cases))}; {dict(collections.Counter(c[2] for c in cases))}")
    listed = SENSITIVE | PREFERRED | NEVER_CHANGED
    unknown = [name for name, cases in broken.items() if name not in listed and len(cases) > 0.01 * count[name]]
    print(f"{sum(count.values())} calls on {options.device}; breaking the rule and in no list: {unknown or 'none'}")
    return bool(unknown)


if __name__ == "__main__":
    sys.exit(main())
