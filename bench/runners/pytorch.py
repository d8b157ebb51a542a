"""What the runners in PyTorch share: inputs, streams, values of outputs and the GPU's memory."""

import contextlib

import torch
from torch.utils._pytree import tree_leaves

from runners.measure import numbers


def placed(inputs, device):
    tensors = [torch.from_numpy(numbers(sizes)).to(getattr(torch, dtype)).to(device) for dtype, sizes in inputs]
    if device.startswith("cuda"):
        torch.cuda.synchronize()
    return tensors


def device_memory():
    """Bytes in use on the current GPU, of all processes: the machine is expected to be idle otherwise."""
    if not torch.cuda.is_initialized():
        return 0
    free, total = torch.cuda.mem_get_info()
    return total - free


class Lane:
    """A thread's calls: gradient mode and current stream belong to the thread."""

    def __init__(self, module, inputs, own_stream):
        self.module, self.inputs, self.scope = module, inputs, contextlib.ExitStack()
        self.scope.enter_context(torch.no_grad())
        if own_stream and inputs[0].is_cuda:
            self.scope.enter_context(torch.cuda.stream(torch.cuda.Stream()))

    def forward(self):
        output = tree_leaves(self.module(*self.inputs))[0].cpu()
        return output.flatten()[:4].tolist()
