"""libpt2 on one archive, in a process without PyTorch's Python half: python -m zoo.worker ARCHIVE LEVEL

The library, the device and the library of operators come from ZOO_LIBPT2, ZOO_DEVICE and ZOO_OPERATORS. Prints how
long loading took in ms, then answers lines: `run CALL.npz OUTPUTS.npz` stores the outputs, `hold CALL.npz` keeps inputs,
`time` runs once on what is kept and prints the ms until its outputs are on the host, and the ms of CPU time that took.
"""

import os
import sys
import time

import numpy as np

from libpt2 import EXACT, FAST
from zoo.library import Library

LEVELS = {"exact": EXACT, "fast": FAST}


def since(start):
    return 1e3 * (time.perf_counter() - start)


def arrays(path):
    with np.load(path) as file:
        return [np.ascontiguousarray(file[name]).reshape(file[name].shape) for name in file.files]


class Worker:
    def __init__(self, archive, level):
        self.library = Library(os.environ["ZOO_LIBPT2"], os.environ["ZOO_DEVICE"])
        if os.environ.get("ZOO_OPERATORS"):
            self.library.load_operators(os.environ["ZOO_OPERATORS"])
        # Creates the CUDA context, which Python's loader has by then too.
        self.library.free([self.library.tensor(np.zeros(1, np.float32))])
        start = time.perf_counter()
        self.model = self.library.load(archive, LEVELS[level])
        print(since(start), flush=True)

    def run(self, call, file):
        values = arrays(call)
        outputs = self.library.run(self.model, [self.library.tensor(value) for value in values])
        np.savez(file, *[self.library.array(output) for output in outputs])
        print("done", flush=True)

    def hold(self, call):
        self.values = arrays(call)
        self.inputs = [self.library.tensor(value) for value in self.values]
        print("done", flush=True)

    def time(self):
        start, cpu = time.perf_counter(), time.process_time()
        outputs = self.library.run(self.model, self.inputs)
        print(since(start), 1e3 * (time.process_time() - cpu), flush=True)
        self.library.free(outputs)


def main(archive, level):
    worker = Worker(archive, level)
    for line in sys.stdin:
        order, *rest = line.split()
        getattr(worker, order)(*rest)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except RuntimeError as refused:
        sys.exit(str(refused))
