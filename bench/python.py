"""torch.export.load in Python: loads an archive, runs one forward, then times more.

    python bench/python.py ARCHIVE DEVICE BATCH REPEAT

Prints one line of JSON with times in milliseconds. A forward ends when its output is on the host.
"""

import json
import sys
import time
import warnings

import torch


def since(start):
    return (time.perf_counter() - start) * 1e3


def main(archive, device, batch, repeat):
    warnings.filterwarnings("ignore")
    torch.set_grad_enabled(False)
    sample = torch.randn(int(batch), 3, 128, 128).to(device)

    def timed_forward():
        start = time.perf_counter()
        module(sample).cpu()
        return since(start)

    start = time.perf_counter()
    module = torch.export.load(archive).module()
    if sample.is_cuda:
        torch.cuda.synchronize()
    load = since(start)
    first = timed_forward()
    times = sorted(timed_forward() for _ in range(int(repeat)))
    print(json.dumps({"load": round(load, 3), "first": round(first, 3), "steady": round(times[len(times) // 2], 3)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
