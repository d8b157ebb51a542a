"""One model of the zoo, in a process of its own: exports it, runs it in Python, in libpt2 and in nativert, compares.

    python -m zoo.case NAME FOLDER     writes a line of JSON for each variant

ZOO_DEVICE says where; with ZOO_TURNS, a file to lock, the times of one forward are taken instead, as exported.
"""

import json
import os
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.export import Dim
from torch.utils._pytree import tree_leaves

from zoo.models import catalogue
from zoo.peers import run_libpt2, run_nativert
from zoo.steady import in_float64, steady


def sentence(text):
    """What fits a cell of a table: the message without the advice and the listings that PyTorch adds."""
    first = re.split(r"\n\s*\n|Caused by|While executing", str(text).strip())[0]
    return " ".join(first.replace("|", "/").split())[:200]


def sizes_of(case, dim):
    """The dynamic dimensions of every input; several inputs may share one."""
    sizes = {name: dim(name) for spec in case.dynamic for name in spec.values()}
    return tuple({dim: sizes[name] for dim, name in spec.items()} for spec in case.dynamic)


def export(case, model, inputs):
    """The program with its dynamic sizes where PyTorch can, and otherwise PyTorch's reason why not."""
    if case.dynamic is None:
        return torch.export.export(model, inputs), "static"
    # The second way lets PyTorch choose the smallest size.
    for dim in (lambda name: Dim(name, min=1, max=64)), (lambda _: Dim.DYNAMIC):
        try:
            return torch.export.export(model, inputs, dynamic_shapes=sizes_of(case, dim)), ""
        except Exception as failed:
            reason = failed
    return torch.export.export(model, inputs), f"static: {sentence(reason)}"


def smallest(program):
    """The least size that the program takes in a dynamic dimension."""
    return max([int(bounds.lower) for bounds in program.range_constraints.values()], default=1)


def on(device, tree):
    return torch.utils._pytree.tree_map(lambda leaf: leaf.to(device), tree)


def reference(path, calls, device):
    """Python's module and its outputs; what every other loader is measured against."""
    start = time.perf_counter()
    module = torch.export.load(path).module()
    loaded = 1e3 * (time.perf_counter() - start)
    outputs = []
    for call in calls:
        with torch.no_grad():
            leaves = tree_leaves(module(*on(device, call)))
        outputs.append([leaf.cpu().numpy() for leaf in leaves if isinstance(leaf, torch.Tensor)])
    return module, outputs, loaded


def degenerate(outputs):
    """Random weights may give outputs that show nothing: not finite, or the same number everywhere."""
    values = np.concatenate([o.ravel().astype(np.float64) for o in outputs[0]] or [np.zeros(0)])
    return not np.isfinite(values).all() or np.ptp(values) == 0 if values.size else False


def measure(program, calls, device, folder, precise):
    """One variant: saved, run three ways, compared; or timed, where float64's outputs are at hand."""
    path = folder / "model.pt2"
    attempt("save", torch.export.save, program, path)
    files = [folder / f"call{index}.npz" for index in range(len(calls))]
    for file, call in zip(files, calls):
        np.savez(file, *[leaf.cpu().numpy() for leaf in tree_leaves(call)])
    module, expected, loaded = attempt("torch.export.load(f).module()(…)", reference, path, calls, device)
    if precise is not None:
        return {"steady": steady(module, on(device, calls), path, files, expected, precise)}
    return {
        "nodes": len(program.graph.nodes),
        "mb": path.stat().st_size / 1e6,
        "python": loaded,
        "degenerate": bool(degenerate(expected)),
        "libpt2": run_libpt2(path, files, expected),
        "nativert": run_nativert(path, files, expected),
    }


def attempt(step, function, *arguments):
    """Says which step it was that PyTorch itself could not do."""
    try:
        return function(*arguments)
    except Exception as reason:
        raise RuntimeError(f"PyTorch, {step}: {type(reason).__name__}: {sentence(reason)}") from reason


def built(case):
    """Ready to export. Vision transformers begin with a head of zeros, whose outputs would show nothing."""
    model = case.build().eval()
    for weight in model.parameters():
        if weight.ndim > 1 and not weight.any():
            torch.nn.init.normal_(weight, std=0.02)
    return model


def variants(name, device, timed):
    """The program as exported, then decomposed; with the calls to make, float64's outputs, and why its sizes are not
    dynamic."""
    case = catalogue()[name]()
    model = attempt("building the model", built, case).to(device)
    program, note = attempt("export", export, case, model, on(device, case.inputs(2)))
    least = smallest(program)
    if not note and least > min(case.batches):
        note = f"batch from {least} on"
    calls = [case.inputs(2 if note.startswith("static") else max(batch, least)) for batch in case.batches]
    if timed:
        yield "exported", program, calls, note, in_float64(model, on(device, calls))
        return
    yield "exported", program, calls, note, None
    yield "decomposed", attempt("run_decompositions", program.run_decompositions), calls, note, None


def main(name, folder):
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    device, timed = os.environ["ZOO_DEVICE"], bool(os.environ.get("ZOO_TURNS"))
    steps = variants(name, device, timed)
    for step in range(2):
        row = {"name": name, "device": device, "note": ""}
        try:
            row["variant"], program, calls, row["note"], precise = next(steps)
            row |= measure(program, calls, device, Path(folder), precise)
        except StopIteration:
            return
        except RuntimeError as reason:
            row |= {"steady": {"why": str(reason)}} if timed and "variant" in row else {"failed": str(reason)}
            row.setdefault("variant", "decomposed" if step else "–")
        print("ROW " + json.dumps(row), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
