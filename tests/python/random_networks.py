"""Small random networks at both levels against this machine's PyTorch.

    python tests/python/random_networks.py LIBPT2.so [--count 60] [--seed 0] [--processes 2] [--device cpu] [--seconds S]

At `exact` outputs are PyTorch's bit for bit. At `fast` their error against the same network in float64 is at most twice that of
PyTorch's with its convolutions in either memory format, beside two roundings of the dtype, and sizes, dtypes and, on the CPU,
strides are those of `exact` (docs/concepts/optimiser.md). On CUDA, networks are skipped on which PyTorch does not repeat itself, and outputs may have the recorded
strides where the program writes through a view. An error that is too large must be so over several inputs together: with few elements PyTorch is sometimes exact by luck.

Network N is the same whatever the count and the processes are; `--seed N --count 1` makes it again. After a few failures nothing
more is tried, and each is reduced to the steps that it needs. Ends with one line that says what was done.
"""

import argparse
import collections
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
from against_pytorch import Library, same  # noqa: E402  (this puts scripts/ on the path, too)
from libpt2 import DTYPES, EXACT, FAST
from networks import network
from networks.restrided import recorded_strides

# Calls in which PyTorch must give the same bits on CUDA, so that other bits of libpt2's say something.
REPEATS = 8

# Inputs whose errors are taken together, once one of them has too large an error.
DRAWS = 12


class Broken(Exception):
    """libpt2 differs from what it promises."""


class Skipped(Exception):
    """There is nothing to compare: PyTorch does not export or run the network."""


class Runner(Library):
    """libpt2 on one device, with outputs as they lie in memory."""

    def __init__(self, path, device):
        super().__init__(path, device)
        import ctypes

        self.ctypes = ctypes
        self.c.pt2_tensor_strides.restype = ctypes.POINTER(ctypes.c_int64)
        self.c.pt2_tensor_strides.argtypes = [ctypes.c_void_p]
        self.c.pt2_free.argtypes = [ctypes.c_void_p]
        self.c.pt2_free.restype = None

    def placed(self, value):
        """A tensor over the memory of torch's, on any device."""
        rank, handle = value.dim(), self.ctypes.c_void_p()
        numbers = lambda given: (self.ctypes.c_int64 * rank)(*given)
        dtype = DTYPES[str(value.dtype).removeprefix("torch.")]
        self.check(self.c.pt2_tensor_from_memory(
            self.ctypes.c_void_p(value.data_ptr()), dtype, numbers(value.shape), numbers(value.stride()), self.ctypes.c_size_t(rank),
            self.device.encode(), None, None, self.ctypes.byref(handle)))  # fmt: skip
        return handle

    def outputs(self, model, values):
        """Each output with its strides."""
        held = [value.to(self.device) for value in values]
        if self.device != "cpu":
            torch.cuda.synchronize()
        inputs = [self.placed(value) for value in held]
        handles = (self.ctypes.c_void_p * len(inputs))(*inputs)
        found = (self.ctypes.c_void_p * self.c.pt2_output_count(model))()
        try:
            self.check(self.c.pt2_run(model, handles, self.ctypes.c_size_t(len(inputs)), None, found, self.ctypes.c_size_t(len(found))))
        finally:
            self.free(inputs)
        strides = [tuple(self.c.pt2_tensor_strides(handle)[: self.c.pt2_tensor_rank(handle)]) for handle in found]
        hosts = [self.to_host(handle) for handle in found]
        tensors = [self.value(host) for host in hosts]
        self.free(hosts)
        return list(zip(tensors, strides))


def error(found, truth):
    return ((found.double() - truth).abs().max() / truth.abs().max().clamp_min(1e-30)).item() if truth.numel() else 0.0


def seen(tensor):
    """Strides that say where an element lies: not those of dimensions of size one, nor of empty tensors."""
    return tensor.numel() and [stride for size, stride in zip(tensor.shape, tensor.stride()) if size != 1]


class Comparison:
    """One network, exported and loaded at both levels."""

    def __init__(self, runner, case, folder):
        self.runner, self.case = runner, case
        self.module = case.network.to(runner.device)
        self.wide = case.with_steps(case.network.steps, case.network.returned).network.double().to(runner.device)
        self.models = {}
        path = Path(folder) / "network.pt2"
        example = [value.to(runner.device) for value in case.inputs(case.network.batch, 0)]
        dims = tuple({0: torch.export.Dim("batch", min=0, max=64)} for _ in example) if case.dynamic else None
        try:
            program = torch.export.export(self.module, tuple(example), dynamic_shapes=(dims,) if dims else None, strict=False)
            program = program.run_decompositions() if case.decomposed else program
            torch.export.save(program, path)
        except Exception as failure:  # whatever torch.export raises for what it does not take
            raise Skipped(f"export: {type(failure).__name__}: {str(failure)[:200]}") from failure
        self.program = program
        for name, level in (("exact", EXACT), ("fast", FAST)):
            try:
                self.models[name] = runner.load(path, level)
            except RuntimeError as failure:
                self.close()
                raise Broken(f"{name} does not load: {failure}") from failure

    def close(self):
        for model in self.models.values():
            self.runner.c.pt2_free(model)
        self.models = {}

    def reference(self, inputs):
        given = lambda dtype=None: [value.to(self.runner.device, dtype, copy=True) for value in inputs]
        try:
            return self.module(*given()), self.wide(*given(torch.float64))
        except Exception as failure:  # kernels of libtorch that do not take what comes, as no rows
            raise Skipped(f"eager: {str(failure)[:200]}") from failure

    def ours(self, name, inputs):
        try:
            return self.runner.outputs(self.models[name], inputs)
        except RuntimeError as failure:
            self.exported_runs(inputs)
            raise Broken(f"{name} does not run: {failure}") from failure

    def exported_runs(self, inputs):
        try:
            return self.program.module()(*[value.to(self.runner.device) for value in inputs])
        except Exception as failure:  # PyTorch does not run what it exported
            raise Skipped(f"exported: {str(failure)[:200]}") from failure

    def call(self, batch, seed):
        """Compares one call. Returns for each output whether `fast` is too far off."""
        inputs = self.case.inputs(batch, seed)
        theirs, truth = self.reference(inputs)
        exact, fast = self.ours("exact", inputs), self.ours("fast", inputs)
        far = []
        for at, (reference, precise, (mine, strides), (quick, quick_strides)) in enumerate(zip(theirs, truth, exact, fast, strict=True)):
            where = f"batch {batch}, output {at}"
            if not same(mine, reference.cpu()):
                self.repeats_itself(inputs, at, reference, self.too_far(mine, reference.cpu(), precise.cpu()))
                self.exported_alike(inputs, at, reference)
                raise Broken(f"{where}: exact differs from PyTorch by {difference(mine, reference.cpu())}")
            if quick.shape != mine.shape or quick.dtype != mine.dtype:
                raise Broken(f"{where}: fast gives {quick.dtype} {tuple(quick.shape)}, exact {mine.dtype} {tuple(mine.shape)}")
            placed = lambda strides: mine.numel() and [stride for size, stride in zip(mine.shape, strides) if size != 1]
            if placed(strides) != seen(reference) and not self.is_recorded(at, placed, strides):
                self.exported_alike(inputs, at, reference)
                raise Broken(f"{where}: strides of exact {strides}, PyTorch {reference.stride()} of {tuple(mine.shape)}")
            # On another device than the exporter's, `exact` has its kernels' strides and `fast` may have the recorded ones.
            if self.runner.device == "cpu" and placed(quick_strides) != placed(strides):
                raise Broken(f"{where}: strides of fast {quick_strides}, exact {strides} of {tuple(mine.shape)}")
            far.append(self.too_far(quick, reference.cpu(), precise.cpu()))
        return far

    def repeats_itself(self, inputs, at, reference, far):
        """On CUDA kernels may sum in any order. cuDNN's transposed convolutions do so seldom enough to repeat themselves here."""
        if self.runner.device == "cpu":
            return
        again = (self.reference(inputs)[0][at] for _ in range(REPEATS))
        transposed = any(step.name == "conv_transpose" for step in self.case.network.steps)
        if not all(same(value.cpu(), reference.cpu()) for value in again) or transposed and far is None:
            raise Skipped("eager: does not repeat itself")

    def is_recorded(self, at, placed, strides):
        """Whether an output has recorded strides where it may: the kernels of CUDA may choose others than the exporter derived."""
        recorded = recorded_strides(self.program, at) if self.runner.device != "cpu" else None
        return recorded is not None and placed(strides) == placed(recorded)

    def exported_alike(self, inputs, at, reference):
        """Where the exported program itself is another one, libpt2 is not to blame."""
        found = self.exported_runs(inputs)[at]
        if not same(found, reference) or seen(found) != seen(reference):
            raise Skipped("the exported program differs from the module")

    @staticmethod
    def too_far(quick, reference, precise):
        if not reference.is_floating_point() or not precise.isfinite().all() or not reference.isfinite().all():
            return None if not quick.numel() or torch.equal(quick.isfinite(), reference.isfinite()) else (float("inf"), 0.0, 0.0)
        mine, theirs = error(quick, precise), error(reference, precise)
        rounding = 2 * torch.finfo(reference.dtype).eps
        return (mine, theirs, rounding) if not mine <= 2 * theirs + rounding else None

    def channels_last(self, inputs):
        """PyTorch's outputs with each convolution in channels-last."""
        self.module.channels_last_convolutions = True
        try:
            return self.reference(inputs)[0]
        finally:
            self.module.channels_last_convolutions = False

    def check(self):
        for number, batch in enumerate(self.case.batches()):
            if any(self.call(batch, 100 + number)):
                self.check_together(batch)

    def check_together(self, batch):
        """The largest errors over several inputs, relative to the largest output of all: one of few elements may be near zero."""
        worst = collections.defaultdict(lambda: [0.0, 0.0, 1e-30])
        for seed in range(1000, 1000 + DRAWS):
            inputs = self.case.inputs(batch, seed)
            theirs, truth = self.reference(inputs)
            channels_last = self.channels_last(inputs)
            for at, (reference, precise, (quick, _)) in enumerate(zip(theirs, truth, self.ours("fast", inputs))):
                if precise.isfinite().all() and reference.isfinite().all() and precise.numel():
                    precise = precise.cpu()
                    farthest = lambda found: (found.cpu().double() - precise).abs().max().item()
                    known = max(farthest(reference), farthest(channels_last[at]))
                    largest = precise.abs().max().item()
                    worst[at] = [max(pair) for pair in zip(worst[at], (farthest(quick), known, largest))]
        for at, (mine, known, largest) in worst.items():
            mine, known = mine / largest, known / largest
            if not mine <= 2 * known + 2 * torch.finfo(theirs[at].dtype).eps:
                raise Broken(f"batch {batch}, output {at}: error of fast {mine:.3g}, of PyTorch {known:.3g}")


def difference(mine, reference):
    if mine.shape != reference.shape or mine.dtype != reference.dtype:
        return f"{mine.dtype} {tuple(mine.shape)} for {reference.dtype} {tuple(reference.shape)}"
    return f"{(mine.double() - reference.double()).abs().max().item():.3g}" if mine.numel() else "nothing"


def outcome(runner, case, folder):
    """None if all is well, or what is wrong."""
    comparison = None
    try:
        comparison = Comparison(runner, case, folder)
        comparison.check()
    except Broken as broken:
        return str(broken)
    finally:
        if comparison:
            comparison.close()
    return None


def reduced(runner, case, folder, until):
    """The case with as few steps as still fail."""
    def fails(steps, returned):
        try:
            smaller = case.with_steps(steps, returned)
            return smaller if outcome(runner, smaller, folder) else None
        except Exception:  # a smaller network may be none at all
            return None

    best, first = case, len(case.sizes)
    steps = list(case.network.steps)
    changed = True
    while changed and time.time() < until:
        changed = False
        for returned in ([number] for number in range(first + len(steps) - 1, first - 1, -1)):
            if time.time() < until and (len(best.network.returned) > 1 or returned[0] < max(best.network.returned)):
                smaller = fails(steps[: max(0, returned[0] - first + 1)], returned)
                if smaller:
                    best, steps, changed = smaller, list(smaller.network.steps), True
                    break
        for at in range(len(steps) - 1, -1, -1):
            if time.time() > until or len(steps) == 1:
                break
            shorter, returned = without(steps, best.network.returned, at, first)
            smaller = shorter is not None and fails(shorter, returned)
            if smaller:
                best, steps, changed = smaller, list(smaller.network.steps), True
    return best


def without(steps, returned, at, first):
    """The steps less one, whose first operand takes its place."""
    gone, stand_in = first + at, steps[at].reads[0]
    renumber = lambda number: stand_in if number == gone else number - (number > gone)
    left = [network.Step(s.name, [renumber(r) for r in s.reads], s.settings, s.parameters) for s in steps[:at] + steps[at + 1:]]
    return left, sorted({renumber(number) for number in returned})


def work(options):
    """Networks of this process, each told of before it is tried, so that a crash has a seed."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_grad_enabled(False)
    torch.set_num_threads(1)
    # With it, one kernel computes in float32 what another of the same settings computes in TF32: errors say nothing.
    torch.backends.cudnn.allow_tf32 = False
    runner = Runner(options.library, options.device)
    say = lambda **told: print(json.dumps(told), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed + options.worker, options.seed + options.count, options.processes):
            if time.time() > options.until:
                break
            say(seed=seed)
            try:
                case = network.make(seed)
                broken = outcome(runner, case, folder)
            except Skipped as skipped:
                say(skipped=str(skipped), of=seed)
                continue
            if broken:
                least = reduced(runner, case, folder, time.time() + options.reduce)
                try:
                    broken = outcome(runner, least, folder) or broken
                except Skipped:  # PyTorch does not repeat itself
                    least = case
                say(broken=broken, of=seed, network=str(least))
            else:
                say(passed=seed, steps=len(case.network.steps))


def start(options, number):
    passed = ["--worker", str(number), "--until", str(options.until)]
    kept = [f"--{name}={getattr(options, name)}" for name in ("count", "seed", "processes", "device", "reduce")]
    command = [sys.executable, "-W", "ignore", __file__, options.library, *kept, *passed]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def collect(options):
    import selectors

    began, workers = time.time(), [start(options, number) for number in range(options.processes)]
    selector, current = selectors.DefaultSelector(), {}
    for worker in workers:
        selector.register(worker.stdout, selectors.EVENT_READ, worker)
    passed, steps, skipped, broken = 0, 0, collections.Counter(), []
    while selector.get_map() and len(broken) < options.failures:
        for key, _ in selector.select():
            line = key.fileobj.readline()
            if not line:
                selector.unregister(key.fileobj)
                if key.data.wait():
                    stderr = key.data.stderr.read()[-800:]
                    broken.append({"broken": f"the process ended with {key.data.returncode}: {stderr}", "of": current.get(key.data), "network": ""})
                continue
            told = json.loads(line)
            current[key.data] = told.get("seed", current.get(key.data))
            if "passed" in told:
                passed, steps = passed + 1, steps + told["steps"]
            elif "skipped" in told:
                skipped[told["skipped"].split(":")[0] + ":" + told["skipped"][:90].partition(":")[2]] += 1
            elif "broken" in told:
                broken.append(told)
                print(f"network {told['of']} on {options.device}: {told['broken']}\n{told['network']}", flush=True)
    for worker in workers:
        worker.kill()
    for told in broken:
        if not told["network"]:
            print(f"network {told['of']} on {options.device}: {told['broken']}", flush=True)
    for reason, times in skipped.most_common(8 if options.verbose else 0):
        print(f"  {times} skipped: {reason}")
    print(f"{passed} random networks ({steps} steps) on {options.device} equal PyTorch {torch.__version__} at exact and are as accurate at fast; "
          f"{sum(skipped.values())} skipped, {len(broken)} broken, {time.time() - began:.0f} s", flush=True)
    return bool(broken) or not passed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--seconds", type=float, default=3600, help="begin no network after that")
    parser.add_argument("--failures", type=int, default=5, help="stop after so many")
    parser.add_argument("--reduce", type=float, default=30, help="seconds for reducing a failure")
    parser.add_argument("--verbose", action="store_true", help="say why networks were skipped")
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.until = options.until or time.time() + options.seconds
    if options.worker is not None:
        work(options)
        return 0
    return collect(options)


if __name__ == "__main__":
    sys.exit(main())
