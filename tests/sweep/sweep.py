"""Calls every operator that a program may call with arguments that lie, and lists those that break the process.

Each case starts from a genuine call (`record.py`), or for operators without one from the schema, and changes one to
four arguments: sizes, dtypes, indices, numbers, lists. Children run the cases and may die; `guard_pages.c` makes reads
and writes outside of tensors deadly. What a run finds is a property of libtorch, and the policy's table
(src/plan/policy) is written from it.

    LD_PRELOAD=guard_pages.so python sweep.py calls.pkl refused.txt found.jsonl [--cases N] [--only TEXT]
"""

import argparse
import json
import mmap
import os
import pickle
import random
import resource
import signal
import struct
import time
import warnings
import zlib

import torch
from torch.utils._pytree import tree_map

LIES = [-(2**63), -(2**31), -(10**6), -65, -2, -1, 0, 1, 2, 3, 5, 9, 33, 10**6, 2**31, 2**40, 2**62]
SMALL_LIES = [-(10**6), -65, -2, -1, 0, 1, 2, 3, 5, 9, 33, 100]
FLOATS = [0.0, -1.0, 1.0, 0.5, 2.0, 1e30, -1e30, float("nan"), float("inf")]
DTYPES = [torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.int8, torch.bool, torch.bfloat16, torch.float16, torch.complex64]
NAMESPACES = ("aten", "quantized", "quantization", "sparse", "mkl", "mkldnn", "onednn", "_quantized", "prepacked", "mkldnn_prepacked")
SECONDS_A_CASE = 2
DEATHS_KEPT = 6


def tensor(rng):
    shape = [rng.choice([0, 1, 1, 2, 3, 4, 5, 8]) for _ in range(rng.randrange(6))]
    return filled(rng, shape, rng.choice([torch.float32] * 6 + DTYPES))


def filled(rng, shape, dtype):
    made = torch.empty(shape, dtype=dtype)
    if dtype.is_floating_point or dtype.is_complex:
        return made.copy_(torch.linspace(-2, 2, max(made.numel(), 1))[: made.numel()].reshape(shape))
    return made.copy_((torch.arange(made.numel()) % rng.choice([1, 2, 3, 5])).reshape(shape))


def lying_tensor(rng, given):
    """Another tensor in the place of this one."""
    kind = rng.randrange(9)
    integral = not (given.dtype.is_floating_point or given.dtype.is_complex or given.dtype is torch.bool)
    if integral and given.numel() and rng.random() < 0.6:
        changed = given.clone()
        lie = rng.choice(LIES)
        if given.dtype is not torch.int64:
            lie = max(torch.iinfo(given.dtype).min, min(torch.iinfo(given.dtype).max, lie))
        flat = changed.reshape(-1)
        if rng.random() < 0.3:
            flat.fill_(lie)
        else:
            flat[rng.randrange(flat.numel())] = lie
        return flat.reshape(changed.shape)
    if kind == 0:
        return tensor(rng)
    if kind == 1:
        return given.to(rng.choice(DTYPES))
    if given.dim() == 0 or kind == 2:
        return filled(rng, [*given.shape, rng.choice([0, 1, 2, 3])], given.dtype)
    dim = rng.randrange(given.dim())
    size = given.shape[dim]
    if kind in (3, 4):
        return given.narrow(dim, 0, rng.randrange(size) if size else 0).clone()
    if kind == 5:
        return given.select(dim, 0).clone() if size else given
    if kind == 6:
        shape = list(given.shape)
        shape[dim] = rng.choice([0, 1, size + 1, size * 2, 17])
        return filled(rng, shape, given.dtype)
    if kind == 7:
        return given.transpose(dim, rng.randrange(given.dim()))
    return given.reshape(-1)[: rng.choice([0, 1, given.numel()])].clone()


def lie(rng, value, tensors):
    if isinstance(value, torch.Tensor):
        return rng.choice(tensors) if rng.random() < 0.1 else lying_tensor(rng, value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice(LIES + SMALL_LIES * 2)
    if isinstance(value, float):
        return rng.choice(FLOATS)
    if isinstance(value, (list, tuple)):
        changed = list(value)
        kind = rng.randrange(6)
        if kind == 5:
            return changed[: rng.randrange(len(changed) + 1)]
        if changed and kind < 3:
            at = rng.randrange(len(changed))
            changed[at] = lie(rng, changed[at], tensors)
        elif changed and kind == 3:
            changed.pop(rng.randrange(len(changed)))
        else:
            changed.append(rng.choice(changed) if changed else rng.choice([0, 1, -1]))
        return changed
    if isinstance(value, torch.dtype):
        return rng.choice(DTYPES)
    if value is None:
        return rng.choice([None, tensor(rng), rng.choice(SMALL_LIES), [rng.choice(SMALL_LIES)]])
    return value


def of_type(rng, name, type_):
    if type_.startswith("Optional["):
        return None if rng.random() < 0.5 else of_type(rng, name, type_[9:-1])
    if type_.startswith("List["):
        shared = [of_type(rng, name, type_[5:-1]) for _ in range(rng.randrange(4))]
        return shared
    if "dtype" in name:
        return rng.choice(DTYPES)
    if name in ("layout", "memory_format", "device", "pin_memory"):
        return {"layout": torch.strided, "memory_format": torch.contiguous_format, "device": torch.device("cpu")}.get(name, False)
    return {
        "Tensor": lambda: tensor(rng),
        "int": lambda: rng.choice(LIES + SMALL_LIES * 3),
        "number": lambda: rng.choice([1, 0, 2, 0.5, -1]),
        "float": lambda: rng.choice(FLOATS),
        "bool": lambda: rng.random() < 0.5,
        "str": lambda: rng.choice(["none", "mean", "sum", "relu", "L"]),
        "Device": lambda: torch.device("cpu"),
    }.get(type_, lambda: None)()


def from_schema(rng, schema):
    """A call after the schema alone: often all tensors have the same sizes."""
    args, kwargs, like = [], {}, tensor(rng) if rng.random() < 0.6 else None
    for argument in schema.arguments:
        value = of_type(rng, argument.name, str(argument.type))
        if argument.has_default_value() and rng.random() < 0.5:
            value = argument.default_value
        if isinstance(value, torch.Tensor) and like is not None and rng.random() < 0.8:
            value = filled(rng, like.shape, value.dtype if rng.random() < 0.3 else like.dtype)
        if argument.kwarg_only:
            kwargs[argument.name] = value
        else:
            args.append(value)
    return args, kwargs


def borrowed(function, calls):
    """The calls of an overload that takes the same arguments and writes its results to no tensor that it is given."""
    outputs = [argument.name for argument in function._schema.arguments if argument.is_out]
    if not outputs:
        return []
    taken = [argument.name for argument in function._schema.arguments if not argument.is_out]
    packet = function.overloadpacket
    for overload in packet.overloads():
        other = getattr(packet, overload)
        name = f"{other._schema.name}.{overload}"
        if [argument.name for argument in other._schema.arguments] == taken and name in calls:
            written = {output: torch.empty(0) for output in outputs}
            return [(args, kwargs | written) for args, kwargs in calls[name]]
    return []


def copied(value):
    return value.clone() if isinstance(value, torch.Tensor) else value


def case(name, schema, genuine, number):
    """The arguments of one case; the same each time."""
    rng = random.Random(zlib.crc32(name.encode()) * 1_000_003 + number)
    if not genuine or rng.random() < 0.02:
        return from_schema(rng, schema)
    args, kwargs = tree_map(copied, genuine[rng.randrange(len(genuine))])
    args, kwargs = list(args), dict(kwargs)
    tensors = [value for value in [*args, *kwargs.values()] if isinstance(value, torch.Tensor)] or [torch.zeros(2)]
    for argument in schema.arguments[len(args):]:
        if argument.name not in kwargs and argument.has_default_value() and rng.random() < 0.3:
            kwargs[argument.name] = argument.default_value
    places = list(range(len(args))) + list(kwargs)
    for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 4])):
        if not places:
            break
        place = rng.choice(places)
        if isinstance(place, int):
            args[place] = lie(rng, args[place], tensors)
        else:
            kwargs[place] = lie(rng, kwargs[place], tensors)
    return args, kwargs


def shown(value):
    if isinstance(value, torch.Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        some = f" {value.flatten()[:8].tolist()}" if not value.dtype.is_floating_point and value.numel() <= 64 else ""
        strides = "" if value.is_contiguous() else f" strides {list(value.stride())}"
        return f"{kind}{list(value.shape)}{strides}{some}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(shown, value)) + "]"
    return repr(value)


def child(function, name, genuine, numbers, progress):
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    limit = 6 << 30
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with torch.inference_mode():
        for number in numbers:
            progress[:8] = struct.pack("q", number)
            signal.setitimer(signal.ITIMER_REAL, SECONDS_A_CASE)
            try:
                args, kwargs = case(name, function._schema, genuine, number)
                result = function(*args, **kwargs)
                del args, kwargs, result
            except Exception:
                pass
    os._exit(0)


def sweep(name, function, genuine, cases, progress):
    """The cases that killed a child, as (number, signal)."""
    deaths, at = [], 0
    while at < cases and len(deaths) < DEATHS_KEPT:
        progress[:8] = struct.pack("q", at)
        pid = os.fork()
        if pid == 0:
            child(function, name, genuine, range(at, cases), progress)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            break
        (number,) = struct.unpack("q", progress[:8])
        if os.WTERMSIG(status) != signal.SIGALRM:
            deaths.append((number, signal.Signals(os.WTERMSIG(status)).name))
        elif at == number and len(deaths) < DEATHS_KEPT:
            cases -= 20
        at = number + 1
    return deaths


def operators(refused, only):
    for full in sorted(torch._C._dispatch_get_all_op_names()):
        namespace, rest = full.split("::")
        name, _, overload = rest.partition(".")
        overload = overload or "default"
        listed = f"{namespace}::{name}.{overload}"
        if namespace not in NAMESPACES or listed in refused or only not in listed:
            continue
        try:
            yield listed, getattr(getattr(getattr(torch.ops, namespace), name), overload)
        except (AttributeError, RuntimeError):
            continue


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("calls")
    parser.add_argument("refused")
    parser.add_argument("found")
    parser.add_argument("--cases", type=int, default=300)
    parser.add_argument("--only", default="")
    parser.add_argument("--part", default="0/1", help="which part of the operators, such as 0/2")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with open(options.calls, "rb") as file:
        calls = pickle.load(file)
    refused = set(open(options.refused).read().split())
    progress = mmap.mmap(-1, 4096)
    every = [entry for index, entry in enumerate(operators(refused, options.only)) if index % parts == part]
    total, began = 0, time.time()
    with open(options.found, "w") as found:
        for listed, function in every:
            genuine = calls.get(listed, []) or borrowed(function, calls)
            cases = options.cases if genuine else options.cases // 2
            total += cases
            for number, how in sweep(listed, function, genuine, cases, progress):
                args, kwargs = case(listed, function._schema, genuine, number)
                text = ", ".join([*map(shown, args), *(f"{key}={shown(value)}" for key, value in kwargs.items())])
                found.write(json.dumps({"operator": listed, "signal": how, "case": number, "call": text}) + "\n")
                found.flush()
    print(f"{len(every)} operators, at most {total} calls, {time.time() - began:.0f} s")


if __name__ == "__main__":
    main()
