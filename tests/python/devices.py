"""Programs exported on each device, as traced and decomposed, run by libpt2 on each device, beside PyTorch there.

    python tests/python/devices.py LIBPT2.so [--devices cpu,cuda] [--workers 8] [--only REGEX] [--skip REGEX]
                                   [--limit SECONDS] [--keep FOLDER] [--list]

Each line is one program: `ok` or `FAIL`, its case, where it was exported and in which form, where it ran and at which
level. Cases that PyTorch does not export or run there are `skip`. The last line counts; the exit code is 1 when
anything failed. Without a CUDA device the CPU's column is left. `--keep` keeps the archives.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import logging
import os
import queue
import re
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import torch

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "scripts")]
import device_cases
from against_pytorch import Library
from device_cases import Case

LEVELS = {"exact": 1, "fast": 2}
# Of the largest element. cuDNN and cuBLAS run without TF32 here.
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-4, torch.float16: 1e-2, torch.bfloat16: 6e-2}


def leaves(tree):
    return torch.utils._pytree.tree_leaves(tree, is_leaf=lambda leaf: leaf is None)


def moved(tree, device):
    move = lambda leaf: leaf.to(device) if isinstance(leaf, torch.Tensor) else leaf
    return torch.utils._pytree.tree_map(move, tree)


def differs(ours, theirs, tolerance):
    """What is wrong with `ours`, or nothing."""
    if not isinstance(theirs, torch.Tensor):
        return None
    theirs = theirs.detach().cpu()
    if ours is None or ours.shape != theirs.shape:
        return f"sizes {ours is not None and tuple(ours.shape)}, not {tuple(theirs.shape)}"
    if ours.dtype != theirs.dtype:
        return f"{ours.dtype}, not {theirs.dtype}"
    if not theirs.numel():
        return None
    if not (theirs.is_floating_point() or theirs.is_complex()):
        return None if torch.equal(ours, theirs) else f"{(ours != theirs).sum()} of {theirs.numel()} elements differ"
    wide = torch.complex128 if theirs.is_complex() else torch.float64
    ours, theirs = ours.to(wide), theirs.to(wide)
    if not torch.equal(ours.isnan(), theirs.isnan()):
        return "NaN in other places"
    ours, theirs = ours.nan_to_num(), theirs.nan_to_num()
    error = ((ours - theirs).abs().max() / theirs.abs().max().clamp_min(1e-3)).item()
    return None if error <= tolerance else f"error {error:.1e}"


class Runner:
    """One process: libpt2 for each device, and the cases."""

    def __init__(self, path, devices, keep):
        self.libraries = {device: Library(path, device) for device in devices}
        self.devices, self.keep = devices, keep

    def call(self, device, model, values):
        library = self.libraries[device]
        hosts = [value.cpu().clone() if isinstance(value, torch.Tensor) else value for value in values]
        inputs = [library.tensor(value) for value in hosts]
        given = inputs
        if device != "cpu":
            given = [handle and library.to_device(handle) for handle in inputs]
        outputs = library.run(model, given)
        found = [library.value(output) for output in outputs]
        library.free(inputs + outputs + (given if given is not inputs else []))
        return found

    def case(self, name):
        case = device_cases.CASES[name]
        lines = []
        for source in self.devices:
            if case.only_on and source != case.only_on:
                continue
            try:
                torch.manual_seed(0)
                module, args, kwargs = case.make()
                module, args, kwargs = module.to(source), moved(args, source), moved(kwargs, source)
                with torch.no_grad() if case.no_grad else torch.enable_grad():
                    program = case.export(module, args, kwargs, source)
            except Exception as error:
                lines.append(("skip", f"{name} {source}", f"PyTorch does not export it: {first_line(error)}"))
                continue
            forms = ("raw", "decomposed", "fused") if case.attends else ("raw", "decomposed")
            for form in forms if case.decompose else ("raw",):
                lines += self.form(name, case, source, form, program)
        return lines

    def form(self, name, case, source, form, program):
        at = f"{name} {source} {form}"
        try:
            if form == "decomposed":
                program = program.run_decompositions()
            elif form == "fused":
                program = program.run_decompositions(without_fused_attention())
        except Exception as error:
            return [("skip", at, f"PyTorch does not decompose it: {first_line(error)}")]
        folder = Path(self.keep or tempfile.mkdtemp())
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{re.sub('[^A-Za-z0-9_]', '_', name)}.{source}.{form}.pt2"
        try:
            try:
                torch.export.save(program, path)
            except Exception as error:
                return [("skip", at, f"PyTorch does not save it: {first_line(error)}")]
            if not case.as_exported and not self.as_eager(case, path, source):
                case = dataclasses.replace(case, as_exported=True)
            return [line for target in self.devices for line in self.target(at, case, path, source, target)]
        finally:
            if not self.keep:
                path.unlink(missing_ok=True)
                folder.rmdir()

    def as_eager(self, case, path, source):
        """Whether PyTorch's program returns what its module does: decomposed LSTMs return states of other sizes."""
        try:
            torch.manual_seed(0)
            module, args, kwargs = case.make()
            module, args, kwargs = module.to(source), moved(args, source), moved(kwargs, source)
            with torch.no_grad():
                expected = leaves(case.run(module, *case.inputs(0, args, kwargs)))
                exported = torch.export.load(path).module()
                found = leaves(Case.run(dataclasses.replace(case, reference=None), exported, *case.inputs(0, args, kwargs)))
        except Exception:
            return True
        same = lambda one, other: not isinstance(one, torch.Tensor) or one.shape == other.shape and one.dtype == other.dtype
        return len(expected) != len(found) or all(map(same, expected, found))

    def target(self, at, case, path, source, target):
        at = f"{at} on {target}"
        if not case.runs(source, target):
            return []
        try:
            torch.manual_seed(0)
            module, args, kwargs = case.make()
            # Where the exporter's device is part of the meaning, as autocast's is, the program as it was exported decides.
            reference = source if case.as_exported else target
            if case.as_exported:
                module = torch.export.load(path).module()
                case = dataclasses.replace(case, reference=None)
            module, args, kwargs = module.to(reference), moved(args, reference), moved(kwargs, reference)
            calls = []
            for call in range(2):
                inputs, named = case.inputs(call, args, kwargs)
                given = [leaf.clone() if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves((inputs, named))]
                with torch.no_grad():
                    run = Case.run if case.as_exported else type(case).run
                    calls.append((given, leaves(run(case, module, inputs, named))))
        except Exception as error:
            return [("skip", at, f"PyTorch does not run it: {first_line(error)}")]
        lines = []
        for level, number in LEVELS.items():
            try:
                model = self.libraries[target].load(path, number)
                wrong = []
                for call, (inputs, theirs) in enumerate(calls):
                    ours = self.call(target, model, inputs)
                    if len(ours) != len(theirs):
                        wrong.append(f"call {call}: {len(ours)} outputs, not {len(theirs)}")
                    for index, (mine, reference) in enumerate(zip(ours, theirs)):
                        if case.compared and not case.compared(index):
                            continue
                        dtype = reference.dtype if isinstance(reference, torch.Tensor) else None
                        found = differs(mine, reference, case.tolerance or TOLERANCE.get(dtype, 1e-3))
                        if found:
                            wrong.append(f"call {call}, output {index}: {found}")
                self.libraries[target].c.pt2_free(model)
                lines.append(("FAIL" if wrong else "ok", f"{at} {level}", "; ".join(wrong[:3])))
            except Exception as error:
                said = first_line(error)
                expected = case.refused and target != source and re.search(case.refused, said)
                lines.append(("ok" if expected else "FAIL", f"{at} {level}", said))
        return lines


def without_fused_attention():
    """The exporter's decompositions but those of fused attention, which then stands in the program as the device has it."""
    table = torch.export.default_decompositions()
    table.pop(torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default, None)
    return table


def first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


RUNNER = None


def begin(path, devices, keep):
    global RUNNER
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    RUNNER = Runner(path, devices, keep)


def work(name):
    started = time.time()
    try:
        lines = RUNNER.case(name)
    except Exception as error:
        lines = [("FAIL", name, f"the case itself: {first_line(error)}")]
    return name, lines, time.time() - started


def serve(waiting, results, arguments):
    """Works in a process of its own, and in another one when that has died."""
    context = torch.multiprocessing.get_context("spawn")
    fresh = lambda: concurrent.futures.ProcessPoolExecutor(1, context, begin, arguments)
    pool = fresh()
    while True:
        try:
            name = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            results.put(pool.submit(work, name).result())
        except concurrent.futures.process.BrokenProcessPool:
            results.put((name, [("FAIL", name, "the process died")], 0))
            pool = fresh()


def probe():
    """Facts that `plan::device_lowering` states: run where they may have changed, with a newer libtorch."""
    matrices = {"mm": [(3, 4), (4, 5)], "bmm": [(2, 3, 4), (2, 4, 5)], "matmul": [(3, 4), (4, 5)], "mv": [(3, 4), (4,)], "dot": [(4,), (4,)],
                "addmm": [(3, 5), (3, 4), (4, 5)], "addmv": [(3,), (3, 4), (4,)], "baddbmm": [(2, 3, 5), (2, 3, 4), (2, 4, 5)],
                "addbmm": [(3, 5), (2, 3, 4), (2, 4, 5)], "inner": [(3, 4), (5, 4)], "outer": [(3,), (4,)], "vdot": [(4,), (4,)],
                "tensordot": [(3, 4), (4, 5)]}  # fmt: skip
    for name, sizes in matrices.items():
        for dtype in (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.bool):
            try:
                arguments = [torch.ones(size, dtype=dtype, device="cuda") for size in sizes]
                getattr(torch, name)(*arguments, **({"dims": 1} if name == "tensordot" else {}))
                print(f"{name} {dtype}: runs")
            except Exception as error:
                print(f"{name} {dtype}: {first_line(error)}")
    has = torch._C._dispatch_has_computed_kernel_for_dispatch_key
    names = [name for name in sorted(torch._C._dispatch_get_all_op_names()) if name.startswith("aten::") and "out" not in name]
    print("no kernel for CUDA:", *[name for name in names if has(name, "CPU") and not has(name, "CUDA")])
    print("no kernel for the CPU:", *[name for name in names if has(name, "CUDA") and not has(name, "CPU")])
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("library", nargs="?")
    parser.add_argument("--devices", default="cpu,cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=min(8, os.cpu_count() or 1))
    parser.add_argument("--only", default="")
    parser.add_argument("--skip", default="^$")
    parser.add_argument("--limit", type=float, default=450)
    parser.add_argument("--keep")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--probe", action="store_true", help="which integer products CUDA refuses, and whose kernels differ")
    parser.add_argument("--quiet", action="store_true", help="only what is not ok")
    options = parser.parse_args()
    if options.probe:
        return probe()
    names = [name for name in device_cases.CASES if re.search(options.only, name) and not re.search(options.skip, name)]
    if options.list:
        print("\n".join(names))
        return 0
    # The long ones first, so that none of them is left alone at the end.
    names.sort(key=lambda name: -device_cases.CASES[name].cost)
    begun, counts, waiting = time.time(), collections.Counter(), queue.SimpleQueue()
    for name in names:
        waiting.put(name)
    results = queue.SimpleQueue()
    arguments = (options.library, options.devices.split(","), options.keep)
    for _ in range(options.workers):
        threading.Thread(target=serve, args=(waiting, results, arguments), daemon=True).start()
    missing = set(names)
    while missing:
        try:
            name, lines, took = results.get(timeout=max(1, begun + options.limit - time.time()))
        except queue.Empty:
            print(f"FAIL not finished within {options.limit:.0f} s: {', '.join(sorted(missing))}")
            counts["FAIL"] += 1
            break
        missing.discard(name)
        for verdict, at, detail in lines:
            counts[verdict] += 1
            if not (options.quiet and verdict == "ok"):
                print(f"{verdict:4} {at}{': ' + detail if detail else ''}", flush=True)
        if took > 60:
            print(f"     {name} took {took:.0f} s", flush=True)
    print(f"{len(names)} cases, {counts['ok']} ok, {counts['FAIL']} failed, {counts['skip']} skipped, "
          f"in {time.time() - begun:.0f} s with {options.workers} processes, PyTorch {torch.__version__}", flush=True)
    for process in torch.multiprocessing.active_children():
        process.kill()
    os._exit(1 if counts["FAIL"] or not counts["ok"] else 0)


if __name__ == "__main__":
    main()
