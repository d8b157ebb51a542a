"""What runners load, made of one model: one step a process, so that it can be stopped and begun again.

    python -m prepare archive CASE DTYPE DEVICE OUT
    python -m prepare aoti|aoti-frozen|onnx ARCHIVE OUT

OUT appears only when it is complete.
"""

import os
import sys
import warnings
from pathlib import Path

SUFFIXES = {"archive": ".pt2", "aoti": ".aoti.pt2", "aoti-frozen": ".aoti-frozen.pt2", "onnx": ".onnx"}


def path_of(step, case, dtype, device, folder):
    """Archives hold the device that they were exported on, as packages and caches hold the machine's."""
    return Path(folder) / f"{case}-{dtype}-{device.replace(':', '')}{SUFFIXES[step]}"


def command(step, case, dtype, device, folder):
    source = path_of("archive", case, dtype, device, folder)
    given = [case, dtype, device] if step == "archive" else [str(source)]
    return [sys.executable, "-m", "prepare", step, *given, str(path_of(step, case, dtype, device, folder))]


def write_archive(name, dtype, device, out):
    import torch

    from cases import built, case_of

    case = case_of(name)
    torch.manual_seed(0)
    model = built(case).to(getattr(torch, dtype)).to(device).eval()
    inputs = [torch.randn(case.sizes(shape, 2)).to(getattr(torch, dtype)).to(device) for shape in case.inputs]
    batch = torch.export.Dim("batch", min=1, max=512)
    dynamic = tuple({0: batch} if case.batched else {} for _ in case.inputs)
    torch.export.save(torch.export.export(model, tuple(inputs), dynamic_shapes=dynamic), out)


def write_package(archive, out, freezing):
    """With the program beside the code, as a package alone tells only the sizes that its compiler assumed."""
    import torch
    import torch._inductor
    from torch.export.pt2_archive._package import package_pt2

    with torch.no_grad():
        program = torch.export.load(archive)
        args, kwargs = program.example_inputs
        options = {"aot_inductor.package": True, "freezing": freezing}
        files = torch._inductor.aot_compile(program.module(), args, kwargs, options=options)
        package_pt2(out, exported_programs={"model": program}, aoti_files={"model": files})


def write_onnx(archive, out):
    import torch

    torch.onnx.export(torch.export.load(archive), dynamo=True, verbose=False, external_data=False).save(out)


def main(step, *given):
    warnings.filterwarnings("ignore")
    *given, out = given
    part = str(Path(out).with_suffix(f".part{Path(out).suffix}"))
    if step == "archive":
        write_archive(*given, part)
    elif step == "onnx":
        write_onnx(*given, part)
    else:
        write_package(*given, part, step == "aoti-frozen")
    os.replace(part, out)


if __name__ == "__main__":
    main(*sys.argv[1:])
