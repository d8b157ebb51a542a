"""Compiles the packages that tests/aoti runs, for this machine and no other, and what PyTorch's loader makes of them.

    .venv/bin/python tests/aoti/packages/make_packages.py build/packages [--device cuda] [--small]

Runs with the Python of any PyTorch since 2.9; a package runs with the libtorch of that minor version only. Needs g++. Packages that are newer than the files of this folder are kept. What the loader takes and gives is stored as arrays of the host.
"""

import argparse
import os
import pathlib
import subprocess
import tempfile

import numpy
import torch
from torch.export.pt2_archive._package import package_pt2

torch.manual_seed(0)
parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("folder", type=pathlib.Path)
parser.add_argument("--device", default="cpu", help="for which the packages are compiled (default cpu)")
parser.add_argument("--small", action="store_true", help="without the packages of 64 MiB")
OPTIONS = parser.parse_args()
VERSION = tuple(int(part) for part in torch.__version__.split("+")[0].split(".")[:2])


class Conv(torch.nn.Module):
    """Parameters, folded batch norm, a batch size that varies."""

    def __init__(self):
        super().__init__()
        self.conv = torch.nn.Conv2d(3, 8, 3, padding=1)
        self.bn = torch.nn.BatchNorm2d(8)
        self.fc = torch.nn.Linear(8, 4)

    def forward(self, x):
        return self.fc(torch.relu(self.bn(self.conv(x))).mean((2, 3)))


class Nested(torch.nn.Module):
    """A parameter, a buffer, a constant; nested arguments by keyword, one of them no tensor; a dict as result."""

    def __init__(self):
        super().__init__()
        self.register_buffer("scale", torch.rand(4))
        self.w = torch.nn.Parameter(torch.rand(4, 4))
        self.k = torch.rand(4)

    def forward(self, x, *, pair, flag=2):
        a, b = pair
        return {"sum": (x @ self.w + a * self.scale, b + flag), "k": x * self.k, "none": None}


class Counter(torch.nn.Module):
    """Writes to a buffer, so that a call depends on those before it."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(4))

    def forward(self, x):
        self.count.add_(1)
        return x + self.count


class Wide(torch.nn.Module):
    """Weights of 64 MiB, more than anything else in the process that runs it."""

    def __init__(self):
        super().__init__()
        self.fc = torch.nn.Linear(4096, 4096, bias=False)

    def forward(self, x):
        return self.fc(x)


class Large(torch.nn.Module):
    """A result of 64 MiB, whose memory the C library always takes from the system and gives back to it."""

    def forward(self, x):
        return x * 2 + x.T


def there(given):
    """The same tree with its tensors on the device."""
    move = lambda leaf: leaf.to(OPTIONS.device) if isinstance(leaf, torch.Tensor) else leaf
    return torch.utils._pytree.tree_map(move, given)


def export(module, args, kwargs=None, shapes=None):
    """The program of a module on the device."""
    module = module.eval().to(OPTIONS.device)
    # A tensor that is no buffer does not move by itself.
    for name in [name for name, held in vars(module).items() if isinstance(held, torch.Tensor)]:
        setattr(module, name, there(getattr(module, name)))
    return torch.export.export(module, there(args), there(kwargs or {}), dynamic_shapes=shapes)


def compiled(program, **options):
    args, kwargs = program.example_inputs
    options = {"package": True} | options
    options = {f"aot_inductor.{name}": value for name, value in options.items()}
    return torch._inductor.aot_compile(program.module(), args, kwargs, options=options)


def weights_outside(folder, program):
    """The three forms in which PyTorch leaves weights out of the library, alone and beside the program."""
    for name, form in {"outside": None, "blob": "binary_blob", "pickled": "pickle_weights"}.items():
        files = compiled(program, package_constants_in_so=False, package_constants_on_disk_format=form)
        package_pt2(str(folder / f"{name}.pt2"), aoti_files={"model": files})
        # PyTorch gives pickled weights the names of the program's and then refuses to write both.
        if name != "pickled":
            mixed = folder / f"{name}_mixed.pt2"
            package_pt2(str(mixed), exported_programs={"model": program}, aoti_files={"model": files})


def wide(folder):
    """In both places of the library's file where weights can be."""
    program = export(Wide(), (torch.rand(1, 4096),))
    for name, options in {"wide": {}, "wide_behind": {"force_mmap_weights": True}}.items():
        package_pt2(str(folder / f"{name}.pt2"), aoti_files={"model": compiled(program, **options)})
        calls(folder / f"{name}.pt2", "model", [((torch.randn(1, 4096),), {}) for _ in range(2)])


def is_newer(made):
    """Than everything that it is made from."""
    sources = [pathlib.Path(__file__), *pathlib.Path(__file__).parent.glob("*.?pp")]
    return made.exists() and made.stat().st_mtime > max(source.stat().st_mtime for source in sources)


def built(name):
    """A program of this folder that runs PyTorch's own loader: that of Python does not survive every package for CUDA."""
    source, made = pathlib.Path(__file__).with_name(f"{name}.cpp"), OPTIONS.folder / name
    if is_newer(made):
        return made
    root = pathlib.Path(torch.__file__).parent
    include = [f"-isystem{root}/include", f"-isystem{root}/include/torch/csrc/api/include"]
    # The old kind of search path: packages name libtorch.so without saying where it is, and inherit this one only.
    search = [f"-Wl,-rpath,{root}/lib", "-Wl,--disable-new-dtags"]
    link = [f"-L{root}/lib", "-ltorch_cpu", "-lc10", *search, "-Wl,--allow-shlib-undefined", "-ldl"]
    standard = "-std=c++20" if VERSION >= (2, 14) else "-std=c++17"
    subprocess.run([os.environ.get("CXX", "c++"), standard, "-O1", *include, str(source), "-o", str(made), *link], check=True)
    return made


def answers(path, model, calls):
    """What PyTorch's loader makes of each of the calls, one after the other. It may die when it is freed, after that."""
    with tempfile.TemporaryDirectory() as folder:
        given, taken = pathlib.Path(folder, "calls"), pathlib.Path(folder, "answers")
        torch.save(calls, given)
        ended = subprocess.run([built("loader"), path, model, OPTIONS.device, given, taken], stderr=subprocess.PIPE, text=True)
        if not taken.exists():
            raise SystemExit(f"PyTorch's loader gave nothing for {path} (exit status {ended.returncode}): {ended.stderr}")
        if ended.returncode != 0:
            print(f"PyTorch's loader answered and then died (exit status {ended.returncode}): {path}", flush=True)
        return torch.load(taken)


def calls(path, model, given):
    """Stores the tensors of calls, and what PyTorch's loader gives for them."""
    tensors = [[leaf for leaf in torch.utils._pytree.tree_leaves(call) if isinstance(leaf, torch.Tensor)] for call in given]
    arrays = {}
    for call, (inputs, outputs) in enumerate(zip(tensors, answers(path, model, tensors))):
        arrays |= {f"in{call}_{place}": leaf.numpy() for place, leaf in enumerate(inputs)}
        arrays |= {f"out{call}_{place}": leaf.numpy() for place, leaf in enumerate(outputs) if leaf is not None}
    numpy.savez(path.with_name(f"{path.stem}_{model}.npz"), **arrays)


def images(*batches):
    return [((torch.randn(batch, 3, 16, 16),), {}) for batch in batches]


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    built("cycles")  # for tests/aoti/cycles.rs
    done = folder / "done"
    if is_newer(done):
        return
    batch = {"x": {0: torch.export.Dim("batch", min=1, max=64)}}
    conv = export(Conv(), (torch.rand(2, 3, 16, 16),), shapes=batch)
    keywords = {"pair": (torch.rand(2, 4), torch.rand(3)), "flag": 2}
    nested = export(Nested(), (torch.rand(2, 4),), keywords)
    counter = export(Counter(), (torch.rand(4),))
    conv_files, nested_files, counter_files = compiled(conv), compiled(nested), compiled(counter)
    package_pt2(str(folder / "conv.pt2"), aoti_files={"model": conv_files})
    package_pt2(str(folder / "two.pt2"), aoti_files={"conv": conv_files, "nested": nested_files})
    package_pt2(str(folder / "mixed.pt2"), exported_programs={"nested": nested}, aoti_files={"nested": nested_files})
    package_pt2(str(folder / "counter.pt2"), exported_programs={"model": counter}, aoti_files={"model": counter_files})
    package_pt2(str(folder / "dynamic.pt2"), exported_programs={"model": conv}, aoti_files={"model": conv_files})
    calls(folder / "conv.pt2", "model", images(2, 5, 9, 15, 2))
    calls(folder / "dynamic.pt2", "model", images(1, 3, 64))
    pair = lambda: {"pair": (torch.randn(2, 4), torch.randn(3)), "flag": 2}
    calls(folder / "two.pt2", "nested", [((torch.randn(2, 4),), pair()) for _ in range(3)])
    calls(folder / "two.pt2", "conv", images(4, 3))
    calls(folder / "mixed.pt2", "nested", [((torch.randn(2, 4),), pair()) for _ in range(3)])
    calls(folder / "counter.pt2", "model", [((torch.randn(4),), {}) for _ in range(3)])
    weights_outside(folder, conv)
    if not OPTIONS.small:
        wide(folder)
        large = export(Large(), (torch.rand(4096, 4096),))
        package_pt2(str(folder / "large.pt2"), aoti_files={"model": compiled(large)})
    done.touch()


main(OPTIONS.folder)
