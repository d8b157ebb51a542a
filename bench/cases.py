"""What is run: models of torchvision by their names, and the chains that show what a node costs."""

from dataclasses import dataclass

CHAIN_NODES = 1000


@dataclass(frozen=True)
class Case:
    """`inputs` are sizes as `Bx3x128x128`, where B stands for the batch."""

    name: str
    inputs: tuple[str, ...]

    @property
    def batched(self):
        return self.inputs[0].startswith("B")

    def sizes(self, shape, batch):
        return [batch if size == "B" else int(size) for size in shape.split("x")]

    def arguments(self, dtype, batch):
        """As the runners take them."""
        for shape in self.inputs:
            yield from ("--input", f"{dtype}:{'x'.join(map(str, self.sizes(shape, batch)))}")


CHAINS = {"chain-number": ("1",), "chain-tensor": ("1", "1")}


def case_of(name):
    return Case(name, CHAINS.get(name, ("Bx3x128x128",)))


def built(case):
    """The model, with random weights."""
    if case.name in CHAINS:
        return chain(len(case.inputs) == 2)
    from torchvision.models import get_model

    return get_model(case.name, weights=None)


def chain(of_tensors):
    import torch

    class ChainOfNumbers(torch.nn.Module):
        def forward(self, x):
            for _ in range(CHAIN_NODES):
                x = x + 1.5
            return x

    class ChainOfTensors(torch.nn.Module):
        def forward(self, x, y):
            for _ in range(CHAIN_NODES):
                x = x + y
            return x

    return ChainOfTensors() if of_tensors else ChainOfNumbers()
