"""torch.export.load in Python: the exported module, operator by operator."""

import torch

from runners.measure import run
from runners.pytorch import Lane, device_memory, placed


class Runtime:
    def __init__(self, options):
        self.options = options

    def place(self):
        self.inputs = placed(self.options.inputs, self.options.device)

    def load(self):
        self.module = torch.export.load(self.options.archive).module()
        if torch.cuda.is_initialized():
            torch.cuda.synchronize()

    def lane(self, own_stream):
        return Lane(self.module, self.inputs, own_stream)


if __name__ == "__main__":
    run(Runtime, device_memory)
