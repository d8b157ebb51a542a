"""Runs an archive in nativert, PyTorch's own runtime without Python's graph: python -m zoo.native ARCHIVE CALL.npz …

Writes CALL.nativert.npz beside each and prints how long loading took, in ms.
"""

import os
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torchvision  # noqa: F401  registers the operators of the detection models
from torch._C._nativert import PyModelRunner
from torch.utils._pytree import tree_leaves


def main(archive, *files):
    device = os.environ.get("ZOO_DEVICE", "cpu")
    start = time.perf_counter()
    runner = PyModelRunner(archive, "model")
    loaded = 1e3 * (time.perf_counter() - start)
    for file in map(Path, files):
        with np.load(file) as call, torch.no_grad():
            inputs = [torch.from_numpy(call[name]).to(device) for name in call.files]
            outputs = runner.run_with_flat_inputs_and_outputs(*inputs)
        leaves = [leaf.cpu().numpy() for leaf in tree_leaves(outputs) if isinstance(leaf, torch.Tensor)]
        np.savez(file.with_suffix(".nativert.npz"), *leaves)
    print(loaded)


if __name__ == "__main__":
    main(*sys.argv[1:])
