"""libpt2 with numpy's arrays; PyTorch's Python half stays out of the process."""

import ctypes
import os
from pathlib import Path

import libpt2
import numpy as np


class Library(libpt2.Library):
    def __init__(self, path, device):
        # libtorch before libpt2, so that it is the one that exported, wherever libpt2 was built.
        torch = Path(os.environ["ZOO_LIBTORCH"])
        for name in ("libc10.so", "libtorch_cpu.so"):
            ctypes.CDLL(str(torch / name), ctypes.RTLD_GLOBAL)
        super().__init__(path, device)

    def tensor(self, array):
        """A tensor on the device. On the CPU it borrows the array's memory."""
        host = self.borrow(array.ctypes.data, array.dtype.name, array.shape)
        if self.device == "cpu":
            return host
        copy = self.to_device(host)
        self.free([host])
        return copy

    def array(self, host):
        dtype, sizes, data = self.contents(host, lambda dtype: np.dtype(dtype).itemsize)
        return np.frombuffer(data, dtype).reshape(sizes)
