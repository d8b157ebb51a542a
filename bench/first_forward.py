"""Times of load, first and later forwards of some models, for builds of `pt2` in turns, each in a process of its own.

    python bench/first_forward.py export FOLDER [--models zoo] [--jobs 8]
    python bench/first_forward.py measure FOLDER PT2 [PT2…] [--rounds 7] [--device cpu] [--models resnet50,swin_t]

The zoo is torchvision's classification models with at most 150 million parameters. `measure --models zoo` takes every
archive of the folder. Weights are random. Needs torch and torchvision to export, and nothing but Python to measure.
"""

import argparse
import multiprocessing
import statistics
import subprocess
import sys
from pathlib import Path

MODELS = [
    "resnet18",
    "resnet50",
    "swin_t",
    "vit_b_16",
    "efficientnet_b0",
    "convnext_tiny",
    "densenet121",
    "mobilenet_v3_large",
]
FIGURES = ["load", "first", "median"]
MOST_PARAMETERS = 150_000_000


def zoo():
    """The names of torchvision's classification models that are small enough."""
    from torchvision import models

    names = models.list_models(module=models)
    parameters = {name: models.get_model_weights(name).DEFAULT.meta["num_params"] for name in names}
    return [name for name in names if parameters[name] <= MOST_PARAMETERS]


def export(options):
    """Exports each model that is missing, in processes of its own."""
    import numpy

    options.folder.mkdir(parents=True, exist_ok=True)
    image = numpy.random.default_rng(0).standard_normal((1, 3, 224, 224), dtype="float32")
    numpy.save(options.folder / "x.npy", image)
    names = zoo() if options.models == "zoo" else options.models.split(",")
    missing = [name for name in names if not (options.folder / f"{name}.pt2").exists()]
    with multiprocessing.get_context("spawn").Pool(options.jobs) as pool:
        for path in pool.imap_unordered(export_one, [options.folder / f"{name}.pt2" for name in missing]):
            print(path, flush=True)


def export_one(path):
    import torch
    import torchvision

    torch.manual_seed(0)
    kinds = {"googlenet": {"init_weights": True}, "inception_v3": {"init_weights": True}}
    model = torchvision.models.get_model(path.stem, **kinds.get(path.stem, {})).eval()
    program = torch.export.export(model, (torch.zeros(1, 3, 224, 224),))
    torch.export.save(program, path)
    return path


def once(binary, path, device, repeat):
    """Milliseconds by name, as `pt2 run --repeat` prints them."""
    command = [binary, "run", path, "--input", path.parent / "x.npy", "--repeat", str(repeat), "--device", device]
    printed = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True).stdout
    words = [line.split() for line in printed.splitlines()]
    return {line[0]: float(line[1]) for line in words if line and line[0] in FIGURES}


def measure(options):
    names = sorted(path.stem for path in options.folder.glob("*.pt2"))
    for name in names if options.models == "zoo" else options.models.split(","):
        path = options.folder / f"{name}.pt2"
        times = [[] for _ in options.pt2]
        for _ in range(options.rounds + 1):
            for of_binary, binary in zip(times, options.pt2, strict=True):
                of_binary.append(once(binary, path, options.device, options.repeat))
        for of_binary, binary in zip(times, options.pt2, strict=True):
            # The first round brings the files into the page cache.
            rows = [row | {"both": row["load"] + row["first"]} for row in of_binary[1:]]
            columns = [
                f"{figure} {statistics.median(row[figure] for row in rows):9.2f} (least {min(row[figure] for row in rows):9.2f})"
                for figure in ["load", "first", "both", "median"]
            ]
            print(f"{name:20} {binary}\n    " + "  ".join(columns), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    exporting, measuring = commands.add_parser("export"), commands.add_parser("measure")
    exporting.add_argument("folder", type=Path)
    exporting.add_argument("--jobs", type=int, default=2)
    exporting.add_argument("--models", default=",".join(MODELS))
    measuring.add_argument("folder", type=Path)
    measuring.add_argument("pt2", type=Path, nargs="+")
    measuring.add_argument("--rounds", type=int, default=7)
    measuring.add_argument("--repeat", type=int, default=3)
    measuring.add_argument("--device", default="cpu")
    measuring.add_argument("--models", default=",".join(MODELS))
    options = parser.parse_args()
    export(options) if options.command == "export" else measure(options)


if __name__ == "__main__":
    sys.exit(main())
