#!/usr/bin/env bash
# Builds build/docs/site: the pages of docs, the reference of the C and C++ interface (Doxygen) in api,
# and the reference of the Rust crates in rust. Each warning is an error.
#
# usage: build.sh RUSTDOC [--optional]    RUSTDOC is the folder that `cargo doc` wrote.
# With --optional, a part whose program cannot be had is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."

rustdoc=$1 optional=${2:-}
out=build/docs
packages=$out/packages

# Fails with a reason, unless the part is optional.
unavailable() {
  if [ "$optional" = --optional ]; then
    echo "$1" >&2
  else
    echo "error: $1" >&2
    exit 1
  fi
}

python=.venv/bin/python
[ -x "$python" ] || python=python3

install_mkdocs() {
  cmp -s scripts/docs/requirements.txt "$packages/requirements.txt" && return
  "$python" -m pip install --quiet --disable-pip-version-check --upgrade --target "$packages" \
    --requirement scripts/docs/requirements.txt && cp scripts/docs/requirements.txt "$packages/"
}

build_pages() {
  local log
  log=$(PYTHONPATH=$packages "$python" -m mkdocs build --strict --config-file scripts/docs/mkdocs.yml \
    --site-dir "$PWD/$out/site" 2>&1) || { echo "$log" >&2 && exit 1; }
}

build_api() {
  local version
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
  rm -rf "$out/site/api"
  { cat scripts/docs/Doxyfile && echo "PROJECT_NUMBER = $version" && echo "OUTPUT_DIRECTORY = $out/site"; } | doxygen -
}

mkdir -p "$packages" "$out/site"
if install_mkdocs; then
  build_pages
else
  unavailable "mkdocs could not be installed (pip, scripts/docs/requirements.txt): the pages of docs are not built"
fi
if command -v doxygen >/dev/null; then
  build_api
else
  unavailable "Doxygen is missing (Debian, Ubuntu: apt-get install doxygen): the reference of C and C++ is not built"
fi
rm -rf "$out/site/rust"
cp -r "$rustdoc" "$out/site/rust"
echo "Documentation: $out/site/index.html"
