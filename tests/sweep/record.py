"""Records genuine calls of operators, as material for `sweep.py`.

Runs the samples of PyTorch's own operator and module tests (`torch.testing._internal`, 2.11), forward and backward,
and keeps up to `KEPT` calls of each operator that reaches a backend, with small arguments.

    python record.py calls.pkl
"""

import itertools
import pickle
import signal
import sys
import warnings
from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

KEPT = 6
MOST_ELEMENTS = 4096
SAMPLES = 12
PLAIN = (bool, int, float, complex, str, torch.dtype, torch.device, torch.layout, torch.memory_format)
DTYPES = (torch.float32, torch.int64, torch.complex64, torch.uint8)


def stored(value):
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided or value.is_quantized or value.device.type != "cpu":
            raise ValueError("no plain tensor")
        if value.numel() > MOST_ELEMENTS or type(value) not in (torch.Tensor, torch.nn.Parameter):
            raise ValueError("too large")
        return value.detach().resolve_conj().resolve_neg().clone()
    if isinstance(value, torch.Generator):
        return None
    if value is not None and not isinstance(value, PLAIN):
        raise ValueError("no plain argument")
    return value


class Recorder(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.calls, self.counts, self.shapes = {}, Counter(), set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = function._schema.name + "." + (function._schema.overload_name or "default")
        if self.counts[name] < KEPT:
            self.keep(name, args, kwargs)
        return function(*args, **kwargs)

    def keep(self, name, args, kwargs):
        try:
            leaves, spec = tree_flatten((args, kwargs))
            kind = (name, str(spec), tuple(tuple(x.shape) if isinstance(x, torch.Tensor) else str(x) for x in leaves))
            if kind in self.shapes:
                return
            args, kwargs = tree_map(stored, (list(args), dict(kwargs)))
            pickle.loads(pickle.dumps((args, kwargs)))
        except Exception:  # what cannot be stored is no material
            return
        self.shapes.add(kind)
        self.counts[name] += 1
        self.calls.setdefault(name, []).append((args, kwargs))


def differentiate(result):
    leaves = [leaf for leaf in tree_flatten(result)[0] if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    total = sum((leaf.abs() if leaf.is_complex() else leaf).float().sum() for leaf in leaves)
    if leaves:
        total.backward()


def attempt(call):
    signal.alarm(10)
    try:
        differentiate(call())
    except (Exception, TimeoutError):
        pass
    finally:
        signal.alarm(0)


def late(*_):
    raise TimeoutError


def functions():
    from torch.testing._internal.common_methods_invocations import op_db

    for entry in op_db:
        for dtype in DTYPES:
            try:
                if not entry.supports_dtype(dtype, "cpu"):
                    continue
                gradient = dtype.is_floating_point and entry.supports_autograd
                samples = list(itertools.islice(entry.sample_inputs("cpu", dtype, requires_grad=gradient), SAMPLES))
            except Exception:
                continue
            for sample in samples:
                yield lambda entry=entry, sample=sample: entry.op(sample.input, *sample.args, **sample.kwargs)


def overloads(entry):
    """The operators that the sample's arguments may fit."""
    for name in {entry.aten_name or "", entry.name.split(".")[-1], *(alias.name for alias in entry.aliases)}:
        packet = getattr(torch.ops.aten, name, None) if name.isidentifier() else None
        yield from (getattr(packet, overload) for overload in (packet.overloads() if packet else ()))


def record_composites(recorder):
    """Operators that are made of others are not seen by a dispatch mode: their samples are tried one by one."""
    from torch.testing._internal.common_methods_invocations import op_db

    for entry in op_db:
        try:
            samples = list(itertools.islice(entry.sample_inputs("cpu", torch.float32), SAMPLES))
        except Exception:
            continue
        for function in overloads(entry):
            name = f"{function._schema.name}.{function._overloadname}"
            for sample in samples if recorder.counts[name] < KEPT else ():
                args, kwargs = (sample.input, *sample.args), sample.kwargs
                try:
                    function(*args, **kwargs)
                except Exception:
                    continue
                recorder.keep(name, args, kwargs)


def modules():
    from torch.testing._internal.common_modules import module_db

    for entry in module_db:
        for training in (True, False):
            try:
                samples = entry.module_inputs_func(
                    entry, device="cpu", dtype=torch.float32, requires_grad=True, training=training
                )
            except Exception:
                continue
            for sample in samples[:SAMPLES]:
                if sample.forward_input is None:
                    continue

                def call(entry=entry, sample=sample, training=training):
                    module = entry.module_cls(*sample.constructor_input.args, **sample.constructor_input.kwargs)
                    module.train(training)
                    return module(*sample.forward_input.args, **sample.forward_input.kwargs)

                yield call


def main():
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGALRM, late)
    torch.manual_seed(0)
    recorder = Recorder()
    for call in itertools.chain(functions(), modules()):
        with recorder:
            attempt(call)
    with torch.no_grad():
        record_composites(recorder)
    with open(sys.argv[1], "wb") as file:
        pickle.dump(recorder.calls, file)
    print(len(recorder.calls), "operators,", sum(recorder.counts.values()), "calls")


if __name__ == "__main__":
    main()
