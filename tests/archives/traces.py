"""Makes the paths in the stack traces of archives relative, so that they hold nothing of the exporting machine.

    python tests/archives/traces.py ARCHIVE.pt2 …

A path keeps the part from its package in `site-packages`, or from the repository's folder `tests`; all others keep their
file name. Everything else stays as PyTorch's writer (2.9 to 2.15) left it: order, alignment, and all bytes of other
entries, except for offsets and `.data/serialization_id`, which is derived from the checksums of all entries.
"""

import re
import struct
import sys
import zipfile
import zlib
from pathlib import Path

ALIGNMENT = 64
LOCAL, CENTRAL, DESCRIPTOR = "<4s5H3I2H", "<4s6H3I5H2I", "<4s3I"
END64, END64_LOCATOR, END = "<4sQ2H2I4Q", "<4sIQI", "<4s4H2IH"
SERIALIZATION_ID = ".data/serialization_id"


def shortened(path):
    for mark, kept in (("/site-packages/", ""), ("/tests/", "tests/")):
        head, found, rest = path.rpartition(mark) if kept else path.partition(mark)
        if found:
            return kept + rest
    return path.rpartition("/")[2]


def without_roots(text):
    """The JSON of a program with shortened paths: `File \\"/a/file.py\\", line 1` or `File \\"<eval_with_key>.1 from /a/file.py:1 in f\\"`."""
    replaced = lambda found: found[1] + shortened(found[2].decode()).encode()
    return re.sub(rb'(File \\"(?:<[^"\\]* from )?)(/[^"\\:]*)', replaced, text)


def serialization_id(old, data):
    """As `writeSerializationId` of caffe2/serialize/inline_container.cc (2.11): names are half of it, checksums the other."""
    combined = 0
    for checksum in (zlib.crc32(part) for part in data if part):
        combined ^= (checksum + 0x9E3779B9 + (combined << 6) + (combined >> 2)) % 2**64
        combined %= 2**64
    return old[:20] + b"%020d" % combined


def local_header(archive, entry, offset):
    """Header, name and padding: the data begins at a multiple of 64 (`getPadding` there)."""
    at = entry.header_offset
    *fields, name_size, _ = struct.unpack_from(LOCAL, archive, at)
    name = archive[at + struct.calcsize(LOCAL) :][:name_size]
    start = offset + struct.calcsize(LOCAL) + name_size + 4
    padding = -start % ALIGNMENT
    extra = struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    return struct.pack(LOCAL, *fields, name_size, len(extra)) + name + extra


def rewritten(archive, change):
    """The bytes of an archive with `change(name, data)` as the data of each entry."""
    with zipfile.ZipFile(Path(archive)) as zipped:
        entries, end = zipped.infolist(), zipped.start_dir
        data = [change(entry.filename, zipped.read(entry)) for entry in entries]
    archive = Path(archive).read_bytes()
    if entries[-1].filename.endswith(SERIALIZATION_ID):
        data[-1] = serialization_id(data[-1], data[:-1])
    body, directory = bytearray(), bytearray()
    for entry, part in zip(entries, data):
        checksum = zlib.crc32(part)
        fields = list(struct.unpack_from(CENTRAL, archive, end))
        fields[7:10], fields[16] = (checksum, len(part), len(part)), len(body)
        size = struct.calcsize(CENTRAL) + sum(fields[10:13])
        directory += struct.pack(CENTRAL, *fields) + archive[end + struct.calcsize(CENTRAL) : end + size]
        end += size
        body += local_header(archive, entry, len(body)) + part
        # The writer has no descriptor for an entry without data.
        body += struct.pack(DESCRIPTOR, b"PK\x07\x08", checksum, len(part), len(part)) if part else b""
    return bytes(body + directory + tail(archive[end:], len(body), len(directory)))


def tail(old, start, size):
    """The three records that end an archive, for a directory of this size that starts there."""
    middle, last = struct.calcsize(END64), struct.calcsize(END64) + struct.calcsize(END64_LOCATOR)
    whole = list(struct.unpack_from(END64, old))
    locator = list(struct.unpack_from(END64_LOCATOR, old, middle))
    short = list(struct.unpack_from(END, old, last))
    whole[8:10], locator[2], short[5:7] = (size, start), start + size, (size, start)
    return struct.pack(END64, *whole) + struct.pack(END64_LOCATOR, *locator) + struct.pack(END, *short)


def make_relative(path):
    """Rewrites one archive in place. Fails, and changes nothing, where PyTorch's writer did not make it."""
    path = Path(path)
    if not has_roots(path):
        return
    if rewritten(path, lambda name, data: data) != path.read_bytes():
        raise ValueError(f"{path}: not laid out as PyTorch's writer (2.9 to 2.15) does it")
    path.write_bytes(rewritten(path, lambda name, data: without_roots(data) if "/models/" in name else data))


def has_roots(path):
    with zipfile.ZipFile(path) as zipped:
        return any(without_roots(zipped.read(name)) != zipped.read(name) for name in zipped.namelist() if "/models/" in name)


def save(program, path):
    """`torch.export.save` with relative paths."""
    import torch

    torch.export.save(program, path)
    make_relative(path)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        make_relative(argument)
