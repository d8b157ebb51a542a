"""PyTorch goes on working in a process that libpt2 runs a model in, with the same libtorch.

    python tests/python/beside_pytorch.py LIBPT2.so
"""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
from libpt2 import FAST, Library  # noqa: E402

ARCHIVE = Path(__file__).parents[1] / "archives/2.11.0/mini_resnet.pt2"


def autograd():
    """A gradient with what Python keeps beside each node: libtorch calls its Python half for it."""
    x = torch.arange(4.0, requires_grad=True)
    with torch.autograd.detect_anomaly(check_nan=True):
        y = (x * x).sum()
        y.grad_fn.metadata["kept"] = 1
        y.backward()
    assert y.grad_fn.metadata["kept"] == 1 and torch.equal(x.grad, 2 * x.detach())


def export():
    module = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    x = torch.randn(2, 3, 8)
    program = torch.export.export(module, (x,)).run_decompositions()
    torch.testing.assert_close(program.module()(x), module(x))


def main(path):
    library = Library(path)
    model = library.load(ARCHIVE, FAST)
    image = torch.randn(2, 3, 32, 32)
    library.free([library.borrow(image.data_ptr(), "float32", list(image.shape))])
    autograd()
    export()
    library.close(model)
    print("PyTorch works beside libpt2")


if __name__ == "__main__":
    main(sys.argv[1])
