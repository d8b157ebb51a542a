"""libpt2 through ctypes, as any language with a C FFI would call it; what tensors are made of is left to the caller."""

import ctypes

EXACT, FAST = 1, 2
COMPILED = 2  # PT2_FORM_COMPILED
# The numbers of pt2_dtype (include/pt2.h) under the names that numpy and torch share.
DTYPES = dict(zip(
    "uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128 bool bfloat16".split(),
    range(1, 14))) | {
    "uint16": 28, "float8_e4m3fn": 29, "float8_e5m2": 30, "float8_e4m3fnuz": 31, "float8_e5m2fnuz": 32,
    "float8_e8m0fnu": 33, "uint32": 34, "uint64": 35}  # fmt: skip
NAMES = {number: name for name, number in DTYPES.items()}


class LoadOptions(ctypes.Structure):
    """pt2_load_options of include/pt2.h."""

    _fields_ = [
        ("struct_size", ctypes.c_size_t),
        ("device", ctypes.c_char_p),
        ("model", ctypes.c_char_p),
        ("optimization", ctypes.c_int32),
        ("memory", ctypes.c_int32),
        ("skip_checksums", ctypes.c_int32),
        ("without_cuda", ctypes.c_int32),
        ("allowed_operators", ctypes.POINTER(ctypes.c_char_p)),
        ("allowed_operator_count", ctypes.c_size_t),
        ("cuda_graphs", ctypes.c_int64),
        ("allow_native_code", ctypes.c_int32),
        ("form", ctypes.c_int32),
        ("native_code_sha256", ctypes.c_char_p),
        ("instances", ctypes.c_size_t),
        ("kernel_folder", ctypes.c_char_p),
        ("tuning_folder", ctypes.c_char_p),
    ]


class Library:
    """An error of libpt2 becomes a RuntimeError. Tensors are handles, whoever gets one frees it."""

    def __init__(self, path, device="cpu"):
        self.c, self.device = ctypes.CDLL(str(path)), device
        for name in "load run swap_parameters reset_parameters tensor_from_memory tensor_to_host tensor_to_device load_op_library".split():
            getattr(self.c, f"pt2_{name}").restype = ctypes.c_void_p
        for name in "free error_message tensor_sizes tensor_data tensor_dtype tensor_rank tensor_free output_count input_count".split():
            getattr(self.c, f"pt2_{name}").argtypes = [ctypes.c_void_p]
        self.c.pt2_error_message.restype = ctypes.c_char_p
        self.c.pt2_tensor_sizes.restype = ctypes.POINTER(ctypes.c_int64)
        self.c.pt2_tensor_data.restype = ctypes.c_void_p
        self.c.pt2_output_count.restype = self.c.pt2_input_count.restype = self.c.pt2_tensor_rank.restype = ctypes.c_size_t

    def check(self, error):
        if error:
            raise RuntimeError(self.c.pt2_error_message(error).decode())

    def load_operators(self, path):
        self.check(self.c.pt2_load_op_library(str(path).encode()))

    def load(self, path, level, model=None, compiled=False):
        options = LoadOptions(ctypes.sizeof(LoadOptions), self.device.encode(), model and model.encode(), level)
        options.allow_native_code, options.form = compiled, COMPILED if compiled else 0
        model = ctypes.c_void_p()
        self.check(self.c.pt2_load(str(path).encode(), ctypes.byref(options), ctypes.byref(model)))
        return model

    def close(self, model):
        """Frees a model: the memory of weights that it was given may go after that."""
        self.c.pt2_free(model)

    def borrow(self, address, dtype, sizes, strides=None):
        """A tensor over memory of the caller's, who keeps it alive; strides are in elements."""
        rank, handle = len(sizes), ctypes.c_void_p()
        strides = (ctypes.c_int64 * rank)(*strides) if strides else None
        self.check(self.c.pt2_tensor_from_memory(
            ctypes.c_void_p(address), DTYPES[dtype], (ctypes.c_int64 * rank)(*sizes), strides, ctypes.c_size_t(rank),
            None, None, None, ctypes.byref(handle)))  # fmt: skip
        return handle

    def to_device(self, host):
        copy = ctypes.c_void_p()
        self.check(self.c.pt2_tensor_to_device(host, self.device.encode(), None, ctypes.byref(copy)))
        return copy

    def run(self, model, inputs):
        """Runs once; the outputs are on the host, so that the work is done when this returns."""
        handles = (ctypes.c_void_p * len(inputs))(*inputs)
        outputs = (ctypes.c_void_p * self.c.pt2_output_count(model))()
        self.check(self.c.pt2_run(model, handles, ctypes.c_size_t(len(inputs)), None, outputs,
                                  ctypes.c_size_t(len(outputs))))  # fmt: skip
        return [handle and self.to_host(handle) for handle in outputs]

    def swap(self, model, names, tensors):
        handles = (ctypes.c_void_p * len(tensors))(*tensors)
        texts = (ctypes.c_char_p * len(names))(*[name.encode() for name in names])
        self.check(self.c.pt2_swap_parameters(model, texts, handles, ctypes.c_size_t(len(names))))

    def reset(self, model):
        """Sets all weights to those of the archive."""
        self.check(self.c.pt2_reset_parameters(model, None, ctypes.c_size_t(0)))

    def to_host(self, handle):
        host = ctypes.c_void_p()
        self.check(self.c.pt2_tensor_to_host(ctypes.c_void_p(handle), ctypes.byref(host)))
        self.c.pt2_tensor_free(handle)
        return host

    def free(self, tensors):
        for tensor in filter(None, tensors):
            self.c.pt2_tensor_free(tensor)

    def contents(self, host, size_of):
        """Dtype's name, sizes and a copy of the bytes; `size_of` tells the bytes of an element."""
        sizes = self.c.pt2_tensor_sizes(host)[: self.c.pt2_tensor_rank(host)]
        dtype = NAMES[self.c.pt2_tensor_dtype(host)]
        count = size_of(dtype)
        for size in sizes:
            count *= size
        return dtype, sizes, ctypes.string_at(self.c.pt2_tensor_data(host), count) if count else b""
