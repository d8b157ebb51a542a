"""Makes the archives of tests/c/outputs.c, sharing.c and alignment.c into the folder named first. torch 2.11.

Programs whose outputs no handle describes are written without `torch.export`, which does not trace them: one node,
`x` in and `y` out, with what the archive says of `y`.
"""
import json
import os
import sys
import zipfile
from pathlib import Path

import torch
import torch.nn as nn
from torch.export import Dim, export

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "archives"))
from traces import save  # noqa: E402

OUT = sys.argv[1]
STRIDED, SPARSE_COO, MKLDNN = 7, 1, 6
FLOAT, CPU = 7, {"type": "cpu", "index": None}


def tensor(*sizes, layout=STRIDED):
    strides = [{"as_int": 1}] * len(sizes)
    return {"dtype": FLOAT, "sizes": [{"as_int": size} for size in sizes], "requires_grad": False, "device": CPU,
            "strides": strides, "storage_offset": {"as_int": 0}, "layout": layout}


def leaf_specs():
    leaf = {"type": None, "context": None, "children_spec": []}
    args = {"type": "builtins.tuple", "context": "null", "children_spec": [leaf]}
    kwargs = {"type": "builtins.dict", "context": "[]", "children_spec": []}
    both = {"type": "builtins.tuple", "context": "null", "children_spec": [args, kwargs]}
    return json.dumps([1, both]), json.dumps([1, leaf])


def one_node(name, target, arguments, sizes=(4,), layout=STRIDED, input_layout=STRIDED):
    x, y = ({"as_tensor": {"name": value}} for value in "xy")
    inputs = [{"name": key, "arg": value, "kind": 1} for key, value in arguments.items()]
    node = {"target": f"torch.ops.aten.{target}", "inputs": inputs, "outputs": [y], "metadata": {},
            "is_hop_single_tensor_return": None, "name": "y"}
    graph = {"inputs": [x], "outputs": [y], "nodes": [node], "sym_int_values": {}, "sym_bool_values": {},
             "sym_float_values": {}, "custom_obj_values": {}, "is_single_tensor_return": False,
             "tensor_values": {"x": tensor(4, layout=input_layout), "y": tensor(*sizes, layout=layout)}}
    in_spec, out_spec = leaf_specs()
    signature = {"inputs": [], "outputs": [], "in_spec": in_spec, "out_spec": out_spec, "forward_arg_names": ["x"]}
    program = {
        "graph_module": {
            "graph": graph,
            "signature": {"input_specs": [{"user_input": {"arg": x}}], "output_specs": [{"user_output": {"arg": y}}]},
            "module_call_graph": [{"fqn": "", "signature": signature}], "metadata": {}, "treespec_namedtuple_fields": {}},
        "opset_version": {"aten": 10}, "range_constraints": {}, "schema_version": {"major": 8, "minor": 17},
        "verifiers": ["TRAINING"], "torch_version": "2.11.0", "guards_code": []}
    entries = {"data/weights/model_weights_config.json": '{"config": {}}', "models/model.json": json.dumps(program),
               "data/constants/model_constants_config.json": '{"config": {}}',
               "archive_format": "pt2", "archive_version": "0", "byteorder": "little"}
    with zipfile.ZipFile(os.path.join(OUT, f"{name}.pt2"), "w", zipfile.ZIP_STORED) as archive:
        for path, text in entries.items():
            archive.writestr(zipfile.ZipInfo(f"{name}/{path}", (1980, 1, 1, 0, 0, 0)), text)


X = {"as_tensor": {"name": "x"}}
XX = {"as_tensors": [{"name": "x"}, {"name": "x"}]}
integer, real = (lambda value: {"as_int": value}), (lambda value: {"as_float": value})
QUINT8 = 13


def without_export():
    one_node("nested", "_nested_tensor_from_tensor_list.default", {"list": XX})
    one_node("sparse", "_to_sparse.sparse_dim", {"self": X, "sparse_dim": integer(1)})
    one_node("told_sparse", "_to_sparse.default", {"self": X}, layout=SPARSE_COO)
    one_node("takes_sparse", "relu.default", {"self": X}, input_layout=SPARSE_COO)
    one_node("mkldnn", "to_mkldnn.default", {"self": X})
    one_node("told_mkldnn", "to_mkldnn.default", {"self": X}, layout=MKLDNN)
    one_node("batched", "_add_batch_dim.default", {"self": X, "batch_dim": integer(0), "level": integer(1)})
    one_node("unsqueezed", "unsqueeze_.default", {"self": X, "dim": integer(0)}, (1, 4))
    quantized = {"self": X, "scale": real(0.1), "zero_point": integer(0), "dtype": integer(QUINT8)}
    one_node("quantized", "quantize_per_tensor.default", quantized)
    one_node("zeros", "_efficientzerotensor.default", {"size": {"as_ints": [4]}})


class Lazy(nn.Module):
    """Outputs that PyTorch conjugates or negates lazily, of the input, of a weight and in control flow."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(3, 2, dtype=torch.complex64), requires_grad=False)

    def forward(self, x):
        lazy = x.conj()
        chosen = torch.cond(x.real.sum() > 0, lambda x: x * 3, lambda x: x * 2, (x,)).conj()
        return (lazy, lazy.imag, self.weight.conj(), self.weight.conj().imag, chosen, lazy[1::2], lazy.t(),
                lazy[:1].expand(5, 2), torch._neg_view(x.real), x * 2, lazy.resolve_conj())


class Writes(nn.Module):
    """Writes to its first input and to a buffer, and returns a weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.arange(8.0) + 1)
        self.register_buffer("count", torch.zeros(1))

    def forward(self, x, y):
        x.add_(y)
        self.count.add_(1)
        return x * self.weight, self.weight, self.count


class Two(nn.Module):
    def forward(self, x):
        return x + 1, x * 2


class Int8(nn.Module):
    def forward(self, x, weight, scales):
        return torch.ops.aten._weight_int8pack_mm(x, weight, scales)


class Pairs(nn.Module):
    """The square of complex numbers that are given as pairs, which are written to if asked for."""

    def __init__(self, writes):
        super().__init__()
        self.writes = writes

    def forward(self, x):
        if self.writes:
            x.mul_(2)
        z = torch.view_as_complex(x)
        return torch.view_as_real(z * z)


def main():
    os.makedirs(OUT, exist_ok=True)
    torch.manual_seed(0)
    without_export()
    put = lambda name, module, args, dims=None: save(
        export(module, args, dynamic_shapes=dims), os.path.join(OUT, f"{name}.pt2"))
    put("lazy", Lazy(), (torch.randn(4, 2, dtype=torch.complex64),), ({0: Dim("n", min=4, max=64)},))
    put("writes", Writes(), (torch.randn(8), torch.randn(8)))
    put("two", Two(), (torch.randn(4, 3),), ({0: Dim("n", min=1, max=64)},))
    put("pairs", Pairs(False), (torch.randn(33, 2, dtype=torch.float64),))
    put("pairs_written", Pairs(True), (torch.randn(33, 2, dtype=torch.float64),))
    put("int8", Int8(), (torch.randn(4, 64).bfloat16(), torch.zeros(32, 64, dtype=torch.int8), torch.randn(32).bfloat16()))


main()
