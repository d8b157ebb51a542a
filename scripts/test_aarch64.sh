#!/usr/bin/env bash
# Cross-compiles libpt2 for Linux on aarch64, and runs its C and C++ tests under qemu-user with PyTorch's wheel.
# Everything is in build/aarch64. TESTS=<regular expression> runs some of the tests.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "error: $1" >&2
  exit 1
}

# PyTorch's wheel for the CPU.
version=2.10.0
target=aarch64-unknown-linux-gnu
out=$PWD/build/aarch64

missing=
command -v aarch64-linux-gnu-g++ >/dev/null || missing+=" g++-aarch64-linux-gnu"
command -v qemu-aarch64 >/dev/null || missing+=" qemu-user"
# The C library is of the same package as the dynamic loader: those of the cross compiler do not match.
[ -e /lib/ld-linux-aarch64.so.1 ] && [ -e /usr/lib/aarch64-linux-gnu/libstdc++.so.6 ] || missing+=" libstdc++6:arm64"
[ -e /usr/lib/aarch64-linux-gnu/libz.so.1 ] || missing+=" zlib1g:arm64"
[ -e /usr/lib/aarch64-linux-gnu/libgomp.so.1 ] || missing+=" libgomp1:arm64"
[ -z "$missing" ] || fail "Debian packages are missing: dpkg --add-architecture arm64, apt-get update, apt-get install$missing."
rustc --target $target --print target-libdir | xargs ls >/dev/null 2>&1 ||
  fail "Rust's library for aarch64 is missing: rustup target add $target."
command -v cmake >/dev/null || fail "CMake is missing: install it (3.18 or newer)."

if [ ! -e "$out/torch/lib/libtorch_cpu.so" ]; then
  echo "== Fetching PyTorch $version for aarch64 (146 MB)"
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
    --platform manylinux_2_28_aarch64 --python-version 311 --dest "$out" torch==$version ||
    fail "The wheel could not be fetched: is there a network?"
  python3 -m zipfile -e "$out"/torch-$version-*.whl "$out"
fi

LIBTORCH=$(realpath "$out/torch")
export LIBTORCH
export CARGO_BUILD_TARGET=$target
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER=qemu-aarch64
export CXX_aarch64_unknown_linux_gnu=${CXX_aarch64_unknown_linux_gnu:-aarch64-linux-gnu-g++}
# qemu-user is slow, and slower with more threads than the machine has cores.
export OMP_NUM_THREADS=1

make install PREFIX="$out/prefix" DESTDIR=
echo "== The command line"
qemu-aarch64 "$out/prefix/bin/pt2" doctor
echo "== Rust tests of the parts that depend on the processor"
${CARGO:-cargo} test --release --locked --quiet --package pt2-host --package pt2-torch --lib
echo "== C and C++ tests"
cmake -S tests/c -B "$out/tests" -DCMAKE_TOOLCHAIN_FILE="$PWD/tests/c/aarch64.cmake" -DCMAKE_BUILD_TYPE=Release \
  -DCMAKE_PREFIX_PATH="$out/prefix" -DPT2_LIBTORCH="$LIBTORCH" --log-level=WARNING
cmake --build "$out/tests" --parallel
cd "$out/tests"
# qemu-user 7.2 keeps 24 bytes for each page that was ever mapped, so a process grows with every load, and it does
# not enforce a limit of the address space.
of_memory='^(cycles|cuda_memory|shared_memory|out_of_memory)$'
# Each makes many thousand calls, which take more than 5 minutes.
long='^(bit_flips|swaps|threads)$'
# valgrind and the libraries to preload are the host's.
of_host='^(memcheck|preloaded\.)'
ctest --output-on-failure --tests-regex "${TESTS:-.}" --exclude-regex "$of_memory|$long|$of_host"
