"""Seeds for the fuzz targets, from the archives of the tests: python scripts/fuzz_seeds.py FOLDER [PT2]

PT2, the program, writes the graphs' text form; without it that target starts from the example in the documentation.
"""

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from hashlib import sha1
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1] / "tests"
MARK = b"\xff\xfe#\x00"
LARGEST = 64 << 10


def entries(data):
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        return [(name, file.read(name)) for name in file.namelist()]


def flat(data):
    """As fuzz/src/flat.rs reads it: zips in the zip are opened."""
    pieces = []
    for name, body in entries(data):
        inner = [(f"{name}\t{key}", held) for key, held in entries(body)] if body[:4] == b"PK\x03\x04" else []
        pieces += [MARK + key.encode() + b"\n" + held for key, held in inner or [(name, body)]]
    return b"".join(pieces)


def texts(tree, key):
    """Every string under this key."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key and isinstance(value, str):
                yield value
            yield from texts(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from texts(value, key)


# What AOTInductor writes beside a library of two inputs, as far as loading reads it.
METADATA = """{"AOTI_DEVICE_KEY": "cpu", "AOTI_PLATFORM": "linux", "AOTI_MACHINE": "x86_64", "AOTI_CPU_ISA": "AVX2",
 "AOTI_COMPUTE_CAPABILITY": "", "torch_version": "2.11.0"}"""
LEAF = '{"type": null, "context": null, "children_spec": []}'
SOURCE = """    inputs_info_[0].name = "arg0_1";
    inputs_info_[1].name = "arg1_1";
    outputs_info_[0].name = "output0";
    in_spec_ = R"([1, {"type": "builtins.tuple", "context": "null", "children_spec": [{"type": "builtins.tuple", "context":
"null", "children_spec": [%s, %s]}, {"type": "builtins.dict", "context": "[]", "children_spec": []}]}])";
    out_spec_ = R"([1, %s])";
    : AOTInductorModelBase(2, 1, 3, device_str, std::move(cubin_dir), true) {
    int32_t arg0_1_expected_dtype = aoti_torch_dtype_float32();
    if (arg0_1_expected_dtype != arg0_1_dtype) {
    if (arg0_1_size[0] < 2) {
    if (arg0_1_size[0] > 15) {
    if (3 != arg0_1_size[1]) {
    if (1 != arg0_1_stride[1]) {
    int32_t arg0_1_expected_device_type = 0;
    int64_t s77 = arg0_1_size[0];
    kernels.add = loadKernel("/tmp/x/cabc.cubin", "add", 0, this->cubin_dir_);
""" % (LEAF, LEAF, LEAF)
LIBRARY = """void aoti_torch_get_sizes(void);
const char _binary_constants_bin_start[24] = "constants", _binary_constants_bin_end[1];
void AOTInductorModelContainerRun(void) { aoti_torch_get_sizes(); }
"""


def libraries():
    """Shared libraries with each mark of the stack; none without a C compiler."""
    compiler = shutil.which("cc")
    for flags in [[], ["-Wl,-z,execstack"], ["-Wl,--hash-style=sysv"]] if compiler else []:
        with tempfile.TemporaryDirectory() as folder:
            made = Path(folder) / "library.so"
            command = [compiler, "-shared", "-fPIC", "-nostdlib", "-Wl,-z,noseparate-code", "-s", "-xc", "-", "-o", made, *flags]
            if subprocess.run(command, input=LIBRARY.encode(), capture_output=True).returncode == 0:
                yield made.read_bytes()


def of_packages():
    yield "source", SOURCE.encode()
    yield "metadata", METADATA.encode()
    for library in [*libraries(), b""]:
        yield "library", library
        folder = "m/data/aotinductor/model/a.wrapper"
        entries = [(".so", library), ("_metadata.json", METADATA.encode()), (".cpp", SOURCE.encode())]
        yield "package", b"".join(MARK + (folder + end).encode() + b"\n" + body for end, body in entries)
    for shape in ["()", "(3,)", "(2L, 3L)", "(%s)" % ("1, " * 64)]:
        header = "{'descr': '<f4', 'fortran_order': False, 'shape': %s, }" % shape
        yield "npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    yield "npy", b"\x93NUMPY\x01\x00\x76\x00{'descr': " + b"[" * 24 + b"'<f4'" + b"]" * 24 + b"}"


# Texts that once took exponential time or memory.
HARD = {
    "expression": ["(0<" * 30 + "a" + "<9)" * 30, "Max(" * 60 + "a" + ")" * 60],
    "guards": ["(0<" * 30 + "L['x'].size()[0]" + "<9)" * 30],
    "tree": ["[1, " + '{"type": "builtins.list", "context": "null", "children_spec": [' * 511 + LEAF + "]}" * 511 + "]"],
}


def hard():
    for target, all_texts in HARD.items():
        for text in all_texts:
            yield target, text.encode()


def of_program(body):
    yield "program", body
    tree = json.loads(body)
    for key in ["in_spec", "out_spec"]:
        for text in texts(tree, key):
            yield "tree", text.encode()
    for text in texts(tree, "expr_str"):
        yield "expression", text.encode()
    if tree.get("guards_code"):
        yield "guards", "\n".join(tree["guards_code"]).encode()


def of_archive(data):
    yield "archive", data
    yield "whole", flat(data)
    for name, body in entries(data):
        if name.endswith("_config.json"):
            yield "weights_config", body
        elif name.endswith(".json"):
            yield from of_program(body)
        elif body[:4] == b"PK\x03\x04":
            yield "pickle", flat(body)


def graph_texts(pt2, archives):
    page = (TESTS.parent / "crates/graph/src/graph/text/mod.rs").read_text()
    example = re.search(r"```text\n(.*?)//! ```", page, re.S)[1]
    yield "graph_text", re.sub(r"^//! ?", "", example, flags=re.M).encode()
    for path in archives if pt2 else []:
        done = subprocess.run([pt2, "inspect", "--graph", path], capture_output=True)
        if done.returncode == 0:
            yield "graph_text", done.stdout


def seeds(pt2):
    archives = sorted([*TESTS.glob("archives/*/*.pt2"), *TESTS.glob("special_archives/*/*.pt2")])
    for path in archives:
        yield from of_archive(path.read_bytes())
    for path in sorted(TESTS.glob("program/*.json")):
        if path.stem == "expressions":
            yield from (("expression", case["text"].encode()) for case in json.loads(path.read_text()))
        else:
            yield from of_program(path.read_bytes())
    yield from graph_texts(pt2, archives)
    yield from of_packages()
    yield from hard()


def main(folder, pt2=None):
    counts = {}
    for target, data in seeds(pt2):
        if len(data) <= LARGEST:
            place = Path(folder) / target
            place.mkdir(parents=True, exist_ok=True)
            (place / sha1(data).hexdigest()[:16]).write_bytes(data)
            counts[target] = counts.get(target, 0) + 1
    print(", ".join(f"{target} {count}" for target, count in sorted(counts.items())))


if __name__ == "__main__":
    main(*sys.argv[1:])
