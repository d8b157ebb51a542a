"""Writes the JSON of small exported programs, one for each thing that the room `program` has to read.

Run with PyTorch 2.11: python make_programs.py OUT. Node metadata (stack traces) is left out.
"""

import collections
import dataclasses
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch.export import Dim, export, save

OUT = Path(sys.argv[1])


def keep(name, module, args, kwargs=None, dynamic=None):
    program = export(module, args, kwargs or {}, dynamic_shapes=dynamic)
    with tempfile.TemporaryDirectory() as folder:
        save(program, f"{folder}/p.pt2")
        with zipfile.ZipFile(f"{folder}/p.pt2") as archive:
            (entry,) = [n for n in archive.namelist() if "/models/" in n]
            document = json.loads(archive.read(entry))

    def strip(graph):
        for node in graph["nodes"]:
            node["metadata"] = {}
            for argument in node["inputs"]:
                if "as_graph" in argument["arg"]:
                    strip(argument["arg"]["as_graph"]["graph"])

    strip(document["graph_module"]["graph"])
    (OUT / f"{name}.json").write_text(json.dumps(document) + "\n")


class Pair(NamedTuple):
    a: torch.Tensor
    b: torch.Tensor


@dataclasses.dataclass
class Fields:
    x: torch.Tensor
    y: torch.Tensor
    z: object = None


torch.export.register_dataclass(Fields, serialized_type_name="example.Fields")
torch.utils._pytree._register_namedtuple(Pair, serialized_type_name="example.Pair")


class Trees(torch.nn.Module):
    """Every container, and constants of every kind among the inputs and outputs."""

    def forward(self, x, pair, fields, d, n, flag, mode, f, none, *, mask=None, kw):
        r = x + pair.a + pair.b + fields.x * fields.y + d[1] + d["q"] + kw
        return {
            "logits": r * n * f,
            3: Fields(r, r + 1),
            "pair": Pair(r, r * 2),
            "od": collections.OrderedDict(a=r + 3),
            "n": None,
            "k": 7,
            "s": "txt",
            "dd": collections.defaultdict(list, {"u": r + 9}),
            "dq": collections.deque([r + 4], maxlen=3),
        }


class Sizes(torch.nn.Module):
    """One size follows from another."""

    def forward(self, x, y):
        return x.sum() + y.sum(), x.shape[0], y.shape[0] * 2


class Guards(torch.nn.Module):
    """Conditions on the sizes, beyond their ranges."""

    def forward(self, x):
        return (
            F.interpolate(x, scale_factor=1.7),
            F.adaptive_avg_pool2d(x, (3, 3)),
            F.unfold(x, 3),
            F.max_pool2d(x, 3, stride=2, ceil_mode=True),
            x.unfold(2, 3, 2),
            x.chunk(3, 2)[-1],
        )


class Numbers(torch.nn.Module):
    """Ints among the inputs; ints and floats among the outputs."""

    def forward(self, x, n):
        k = x.shape[0]
        return x[: k // 3], n * 2, k / 3, k**2, k % 4, torch.zeros(max(k, n) * 3)


class Data(torch.nn.Module):
    """Sizes that depend on data, and floats that are not finite."""

    def forward(self, x, k):
        n = k.item()
        torch._check(n >= 2)
        torch._check(n <= 10)
        return x[:n], n, torch.full((n,), float("inf")), torch.clamp(x, min=float("-inf")) + float("nan")


x = torch.ones(3)
keep("trees", Trees(), (x, Pair(x, x), Fields(x, x), {1: x, "q": x}, 3, True, "mode", 1.5, None), {"mask": None, "kw": x})
size = Dim("size", min=2, max=64)
keep("double", Sizes(), (torch.ones(4, 3), torch.ones(8)), dynamic=({0: size}, {0: 2 * size}))
keep("next", Sizes(), (torch.ones(4, 3), torch.ones(5)), dynamic=({0: size}, {0: size + 1}))
keep("guards", Guards(), (torch.ones(1, 2, 20, 20),), dynamic=({2: Dim.AUTO, 3: Dim.AUTO},))
keep("numbers", Numbers(), (torch.ones(8), 4), dynamic=({0: Dim.AUTO}, Dim.AUTO))
keep("data", Data(), (torch.ones(12), torch.tensor(3)))
