"""Writes tests/pickle/expected.json: what torch.load reads from the torch.save files of tests/archives.

    python tests/pickle/expect.py
"""

import glob
import io
import json
import os
import zipfile
import zlib

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
ARCHIVES = os.path.join(HERE, "..", "archives")


def describe(name, tensor):
    storage = tensor.untyped_storage()
    data = bytes(storage.tolist())
    return {
        "name": name,
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "sizes": list(tensor.shape),
        "strides": list(tensor.stride()),
        "offset": tensor.storage_offset(),
        "requires_grad": tensor.requires_grad,
        "bytes": len(data),
        "crc32": zlib.crc32(data),
    }


def files(path):
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            flat = name in ("serialized_state_dict.pt", "serialized_constants.pt")
            if flat or name.endswith(("/data/weights/model.pt", "/data/constants/model.pt")):
                yield name, archive.read(name)


def main():
    expected = []
    for version in ("2.6.0", "2.7.1", "2.8.0"):
        for path in sorted(glob.glob(os.path.join(ARCHIVES, version, "*.pt2"))):
            for entry, data in files(path):
                loaded = torch.load(io.BytesIO(data), weights_only=True)
                tensors = [describe(name, tensor) for name, tensor in loaded.items()]
                archive = f"{version}/{os.path.basename(path)}"
                expected.append({"archive": archive, "entry": entry, "tensors": tensors})
    with open(os.path.join(HERE, "expected.json"), "w") as file:
        lines = ",\n".join(json.dumps(one) for one in expected)
        file.write(f"[\n{lines}\n]\n")


main()
