"""libpt2 through ctypes with numpy's arrays; PyTorch's Python half stays out of the process."""

import ctypes
import os
from pathlib import Path

import numpy as np

DTYPES = dict(zip("uint8 int8 int16 int32 int64 float16 float32 float64".split(), range(1, 9))) | {"bool": 12}
LEVELS = {"exact": 1, "fast": 2}


class LoadOptions(ctypes.Structure):
    """pt2_load_options up to the fields that are used; struct_size tells the library."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("device", ctypes.c_char_p),
        ("model", ctypes.c_char_p),
        ("optimization", ctypes.c_int32),
        ("memory", ctypes.c_int32),
        ("skip_checksums", ctypes.c_int32),
        ("without_cuda", ctypes.c_int32),
    ]


class Library:
    def __init__(self, path, device):
        # libtorch before libpt2, so that it is the one that exported, wherever libpt2 was built.
        torch = Path(os.environ["ZOO_LIBTORCH"])
        for name in ("libc10.so", "libtorch_cpu.so"):
            ctypes.CDLL(str(torch / name), ctypes.RTLD_GLOBAL)
        self.c, self.device = ctypes.CDLL(str(path)), device
        for name in "load run tensor_from_memory tensor_to_host tensor_to_device load_op_library".split():
            getattr(self.c, f"pt2_{name}").restype = ctypes.c_void_p
        for name in "error_message tensor_sizes tensor_data tensor_dtype tensor_rank tensor_free output_count".split():
            getattr(self.c, f"pt2_{name}").argtypes = [ctypes.c_void_p]
        self.c.pt2_error_message.restype = ctypes.c_char_p
        self.c.pt2_tensor_sizes.restype = ctypes.POINTER(ctypes.c_int64)
        self.c.pt2_tensor_data.restype = ctypes.c_void_p
        self.c.pt2_output_count.restype = self.c.pt2_tensor_rank.restype = ctypes.c_size_t

    def check(self, error):
        if error:
            raise RuntimeError(self.c.pt2_error_message(error).decode())

    def load_operators(self, path):
        self.check(self.c.pt2_load_op_library(str(path).encode()))

    def load(self, path, level):
        options = LoadOptions(ctypes.sizeof(LoadOptions), self.device.encode(), None, LEVELS[level])
        model = ctypes.c_void_p()
        self.check(self.c.pt2_load(str(path).encode(), ctypes.byref(options), ctypes.byref(model)))
        return model

    def tensor(self, array):
        """A tensor on the device. On the CPU it borrows the array's memory."""
        sizes, host = (ctypes.c_int64 * array.ndim)(*array.shape), ctypes.c_void_p()
        self.check(self.c.pt2_tensor_from_memory(
            ctypes.c_void_p(array.ctypes.data), DTYPES[array.dtype.name], sizes, None, ctypes.c_size_t(array.ndim),
            None, None, None, ctypes.byref(host)))  # fmt: skip
        if self.device == "cpu":
            return host
        copy = ctypes.c_void_p()
        self.check(self.c.pt2_tensor_to_device(host, self.device.encode(), None, ctypes.byref(copy)))
        self.c.pt2_tensor_free(host)
        return copy

    def run(self, model, inputs):
        """Runs once; the outputs are host tensors of libpt2, so that the work is done when this returns."""
        handles = (ctypes.c_void_p * len(inputs))(*inputs)
        outputs = (ctypes.c_void_p * self.c.pt2_output_count(model))()
        self.check(self.c.pt2_run(model, handles, ctypes.c_size_t(len(inputs)), None, outputs,
                                  ctypes.c_size_t(len(outputs))))  # fmt: skip
        return [self.host(handle) for handle in outputs if handle]

    def host(self, handle):
        host = ctypes.c_void_p()
        self.check(self.c.pt2_tensor_to_host(ctypes.c_void_p(handle), ctypes.byref(host)))
        self.c.pt2_tensor_free(handle)
        return host

    def free(self, tensors):
        for tensor in tensors:
            self.c.pt2_tensor_free(tensor)

    def array(self, host):
        sizes = self.c.pt2_tensor_sizes(host)[: self.c.pt2_tensor_rank(host)]
        number = self.c.pt2_tensor_dtype(host)
        dtype = np.dtype(next(name for name, known in DTYPES.items() if known == number))
        count = int(np.prod(sizes, dtype=np.int64)) * dtype.itemsize
        data = ctypes.string_at(self.c.pt2_tensor_data(host), count) if count else b""
        return np.frombuffer(data, dtype).reshape(sizes)
