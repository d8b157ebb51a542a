"""Exports ResNet-152 in train mode and in eval mode, with inputs and the outputs that PyTorch gives for them.

    python scripts/export_resnet152.py OUT_DIR [--batches 32 32 32] [--device cpu|cuda]

Writes resnet152.pt2 and resnet152_eval.pt2, and beside each an .npz with the arrays in<k>_0 and out<k>_0 for calls
k = 0, 1, … in a row, one for each batch size given. In train mode a call moves the running statistics of batch norm.
The outputs are those of `torch.export.load(archive).module()` on the device of the export.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import torch
from torch.export import Dim, export, load, save
from torchvision.models import resnet152


def write_archive(path, train, device):
    """The program as a user writes it; `.eval()` is the only difference between the two archives."""
    torch.manual_seed(0)
    model = resnet152().to(torch.float32).to(device)
    if not train:
        model.eval()
    X = torch.randn(32, 3, 128, 128).to(torch.float32).to(device)
    batch_dim = Dim("batch", min=1, max=512)
    exported_program = export(model, args=(X,), dynamic_shapes=({0: batch_dim},))
    save(exported_program, path)


def write_reference(path, device, batches):
    """Runs the archive in Python; returns how long loading and each forward took, in seconds."""
    start = time.perf_counter()
    module = load(path).module()
    loaded = time.perf_counter() - start
    arrays, forwards = {}, []
    torch.manual_seed(1)
    for call, batch in enumerate(batches):
        X = torch.randn(batch, 3, 128, 128)
        start = time.perf_counter()
        with torch.no_grad():
            output = module(X.to(device)).cpu()
        forwards.append(time.perf_counter() - start)
        arrays[f"in{call}_0"] = X.numpy()
        arrays[f"out{call}_0"] = output.numpy()
    np.savez(path.with_suffix(".npz"), **arrays)
    return loaded, forwards


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path, metavar="OUT_DIR")
    parser.add_argument("--batches", type=int, nargs="+", default=[32, 32, 32])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    warnings.filterwarnings("ignore", message="The given buffer is not writable")  # torch.export.load's own doing
    options.out.mkdir(parents=True, exist_ok=True)
    for name, train in (("resnet152", True), ("resnet152_eval", False)):
        path = options.out / f"{name}.pt2"
        start = time.perf_counter()
        write_archive(path, train, options.device)
        exported = time.perf_counter() - start
        loaded, forwards = write_reference(path, options.device, options.batches)
        times = ", ".join(f"{seconds:.3f} s" for seconds in forwards)
        print(
            f"{path.name}: {path.stat().st_size / 1e6:.0f} MB, exported on {options.device} in {exported:.1f} s;"
            f" Python loads it in {loaded:.2f} s, forwards took {times}",
            flush=True,
        )


if __name__ == "__main__":
    main()
