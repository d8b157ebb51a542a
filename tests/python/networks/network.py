"""A random network: steps, parameters and sizes of inputs, all from one seed."""

import copy
import random as randomness

import torch

from .operations import OPERATIONS

CONVOLUTIONS = {"conv", "conv_transpose"}
FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def innermost(value):
    return value.contiguous(memory_format=FORMATS[value.dim()]) if value.dim() in FORMATS else value


class Step:
    def __init__(self, name, reads, settings, parameters):
        self.name, self.reads, self.settings, self.parameters = name, reads, settings, parameters

    def run(self, values, parameters):
        compute = OPERATIONS[self.name][1]
        return compute([values[number] for number in self.reads], self.settings, [parameters[number] for number in self.parameters])

    def __repr__(self):
        return f"{self.name}{self.reads} {self.settings or ''}"


class Network(torch.nn.Module):
    """Values are numbered: the inputs first, then what each step gives."""

    # Whether convolutions run in channels-last, between contiguous values.
    channels_last_convolutions = False

    def __init__(self, steps, returned, parameters):
        super().__init__()
        self.steps, self.returned = steps, returned
        self.weights = torch.nn.ParameterList(torch.nn.Parameter(value, False) for value in parameters)

    def forward(self, *inputs):
        values = list(inputs)
        for step in self.steps:
            if self.channels_last_convolutions and step.name in CONVOLUTIONS:
                weights = [innermost(value.data) for value in self.weights]
                values.append(step.run([innermost(value) for value in values], weights).contiguous())
            else:
                values.append(step.run(values, self.weights))
        return tuple(values[number] for number in self.returned)


class Case:
    """A network with what is needed to export and to call it."""

    def __init__(self, network, sizes, dtype, **ways):
        self.network, self.sizes, self.dtype, self.ways = network, sizes, dtype, ways
        # Whether inputs and whether parameters are channels-last; a batch size that varies; what is added to inputs; whether
        # the program is decomposed after its export.
        self.innermost, self.innermost_weights, self.dynamic, self.offset, self.decomposed = (
            ways[name] for name in ("innermost", "innermost_weights", "dynamic", "offset", "decomposed"))

    def inputs(self, batch, seed):
        generator = torch.Generator().manual_seed(seed)
        made = []
        for sizes in self.sizes:
            value = torch.randn([batch, *sizes], generator=generator) + self.offset
            made.append(value.to(self.dtype))
            if self.innermost:
                made[-1] = innermost(made[-1])
        return made

    def batches(self):
        return (2, 1, 0, 3) if self.dynamic else (self.network.batch,) * 2

    def __str__(self):
        count = len(self.sizes)
        lines = [f"  inputs {[['batch', *s] for s in self.sizes]}, batch {self.network.batch}, {self.dtype}, {self.ways}"]
        for number, step in enumerate(self.network.steps):
            shapes = [tuple(self.network.weights[p].shape) for p in step.parameters]
            lines.append(f"  v{count + number} = {step}{f' parameters {shapes}' if shapes else ''}")
        return "\n".join([*lines, f"  returns {[f'v{number}' for number in self.network.returned]}"])

    def with_steps(self, steps, returned):
        network = Network(steps, returned, [value.data for value in self.network.weights])
        network.batch = self.network.batch
        return Case(network.eval(), self.sizes, self.dtype, **self.ways)


def is_usable(value):
    if not isinstance(value, torch.Tensor) or not value.is_floating_point() or value.numel() > 6000 or value.dim() > 6:
        return False
    return not value.numel() or bool(value.isfinite().all() and value.abs().max() < 1e4)


def first_sizes(random):
    rank = random.choice([1, 2, 2, 2, 2, 2, 3, 3, 3, 0])
    if rank == 0:
        return [random.choice([1, 2, 5, 8]), random.choice([4, 8, 8, 3])]  # a sequence
    channels = random.choice([1, 2, 3, 4, 4, 8, 8, 16])
    return [channels, *([random.choice([1, 2, 4, 5, 7, 8])] * rank if random.random() < 0.6 else [random.choice([1, 3, 4, 5, 8]) for _ in range(rank)])]


# Steps that a network has more of than others: what passes look for.
HABITS = [(), (), ("conv", "batch_norm", "binary", "activation", "in_place"), ("conv", "group_norm", "activation", "binary"),
          ("linear", "attention", "layer_norm", "activation", "binary"), ("binary", "broadcast", "activation", "in_place", "binary_in_place")]  # fmt: skip


def weighted(random, habit):
    names = list(OPERATIONS)
    return random.choices(names, [OPERATIONS[name][2] * (5 if name in habit else 1) for name in names])[0]


def make(seed):
    """The network of a seed."""
    random = randomness.Random(seed)
    torch.manual_seed(seed)
    sizes = [first_sizes(random)]
    if random.random() < 0.3:
        sizes.append(sizes[0])
    dtype = random.choice([torch.float32] * 8 + [torch.float16, torch.bfloat16, torch.float64])
    dynamic = random.random() < 0.35
    batch = 2 if dynamic else random.choice([1, 1, 2, 2, 3, 0])
    shown = Case(None, sizes, dtype, dynamic=dynamic, innermost=random.random() < 0.15, innermost_weights=random.random() < 0.1,
                 offset=random.choice([0.0] * 6 + [30.0]), decomposed=random.random() < 0.15)  # fmt: skip
    # Steps are tried on a batch of its own, so that settings cannot depend on it; an empty one shows no values.
    values, steps, parameters = shown.inputs(batch or 2, seed), [], []
    inputs = len(values)
    habit = random.choice(HABITS)
    for _ in range(random.choice([3, 4, 6, 8, 12, 16])):
        number = len(values) - 1 if random.random() < 0.8 else random.randrange(len(values))
        added = grow(random, weighted(random, habit), number, values, parameters, inputs)
        if added:
            steps.append(added)
    last = len(values) - 1
    returned = sorted({last, *random.sample(range(inputs, last + 1), min(last + 1 - inputs, random.choice([0, 0, 1])))}) if steps else [0]
    if shown.innermost_weights:
        parameters = [innermost(parameter) for parameter in parameters]
    network = Network(steps, returned, parameters).eval()
    network.batch = batch
    shown.network = network
    return shown


def grow(random, name, number, values, parameters, inputs):
    """One step more, which reads this value; None where what was drawn does not fit."""
    value = values[number]
    propose = OPERATIONS[name][0]
    writes = name in ("in_place", "binary_in_place", "write")
    if writes and number < inputs:  # inputs are written by programs of their own kind
        return None
    proposal = propose(random, value, [(at, other) for at, other in enumerate(values) if at != number])
    if proposal is None:
        return None
    made = [torch.randn(sizes) * scale for sizes, scale in proposal.parameters]
    step = Step(name, [number, *proposal.reads], proposal.settings, list(range(len(parameters), len(parameters) + len(made))))
    trial = copy.deepcopy(values) if writes else values
    try:
        result = step.run(trial, [*parameters, *(parameter.to(value.dtype) for parameter in made)])
    except (RuntimeError, ValueError, IndexError, NotImplementedError):
        return None
    if not is_usable(result) or not all(map(is_usable, trial)):
        return None
    values[:] = trial
    values.append(result)
    parameters.extend(parameter.to(value.dtype) for parameter in made)
    return step
