"""The programs of devices.py, by name: modules with attention, norms, recurrence, convolutions, automatic casts and
whatever else devices do in ways of their own. Inputs are random; weights come from a fixed seed.
"""

import dataclasses
import math
import re
from typing import Any, Callable

import torch
import torch.nn.functional as F
from torch import nn

CASES = {}


@dataclasses.dataclass
class Case:
    make: Callable[[], tuple[Any, tuple, dict]]  # module in eval mode, args, kwargs
    dynamic: Any = None
    decompose: bool = True
    tolerance: float | None = None
    as_exported: bool = False  # PyTorch on the exporting device is the reference
    only_on: str | None = None  # where it is exported
    refused: str | None = None  # what the other device says of it
    compared: Callable[[int], bool] | None = None
    no_grad: bool = True
    cost: int = 1
    fixed: bool = False  # the inputs are those of the export
    exporter: Callable | None = None
    reference: Callable | None = None  # what the module means, where PyTorch's own run of it fails
    attends: bool = False  # it has attention, which is also exported as the operator of its device
    runs: Callable[[str, str], bool] = lambda source, target: True

    def export(self, module, args, kwargs, device):
        if self.exporter:
            return self.exporter(module, args, kwargs, device)
        return torch.export.export(module, args, kwargs, dynamic_shapes=self.dynamic, strict=False)

    def inputs(self, call, args, kwargs):
        if self.fixed:
            return args, kwargs
        torch.manual_seed(call + 1)
        fresh = lambda leaf: self.like(leaf, call)
        return torch.utils._pytree.tree_map(fresh, (args, kwargs))

    def like(self, leaf, call):
        if not isinstance(leaf, torch.Tensor):
            return leaf
        sizes = list(leaf.shape)
        if self.dynamic and call and sizes:
            sizes[0] += call
        if leaf.is_floating_point():
            return torch.randn(sizes).to(leaf.dtype).to(leaf.device)
        if leaf.dtype == torch.bool:
            mask = torch.rand(sizes) > 0.3
            mask[..., 0] = leaf.flatten()[0].item()  # no row of a mask is empty
            return mask.to(leaf.device)
        return torch.randint(0, max(2, int(leaf.max()) + 1), sizes, dtype=leaf.dtype).to(leaf.device)

    def run(self, module, args, kwargs):
        return (self.reference or module)(*args, **kwargs)


def case(name, module, *args, kwargs=None, **options):
    """`module` makes one, or is a function of tensors."""

    def make():
        built = module() if isinstance(module, type) or getattr(module, "makes", False) else Plain(module)
        return built.eval(), tuple(argument() if callable(argument) else argument for argument in args), dict(kwargs or {})

    assert name not in CASES, name
    options.setdefault("attends", bool(re.match("sdpa|multi-head|encoder|decoder|transformer|gpt", name)))
    CASES[name] = Case(make, **options)


def making(function):
    function.makes = True
    return function


class Plain(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args):
        return self.function(*args)


def randn(*sizes, dtype=torch.float32):
    return lambda: torch.randn(*sizes).to(dtype)


def mask(*sizes):
    return lambda: torch.rand(*sizes).gt(0.3).index_fill(-1, torch.tensor([0]), True)


# Attention alone, followed by the view that modules have: recorded for the strides that the exporter's kernel chose.
def joined(output):
    batch, heads, length, size = output.shape
    return output.transpose(1, 2).contiguous().view(batch, length, heads * size)


def attention(**options):
    return lambda query, key, value, *rest: joined(
        F.scaled_dot_product_attention(query, key, value, *rest, **options))


def lower_triangle():
    return torch.full((7, 7), -math.inf).triu(1)


for dtype in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
    short = str(dtype).removeprefix("torch.")
    for size in (8, 6, 64):
        if size != 8 and dtype in (torch.float64, torch.bfloat16):
            continue
        query = [randn(2, 4, 7, size, dtype=dtype)] * 3
        case(f"sdpa {short} {size}", attention(), *query)
        case(f"sdpa {short} {size} causal", attention(is_causal=True), *query)
        case(f"sdpa {short} {size} bool mask", attention(), *query, mask(2, 1, 7, 7))
        case(f"sdpa {short} {size} float mask", attention(), *query, lambda dtype=dtype: lower_triangle().to(dtype), fixed=True)
case("sdpa dropout 0", attention(dropout_p=0.0, scale=0.3), *[randn(2, 4, 7, 8)] * 3)
case("sdpa cross", attention(), randn(2, 4, 5, 8), randn(2, 4, 9, 8), randn(2, 4, 9, 16))
case("sdpa cross causal", attention(is_causal=True), randn(2, 4, 5, 8), randn(2, 4, 9, 8), randn(2, 4, 9, 8))
case("sdpa grouped", attention(enable_gqa=True), randn(2, 8, 7, 8), randn(2, 2, 7, 8), randn(2, 2, 7, 8))
case("sdpa grouped half", attention(enable_gqa=True), randn(2, 8, 7, 64, dtype=torch.float16), *[randn(2, 2, 7, 64, dtype=torch.float16)] * 2)
case("sdpa transposed", lambda q, k, v: joined(F.scaled_dot_product_attention(*(x.transpose(1, 2) for x in (q, k, v)))), *[randn(2, 7, 4, 8)] * 3)
case("sdpa dynamic", attention(), *[randn(2, 4, 7, 8)] * 3, dynamic=((({0: torch.export.Dim.DYNAMIC},) * 3),))
case("sdpa three dimensions", lambda q, k, v: F.scaled_dot_product_attention(q, k, v).transpose(0, 1).contiguous().view(7, -1), *[randn(4, 7, 8)] * 3)
case("sdpa viewed", lambda q, k, v: F.scaled_dot_product_attention(q, k, v).reshape(2, 28, 8), *[randn(2, 4, 7, 8)] * 3)



def attention_with_sums(query, key, value):
    output, sums = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu(query, key, value)
    return joined(output), sums


case("sdpa of the CPU with sums", attention_with_sums, *[randn(2, 4, 7, 8)] * 3, only_on="cpu", as_exported=True, decompose=False)


def attention_of_cuda(operator, *rest):
    def call(query, key, value):
        found = getattr(torch.ops.aten, operator)(query, key, value, *rest)
        return joined(found[0]), found[1][..., : query.shape[2]].reshape(query.shape[:3])

    return call


half = [randn(2, 4, 7, 64, dtype=torch.float16)] * 3
case("sdpa of CUDA flash", attention_of_cuda("_scaled_dot_product_flash_attention"), *half, only_on="cuda", as_exported=True)
case("sdpa of CUDA flash causal", attention_of_cuda("_scaled_dot_product_flash_attention", 0.0, True), *half, only_on="cuda", as_exported=True)
case("sdpa of CUDA efficient", attention_of_cuda("_scaled_dot_product_efficient_attention", None, True), *half, only_on="cuda", as_exported=True)
case("sdpa of CUDA cuDNN", attention_of_cuda("_scaled_dot_product_cudnn_attention", None, True), *half, only_on="cuda", as_exported=True)


def written_view(query, key, value):
    return write_rows(F.scaled_dot_product_attention(query, key, value))


def written_rows(query, key, value):
    output = F.scaled_dot_product_attention(query, key, value).contiguous()
    return write_rows(output)


def write_rows(output):
    rows = output.view(2, 28, 8)
    rows[:, 0].add_(1)
    return output * 2, rows


def joined_as_strided(output):
    return output.contiguous().transpose(1, 2).as_strided((2, 7, 16), (224, 32, 1))


def strided(query, key, value):
    output = F.scaled_dot_product_attention(query, key, value)
    return output.transpose(1, 2).as_strided((2, 7, 16), (224, 32, 1))


# The exporter records rows, whatever the kernel of the device returns, so that PyTorch may fail where it exported.
case("sdpa written through a view", written_view, *[randn(2, 4, 7, 8)] * 3, reference=written_rows)
case("sdpa viewed at once", lambda q, k, v: F.scaled_dot_product_attention(q, k, v).view(2, 28, 8), *[randn(2, 4, 7, 8)] * 3,
     reference=lambda q, k, v: F.scaled_dot_product_attention(q, k, v).reshape(2, 28, 8))
case("sdpa as_strided", strided, *[randn(2, 4, 7, 8)] * 3, only_on="cpu", decompose=False,
     reference=lambda q, k, v: joined_as_strided(F.scaled_dot_product_attention(q, k, v)))
case("sdpa view of a sum", lambda q, k, v: (F.scaled_dot_product_attention(q, k, v) + 1).view(2, 28, 8), *[randn(2, 4, 7, 8)] * 3,
     reference=lambda q, k, v: (F.scaled_dot_product_attention(q, k, v) + 1).reshape(2, 28, 8))
case("sdpa viewed as complex", lambda q, k, v: torch.view_as_real(torch.view_as_complex(F.scaled_dot_product_attention(q, k, v).unflatten(-1, (4, 2))) * 2), *[randn(2, 4, 7, 8)] * 3)


class Backward(nn.Module):
    """A training step: attention forward and backward in one program."""

    def __init__(self, causal=False):
        super().__init__()
        self.project, self.causal = nn.Linear(16, 48), causal

    def forward(self, x):
        query, key, value = (part.unflatten(-1, (2, 8)).transpose(1, 2) for part in self.project(x).chunk(3, -1))
        output = F.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return output.square().mean()


def joint(module, args, kwargs, device):
    from torch.export.experimental import _export_forward_backward

    return _export_forward_backward(torch.export.export(module, args, kwargs, strict=False))


class BackwardCase(Case):
    def run(self, module, args, kwargs):
        with torch.enable_grad():
            loss = module(*args, **kwargs)
            return loss.detach(), *torch.autograd.grad(loss, list(module.parameters()))


for causal in (False, True):
    CASES[f"attention backward{' causal' if causal else ''}"] = BackwardCase(
        lambda causal=causal: (Backward(causal).train(), (torch.randn(2, 5, 16),), {}), no_grad=False, decompose=False, exporter=joint,
        # PyTorch 2.11 takes the forward apart and gives its backward, which it leaves whole, the weights for their sums.
        runs=lambda source, target: (source, target) != ("cpu", "cpu"))


# Modules with attention.
class Attention(nn.Module):
    def __init__(self, weights, **options):
        super().__init__()
        self.attention, self.weights = nn.MultiheadAttention(16, 2, batch_first=True, **options), weights

    def forward(self, x, memory, mask=None):
        output, weights = self.attention(x, memory, memory, attn_mask=mask, need_weights=self.weights)
        return output if weights is None else (output, weights)


case("multi-head attention", making(lambda: Attention(False)), randn(2, 5, 16), randn(2, 7, 16))
case("multi-head attention weights", making(lambda: Attention(True)), randn(2, 5, 16), randn(2, 7, 16))
case("multi-head attention mask", making(lambda: Attention(False)), randn(2, 5, 16), randn(2, 5, 16), lambda: torch.ones(5, 5).triu(1).bool(), fixed=True)
case("multi-head attention bias_kv", making(lambda: Attention(False, add_bias_kv=True, add_zero_attn=True)), randn(2, 5, 16), randn(2, 7, 16))
batch = torch.export.Dim("batch", min=1, max=64)
for norm_first in (False, True):
    for grad in (False, True):
        case(f"encoder layer{' norm first' if norm_first else ''}{' slow' if grad else ''}",
             making(lambda norm_first=norm_first: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, norm_first=norm_first)),
             randn(2, 5, 16), no_grad=not grad)
case("encoder layer dynamic", making(lambda: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)), randn(2, 5, 16), no_grad=False, dynamic=({0: batch},))
case("encoder layer length first", making(lambda: nn.TransformerEncoderLayer(16, 2, 32)), randn(5, 2, 16), no_grad=False)
case("encoder layer float64", making(lambda: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).double()), randn(2, 5, 16, dtype=torch.float64), no_grad=False)
case("encoder layer bfloat16", making(lambda: nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).bfloat16()), randn(2, 5, 16, dtype=torch.bfloat16), no_grad=False)
case("encoder", making(lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(16, 2, 32, batch_first=True), 2, enable_nested_tensor=False)), randn(2, 5, 16), no_grad=False)
case("decoder layer", making(lambda: nn.TransformerDecoderLayer(16, 2, 32, batch_first=True)), randn(2, 5, 16), randn(2, 7, 16))
case("transformer", making(lambda: nn.Transformer(16, 2, 1, 1, 32, batch_first=True)), randn(2, 5, 16), randn(2, 7, 16), cost=3)


class Block(nn.Module):
    """A layer of a small GPT with a cache of keys and values, which it writes to."""

    def __init__(self, size=32, heads=4, length=8):
        super().__init__()
        self.heads, self.length = heads, length
        self.norm, self.attend, self.project = nn.LayerNorm(size), nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.feed = nn.Sequential(nn.LayerNorm(size), nn.Linear(size, 4 * size), nn.GELU(), nn.Linear(4 * size, size))
        self.register_buffer("keys", torch.zeros(2, heads, length, size // heads))
        self.register_buffer("values", torch.zeros(2, heads, length, size // heads))

    def forward(self, x, position):
        batch, length, size = x.shape
        query, key, value = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.attend(self.norm(x)).split(size, -1))
        self.keys.index_copy_(2, position, key)
        self.values.index_copy_(2, position, value)
        allowed = torch.arange(self.length, device=x.device)[None] <= position[:, None]
        output = F.scaled_dot_product_attention(query, self.keys, self.values, attn_mask=allowed)
        x = x + self.project(output.transpose(1, 2).contiguous().view(batch, length, size))
        return x + self.feed(x)


class Gpt(nn.Module):
    def __init__(self):
        super().__init__()
        self.tokens, self.places, self.blocks, self.head = nn.Embedding(50, 32), nn.Embedding(8, 32), nn.ModuleList([Block(), Block()]), nn.Linear(32, 50)

    def forward(self, tokens, position):
        x = self.tokens(tokens) + self.places(position)
        for block in self.blocks:
            x = block(x, position)
        return self.head(x)


class CausalGpt(Gpt):
    def forward(self, tokens):
        x = self.tokens(tokens) + self.places(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            batch, length, size = x.shape
            query, key, value = (part.view(batch, length, 4, -1).transpose(1, 2) for part in block.attend(block.norm(x)).split(size, -1))
            output = F.scaled_dot_product_attention(query, key, value, is_causal=True)
            x = x + block.project(output.transpose(1, 2).contiguous().view(batch, length, size))
            x = x + block.feed(x)
        return self.head(x)


case("gpt", CausalGpt, lambda: torch.randint(0, 50, (2, 7)))
case("gpt dynamic", CausalGpt, lambda: torch.randint(0, 50, (2, 7)), dynamic=({0: batch},))
case("gpt with cache", Gpt, lambda: torch.randint(0, 50, (2, 3)), lambda: torch.tensor([0, 1, 2]), fixed=True, compared=lambda index: True)


# Norms, in both memory formats, with what may follow.
def channels_last(module, format=torch.channels_last):
    return lambda: Chain(module().to(memory_format=format), format)


class Chain(nn.Module):
    """Channels innermost, then rows of channels, which some kernels return ready and others do not."""

    def __init__(self, inner, format):
        super().__init__()
        self.inner, self.format = inner, format

    def forward(self, x):
        y = self.inner(x.contiguous(memory_format=self.format))
        rows = y.movedim(1, -1).contiguous()
        return rows.view(rows.shape[0], -1), y.mean()


IMAGE, VOLUME = randn(2, 8, 6, 6), randn(2, 8, 4, 4, 4)
NORMS = {
    "batch norm": lambda: nn.BatchNorm2d(8), "group norm": lambda: nn.GroupNorm(2, 8), "instance norm": lambda: nn.InstanceNorm2d(8, affine=True),
    "local response norm": lambda: nn.LocalResponseNorm(3), "layer norm": lambda: nn.LayerNorm([6, 6]), "rms norm": lambda: nn.RMSNorm(6),
    "convolution": lambda: nn.Conv2d(8, 4, 3, padding=1), "depthwise convolution": lambda: nn.Conv2d(8, 8, 3, groups=8), "grouped convolution": lambda: nn.Conv2d(8, 8, 3, groups=2),
    "dilated convolution": lambda: nn.Conv2d(8, 4, 3, dilation=2), "strided convolution": lambda: nn.Conv2d(8, 4, 3, stride=2), "transposed convolution": lambda: nn.ConvTranspose2d(8, 4, 3, stride=2),
    "pointwise convolution": lambda: nn.Conv2d(8, 4, 1), "max pool": lambda: nn.MaxPool2d(2), "average pool": lambda: nn.AvgPool2d(3, 2, 1), "adaptive pool": lambda: nn.AdaptiveAvgPool2d(3),
    "adaptive max pool": lambda: nn.AdaptiveMaxPool2d(3), "bilinear": lambda: nn.Upsample(scale_factor=2, mode="bilinear"), "bicubic": lambda: nn.Upsample(scale_factor=2, mode="bicubic"),
    "nearest": lambda: nn.Upsample(scale_factor=2), "pixel shuffle": lambda: nn.PixelShuffle(2), "pixel unshuffle": lambda: nn.PixelUnshuffle(2), "reflection pad": lambda: nn.ReflectionPad2d(1),
    "replication pad": lambda: nn.ReplicationPad2d(1), "zero pad": lambda: nn.ZeroPad2d(1), "channel shuffle": lambda: nn.ChannelShuffle(2), "softmax": lambda: nn.Softmax(1), "glu": lambda: nn.GLU(1),
    "prelu": lambda: nn.PReLU(8), "unfold": lambda: nn.Unfold(2),
}  # fmt: skip
for name, norm in NORMS.items():
    case(name, making(norm), IMAGE)
    if name != "unfold":
        case(f"{name} channels last", making(channels_last(norm)), IMAGE)
for name, module in {"convolution": lambda: nn.Conv3d(8, 4, 3), "depthwise convolution": lambda: nn.Conv3d(8, 8, 3, groups=8), "group norm": lambda: nn.GroupNorm(2, 8), "batch norm": lambda: nn.BatchNorm3d(8), "max pool": lambda: nn.MaxPool3d(2)}.items():
    case(f"{name} 3-d", making(module), VOLUME)
    case(f"{name} 3-d channels last", making(channels_last(module, torch.channels_last_3d)), VOLUME)
case("convolution 1-d", making(lambda: nn.Conv1d(8, 4, 3, padding="same")), randn(2, 8, 9))
case("transposed convolution 1-d", making(lambda: nn.ConvTranspose1d(8, 4, 3)), randn(2, 8, 9))
case("convolution half", making(lambda: nn.Conv2d(8, 4, 3).half()), randn(2, 8, 6, 6, dtype=torch.float16))


class Training(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(8).train()

    def eval(self):
        return self

    def forward(self, x):
        return self.norm(x), self.norm.running_mean * 1


case("batch norm in training", Training, IMAGE, fixed=True)
case("convolution then rows", making(lambda: nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.Flatten(2))), randn(2, 3, 16, 16))
case("patches", making(lambda: Patches()), randn(2, 3, 16, 16))


class Patches(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 4, 4), nn.LayerNorm(8)

    def forward(self, x):
        y = self.conv(x.contiguous(memory_format=torch.channels_last))
        rows = y.permute(0, 2, 3, 1).contiguous().view(x.shape[0], -1, 8)
        return self.norm(rows)


# Recurrent nets.
class Recurrent(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.net = kind(8, 6, **options)

    def forward(self, x):
        output, state = self.net(x)
        state = state[0] if isinstance(state, tuple) else state
        return output.transpose(0, 1).reshape(output.shape[1], -1), state


for kind in (nn.RNN, nn.LSTM, nn.GRU):
    for label, options in {"": {}, " batch first": {"batch_first": True}, " both ways": {"bidirectional": True, "num_layers": 2}, " without biases": {"bias": False}}.items():
        case(f"{kind.__name__}{label}", making(lambda kind=kind, options=options: Recurrent(kind, **options)), randn(5, 2, 8), cost=2)
case("LSTM projected", making(lambda: Recurrent(nn.LSTM, proj_size=4)), randn(5, 2, 8))
case("RNN relu", making(lambda: Recurrent(nn.RNN, nonlinearity="relu")), randn(5, 2, 8))
case("LSTM half", making(lambda: Recurrent(nn.LSTM).bfloat16()), randn(5, 2, 8, dtype=torch.bfloat16))
case("LSTM cell", making(lambda: nn.LSTMCell(8, 6)), randn(2, 8))
case("GRU cell", making(lambda: nn.GRUCell(8, 6)), randn(2, 8))
case("RNN cell", making(lambda: nn.RNNCell(8, 6)), randn(2, 8))


# Embeddings, losses, sampling, linear algebra, transforms, sorting.
class Bag(nn.Module):
    def __init__(self, mode):
        super().__init__()
        self.bag = nn.EmbeddingBag(20, 6, mode=mode)

    def forward(self, tokens):
        return self.bag(tokens)


for mode in ("sum", "mean", "max"):
    case(f"embedding bag {mode}", making(lambda mode=mode: Bag(mode)), lambda: torch.randint(0, 20, (3, 4)))
case("grid sample", lambda x, grid: F.grid_sample(x, grid.tanh(), align_corners=True), randn(2, 3, 6, 6), randn(2, 5, 5, 2))
case("affine grid", lambda theta: F.affine_grid(theta, [2, 3, 5, 5], align_corners=False), randn(2, 2, 3))
case("cross entropy", lambda x, y: F.cross_entropy(x, y), randn(4, 5), lambda: torch.tensor([0, 1, 4, 2]), fixed=True)
case("cdist", lambda x, y: torch.cdist(x, y), randn(2, 5, 3), randn(2, 4, 3))
case("einsum", lambda x, y: torch.einsum("bij,bkj->bki", x, y).contiguous().view(-1), randn(2, 5, 3), randn(2, 4, 3))
case("singular values", lambda x: torch.linalg.svd(x, full_matrices=False)[1], randn(3, 5, 4))
case("singular vectors", lambda x: (lambda u, s, v: (u * s[..., None, :]) @ v)(*torch.linalg.svd(x, full_matrices=False)), randn(3, 5, 4))
case("svd rows", lambda x: torch.linalg.svd(x, full_matrices=False)[2].abs().mT.contiguous().view(3, -1), randn(3, 5, 4), tolerance=1e-3)
case("qr", lambda x: torch.linalg.qr(x)[0].abs().mT.contiguous().view(3, -1), randn(3, 5, 4))
case("eigh", lambda x: torch.linalg.eigh(x @ x.mT)[1].abs().mT.contiguous().view(3, -1), randn(3, 4, 4), tolerance=1e-2)
case("solve", lambda a, b: torch.linalg.solve(a + 9 * torch.eye(4, device=a.device), b).mT.contiguous().view(3, -1), randn(3, 4, 4), randn(3, 4, 2))
case("inverse", lambda a: torch.linalg.inv(a + 9 * torch.eye(4, device=a.device)).mT.contiguous().view(3, -1), randn(3, 4, 4))
case("cholesky", lambda a: torch.linalg.cholesky(a @ a.mT + torch.eye(4, device=a.device)).mT.contiguous().view(3, -1), randn(3, 4, 4))
case("fft", lambda x: torch.view_as_real(torch.fft.fft2(x)).contiguous().view(3, -1), randn(3, 4, 4))
case("rfft", lambda x: torch.view_as_real(torch.fft.rfft(x, dim=1)).contiguous().view(3, -1), randn(3, 4, 5))
case("irfft", lambda x: torch.fft.irfft2(torch.fft.rfft2(x)).mT.contiguous().view(3, -1), randn(3, 4, 4))
case("stft", lambda x: torch.view_as_real(torch.stft(x, 16, 4, window=torch.hann_window(16, device=x.device), return_complex=True)), randn(2, 64))
case("sort", lambda x: torch.sort(x.transpose(0, 1), 0)[0].t().contiguous().view(-1), randn(5, 4))
case("topk", lambda x: torch.topk(x.transpose(0, 1), 2, 0)[0].t().contiguous().view(-1), randn(5, 4))
case("nonzero", lambda x: torch.nonzero(x > 0), randn(5, 4))
case("nonzero rows", lambda x: x[torch.nonzero(x[:, 0] > -9).squeeze(1)], randn(5, 4))
case("cumsum", lambda x: torch.cumsum(x.t(), 0).t().contiguous().view(-1), randn(5, 4))
case("roll", lambda x: torch.roll(x.contiguous(memory_format=torch.channels_last), 1, 2).permute(0, 2, 3, 1).contiguous().view(-1), IMAGE)
case("index", lambda x, i: x.transpose(0, 1)[:, i].contiguous().view(-1), randn(5, 4), lambda: torch.tensor([0, 3, 2]), fixed=True)
case("bucketize", lambda x: torch.bucketize(x, torch.tensor([-1.0, 0.0, 1.0], device=x.device)), randn(5, 4))
case("dtype view", lambda x: torch.softmax(x, -1).view(torch.int32) >> 20, randn(5, 4), tolerance=1)


# Constants, devices in the graph, copies between devices.
class Constants(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = torch.arange(6.0)
        self.register_buffer("scale", torch.tensor(2.0))

    def forward(self, x):
        table = self.table.to(x.device)
        return x * table + torch.tensor([1.0] * 6, device=x.device) + self.scale + torch.zeros(6, device=x.device) + torch.arange(6, device=x.device) \
            + torch.full((6,), 3, device=x.device) + torch.linspace(0, 1, 6, device=x.device) + torch.eye(6, device=x.device)[0] + x.new_ones(6) + torch.empty(6, device=x.device).fill_(2)


def through_the_host(x):
    host = x.cpu()
    host.add_(1)
    return x * 2, host.to(x.device)


case("constants", Constants, randn(3, 6))
case("through the host", through_the_host, randn(3, 6), as_exported=True)
case("pinned", lambda x: x + torch.zeros(6, pin_memory=True).to(x.device), randn(3, 6), only_on="cuda")
case("upper triangle", lambda x: x.masked_fill(torch.ones(6, 6, device=x.device).triu(1).bool(), -1), randn(6, 6))


# Automatic casts. The dtypes that the exporter recorded are those of its device; so are the numbers.
class Autocast(nn.Module):
    def __init__(self, device, dtype, body):
        super().__init__()
        self.device, self.dtype, self.body = device, dtype, body
        self.linear, self.conv, self.norm = nn.Linear(8, 8), nn.Conv1d(5, 5, 3, padding=1), nn.LayerNorm(8)

    def forward(self, x):
        with torch.autocast(self.device, dtype=self.dtype):
            return self.body(self, x)


BODIES = {
    "linear": lambda self, x: self.linear(x),
    "chain": lambda self, x: self.norm(torch.softmax(self.conv(torch.relu(self.linear(x))), -1)),
    "mixed": lambda self, x: torch.cat([self.linear(x), x], -1),
    "attention": lambda self, x: F.scaled_dot_product_attention(*[self.linear(x).unflatten(-1, (2, 4)).transpose(1, 2)] * 3).transpose(1, 2).reshape(x.shape),
    "einsum": lambda self, x: torch.einsum("bij,bkj->bik", x, x) + torch.ones(5, 5, device=x.device),
    "loss": lambda self, x: F.mse_loss(self.linear(x), x),
    "sums": lambda self, x: (self.linear(x).sum(-1), self.linear(x).exp(), self.linear(x).pow(2), self.linear(x).norm()),
}
for where in ("cpu", "cuda"):
    for dtype in (torch.float16, torch.bfloat16):
        for name, body in BODIES.items():
            case(f"autocast {where} {str(dtype)[6:]} {name}", making(lambda where=where, dtype=dtype, body=body: Autocast(where, dtype, body)), randn(2, 5, 8),
                 as_exported=True, only_on=where, tolerance=6e-2)


class Nested(Autocast):
    def forward(self, x):
        with torch.autocast(self.device, dtype=self.dtype):
            y = self.linear(x)
            with torch.autocast(self.device, enabled=False):
                y = self.linear(y.float())
            return self.linear(y)


class Branch(Autocast):
    def forward(self, x):
        with torch.autocast(self.device, dtype=self.dtype):
            return torch.cond(x.sum() > 0, lambda x: self.linear(x), lambda x: self.linear(x) * 2, (x,))


for where in ("cpu", "cuda"):
    case(f"autocast {where} nested", making(lambda where=where: Nested(where, torch.bfloat16, None)), randn(2, 5, 8), as_exported=True, only_on=where, tolerance=6e-2)
    case(f"autocast {where} branch", making(lambda where=where: Branch(where, torch.bfloat16, None)), randn(2, 5, 8), as_exported=True, only_on=where, tolerance=6e-2)


# What one device cannot run.
case("integer product", lambda x, y: x @ y, lambda: torch.randint(0, 9, (3, 4)), lambda: torch.randint(0, 9, (4, 5)), only_on="cpu", as_exported=True, refused="of integers")
case("int8 product", lambda x, y: torch._int_mm(x, y), lambda: torch.randint(-9, 9, (3, 4), dtype=torch.int8), lambda: torch.randint(-9, 9, (4, 5), dtype=torch.int8), only_on="cpu", as_exported=True, fixed=True)
case("histogram", lambda x: torch.histogram(x, 5)[0], randn(20), only_on="cpu", as_exported=True, refused="aten::histogram")
case("wide product", lambda x, y: torch.mm(x, y, out_dtype=torch.float32), *[randn(16, 16, dtype=torch.float16)] * 2, only_on="cuda", as_exported=True)


# Models of other libraries, as small as they come.
def transformer(name, config, model, inputs, cost=10, **options):
    def make():
        import transformers

        built = getattr(transformers, model)(getattr(transformers, config)(**options)).eval()
        return Logits(built, inputs()), tuple(inputs().values()), {}

    CASES[f"transformers {name}"] = Case(make, cost=cost, tolerance=1e-3, attends=True)


class Logits(nn.Module):
    """Outputs as a tuple, without caches."""

    def __init__(self, model, inputs):
        super().__init__()
        self.model, self.names = model, list(inputs)

    def forward(self, *args):
        return self.model(**dict(zip(self.names, args)), **({"use_cache": False} if hasattr(self.model.config, "use_cache") else {}), return_dict=True)[0]


def tokens(**more):
    return lambda: {"input_ids": torch.randint(3, 50, (2, 7)), **{name: make() for name, make in more.items()}}


def pixels(size=32):
    return lambda: {"pixel_values": torch.randn(2, 3, size, size)}


SMALL = dict(vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
transformer("bert", "BertConfig", "BertModel", tokens(attention_mask=lambda: torch.ones(2, 7, dtype=torch.int64)), **SMALL)
transformer("roberta", "RobertaConfig", "RobertaModel", tokens(), max_position_embeddings=32, **SMALL)
transformer("distilbert", "DistilBertConfig", "DistilBertModel", tokens(), vocab_size=64, dim=32, n_layers=2, n_heads=4, hidden_dim=64)
transformer("gpt2", "GPT2Config", "GPT2LMHeadModel", tokens(), vocab_size=64, n_embd=32, n_layer=2, n_head=4, n_positions=32)
transformer("llama", "LlamaConfig", "LlamaForCausalLM", tokens(), num_key_value_heads=2, max_position_embeddings=32, **SMALL)
transformer("qwen2", "Qwen2Config", "Qwen2ForCausalLM", tokens(), num_key_value_heads=2, max_position_embeddings=32, **SMALL)
transformer("gemma", "GemmaConfig", "GemmaForCausalLM", tokens(), num_key_value_heads=2, head_dim=8, max_position_embeddings=32, **SMALL)
transformer("opt", "OPTConfig", "OPTForCausalLM", tokens(), vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=64, max_position_embeddings=32, word_embed_proj_dim=32)
transformer("t5", "T5Config", "T5ForConditionalGeneration", tokens(decoder_input_ids=lambda: torch.randint(3, 50, (2, 5))), vocab_size=64, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
transformer("whisper", "WhisperConfig", "WhisperForConditionalGeneration",
            lambda: {"input_features": torch.randn(2, 8, 40), "decoder_input_ids": torch.randint(3, 50, (2, 5))},
            vocab_size=64, num_mel_bins=8, encoder_layers=2, encoder_attention_heads=4, decoder_layers=2, decoder_attention_heads=4, decoder_ffn_dim=64, encoder_ffn_dim=64, d_model=32,
            max_source_positions=20, max_target_positions=20, pad_token_id=0, bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, suppress_tokens=None, begin_suppress_tokens=None)
transformer("vit", "ViTConfig", "ViTModel", pixels(), image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
transformer("dinov2", "Dinov2Config", "Dinov2Model", pixels(), image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, mlp_ratio=2)
transformer("clip vision", "CLIPVisionConfig", "CLIPVisionModel", pixels(), image_size=32, patch_size=8, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=64)
transformer("clip text", "CLIPTextConfig", "CLIPTextModel", tokens(), max_position_embeddings=32, **SMALL)
transformer("convnext", "ConvNextConfig", "ConvNextModel", pixels(), hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1])
transformer("segformer", "SegformerConfig", "SegformerModel", pixels(64), hidden_sizes=[8, 16, 24, 32], depths=[1, 1, 1, 1], num_attention_heads=[1, 2, 3, 4], decoder_hidden_size=16)
transformer("wav2vec2", "Wav2Vec2Config", "Wav2Vec2Model", lambda: {"input_values": torch.randn(2, 1600)}, conv_dim=(16, 16), conv_stride=(5, 2), conv_kernel=(10, 3), num_feat_extract_layers=2, num_conv_pos_embeddings=16, num_conv_pos_embedding_groups=2, **SMALL)


def vision(name, size=64, cost=15, **options):
    def make():
        import torchvision

        return torchvision.models.get_model(name, weights=None, **options).eval(), (torch.randn(2, 3, size, size),), {}

    CASES[f"torchvision {name}"] = Case(make, cost=cost, tolerance=2e-3)


for name in ("resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1", "mnasnet0_5", "regnet_x_400mf", "efficientnet_b0"):
    vision(name)
vision("vit_b_16", image_size=64, num_classes=10)
vision("swin_t", cost=20)
vision("swin_v2_t", cost=20)
vision("maxvit_t", 224, cost=30)
vision("convnext_tiny")
