"""Exports the archives of the tests beside this script, with torch 2.11.

    python make_archives.py OUT_DIR
"""
import sys
from pathlib import Path

import torch
import torch.nn as nn
from torch.export import Dim, export

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "archives"))
from traces import save  # noqa: E402


class Program(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def main(out):
    torch.manual_seed(0)
    rows = (torch.randn(5, 7),)
    mask = torch.ones(5, 7).tril() == 0
    functions = {
        "log_softmax": lambda x: x.log_softmax(-1),
        "causal": lambda x: x.masked_fill(mask, float("-inf")).softmax(-1),
        "product": lambda x: x @ x.T,
        "gelu": lambda x: nn.functional.gelu(x),
    }
    for name, function in functions.items():
        save(export(Program(function), rows), f"{out}/{name}.pt2")
    count = {0: Dim("n", min=1, max=1 << 28)}
    save(export(Program(lambda x: x * x), (torch.ones(1000),), dynamic_shapes=(count,)), f"{out}/square.pt2")
    convolution = nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16), nn.ReLU()).eval()
    save(export(convolution, (torch.randn(2, 3, 32, 32),)), f"{out}/conv.pt2")
    save(export(nn.LSTM(7, 3, batch_first=True).eval(), (torch.randn(1, 5, 7),)), f"{out}/lstm.pt2")


main(sys.argv[1])
