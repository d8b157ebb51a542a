"""Exports programs with operators that PyTorch and its companions register from Python only.

    python make_archives.py OUT_DIR [CASE…]

Written with PyTorch 2.11, transformers 5.24 and torchao 0.18; the files are as those of tests/archives.
"""

import os
import sys

import numpy as np
import torch
import torch._inductor.lowering  # noqa: F401
import torch.nn as nn
from torch._inductor.decomposition import select_decomp_table
from torch.export import Dim, export

sys.path[0] = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "archives")
from make_archives import store  # noqa: E402
from traces import save  # noqa: E402

prims = torch.ops.prims

UNARY = "abs acos acosh asin asinh atan atanh bessel_i0 bessel_i0e bessel_i1 bessel_i1e bessel_j0 bessel_j1 cbrt ceil cos cosh digamma erf erf_inv erfc erfcx exp exp2 expm1 floor isfinite lgamma log log10 log1p log2 ndtri neg reciprocal round rsqrt sign signbit sin sinh spherical_bessel_j0 sqrt tan tanh trunc".split()
BINARY = "add atan2 div eq fmax fmin fmod ge gt hypot igamma igammac le lt maximum minimum mul ne nextafter pow remainder sub zeta".split()
INTEGRAL = "add bitwise_and bitwise_or bitwise_xor div eq fmod gcd ge gt le lt maximum minimum mul ne remainder shift_left shift_right_arithmetic sub".split()


class Elementwise(nn.Module):
    def forward(self, x, y):
        x, y = torch.stack((x, y), 2).unbind(2)  # neither is contiguous
        half = prims.convert_element_type(x, torch.bfloat16)
        unary = [getattr(prims, name)(x) for name in UNARY]
        narrow = [getattr(prims, name)(half) for name in ("abs", "exp", "tanh", "rsqrt", "erf", "sqrt")]
        binary = [getattr(prims, name)(x, y) for name in BINARY]
        mantissa, exponent = prims.frexp(x)
        chosen = prims.where(prims.gt(x, y), x, y)
        return unary, narrow, binary, mantissa, exponent, chosen, prims.fma(x, y, x), prims.fill(x, 0.25)


class Integral(nn.Module):
    def forward(self, x, y, flags):
        results = [getattr(prims, name)(x, y) for name in INTEGRAL]
        flipped = prims.bitwise_not(x), prims.bitwise_not(flags), prims.bitwise_and(flags, prims.ne(x, y))
        return results, flipped, prims.convert_element_type(flags, torch.float32), prims.neg(x), prims.abs(x)


class Complex(nn.Module):
    def forward(self, x):
        spectrum = prims.fft_r2c(x, dim=[0, 1], onesided=True)
        whole = prims.fft_c2c(spectrum, dim=[1], forward=False)
        back = prims.fft_c2r(spectrum, dim=[0, 1], last_dim_size=x.shape[1])
        parts = prims.real(whole).clone(), prims.imag(whole).clone(), prims.abs(whole)
        return spectrum, whole, back, parts, prims.conj_physical(whole), prims.mul(prims.conj(whole), whole)


class Views(nn.Module):
    def forward(self, x):
        n = x.shape[0]
        spread = prims.broadcast_in_dim(x, [2, n, 3, 6], [1, 3])
        turned = prims.transpose(spread, [3, 1, 0, 2])
        halves = prims.split_dim(x, 1, 2)
        merged = prims.collapse_view(halves, 1, 2)
        bits = prims.view_of_dtype(x, torch.int32)
        squeezed = prims.squeeze(prims.broadcast_in_dim(x, [1, n, 6], [1, 2]), [0])
        window = prims.as_strided(prims.clone(x), [n, 2], [6, 2], 1)
        copies = prims.collapse(turned, 0, 1), prims.reshape(turned, [6 * n, 6]), prims.rev(x, [1])
        scattered = prims.as_strided_scatter(x, prims.full([2, 2], 7, dtype=torch.float32, device=x.device, requires_grad=False), [2, 2], [6, 1], 1)
        return spread, turned, halves, merged, bits, squeezed, window, copies, scattered, prims.cat([x, squeezed], 0), prims.view_of(x), prims.copy_strided(x, [1, n])


class Reductions(nn.Module):
    def forward(self, x):
        reduced = [op(x, [0, 2]) for op in (prims.sum, prims.amax, prims.amin, prims.prod)]
        single = prims.sum(x, [1]), prims.prod(x, [1]), prims.var(x, [1], 0.5)
        corrected = prims.var(x, [0, 1], 0), prims.var(x, [0, 1, 2], 1.0)
        whole = prims.sum(x, [0, 1, 2]), prims.prod(x, [0, 1, 2]), prims.prod(x, [])
        u, s, v = prims.svd(prims.reshape(x, [x.shape[0], 12]), full_matrices=False)
        return reduced, single, corrected, whole, s, u.abs(), v.abs()


class Creation(nn.Module):
    def forward(self, x):
        n, cpu = x.shape[0], torch.device("cpu")
        made = dict(device=cpu, requires_grad=False)
        counted = prims.iota(n, start=3, step=2, dtype=torch.int64, **made)
        constant = prims.iota(5, start=7, step=-2, dtype=torch.int32, **made)
        empties = prims.empty([n, 2], dtype=torch.float32, **made), prims.empty_strided([n, 2], [1, n], dtype=torch.float32, **made), prims.empty_permuted([n, 2], [1, 0], dtype=torch.float32, **made)
        filled = [prims.fill(empty, 1.5) for empty in empties]
        full = prims.full([2, n], 3.5, dtype=torch.float64, **made), prims.full_like(x, 2, dtype=torch.int32, **made)
        scalar = prims.scalar_tensor(4.5, dtype=torch.float32, device=cpu)
        total = prims.copy_to(prims.clone(x), prims.mul(x, scalar))
        return counted, constant, filled, full, scalar, total, prims.device_put(x, cpu)


class Random(nn.Module):
    """Draws: only their distribution can be compared."""

    def forward(self, x):
        device = torch.device("cpu")
        drawn = prims.normal([4000], mean=2, std=0.5, dtype=torch.float32, device=device, requires_grad=False)
        even = prims.uniform([4000], low=-1.0, high=3.0, dtype=torch.float32, device=device, stride=[1])
        return x, drawn, even


class Network(nn.Module):
    """What inductor's decompositions leave of an ordinary network."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(3, 4, 3)
        self.norm = nn.GroupNorm(2, 4)
        self.linear = nn.Linear(4, 6)
        self.register_buffer("codes", torch.arange(6, dtype=torch.int8))

    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            h = nn.functional.gelu(self.norm(self.convolution(x)))
        h, places = nn.functional.max_pool2d(h.float(), 2, return_indices=True)
        h = self.linear(h.mean((2, 3)).float())
        positions = torch.arange(x.shape[0]).unsqueeze(1)
        return torch.softmax(h + self.codes + positions, 1), places, h.to(torch.float16), torch.var_mean(h, 1)


def inductor(program):
    return program.run_decompositions(select_decomp_table())


class Affine(nn.Module):
    def forward(self, x):
        ops, results = torch.ops.torchao, []
        for mapping in ("ASYMMETRIC", "SYMMETRIC", "SYMMETRIC_NO_CLIPPING_ERR"):
            for block in ([1, 8], [x.shape[0], 4]):
                scale, zero = ops.choose_qparams_affine(x, mapping, block, torch.int8, None, None, None, torch.float32, torch.int32)
                codes = ops.quantize_affine(x, block, scale, zero, torch.int8)
                results.append((scale, zero, codes, ops.dequantize_affine(codes, block, scale, zero, torch.int8)))
        scale, zero = ops.choose_qparams_affine(x, "ASYMMETRIC", [1, 4], torch.uint8, 0, 15, 1e-6, None, torch.int8, True)
        codes = ops.quantize_affine(x, [1, 4], scale, zero, torch.uint8, 0, 15)
        wide = ops.dequantize_affine(codes, [1, 4], scale, None, torch.uint8, 0, 15, output_dtype=torch.bfloat16)
        return results, scale, zero, codes, wide


class Float8(nn.Module):
    def forward(self, x):
        ops, results = torch.ops.torchao, []
        for block, dtype in (([1, 8], torch.float8_e4m3fn), ([1, 4], torch.float8_e5m2)):
            scale = ops.choose_scale_float8(x, block, dtype, hp_value_lb=0.5)
            codes = ops.quantize_affine_float8_non_decomposed(x, scale, dtype)
            results.append((scale, codes, ops.dequantize_affine_float8_non_decomposed(codes, scale)))
        return results


class Experts(nn.Module):
    """A layer of experts as transformers computes it, with groups of all sizes."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 6, 5))

    def forward(self, x, ends):
        turned = self.weight.transpose(1, 2)
        there = torch.ops.transformers.grouped_mm_fallback(x, self.weight, ends)
        return there, torch.ops.transformers.grouped_mm_fallback(there, turned.contiguous(), ends.to(torch.int64)), torch.ops.transformers.grouped_mm_fallback(there, turned, ends)


def mixtral():
    from transformers import MixtralConfig, MixtralForCausalLM

    torch.manual_seed(0)
    config = MixtralConfig(
        vocab_size=16, hidden_size=16, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
        num_key_value_heads=1, num_local_experts=4, num_experts_per_tok=2, max_position_embeddings=32, use_cache=False,
    )

    class Logits(nn.Module):
        def __init__(self):
            super().__init__()
            self.model = MixtralForCausalLM(config).eval()

        def forward(self, tokens):
            return self.model(input_ids=tokens, use_cache=False).logits

    return Logits()


def cases():
    rows = Dim("rows", min=2, max=64)
    some = ({0: rows}, {0: rows})
    positive = lambda *sizes: torch.rand(*sizes) * 0.9 + 0.05
    yield "elementwise", Elementwise(), [(positive(n, 4), positive(n, 4)) for n in (5, 7, 2)], some
    ints = lambda n: (torch.randint(-40, 40, (n, 3)), torch.randint(1, 6, (n, 3)), torch.rand(n, 3) > 0.5)
    yield "integral", Integral(), [ints(4), ints(9)], (*some, {0: rows})
    yield "complex", Complex(), [(torch.randn(n, 6),) for n in (4, 5)], some[:1]
    yield "views", Views(), [(torch.randn(n, 6),) for n in (4, 3, 9)], some[:1]
    yield "reductions", Reductions(), [(torch.randn(4, 4, 3),) for _ in range(2)], None
    yield "creation", Creation(), [(torch.randn(n, 3),) for n in (4, 2, 9)], some[:1]
    yield "random", Random(), [(torch.randn(3),)], None
    yield "network", Network().eval(), [(torch.randn(n, 3, 8, 8),) for n in (4, 3, 9)], some[:1], inductor
    yield "affine", Affine(), [(torch.randn(4, 8),) for _ in range(2)], None
    yield "float8", Float8(), [(torch.randn(4, 8),) for _ in range(2)], None
    ends = lambda *all: torch.tensor(all, dtype=torch.int32)
    yield "experts", Experts(), [(torch.randn(9, 6), ends(2, 2, 7, 9)), (torch.randn(5, 6), ends(0, 5, 5, 5)), (torch.randn(4, 6), ends(1, 2, 3, 3))], ({0: rows}, None)
    tokens = Dim("tokens", min=2, max=16)
    yield "mixtral", mixtral(), [(torch.randint(0, 16, (1, n)),) for n in (7, 3, 12)], ({1: tokens},)


def main(out, wanted):
    import torchao.quantization  # noqa: F401
    import transformers.integrations.moe  # noqa: F401

    os.makedirs(out, exist_ok=True)
    torch.manual_seed(0)
    for name, module, calls, dynamic, *rewrite in cases():
        if wanted and name not in wanted:
            continue
        program = export(module, tuple(x.clone() for x in calls[0]), dynamic_shapes=dynamic)
        for step in rewrite:
            program = step(program)
        save(program, os.path.join(out, f"{name}.pt2"))
        runner, arrays = program.module(), {}
        for call, args in enumerate(calls):
            store(arrays, f"in{call}", args)
            store(arrays, f"out{call}", runner(*(x.clone() for x in args)))
        np.savez_compressed(os.path.join(out, f"{name}.npz"), **arrays)
        targets = {str(node.target) for node in program.graph.nodes if node.op == "call_function"}
        print(name, sorted(target for target in targets if not target.startswith("aten.")))


if __name__ == "__main__":
    with torch.no_grad():
        main(sys.argv[1], sys.argv[2:])
