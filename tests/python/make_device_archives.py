"""Writes small archives that were exported on one type of device, with what PyTorch computes: tests/model/devices.rs runs
them on another.

    python tests/python/make_device_archives.py cpu|cuda tests/device_archives

Each case of device_cases.py becomes DEVICE/NAME.pt2 and DEVICE/NAME.npz with the inputs and outputs of two calls, as
tests/support reads them. `cuda` needs a CUDA device; `cpu` holds what PyTorch itself does not run where it exported it.
"""

import logging
import re
import sys
import warnings
from pathlib import Path

import numpy
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "archives"))
import device_cases
from devices import leaves, moved, without_fused_attention
from traces import save

# The form of each: as traced, decomposed, or decomposed but for the CPU's attention.
CASES = {
    "cpu": {
        "sdpa viewed at once": "raw", "sdpa written through a view": "raw", "sdpa view of a sum": "raw", "sdpa as_strided": "raw",
    },
    "cuda": {
        "sdpa of CUDA efficient": "raw", "sdpa of CUDA cuDNN": "raw", "sdpa float32 8 causal": "decomposed", "sdpa grouped": "decomposed",
        "sdpa float16 64 bool mask": "decomposed", "attention backward": "raw", "attention backward causal": "raw",
        "encoder layer slow": "decomposed", "LSTM cell": "decomposed", "GRU cell": "decomposed", "wide product": "raw",
        "through the host": "raw", "pinned": "raw", "constants": "raw", "autocast cuda float16 chain": "decomposed",
        "autocast cuda float16 linear": "raw", "autocast cuda bfloat16 mixed": "raw", "autocast cuda float16 sums": "raw",
        "autocast cuda nested": "raw",
    },
}  # fmt: skip


def arrays(prefix, values):
    """As NumPy has them; bfloat16 goes by its bits, under a name that says so."""
    found = {}
    for index, value in enumerate(values):
        if not isinstance(value, torch.Tensor):
            continue
        value = value.detach().cpu().contiguous()
        name = f"{prefix}_{index}"
        if value.dtype == torch.bfloat16:
            found[f"{name}_bf16"] = value.view(torch.int16).numpy()
        else:
            found[name] = value.numpy()
    return found


def write(name, form, device, folder):
    case = device_cases.CASES[name]
    torch.manual_seed(0)
    module, args, kwargs = case.make()
    module, args, kwargs = module.to(device), moved(args, device), moved(kwargs, device)
    with torch.no_grad() if case.no_grad else torch.enable_grad():
        program = case.export(module, args, kwargs, device)
    if form == "decomposed":
        program = program.run_decompositions(without_fused_attention())
    found = {}
    for call in range(2):
        inputs, named = case.inputs(call, args, kwargs)
        found |= arrays(f"in{call}", [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves((inputs, named))])
        with torch.no_grad():
            found |= arrays(f"out{call}", leaves(case.run(module, inputs, named)))
    path = folder / re.sub("[^a-z0-9]+", "_", name.lower())
    save(program, path.with_suffix(".pt2"))
    numpy.savez(path.with_suffix(".npz"), **found)
    print(path, path.with_suffix(".pt2").stat().st_size)


def main(device, folder):
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    folder = Path(folder) / device
    folder.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name, form in CASES[device].items():
        try:
            write(name, form, device, folder)
        except Exception as error:
            failed += 1
            print(f"{name}: {str(error).splitlines()[0][:200]}")
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
