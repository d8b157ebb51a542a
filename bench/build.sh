#!/usr/bin/env bash
# Builds the C++ programs of bench/runners into OUT, beside the libpt2 of PREFIX, with nothing but a C++ compiler.
# The folder can be carried to another machine: libtorch is found there by bench/compare.py.
#
#     bench/build.sh PREFIX LIBTORCH OUT
set -euo pipefail
prefix=$1 torch=$2 out=$3
here=$(cd "$(dirname "$0")" && pwd)
cxx=${CXX:-c++}
mkdir -p "$out"
cp -L "$prefix/lib/libpt2.so" "$out/libpt2.so.0"
cp "$prefix"/lib/libpt2_core-*.so "$out/"
common=(-std=c++17 -O2 -Wall -Wl,-rpath,"\$ORIGIN")
"$cxx" "${common[@]}" -I"$prefix/include" "$here/runners/libpt2.cpp" -o "$out/libpt2" "$out/libpt2.so.0" -pthread -ldl
# Only libtorch's CPU half is linked: who runs on CUDA loads the other half, and who does not should not pay for it.
headers=(-Wl,--allow-shlib-undefined -isystem "$torch/include" -isystem "$torch/include/torch/csrc/api/include")
libtorch=(-L"$torch/lib" -ltorch_cpu -lc10 -Wl,-rpath,"$torch/lib" -pthread -ldl)
for name in nativert aoti; do
  "$cxx" "${common[@]}" "${headers[@]}" "$here/runners/$name.cpp" -o "$out/$name" "${libtorch[@]}"
done
"$cxx" "${common[@]}" -I"$prefix/include" "${headers[@]}" "$here/runners/pair.cpp" -o "$out/pair" "$out/libpt2.so.0" "${libtorch[@]}"
