"""Writes archives that no exporter would write, into the folder `by_hand`: python3 make_by_hand.py. Needs no torch.

Programs that compute from weights alone, some of which would harm a process that ran them; metadata that lie about
what is stored or computed; norms and convolutions of impossible sizes, for the passes that fold them.
"""

import json
import pathlib
import struct
import zipfile

FOLDER = pathlib.Path(__file__).parent / "by_hand"
# torch/_export/serde/schema.py, 2.11
DTYPES = {"int64": 5, "float32": 7}
STRIDED = 7


def dense(sizes):
    strides, step = [], 1
    for size in reversed(sizes):
        strides.insert(0, step)
        step *= max(size, 1)
    return strides


def meta(dtype, sizes, strides=None):
    ints = lambda numbers: [{"as_int": number} for number in numbers]
    return {
        "dtype": DTYPES[dtype],
        "sizes": ints(sizes),
        "requires_grad": False,
        "device": {"type": "cpu", "index": None},
        "strides": ints(dense(sizes) if strides is None else strides),
        "storage_offset": {"as_int": 0},
        "layout": STRIDED,
    }


class Weight:
    """A stored tensor: its sizes, its numbers, and its strides where they are not those of a dense one."""

    def __init__(self, sizes, numbers, strides=None, dtype="float32"):
        self.sizes, self.strides, self.dtype = sizes, strides, dtype
        self.body = struct.pack(f"<{len(numbers)}{'f' if dtype == 'float32' else 'q'}", *numbers)

    def meta(self):
        return meta(self.dtype, self.sizes, self.strides)


def tensor(name):
    return {"as_tensor": {"name": name}}


def argument(value):
    """A name is a tensor, a list of names a list of tensors; everything else is what it is."""
    if isinstance(value, str):
        return tensor(value)
    if isinstance(value, bool):
        return {"as_bool": value}
    if isinstance(value, int):
        return {"as_int": value}
    if isinstance(value, float):
        return {"as_float": value}
    if value is None:
        return {"as_none": True}
    if value and all(isinstance(item, str) for item in value):
        return {"as_tensors": [{"name": item} for item in value]}
    return {"as_ints": list(value)}


def node(result, target, **arguments):
    return {
        "target": f"torch.ops.{target}",
        "inputs": [{"name": name, "arg": argument(value), "kind": 1} for name, value in arguments.items()],
        "outputs": [tensor(result)],
        "metadata": {},
        "is_hop_single_tensor_return": None,
        "name": result,
    }


def tree(count, kind="builtins.tuple", context="null"):
    leaf = {"type": None, "context": None, "children_spec": []}
    return {"type": kind, "context": context, "children_spec": [leaf] * count}


def program(weights, x, nodes, metas, result, said, written):
    """`x` has the sizes of the input; `said` is what the program says of weights in place of what is stored;
    `written` names a weight and the value that is copied back into it."""
    values = {name: said.get(name, weight.meta()) for name, weight in weights.items()}
    values |= {"x": meta("float32", x)} | metas
    for each in nodes:
        values.setdefault(each["name"], meta("float32", [1]))
    parameter = lambda name: {"parameter": {"arg": {"name": name}, "parameter_name": name}}
    buffer = lambda name: {"buffer": {"arg": {"name": name}, "buffer_name": name, "persistent": True}}
    inputs = [buffer(name) if name in written else parameter(name) for name in weights]
    mutations = [
        {"buffer_mutation": {"arg": {"name": value}, "buffer_name": name}} for name, value in written.items()
    ]
    graph = {
        "inputs": [tensor(name) for name in weights] + [tensor("x")],
        "outputs": [tensor(value) for value in written.values()] + [tensor(result)],
        "nodes": nodes,
        "tensor_values": {name: value for name, value in values.items() if value},
        "sym_int_values": {},
        "sym_bool_values": {},
        "is_single_tensor_return": False,
        "custom_obj_values": {},
        "sym_float_values": {},
    }
    arguments = tree(2)
    arguments["children_spec"] = [tree(1), tree(0, "builtins.dict", "[]")]
    signature = {
        "inputs": [],
        "outputs": [],
        "in_spec": json.dumps([1, arguments]),
        "out_spec": json.dumps([1, tree(1)["children_spec"][0]]),
        "forward_arg_names": ["x"],
    }
    specs = {
        "input_specs": inputs + [{"user_input": {"arg": tensor("x")}}],
        "output_specs": mutations + [{"user_output": {"arg": tensor(result)}}],
    }
    module = {
        "graph": graph,
        "signature": specs,
        "module_call_graph": [{"fqn": "", "signature": signature}],
        "metadata": {},
        "treespec_namedtuple_fields": {},
    }
    return {
        "graph_module": module,
        "opset_version": {"aten": 10},
        "range_constraints": {},
        "schema_version": {"major": 8, "minor": 17},
        "verifiers": ["TRAINING"],
        "torch_version": "2.11.0",
        "guards_code": [],
    }


def write(name, weights, nodes, x=(4,), metas=None, result="y", said=None, written=None):
    text = program(weights, list(x), nodes, metas or {}, result, said or {}, written or {})
    config, entries = {}, {}
    for number, (weight_name, weight) in enumerate(weights.items()):
        path = f"weight_{number}"
        config[weight_name] = {
            "path_name": path,
            "is_param": True,
            "use_pickle": False,
            "tensor_meta": weight.meta(),
        }
        entries[f"data/weights/{path}"] = weight.body
    entries |= {
        "data/weights/model_weights_config.json": json.dumps({"config": config}),
        "data/constants/model_constants_config.json": json.dumps({"config": {}}),
        "models/model.json": json.dumps(text),
        "archive_format": "pt2",
        "archive_version": "0",
        "byteorder": "little",
    }
    with zipfile.ZipFile(FOLDER / f"{name}.pt2", "w", zipfile.ZIP_STORED) as archive:
        for path, body in entries.items():
            entry = zipfile.ZipInfo(f"m/{path}", (1980, 1, 1, 0, 0, 0))
            entry.external_attr = 0o600 << 16
            archive.writestr(entry, body)


def add(value, to="x"):
    return node("y", "aten.add.Tensor", self=to, other=value)


def crashes():
    """Operators that end the process when they run."""
    pad = node("c", "aten.reflection_pad3d.default", self="w", padding=[])
    write("segv_pad", {"w": Weight([1], [1], dtype="int64")}, [pad, add("c")], x=[1])
    weights = {
        "q": Weight([4, 1, 16, 8], [0.5] * 512),
        "k": Weight([1, 0, 1, 16], [], [16, 16, 16, 1]),
        "v": Weight([8, 1, 2, 2], [1.0] * 32),
    }
    attention = node(
        "c",
        "aten.scaled_dot_product_attention.default",
        query="q",
        key="q",
        value="k",
        attn_mask="v",
        dropout_p=0.0,
        is_causal=False,
        scale=None,
        enable_gqa=True,
    )
    total = node("d", "aten.sum.default", self="c")
    write("fpe_sdpa", weights, [attention, total, add("d")], x=[1], metas={"d": meta("float32", [])})


def excess():
    """Far more memory, or work, than the archive has bytes. The program says nothing of `c`, or says little."""
    weight = {"w": Weight([4], [1, 2, 3, 4])}
    full = node("c", "aten.full.default", size=[1 << 28], fill_value=1.0)
    part = node("s", "aten.slice.Tensor", self="c", dim=0, start=0, end=4)
    write("full_untold", weight, [full, part, add("s")], metas={"c": None, "s": meta("float32", [4])})
    write("full_lied", weight, [full, part, add("s")], metas={"c": meta("float32", [4])})
    first = node("a", "aten.select.int", self="w", dim=0, index=0)
    spread = node("b", "aten.expand.default", self="a", size=[1 << 21, 1 << 21])
    total = node("c", "aten.sum.default", self="b")
    scalar = meta("float32", [])
    write("endless_sum", weight, [first, spread, total, add("c")], metas={"a": scalar, "c": scalar})
    doubled = [node(f"c{i + 1}", "aten.cat.default", tensors=[f"c{i}", f"c{i}"]) for i in range(40)]
    begin = node("c0", "aten.neg.default", self="w")
    last = node("s", "aten.slice.Tensor", self="c40", dim=0, start=0, end=4)
    write("doubling", weight, [begin, *doubled, last, add("s")])


    # A state of 2^40 elements in four bytes.
    state = {"w": Weight([1 << 20, 1 << 20], [0.5], [0, 0])}
    write("expanded_state", state, [node("next", "aten.neg.default", self="w"), add("x")], written={"w": "next"})


def folding():
    """Honest programs with constants of every stage."""
    weights = {"w": Weight([2, 3], range(6)), "v": Weight([3], [1, 2, 3])}
    nodes = [
        node("a", "aten.mul.Tensor", self="w", other="v"),
        node("b", "aten.exp.default", self="a"),
        node("c", "aten.t.default", self="b"),
        node("y", "aten.mm.default", self="x", mat2="c"),
    ]
    write("folded", weights, nodes, x=[4, 3])
    state = {"count": Weight([1], [0])}
    count = node("next", "aten.add.Tensor", self="count", other="v1")
    one = node("v1", "aten.slice.Tensor", self="v", dim=0, start=0, end=1)
    result = node("z", "aten.add.Tensor", self="y", other="count")
    write(
        "folded_state",
        weights | state,
        [*nodes, one, count, result],
        x=[4, 3],
        result="z",
        written={"count": "next"},
    )
    rows = {"w": Weight([2, 4], range(8)), "at": Weight([1], [7], dtype="int64")}
    chosen = node("c", "aten.index_select.default", self="w", dim=0, index="at")
    write("out_of_range", rows, [chosen, add("c")])


def norms():
    """A convolution with a norm, as passes fold them."""
    channels = lambda count, value: Weight([count], [value] * count)
    image = [1, 3, 5, 5]

    def network(name, weight, before=(), metas=None, said=None, norm=None, **parameters):
        all_ = {name: channels(4, 0.5) for name in ("g", "b", "m", "v")} | parameters
        conv = node("c", "aten.conv2d.default", input="x", weight="w")
        names = {"weight": "g", "bias": "b", "running_mean": "m", "running_var": "v"} | (norm or {})
        batch_norm = node(
            "y", "aten.batch_norm.default", input="c", **names, training=False, momentum=0.1, eps=1e-5, cudnn_enabled=True
        )
        sizes = [1, 4, 5, 5]
        claimed = {"c": meta("float32", sizes), "y": meta("float32", sizes)} | (metas or {})
        write(name, {"w": weight} | all_, [*before, conv, batch_norm], x=image, metas=claimed, said=said)

    filters = lambda: Weight([4, 3, 1, 1], [0.25 * i for i in range(12)])
    network("norm", filters())
    # Parameters that an operator of the archive computes.
    variance = node("e", "aten.exp.default", self="v")
    known = {"e": meta("float32", [4])}
    network("norm_computed", filters(), [variance], known, norm={"running_var": "e"})
    short = node("e", "aten.slice.Tensor", self="v", dim=0, start=0, end=0)
    network("norm_computed_short", filters(), [short], known, norm={"running_mean": "e"})
    # Stored sizes that do not fit.
    network("norm_short_mean", filters(), m=Weight([0], []))
    network("norm_lied_mean", filters(), m=Weight([0], []), said={"m": meta("float32", [4])})
    network("norm_untold", filters(), m=Weight([0], []), said={"m": None, "w": None})
    network("norm_of_ints", filters(), m=Weight([4], [1] * 4, dtype="int64"))
    network("norm_matrix", filters(), m=Weight([4, 1], [1] * 4))
    vectors = {name: Weight([1 << 20], [0.5], [0]) for name in ("g", "b", "m", "v")}
    network("norm_square", Weight([1, 1 << 20, 1, 1], [0.5], [0, 0, 0, 0]), **vectors)
    network("norm_expanded", Weight([1 << 20, 1 << 20, 1, 1], [0.5], [0, 0, 0, 0]), **vectors)
    network("norm_huge_strides", Weight([1, 1, 1, 1], [0.5], [1 << 62] * 4), **{n: channels(1, 0.5) for n in "gbmv"})
    network("norm_rank_1", Weight([4], [0.5] * 4))
    network("norm_empty", Weight([0, 3, 1, 1], []), **{n: Weight([0], []) for n in "gbmv"})
    for rank in (1, 2, 3):
        conv = node("y", "aten.conv2d.default", input="x", weight="w")
        weight = Weight([4, 3, 1][:rank], [0.5] * [4, 12, 12][rank - 1])
        write(f"filter_rank_{rank}", {"w": weight}, [conv], x=image, metas={"y": meta("float32", [1, 4, 5, 5])})


def ours():
    """Operators that only passes may write."""
    product = node("c", "pt2.product.default", self="w", other="w", memory_format=0)
    write("names_ours", {"w": Weight([4], [1, 2, 3, 4])}, [product, add("c")])


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    crashes()
    excess()
    folding()
    norms()
    ours()
