"""Finds the operators that die on addresses which are aligned for the dtype only.

    python sweep.py [--programs] [--only WORD] [--cuda]

Each program runs in a process of its own, once for every alignment. A dispatch mode gives each operator that is called
copies of its tensors at such addresses. The operators that a signal ends must be those of `kOperators` in
crates/torch-sys/cpp/alignment.cpp, no more and no less: exits with 1 otherwise. Programs are those below and, where the
packages expecttest and hypothesis are there, the samples of all operators in PyTorch's own tests (with --programs: only
those below). ATEN_CPU_CAPABILITY=default and avx2 choose other kernels. With --cuda the operators run on a CUDA device,
where a kernel that reports a misaligned address counts as dead. Takes 3 minutes with --programs, else 20.
"""
import mmap
import os
import re
import signal
import sys
import warnings

import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten, tree_map

warnings.simplefilter("ignore")
torch.set_num_threads(1)
SHIM = os.path.join(os.path.dirname(__file__), "../../crates/torch-sys/cpp/alignment.cpp")
# What an address is a multiple of, and of twice that it is none; 0 stands for the dtype's own.
ALIGNMENTS = (0, 16, 32)
SECONDS = 60
DEVICE = "cuda" if "--cuda" in sys.argv else "cpu"


def misaligned(tensor, alignment):
    """The same values, sizes and strides at an address of that alignment; the tensor itself where it has none."""
    if type(tensor) is not torch.Tensor or tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type != DEVICE:
        return tensor
    if tensor.is_conj() or tensor.is_neg() or tensor._is_zerotensor() or tensor.numel() == 0:
        return tensor
    step = max(alignment, tensor.dtype.itemsize)
    length = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.stride())) + 1
    memory = torch.empty(length * tensor.dtype.itemsize + 256, dtype=torch.uint8, device=DEVICE)
    offset = -memory.data_ptr() % 64 + step
    flat = memory[offset : offset + length * tensor.dtype.itemsize].view(tensor.dtype)
    assert flat.data_ptr() % step == 0 and flat.data_ptr() % (2 * step) == step
    made = flat.as_strided(tensor.shape, tensor.stride())
    if len(set(tensor.stride()) & {0}) == 0:
        made.copy_(tensor)
    else:
        flat.copy_(tensor.as_strided((length,), (1,)))
    return made


class Misaligned(TorchDispatchMode):
    """Gives every operator tensors at such addresses, and notes which one is called."""

    def __init__(self, alignment, note):
        super().__init__()
        self.alignment, self.note = alignment, note

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        places = {}

        def other(value):
            if isinstance(value, torch.Tensor) and id(value) not in places:
                places[id(value)] = (value, misaligned(value, self.alignment))
            return places[id(value)][1] if isinstance(value, torch.Tensor) else value

        # Views and writes go to the tensors themselves.
        shares = any(argument.alias_info for argument in function._schema.arguments)
        if not shares:
            args, kwargs = tree_map(other, args), tree_map(other, kwargs or {})
        self.note(str(function.name()))
        result = function(*args, **(kwargs or {}))
        torch.cuda.synchronize() if DEVICE == "cuda" else None
        self.note("")
        return result


def programs():
    """Functions without arguments by name: kernels of libraries and of quantisation, at sizes that fill vectors."""
    yield from products()
    yield from layers()
    yield from quantised()


def products():
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.complex64):
        def random(*sizes, dtype=dtype): return torch.randn(*sizes).to(dtype)
        yield f"mm {dtype}", lambda random=random: torch.mm(random(33, 70), random(70, 65))
        yield f"mv {dtype}", lambda random=random: torch.mv(random(33, 70), random(70))
        yield f"addmm {dtype}", lambda random=random: torch.addmm(random(65), random(33, 70), random(70, 65))
        yield f"bmm {dtype}", lambda random=random: torch.bmm(random(3, 33, 70), random(3, 70, 65))
        yield f"dot {dtype}", lambda random=random: torch.dot(random(133), random(133))
        if dtype.is_complex: continue
        yield f"linear {dtype}", lambda random=random: F.linear(random(5, 64), random(96, 64), random(96))
        for dims in (1, 2, 3):
            conv = (F.conv1d, F.conv2d, F.conv3d)[dims - 1]
            back = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[dims - 1]
            size = (9,) * dims
            for groups, channels in ((1, 16), (16, 16), (1, 3)):
                weight = (16, channels // groups) + (3,) * dims
                yield f"conv{dims} {dtype} {groups} {channels}", lambda c=conv, r=random, w=weight, g=groups, n=channels, s=size: c(r(2, n, *s), r(*w), r(16), padding=1, groups=g)
            yield f"deconv{dims} {dtype}", lambda c=back, r=random, s=size, d=dims: c(r(2, 16, *s), r(16, 8, *(3,) * d), r(8))
            yield f"conv{dims} last {dtype}", lambda c=conv, r=random, s=size, d=dims: c(r(2, *s, 16).movedim(-1, 1), r(16, *(3,) * d, 16).movedim(-1, 1))


def layers():
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        def random(*sizes, dtype=dtype): return torch.randn(*sizes).to(dtype)
        for causal in (False, True):
            yield f"attention {dtype} {causal}", lambda r=random, c=causal: F.scaled_dot_product_attention(r(2, 4, 65, 64), r(2, 4, 65, 64), r(2, 4, 65, 64), is_causal=c)
        yield f"attention mask {dtype}", lambda r=random: F.scaled_dot_product_attention(r(2, 4, 65, 64), r(2, 4, 65, 64), r(2, 4, 65, 64), r(65, 65))
        for name in ("softmax", "log_softmax", "gelu", "silu", "sigmoid", "tanh", "exp", "log1p", "erf", "relu", "hardswish", "mish", "sin", "sqrt", "sum", "cumsum", "sort", "argsort", "unique"):
            call = getattr(F, name, None) or getattr(torch, name)
            extra = {"dim": -1} if name in ("softmax", "log_softmax", "cumsum", "sort", "argsort") else {}
            yield f"{name} {dtype}", lambda c=call, r=random, e=extra: c(r(33, 257), **e)
        yield f"layer_norm {dtype}", lambda r=random: F.layer_norm(r(33, 257), (257,), r(257), r(257))
        yield f"rms_norm {dtype}", lambda r=random: F.rms_norm(r(33, 257), (257,), r(257))
        yield f"group_norm {dtype}", lambda r=random: F.group_norm(r(2, 32, 9, 9), 4, r(32), r(32))
        yield f"group_norm last {dtype}", lambda r=random: F.group_norm(r(2, 9, 9, 32).movedim(-1, 1), 4, r(32), r(32))
        yield f"batch_norm {dtype}", lambda r=random: F.batch_norm(r(2, 32, 9, 9), r(32), r(32).abs(), r(32), r(32))
        yield f"pools {dtype}", lambda r=random: (F.max_pool2d(r(2, 32, 17, 17), 3), F.avg_pool2d(r(2, 32, 17, 17), 3), F.adaptive_avg_pool2d(r(2, 32, 17, 17), 5), F.max_pool2d(r(2, 17, 17, 32).movedim(-1, 1), 3))
        yield f"resize {dtype}", lambda r=random: [F.interpolate(r(2, 32, 17, 17), scale_factor=2, mode=m) for m in ("nearest", "bilinear", "bicubic")]
        yield f"grid {dtype}", lambda r=random: F.grid_sample(r(2, 3, 17, 17), r(2, 9, 9, 2), align_corners=False)
        yield f"embedding {dtype}", lambda r=random: (F.embedding(torch.arange(9), r(20, 64)), F.embedding_bag(torch.arange(9), r(20, 64), torch.tensor([0, 4]), mode="sum"), F.embedding_bag(torch.arange(9), r(20, 64), torch.tensor([0, 4]), mode="mean"))
        yield f"index {dtype}", lambda r=random: (r(33, 257).index_select(0, torch.arange(9)), r(33, 257).gather(1, torch.zeros(33, 9, dtype=torch.int64)), r(33, 257).index_add(0, torch.arange(9), r(9, 257)), torch.cat([r(33, 257), r(5, 257)]), r(33, 257).scatter_add(0, torch.zeros(9, 257, dtype=torch.int64), r(9, 257)))
        yield f"cdist {dtype}", lambda r=random: torch.cdist(r(33, 70), r(17, 70))
    for kind in (torch.nn.LSTM, torch.nn.GRU, torch.nn.RNN):
        yield kind.__name__, lambda k=kind: k(24, 40, 2, bidirectional=True).eval()(torch.randn(9, 3, 24))
        yield f"{kind.__name__} without gradients", lambda k=kind: frozen(k(24, 40).eval())(torch.randn(9, 3, 24))
    for dtype in (torch.float32, torch.float64, torch.complex64, torch.complex128):
        for name in ("fft", "ifft", "fft2", "rfft", "irfft"):
            if name == "rfft" and dtype.is_complex: continue
            yield f"{name} {dtype}", lambda n=name, d=dtype: [getattr(torch.fft, n)(torch.randn(4, s).to(d)) for s in (64, 63, 128)]
        yield f"linalg {dtype}", lambda d=dtype: [getattr(torch.linalg, n)(torch.randn(33, 33).to(d) + 9 * torch.eye(33).to(d)) for n in ("inv", "det", "qr", "svd", "eig", "lu_factor")]
    yield "stft", lambda: torch.stft(torch.randn(2, 800), 128, window=torch.hann_window(128), return_complex=True)
    yield "adam", lambda: torch.ops.aten._fused_adam([torch.randn(257)], [torch.randn(257)], [torch.randn(257)], [torch.randn(257)], [], [torch.tensor(1.0)], lr=0.1, beta1=0.9, beta2=0.99, weight_decay=0.0, eps=1e-8, amsgrad=False, maximize=False)


def frozen(module):
    return module.requires_grad_(False)


def quantised():
    aten, q, d = torch.ops.aten, torch.ops.quantized, torch.ops.onednn
    int8 = lambda *sizes: torch.randint(-9, 9, sizes, dtype=torch.int8)
    for dtype in (torch.float32, torch.bfloat16, torch.float16):
        def random(*sizes, dtype=dtype): return torch.randn(*sizes).to(dtype)
        for m in (1, 4, 33):
            yield f"int8pack {dtype} {m}", lambda r=random, m=m: aten._weight_int8pack_mm(r(m, 128), int8(64, 128), r(64))
            for group in (32, 64, 128):
                yield f"int4pack {dtype} {m} {group}", lambda r=random, m=m, g=group: aten._weight_int4pack_mm_for_cpu(r(m, 128), aten._convert_weight_to_int4pack_for_cpu(torch.randint(0, 15, (64, 128), dtype=torch.int32), 1), g, r(128 // g, 64, 2))
                yield f"dyn4bit {dtype} {m} {group}", lambda r=random, m=m, g=group: aten._dyn_quant_matmul_4bit(r(m, 128), aten._dyn_quant_pack_4bit_weight(torch.randint(0, 255, (64, 64), dtype=torch.uint8), torch.randn(64, 128 // g), None, g, 128, 64), g, 128, 64)
            yield f"dynamic linear {dtype} {m}", lambda r=random, m=m: q.linear_dynamic_fp16(torch.randn(m, 128), q.linear_prepack_fp16(torch.randn(64, 128)))
            yield f"mixed {dtype} {m}", lambda r=random, m=m: aten._mixed_dtypes_linear(r(m, 128), int8(64, 128), r(64))
    for m in (1, 17, 33):
        yield f"int mm {m}", lambda m=m: torch._int_mm(int8(m, 64), int8(64, 128))
        yield f"onednn qlinear {m}", lambda m=m: d.qlinear_pointwise(torch.randint(0, 9, (m, 64), dtype=torch.uint8), 0.1, 0, d.qlinear_prepack(int8(64, 96), [m, 64]), torch.rand(96), torch.zeros(96, dtype=torch.int64), torch.randn(96), 1.0, 0, torch.float32, "none", [], "")
        yield f"scaled mm {m}", lambda m=m: torch._scaled_mm(torch.randn(m, 64).to(torch.float8_e4m3fn), torch.randn(96, 64).to(torch.float8_e4m3fn).t(), torch.tensor(1.0), torch.tensor(1.0), out_dtype=torch.bfloat16)
    yield "onednn qconv", lambda: d.qconv2d_pointwise(torch.randint(0, 9, (2, 16, 9, 9), dtype=torch.uint8), 0.1, 0, d.qconv_prepack(int8(16, 16, 3, 3), torch.rand(16), 0.1, 0, [1, 1], [1, 1], [1, 1], 1, None), torch.rand(16), torch.zeros(16, dtype=torch.int64), torch.randn(16), [1, 1], [1, 1], [1, 1], 1, 1.0, 0, torch.float32, "none", [], "")
    for dtype in (torch.qint8, torch.quint8):
        quantise = lambda *sizes, d=dtype: torch.quantize_per_tensor(torch.randn(*sizes), 0.1, 0, d)
        yield f"quantize {dtype}", lambda f=quantise: f(33, 257).dequantize()
        yield f"per channel {dtype}", lambda d=dtype: torch.quantize_per_channel(torch.randn(33, 257), torch.rand(33) + 0.1, torch.zeros(33, dtype=torch.int64), 0, d).dequantize()
    yield "fake quantize", lambda: (torch.fake_quantize_per_tensor_affine(torch.randn(33, 257), 0.1, 0, -128, 127), torch.fake_quantize_per_channel_affine(torch.randn(33, 257), torch.rand(33) + 0.1, torch.zeros(33, dtype=torch.int32), 0, -128, 127))
    yield "fbgemm", lambda: q.linear_dynamic(torch.randn(33, 64), q.linear_prepack(torch.quantize_per_tensor(torch.randn(96, 64), 0.1, 0, torch.qint8), torch.randn(96)))
    yield "fused linear", lambda: torch.ops.mkldnn._linear_pointwise(torch.randn(33, 64), torch.randn(96, 64), torch.randn(96), "relu", [], "")
    yield "fused conv", lambda: torch.ops.mkldnn._convolution_pointwise(torch.randn(2, 16, 9, 9), torch.randn(16, 16, 3, 3), torch.randn(16), [1, 1], [1, 1], [1, 1], 1, "relu", [], "")
    yield "embedding 8 bit", lambda: q.embedding_bag_byte(q.embedding_bag_byte_prepack(torch.randn(20, 64)), torch.arange(9), torch.tensor([0, 4]))


def samples():
    """The samples of PyTorch's own tests, eight of each operator and dtype."""
    from torch.testing._internal.common_methods_invocations import op_db
    wanted = (torch.float32, torch.float64, torch.bfloat16, torch.float16, torch.int64, torch.uint8, torch.bool, torch.complex64)
    for info in op_db:
        for dtype in (d for d in wanted if d in info.supported_dtypes(DEVICE)):
            def run(info=info, dtype=dtype):
                for sample, _ in zip(info.sample_inputs(DEVICE, dtype), range(8)):
                    try:
                        info.op(sample.input, *sample.args, **sample.kwargs)
                    except Exception as error:
                        if "misaligned address" in str(error):
                            raise
            yield f"{info.name} {dtype}", run


class Board:
    """What a child is at, which the parent reads when the child is gone: the number of the run, and the operator."""

    def __init__(self):
        self.memory = mmap.mmap(-1, 512)

    def write(self, number, name=""):
        self.memory[:] = f"{number} {name}".encode()[:511].ljust(512, b"\0")

    def read(self):
        number, name = self.memory[:].rstrip(b"\0").decode().split(" ", 1)
        return int(number), name


def run_from(first, runs, board):
    """Runs these in a child, from the first on. Returns the number of the one that ended it, the signal and the operator
    that it was in; the signal is 0 if all of them are done."""
    board.write(first)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        for number in range(first, len(runs)):
            name, program, alignment = runs[number]
            signal.alarm(SECONDS)
            board.write(number)
            try:
                torch.set_default_device(DEVICE)
                with torch.no_grad(), Misaligned(alignment, lambda name: board.write(number, name)):
                    program()
                    torch.cuda.synchronize() if DEVICE == "cuda" else None
            except BaseException as error:
                if "misaligned address" in str(error):
                    os.kill(os.getpid(), signal.SIGBUS)
                print(f"{name}, alignment {alignment}: {str(error)[:90]}", flush=True)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return (*board.read(), os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0)


def listed():
    text = open(SHIM).read().split("kOperators[] = {")[1].split("}")[0]
    return set(re.findall(r'"([^"]+)"', text))


def plain(name):
    return name.split(".")[0]


def main(arguments):
    board, found, at = Board(), {}, 0
    only = arguments[arguments.index("--only") + 1] if "--only" in arguments else ""
    everything = list(programs())
    if "--programs" not in arguments:
        everything += list(samples())
    runs = [(*program, alignment) for program in everything if only in program[0] for alignment in ALIGNMENTS]
    while at < len(runs):
        number, operator, died = run_from(at, runs, board)
        if not died:
            break
        name, _, alignment = runs[number]
        at = number + 1
        print(f"{name}, alignment {alignment}: {signal.Signals(died).name} in {operator}", flush=True)
        if died != signal.SIGALRM:
            found.setdefault(plain(operator), set()).add((alignment, signal.Signals(died).name))
    print(f"{len(runs)} runs")
    for operator in sorted(found):
        print(f"dies: {operator} {sorted(found[operator])}")
    # Kernels for less of a processor, and those of CUDA, may need less.
    whole = not only and DEVICE == "cpu" and "ATEN_CPU_CAPABILITY" not in os.environ
    missing, spare = set(found) - listed(), (listed() - set(found)) if whole else set()
    if missing or spare:
        print(f"not listed: {sorted(missing)}; listed, but lives: {sorted(spare)}")
    return 1 if missing or spare else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
