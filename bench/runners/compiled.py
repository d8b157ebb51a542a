"""torch.compile of what torch.export.load gives; it compiles in the first forward.

The variants: PyTorch's defaults; `overhead`, which is CUDA graphs; and `frozen`, which is those with weights as
constants, channels-last and sizes that never change, the most that a user of Python gets without tuning.
TORCHINDUCTOR_CACHE_DIR says whether its cache is cold or warm.
"""

import torch

from runners import eager
from runners.measure import run
from runners.pytorch import Lane, device_memory


class Runtime(eager.Runtime):
    @property
    def frozen(self):
        return self.options.variant == "frozen"

    def place(self):
        super().place()
        if self.frozen:
            self.inputs = [channels_last(tensor) for tensor in self.inputs]

    def load(self):
        super().load()
        if self.frozen:
            torch._inductor.config.freezing = True
            self.module = self.module.to(memory_format=torch.channels_last)
        mode = "default" if self.options.variant == "default" else "reduce-overhead"
        self.compiled = torch.compile(self.module, mode=mode, dynamic=False if self.frozen else None)

    def lane(self, own_stream):
        return Lane(self.compiled, self.inputs, own_stream)


def channels_last(tensor):
    return tensor.to(memory_format=torch.channels_last) if tensor.ndim == 4 else tensor


if __name__ == "__main__":
    run(Runtime, device_memory, ("default", "overhead", "frozen"))
