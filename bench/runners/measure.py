"""What every Python runner does around its runtime; the same as measure.hpp, in the same words.

A runtime has `place()`, which puts the inputs on the device; `load()`; and `lane(own_stream)`, one for each thread,
whose `forward()` ends with the output on the host and returns the output's first values.
"""

import argparse
import json
import os
import threading
import time
import warnings

import numpy as np


def since(start):
    return (time.perf_counter() - start) * 1e3


def since_process_start():
    return (time.monotonic_ns() - int(os.environ["BENCH_START"])) / 1e6 if "BENCH_START" in os.environ else -1


def parse_input(text):
    dtype, sizes = text.split(":")
    return dtype, tuple(map(int, sizes.split("x")))


def numbers(sizes):
    """The same numbers in [-1, 1) in every runner, so that outputs can be compared."""
    scattered = np.arange(1, np.prod(sizes) + 1, dtype=np.uint64) * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)
    return (scattered.astype(np.float64) / 2147483648.0 - 1.0).astype(np.float32).reshape(sizes)


def proc_field(path, name):
    with open(path) as file:
        return next((int(line.split()[1]) for line in file if line.startswith(f"{name}:")), -1)


def usage(device_memory):
    return {
        "peak_host": proc_field("/proc/self/status", "VmHWM") << 10,
        "anonymous_host": proc_field("/proc/self/status", "RssAnon") << 10,
        "read_calls": proc_field("/proc/self/io", "rchar"),
        "read_disk": proc_field("/proc/self/io", "read_bytes"),
        "peak_device": device_memory(),
    }


def timed_calls(lane, most, least, seconds):
    times, start = [], time.perf_counter()
    while len(times) < most and (len(times) < least or since(start) < seconds * 1e3):
        begin = time.perf_counter()
        lane.forward()
        times.append(since(begin))
    return times


def latency(options, runtime):
    """CUDA is up and the inputs are on the device before the clock of load starts."""
    runtime.place()
    start = time.perf_counter()
    runtime.load()
    load = since(start)
    lane = runtime.lane(False)
    start = time.perf_counter()
    output = lane.forward()
    first, process, process_cpu = since(start), since_process_start(), time.process_time() * 1e3
    timed_calls(lane, options.warm, 1, options.seconds / 4)
    cpu = time.process_time()
    times = sorted(timed_calls(lane, options.repeat, 3, options.seconds))
    cpu_of_one = (time.process_time() - cpu) * 1e3 / len(times)
    return {
        "load": load, "first": first, "process": process, "process_cpu": process_cpu,
        "steady_cpu": cpu_of_one, "steady": times[len(times) // 2], "fastest": times[0], "slowest": times[-1], "calls": len(times), "output": [float(value) for value in output],
    }  # fmt: skip


def start(_, runtime):
    """Nothing is done ahead: the shortest program that a user would write."""
    runtime.load()
    runtime.place()
    runtime.lane(False).forward()
    return {"process": since_process_start()}


def rate(options, runtime, barrier, rates):
    """Calls a second of one thread, which begins when all are ready."""
    try:
        lane = runtime.lane(True)
        for _ in range(max(options.warm, 1)):
            lane.forward()
        barrier.wait()
        begin, calls = time.perf_counter(), 0
        while calls < 2 or since(begin) < options.seconds * 1e3:
            lane.forward()
            calls += 1
        rates.append(calls * 1e3 / since(begin))
    except Exception:
        barrier.abort()
        raise


def throughput(options, runtime):
    runtime.place()
    runtime.load()
    runtime.lane(False).forward()
    barrier, rates = threading.Barrier(options.threads), []
    threads = [threading.Thread(target=rate, args=(options, runtime, barrier, rates)) for _ in range(options.threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(rates) < options.threads:
        raise SystemExit("a thread failed; its error is above")
    return {"rate": sum(rates)}


def run(runtime_class, device_memory, variants=("default",)):
    parser = argparse.ArgumentParser()
    parser.add_argument("archive")
    parser.add_argument("device")
    parser.add_argument("mode", choices=["latency", "start", "throughput"])
    parser.add_argument("--input", action="append", type=parse_input, dest="inputs")
    parser.add_argument("--variant", choices=variants, default=variants[0])
    parser.add_argument("--repeat", type=int, default=50)
    parser.add_argument("--warm", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    measured = {"latency": latency, "start": start, "throughput": throughput}[options.mode](options, runtime_class(options))
    print(json.dumps(measured | usage(device_memory)), flush=True)
    os._exit(0)  # worker processes of compilers are not waited for
