"""Packages that this PyTorch compiles, run by libpt2 with the same libtorch: equal to PyTorch's loader bit for bit.

    python tests/python/compiled_packages.py LIBPT2.so FOLDER

Compiles into FOLDER, with g++, unless tests/aoti/packages/make_packages.py did so before. PyTorch up to 2.10 needs
setuptools for that.
"""

import subprocess
import sys
from pathlib import Path

import numpy
import torch
from against_pytorch import Library, same
from libpt2 import FAST

MAKER = Path(__file__).parents[1] / "aoti/packages/make_packages.py"
MODELS = [("conv", "model"), ("dynamic", "model"), ("two", "conv"), ("two", "nested"), ("mixed", "nested"), ("counter", "model")]
OUTSIDE = ["outside", "blob", "pickled"]


def calls(path):
    """Inputs and outputs of the stored calls: tensors by place."""
    arrays, found = dict(numpy.load(path)), {}
    for key, array in arrays.items():
        side, (call, place) = key.rstrip("0123456789_"), key.lstrip("inout").split("_")
        found.setdefault(int(call), {"in": {}, "out": {}})[side][int(place)] = torch.from_numpy(array)
    return [found[call] for call in sorted(found)]


def inputs(library, model, given):
    """The tensors in order, and nothing for what follows them."""
    count = library.c.pt2_input_count(model)
    return [given.get(place) for place in range(count)]


def compare(library, folder, name, model):
    handle, count = library.load(folder / f"{name}.pt2", FAST, model, compiled=True), 0
    for stored in calls(folder / f"{name}_{model}.npz"):
        found = library.call(handle, inputs(library, handle, stored["in"]))
        for place, expected in stored["out"].items():
            assert same(found[place], expected), f"{name}, {model}, output {place}: {found[place]} is not {expected}"
            count += 1
    library.close(handle)
    return count


def swapped(library, folder):
    """Other weights change the outputs; the stored ones bring them back."""
    handle = library.load(folder / "conv.pt2", FAST, "model", compiled=True)
    stored = calls(folder / "conv_model.npz")[0]
    run = lambda: library.call(handle, inputs(library, handle, stored["in"]))[0]
    weight = torch.ones(4, 8)
    library.exchange(handle, {"fc.weight": weight})
    assert not same(run(), stored["out"][0])
    library.reset(handle)
    assert same(run(), stored["out"][0])
    library.close(handle)


def main(library, folder):
    library, folder = Library(library), Path(folder)
    subprocess.run([sys.executable, MAKER, folder, "--small"], check=True)
    outputs = sum(compare(library, folder, name, model) for name, model in MODELS)
    swapped(library, folder)
    for name in OUTSIDE:
        try:
            library.load(folder / f"{name}.pt2", FAST, "model", compiled=True)
        except RuntimeError as error:
            assert "weights outside of the library" in str(error), error
        else:
            raise AssertionError(f"{name} was loaded without its weights")
    print(f"{outputs} of {outputs} outputs of {len(MODELS)} compiled models equal the loader of PyTorch {torch.__version__} bit for bit")


if __name__ == "__main__":
    main(*sys.argv[1:])
