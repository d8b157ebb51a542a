"""The steps of random networks.

A step is a name, the numbers of the values that it reads, its settings and the numbers of its parameters. `OPERATIONS` has for
each name what proposes settings for a value (None where it does not fit), and what computes it. Settings never hold a batch size.
"""

import torch
import torch.nn.functional as F

ACTIVATIONS = {
    "relu": F.relu, "relu6": F.relu6, "silu": F.silu, "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "hardswish": F.hardswish, "hardsigmoid": F.hardsigmoid, "hardtanh": lambda x: F.hardtanh(x, -0.7, 1.3),
    "leaky_relu": lambda x: F.leaky_relu(x, 0.2), "sigmoid": torch.sigmoid, "tanh": torch.tanh, "elu": F.elu, "selu": F.selu,
    "celu": F.celu, "softplus": F.softplus, "mish": F.mish, "logsigmoid": F.logsigmoid, "softsign": F.softsign,
    "tanhshrink": F.tanhshrink, "hardshrink": F.hardshrink, "threshold": lambda x: F.threshold(x, 0.1, 0.3), "erf": torch.erf,
    "abs": torch.abs, "neg": torch.neg, "square": torch.square, "sin": torch.sin, "clamp": lambda x: x.clamp(-0.5, 2.0),
    "sqrt_abs": lambda x: torch.sqrt(x.abs() + 0.1), "exp_tanh": lambda x: torch.exp(torch.tanh(x)),
    "rsqrt_abs": lambda x: torch.rsqrt(x.abs() + 0.2), "log1p_abs": lambda x: torch.log1p(x.abs()), "pow": lambda x: (x.abs() + 0.1) ** 1.5,
}  # fmt: skip
IN_PLACE = {
    "relu_": F.relu_, "silu_": lambda x: F.silu(x, inplace=True), "hardswish_": lambda x: F.hardswish(x, inplace=True),
    "leaky_relu_": lambda x: F.leaky_relu_(x, 0.1), "sigmoid_": torch.sigmoid_, "tanh_": torch.tanh_, "hardtanh_": F.hardtanh_,
    "relu6_": lambda x: F.relu6(x, inplace=True), "elu_": F.elu_, "mul_": lambda x: x.mul_(0.5), "add_": lambda x: x.add_(0.25),
}  # fmt: skip


def spatial(value):
    return value.dim() - 2


def numbers(random, rank, choices):
    """One number for all spatial dimensions, or one each."""
    return [random.choice(choices)] * rank if random.random() < 0.7 else [random.choice(choices) for _ in range(rank)]


class Proposal:
    """Settings, the sizes of new parameters (with the scale of their values) and further values that are read."""

    def __init__(self, settings=None, parameters=(), reads=()):
        self.settings, self.parameters, self.reads = settings or {}, list(parameters), list(reads)


def convolution(random, value, others, transposed=False):
    rank, channels = spatial(value), value.shape[1]
    if not 1 <= rank <= 3 or not channels or value.shape[2:].numel() > 600:
        return None
    out = random.choice([1, 2, 3, 4, 6, 8, 16, channels, channels])
    groups = random.choice([1, 1, 1, 1, 2, channels, channels])
    out = channels * random.choice([1, 1, 2]) if groups == channels else out
    if channels % groups or out % groups:
        groups = 1
    kernel, stride = numbers(random, rank, [1, 3, 3, 2, 5]), numbers(random, rank, [1, 1, 1, 2, 3])
    dilation = numbers(random, rank, [1, 1, 1, 1, 2])
    padding = [random.choice([k // 2, k // 2, k // 2, 0, 1]) for k in kernel] if random.random() < 0.4 else [(k - 1) * d // 2 for k, d in zip(kernel, dilation)]
    settings = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    first, second = (channels, out // groups) if transposed else (out, channels // groups)
    if transposed:
        settings["output_padding"] = [random.choice([0, s - 1]) if s > 1 else 0 for s in stride]
    scale = 1.5 / max(1, channels // groups * torch.Size(kernel).numel()) ** 0.5
    parameters = [((first, second, *kernel), scale)]
    if random.random() < 0.7:
        parameters.append(((out,), random.choice([0.5, 0.5, 0.5, 30.0])))
    return Proposal(settings, parameters)


def convolve(values, settings, parameters):
    name = f"conv{'_transpose' if 'output_padding' in settings else ''}{spatial(values[0])}d"
    return getattr(F, name)(values[0], *parameters, **settings)


def channel_vectors(count, always=False):
    def propose(random, value, others):
        if value.dim() < 2 or not value.shape[1]:
            return None
        return Proposal({}, [((value.shape[1],), 1.0)] * (count if always or random.random() < 0.8 else 0))
    return propose


def group_norm(random, value, others):
    if value.dim() < 3 or not value.shape[1] or value.shape[1:].numel() < 2:
        return None
    fitting = [groups for groups in (1, 2, 3, 4, value.shape[1]) if value.shape[1] % groups == 0]
    return Proposal({"groups": random.choice(fitting)}, [((value.shape[1],), 1.0)] * random.choice([0, 2]))


def last_dimension(random, value, others):
    if value.dim() < 2 or not value.shape[-1]:
        return None
    return Proposal({}, [((value.shape[-1],), 1.0)] * random.choice([0, 1]))


def instance_norm(random, value, others):
    if not 1 <= spatial(value) <= 3 or value.shape[2:].numel() < 2:
        return None
    return Proposal({}, [((value.shape[1],), 1.0)] * random.choice([0, 2]))


def alike(random, value, others):
    fitting = [number for number, other in others if other.shape == value.shape and other.dtype == value.dtype]
    return random.choice(fitting) if fitting else None


def binary(random, value, others):
    other = alike(random, value, others)
    return None if other is None else Proposal({"op": random.choice(["add", "add", "add", "sub", "mul", "div", "alpha", "rsub"])}, [], [other])


def combine(values, settings, parameters):
    one, two = values if len(values) == 2 else (values[0], parameters[0])
    return {"add": lambda: one + two, "sub": lambda: one - two, "mul": lambda: one * two, "div": lambda: one / (two.abs() + 0.5),
            "alpha": lambda: torch.add(one, two, alpha=0.5), "rsub": lambda: two - one}[settings["op"]]()  # fmt: skip


def in_place_sum(random, value, others):
    other = alike(random, value, others)
    return None if other is None else Proposal({"op": random.choice(["add_", "add_", "mul_", "sub_"])}, [], [other])


def broadcast(random, value, others):
    sizes = list(value.shape)
    sizes[0] = 1
    for at in range(1, len(sizes)):
        if random.random() < 0.5:
            sizes[at] = 1
    sizes = sizes[random.choice([0, 0, 1]):] if len(sizes) > 1 else sizes
    return Proposal({"op": random.choice(["add", "mul", "sub"])}, [(tuple(sizes), 1.0)])


def broadcast_value(random, value, others):
    """With another value whose sizes only broadcast."""
    def fits(other):
        if other.dtype != value.dtype or other.shape == value.shape or other.dim() != value.dim() or other.shape[0] != value.shape[0]:
            return False
        return all(two in (1, one) for one, two in zip(value.shape[1:], other.shape[1:]))
    fitting = [number for number, other in others if fits(other)]
    return Proposal({"op": random.choice(["add", "mul"])}, [], [random.choice(fitting)]) if fitting else None


def pooling(random, value, others):
    rank = spatial(value)
    if not 1 <= rank <= 3 or not value.shape[2:].numel():
        return None
    kind = random.choice(["max_pool", "avg_pool", "adaptive_avg_pool", "adaptive_max_pool"])
    if kind.startswith("adaptive"):
        return Proposal({"kind": kind, "output_size": numbers(random, rank, [1, 1, 2, 3])})
    kernel = numbers(random, rank, [1, 2, 3])
    if any(k > size for k, size in zip(kernel, value.shape[2:])):
        return None
    return Proposal({"kind": kind, "kernel_size": kernel, "stride": numbers(random, rank, [1, 2]), "padding": [k // 2 for k in kernel] if random.random() < 0.5 else 0})


def pool(values, settings, parameters):
    settings = dict(settings)
    return getattr(F, f"{settings.pop('kind')}{spatial(values[0])}d")(values[0], **settings)


def interpolation(random, value, others):
    rank = spatial(value)
    if not 1 <= rank <= 3 or not value.shape[2:].numel() or value.shape[2:].numel() > 200:
        return None
    smooth = {1: "linear", 2: "bilinear", 3: "trilinear"}[rank]
    mode = random.choice(["nearest", "nearest", smooth, smooth] + (["bicubic"] if rank == 2 else []))
    aligned = {} if mode == "nearest" else {"align_corners": random.random() < 0.5}
    size = {"scale_factor": random.choice([2.0, 1.5, 0.5])} if random.random() < 0.6 else {"size": numbers(random, rank, [1, 3, 4, 7])}
    return Proposal({"mode": mode, **aligned, **size})


def padding(random, value, others):
    rank = spatial(value)
    if not 1 <= rank <= 3:
        return None
    modes = ["constant"] + (["reflect", "replicate"] if min(value.shape[2:]) > 2 else [])
    return Proposal({"pad": [random.choice([0, 1, 2]) for _ in range(2 * rank)], "mode": random.choice(modes)})


def concatenation(random, value, others):
    for dim in random.sample([1, -1], 2):
        def fits(other):
            dims = [d for d in range(value.dim()) if d != dim % value.dim()]
            return other.dim() == value.dim() and other.dtype == value.dtype and all(other.shape[d] == value.shape[d] for d in dims)
        fitting = [number for number, other in others if value.dim() > 1 and fits(other)]
        if fitting:
            return Proposal({"dim": dim}, [], [random.choice(fitting)])
    return None


def slicing(random, value, others):
    if value.dim() < 2:
        return None
    dim = random.randrange(1, value.dim())
    size = value.shape[dim]
    if size < 2:
        return None
    start = random.randrange(size - 1)
    return Proposal({"dim": dim, "start": start, "end": random.randrange(start + 1, size + 1), "step": random.choice([1, 1, 2])})


def take(values, settings, parameters):
    index = [slice(None)] * values[0].dim()
    index[settings["dim"]] = slice(settings["start"], settings["end"], settings["step"])
    return values[0][tuple(index)]


def write(random, value, others):
    """Into a clone, through a view of it."""
    sliced = slicing(random, value, others)
    if sliced is None:
        return None
    sliced.settings["how"] = random.choice(["mul_", "zero_", "fill_", "copy_", "relu_", "add_"])
    sliced.settings["clone"] = random.random() < 0.7
    return sliced


def write_into(values, settings, parameters):
    value = values[0].clone() if settings["clone"] else values[0]
    part = take([value], settings, parameters)
    {"mul_": lambda: part.mul_(0.5), "zero_": part.zero_, "fill_": lambda: part.fill_(0.3), "relu_": part.relu_,
     "copy_": lambda: part.copy_(part.flip(1) + 0.1), "add_": lambda: part.add_(part.abs())}[settings["how"]]()  # fmt: skip
    return value


def permutation(random, value, others):
    if value.dim() < 3:
        return None
    dims = list(range(1, value.dim()))
    random.shuffle(dims)
    return Proposal({"dims": [0, *dims], "contiguous": random.random() < 0.3})


def permute(values, settings, parameters):
    turned = values[0].permute(settings["dims"])
    return turned.contiguous() if settings["contiguous"] else turned


def reduction(random, value, others):
    if value.dim() < 2 or not value.shape[1:].numel():
        return None
    dims = random.sample(range(1, value.dim()), random.randrange(1, value.dim()))
    return Proposal({"how": random.choice(["mean", "sum", "var", "amax", "std", "logsumexp"]), "dims": sorted(dims), "keep": value.dim() - len(dims) < 2 or random.random() < 0.6})


def reduce(values, settings, parameters):
    options = {"correction": 0} if settings["how"] in ("var", "std") else {}
    found = getattr(torch, settings["how"])(values[0], dim=settings["dims"], keepdim=settings["keep"], **options)
    return found + 0.1 if settings["how"] == "std" else found


def excitation(random, value, others):
    rank, channels = spatial(value), value.shape[1]
    if not 1 <= rank <= 3 or not value.shape[2:].numel() or not channels:
        return None
    within = max(1, channels // 2)
    if rank == 2 and random.random() < 0.5:
        return Proposal({"conv": True}, [((within, channels, 1, 1), 0.7), ((within,), 0.5), ((channels, within, 1, 1), 0.7)])
    return Proposal({"conv": False}, [((within, channels), 0.7), ((within,), 0.5), ((channels, within), 0.7)])


def excite(values, settings, parameters):
    value = values[0]
    first, bias, second = parameters
    pixels = list(range(2, value.dim()))
    if settings["conv"]:
        return value * torch.sigmoid(F.conv2d(F.silu(F.conv2d(value.mean(pixels, keepdim=True), first, bias)), second))
    gate = torch.sigmoid(F.linear(F.relu(F.linear(value.mean(pixels), first, bias)), second))
    return value * gate[(..., *[None] * len(pixels))]


def shuffle_channels(random, value, others):
    if value.dim() < 3 or value.shape[1] % 2:
        return None
    return Proposal({"view": random.random() < 0.5})


def shuffled(values, settings, parameters):
    value = values[0]
    shape = value.shape
    apart = (value.view if settings["view"] and value.is_contiguous() else value.reshape)(shape[0], 2, shape[1] // 2, *shape[2:])
    return apart.transpose(1, 2).reshape(shape)


def pixel_shuffle(random, value, others):
    if value.dim() != 4:
        return None
    if value.shape[1] % 4 == 0:
        return Proposal({"up": True})
    return Proposal({"up": False}) if value.shape[2] % 2 == 0 and value.shape[3] % 2 == 0 and min(value.shape[2:]) else None


def to_sequence(random, value, others):
    return Proposal({"view": random.random() < 0.3}) if spatial(value) in (2, 3) and value.shape[2:].numel() <= 64 else None


def sequence(values, settings, parameters):
    value = values[0]
    flat = value.view(*value.shape[:2], value.shape[2:].numel()) if settings["view"] and value.is_contiguous() else value.flatten(2)
    return flat.transpose(1, 2)


def to_image(random, value, others):
    if value.dim() != 3:
        return None
    height = next((h for h in (4, 3, 2, 1) if value.shape[1] % h == 0), None)
    return Proposal({"height": height}) if height and value.shape[1] else None


def linear(random, value, others):
    if value.dim() < 2 or not value.shape[-1]:
        return None
    out = random.choice([1, 3, 4, 8, value.shape[-1]])
    bias = [((out,), random.choice([0.5, 0.5, 20.0]))] if random.random() < 0.7 else []
    return Proposal({}, [((out, value.shape[-1]), 1.5 / value.shape[-1] ** 0.5), *bias])


def attention(random, value, others):
    if value.dim() != 3 or not value.shape[1] or not value.shape[2] or value.shape[1] > 64:
        return None
    heads = random.choice([h for h in (1, 2, 4) if value.shape[2] % h == 0])
    kind = random.choice(["sdpa", "sdpa", "causal", "mask", "explicit", "module"])
    width = value.shape[2]
    parameters = [((3 * width, width), 1.0 / width**0.5), ((3 * width,), 0.3), ((width, width), 1.0 / width**0.5), ((width,), 0.3)]
    if kind == "mask":
        parameters.append(((value.shape[1], value.shape[1]), 1.0))
    return Proposal({"heads": heads, "kind": kind}, parameters)


def attend(values, settings, parameters):
    value, heads, kind = values[0], settings["heads"], settings["kind"]
    project, bias, output, output_bias = parameters[:4]
    batch, length, width = value.shape
    if kind == "module":
        turned = value.transpose(0, 1)
        found, _ = F.multi_head_attention_forward(
            turned, turned, turned, width, heads, project, bias, None, None, False, 0.0, output, output_bias,
            training=False, need_weights=False)  # fmt: skip
        return found.transpose(0, 1)
    query, key, content = (part.view(batch, length, heads, width // heads).transpose(1, 2) for part in F.linear(value, project, bias).chunk(3, -1))
    if kind == "explicit":
        weights = torch.softmax(query @ key.transpose(-1, -2) / (width // heads) ** 0.5, -1)
        found = weights @ content
    else:
        mask = parameters[4] if kind == "mask" else None
        found = F.scaled_dot_product_attention(query, key, content, mask, is_causal=kind == "causal")
    return F.linear(found.transpose(1, 2).reshape(batch, length, width), output, output_bias)


def over_dimension(random, value, others):
    return Proposal({"dim": random.randrange(1, value.dim()), "how": random.choice(["softmax", "log_softmax", "cumsum", "flip", "roll", "normalize"])}) if value.dim() > 1 and value.shape[1:].numel() else None


def along(values, settings, parameters):
    value, dim = values[0], settings["dim"]
    return {"softmax": lambda: F.softmax(value, dim), "log_softmax": lambda: F.log_softmax(value, dim), "cumsum": lambda: value.cumsum(dim),
            "flip": lambda: value.flip(dim), "roll": lambda: value.roll(1, dim), "normalize": lambda: F.normalize(value, dim=dim)}[settings["how"]]()  # fmt: skip


def through_dtype(random, value, others):
    return Proposal({"dtype": random.choice(["float16", "bfloat16", "float64", "float32"]), "how": random.choice(["relu", "add", "mean"])}) if value.dim() > 1 else None


def widened(values, settings, parameters):
    value = values[0].to(getattr(torch, settings["dtype"]))
    other = {"relu": lambda: F.relu(value), "add": lambda: value + 0.5, "mean": lambda: value - value.mean(1, keepdim=True)}[settings["how"]]()
    return other.to(values[0].dtype)


def dims_at_least(count):
    return lambda random, value, others: Proposal() if value.dim() >= count else None


def chosen(names):
    return lambda random, value, others: Proposal({"name": random.choice(list(names))})


def norm_of(function):
    return lambda values, settings, parameters: function(values[0], settings, parameters)


OPERATIONS = {
    "conv": (convolution, convolve, 14),
    "conv_transpose": (lambda *given: convolution(*given, transposed=True), convolve, 3),
    "batch_norm": (channel_vectors(4, True), lambda v, s, p: F.batch_norm(v[0], p[0], p[1].abs() + 0.3, p[2], p[3]), 6),
    "group_norm": (group_norm, lambda v, s, p: F.group_norm(v[0], s["groups"], *p), 4),
    "instance_norm": (instance_norm, lambda v, s, p: F.instance_norm(v[0], None, None, *p), 2),
    "layer_norm": (last_dimension, lambda v, s, p: F.layer_norm(v[0], v[0].shape[-1:], *p), 3),
    "rms_norm": (last_dimension, lambda v, s, p: F.rms_norm(v[0], v[0].shape[-1:], *p), 2),
    "activation": (chosen(ACTIVATIONS), lambda v, s, p: ACTIVATIONS[s["name"]](v[0]), 12),
    "in_place": (chosen(IN_PLACE), lambda v, s, p: IN_PLACE[s["name"]](v[0]), 5),
    "binary": (binary, combine, 12),
    "binary_in_place": (in_place_sum, lambda v, s, p: getattr(v[0], s["op"])(v[1]), 4),
    "broadcast": (broadcast, combine, 4),
    "broadcast_value": (broadcast_value, combine, 4),
    "scalar": (lambda random, value, others: Proposal({"by": random.choice([2.0, 0.5, -1.0])}), lambda v, s, p: v[0] * s["by"] + 1, 2),
    "pool": (pooling, pool, 4),
    "interpolate": (interpolation, lambda v, s, p: F.interpolate(v[0], **s), 3),
    "pad": (padding, lambda v, s, p: F.pad(v[0], **s), 2),
    "cat": (concatenation, lambda v, s, p: torch.cat(v, s["dim"]), 3),
    "slice": (slicing, take, 3),
    "write": (write, write_into, 3),
    "permute": (permutation, permute, 2),
    "reduce": (reduction, reduce, 3),
    "excite": (excitation, excite, 3),
    "shuffle": (shuffle_channels, shuffled, 2),
    "pixel_shuffle": (pixel_shuffle, lambda v, s, p: (F.pixel_shuffle if s["up"] else F.pixel_unshuffle)(v[0], 2), 2),
    "sequence": (to_sequence, sequence, 3),
    "image": (to_image, lambda v, s, p: v[0].transpose(1, 2).unflatten(2, (s["height"], -1)), 3),
    "linear": (linear, lambda v, s, p: F.linear(v[0], *p), 5),
    "attention": (attention, attend, 6),
    "along": (over_dimension, along, 3),
    "dtype": (through_dtype, widened, 2),
    "flatten": (dims_at_least(3), lambda v, s, p: v[0].flatten(1), 1),
    "clone": (dims_at_least(1), lambda v, s, p: v[0].clone(), 1),
}
