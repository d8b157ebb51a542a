"""Programs exported under another default dtype, beside PyTorch under that default; libpt2 runs under a third one.

    python tests/python/default_dtype.py LIBPT2.so
"""

import logging
import re
import sys
import tempfile
import warnings
from pathlib import Path

import torch
from against_pytorch import Library, same
from libpt2 import EXACT, FAST
from torch.export import Dim, export
from torch.utils._pytree import tree_leaves

PASS = Path(__file__).parents[2] / "crates/graph/src/passes/default_dtype.rs"
DEFAULTS = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
# 2^24 + 1 is no float32, 257 no bfloat16.
INTS = torch.tensor([[1, 2, 3], [257, 16777217, 5]])
CONDITION = torch.tensor([[True, False, True], [False, False, True]])

MODULES = {
    "full": lambda self, x, c: (torch.full((2, 2), 0.1), torch.full((2,), 3), torch.full((x.shape[0],), 0.1)),
    "filled": lambda self, x, c: (torch.zeros(3), torch.ones(x.shape[0], 2), torch.eye(3), torch.zeros_like(x)),
    "arange": lambda self, x, c: (torch.arange(4), torch.arange(0.0, 1.0, 0.1), torch.arange(x.shape[0])),
    "linspace": lambda self, x, c: (torch.linspace(0, 1, 7), torch.logspace(0, 1, 5)),
    "windows": lambda self, x, c: (torch.hann_window(8), torch.hamming_window(5), torch.blackman_window(6)),
    "random": lambda self, x, c: (torch.rand(3), torch.randn(2, 2), torch.randint(9, (4,)), torch.randperm(5)),
    "scalar": lambda self, x, c: (torch.scalar_tensor(0.1), torch.tensor(0.1), torch.tensor([0.1, 0.2]) + 0.3),
    "triangle": lambda self, x, c: (torch.tril_indices(3, 3), torch.fft.fftfreq(5), torch.fft.rfftfreq(5)),
    "division": lambda self, x, c: (x / 3, x / (x + 1), x.true_divide(7), x.sum() / 3, 1 / x, x / x.shape[0]),
    "unary": lambda self, x, c: (x.sqrt(), x.sin(), x.log1p(), x.reciprocal(), x.rsqrt(), x.sigmoid(), c.cos()),
    "special": lambda self, x, c: (torch.special.i0e(x), torch.lgamma(x), torch.erf(x), torch.logit(x / 9.5)),
    "numbers": lambda self, x, c: (x * 2.5, 2.5 - x, x + 0.1, x % 2.5, x.clamp(min=0.5), c * 0.1, c + 0.1),
    "powers": lambda self, x, c: (x**0.5, 2.0 ** x[:1], x.pow(-0.5), x.float_power(0.5)),
    "binary": lambda self, x, c: (torch.atan2(x, x + 1), torch.xlogy(x, x + 2), torch.copysign(x, -x)),
    "where": lambda self, x, c: (torch.where(c, 0.1, 0.2), torch.where(c, x, 0.1), torch.where(c, 0.1, x)),
    "complex": lambda self, x, c: (x * 1j, c * 2j),
    "complex_full": lambda self, x, c: torch.full((2,), 0.1j),
    "fft": lambda self, x, c: (torch.fft.fft(x), torch.fft.rfft(x)),
    "kept": lambda self, x, c: (x + 1, x // 2, x.to(torch.float32) / 3, c & c, x.sum(), x.mean(dtype=torch.float64)),
    "branch": lambda self, x, c: torch.cond(c.any(), lambda x: x / 3 + torch.zeros(3), lambda x: x * 0.1, (x,)),
    "parameter": lambda self, x, c: torch.nn.functional.linear(x / 7, torch.full((2, 3), 0.1)).softmax(1),
}


def listed():
    """The factories in the pass are those of libtorch's schemas that have no tensor to take the dtype from."""
    found = set()
    for schema in torch._C._jit_get_all_schemas():
        arguments = {argument.name for argument in schema.arguments}
        tensors = [argument for argument in schema.arguments if "Tensor" in str(argument.type)]
        scaled = schema.name in ("aten::linspace", "aten::logspace")
        if schema.name.startswith("aten::") and {"dtype", "layout", "device"} <= arguments and (not tensors or scaled):
            found.add(schema.name.removeprefix("aten::"))
    # Refused by the policy, quantised, or with a dtype that the exporter always stores.
    found -= {"from_file", "_cudnn_init_dropout_state", "_empty_affine_quantized", "_make_dep_token"}
    found -= {"_sparse_compressed_tensor_with_dims", "_sparse_coo_tensor_with_dims", "_nested_tensor_from_tensor_list"}
    text = PASS.read_text()
    names = set(re.findall(r'"(\w+)"', text[text.index("const FACTORIES") :]))
    assert names == found, names ^ found


def under(dtype, function, *arguments):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        return function(*arguments)
    finally:
        torch.set_default_dtype(before)


def recorded(program):
    """Dtypes of the outputs in the archive."""
    outputs = tree_leaves(next(node for node in program.graph.nodes if node.op == "output").args[0])
    return [node.meta["val"].dtype for node in outputs]


def close(ours, theirs):
    wide = lambda tensor: tensor.to(torch.complex128)
    eps = torch.finfo(theirs.dtype).eps if theirs.is_floating_point() or theirs.is_complex() else 0
    return (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape) and torch.allclose(
        wide(ours), wide(theirs), rtol=4 * eps, atol=4 * eps, equal_nan=True)  # fmt: skip


def main(path):
    warnings.filterwarnings("ignore")
    logging.disable(logging.ERROR)
    torch.set_grad_enabled(False)
    listed()
    library, compared, refused, misrecorded = Library(path), 0, [], set()
    with tempfile.TemporaryDirectory() as folder:
        for (name, function), default in ((item, default) for item in MODULES.items() for default in DEFAULTS):
            if name == "complex_full" and default.itemsize < 4:
                continue  # PyTorch records complex32 there and computes complex64
            module = type("Exported", (torch.nn.Module,), {"forward": function})().eval()
            shapes = ({0: Dim.DYNAMIC}, {0: Dim.DYNAMIC})
            try:
                program = under(default, lambda: export(module, (INTS, CONDITION), dynamic_shapes=shapes))
                torch.manual_seed(0)
                expected = tree_leaves(under(default, program.module(), INTS, CONDITION))
                torch.export.save(program, f"{folder}/program.pt2")
            except Exception as error:  # not computed or, as 2.15's bcomplex32, not stored by PyTorch
                refused.append(f"{name} {default}: {str(error).splitlines()[0][:60]}")
                continue
            other = torch.float64 if default is torch.float32 else torch.float32
            for level, agrees in ((EXACT, same), (FAST, close)):
                model = library.load(f"{folder}/program.pt2", level)
                torch.manual_seed(0)
                ours = under(other, library.call, model, [INTS.clone(), CONDITION.clone()])
                assert len(ours) == len(expected)
                for index, (mine, reference) in enumerate(zip(ours, expected)):
                    if recorded(program)[index] != reference.dtype:
                        misrecorded.add(f"{name} {default}")  # 2.9: int64 for a quotient of ints of dynamic sizes
                        continue
                    at = f"{name} exported under {default}, output {index}, level {level}"
                    assert agrees(mine, reference), f"{at}: {mine} is not {reference}"
                    compared += 1
    print(f"{compared} outputs of programs exported under {len(DEFAULTS)} default dtypes equal PyTorch's; "
          f"PyTorch itself refuses {refused}; records another dtype than it computes: {sorted(misrecorded) or 'none'}")  # fmt: skip
    assert len(refused) <= 8, refused
    assert len(misrecorded) <= len(DEFAULTS), misrecorded


if __name__ == "__main__":
    main(*sys.argv[1:])
