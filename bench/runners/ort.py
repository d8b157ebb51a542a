"""ONNX Runtime on what torch.onnx made of the archive, with its own defaults."""

import os

import numpy as np
import onnxruntime

from runners.measure import numbers, run

BFLOAT16 = 16  # onnx.TensorProto.BFLOAT16


def value(dtype, sizes, place):
    if dtype == "float32":
        return onnxruntime.OrtValue.ortvalue_from_numpy(numbers(sizes), *place)
    # Rounded to the nearest, ties to even.
    bits = numbers(sizes).view(np.uint32)
    halves = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    return onnxruntime.OrtValue.ortvalue_from_numpy_with_onnx_type(halves, BFLOAT16)


def device_memory():
    return 0


class Lane:
    def __init__(self, session, inputs):
        names = [port.name for port in session.get_inputs()]
        self.session, self.feed = session, dict(zip(names, inputs))
        self.outputs = [session.get_outputs()[0].name]

    def forward(self):
        return self.session.run_with_ort_values(self.outputs, self.feed)[0].numpy().ravel()[:4]


class Runtime:
    def __init__(self, options):
        self.options, self.cuda = options, options.device.startswith("cuda")
        if self.cuda and "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
            raise SystemExit("this ONNX Runtime is built without CUDA")

    def place(self):
        index = int((self.options.device.split(":") + ["0"])[1]) if self.cuda else 0
        place = ("cuda", index) if self.cuda else ("cpu", 0)
        self.inputs = [value(dtype, sizes, place) for dtype, sizes in self.options.inputs]

    def load(self):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = int(os.environ.get("OMP_NUM_THREADS", 0))
        providers = ["CUDAExecutionProvider" if self.cuda else "CPUExecutionProvider"]
        self.session = onnxruntime.InferenceSession(self.options.archive, settings, providers=providers)

    def lane(self, _):
        return Lane(self.session, self.inputs)


if __name__ == "__main__":
    run(Runtime, device_memory)
