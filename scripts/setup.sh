#!/usr/bin/env bash
# Checks the tools. Unless LIBTORCH names a libtorch, puts the wheels of requirements.txt into .venv.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
  echo "error: $1" >&2
  exit 1
}

cargo=${CARGO:-cargo} cxx=${CXX:-c++} python=${PYTHON:-python3}

command -v "$cargo" >/dev/null || fail "Rust is missing: install it from https://rustup.rs."
wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
have=$("$cargo" --version | cut -d' ' -f2)
[ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -n1)" = "$wanted" ] ||
  fail "Rust $have is too old: $wanted or newer is needed (rustup update)."
command -v "$cxx" >/dev/null ||
  fail "A C++17 compiler is missing: install g++ or clang++ (Debian, Ubuntu: apt-get install g++)."

if [ -n "${LIBTORCH:-}" ]; then
  [ -e "$LIBTORCH/lib/libtorch_cpu.so" ] ||
    fail "LIBTORCH is $LIBTORCH, but lib/libtorch_cpu.so is not in it: set it to an unpacked libtorch, or unset it."
  exit 0
fi

cmp -s requirements.txt .venv/requirements.txt && exit 0

command -v "$python" >/dev/null ||
  fail "Python 3 is missing: install it (it only fetches libtorch and exports models), or set LIBTORCH to a libtorch folder."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' ||
  fail "$("$python" --version 2>&1) is too old: 3.10 or newer is needed (PYTHON=… names another), or set LIBTORCH to a libtorch folder."
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  fail "Python's venv module is missing: install it (Debian, Ubuntu: apt-get install python3-venv)."

if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  echo "== Making the virtual environment .venv"
  "$python" -m venv --clear .venv || fail "The virtual environment .venv could not be made."
fi
echo "== Fetching libtorch and the build tools into .venv (about 3 GB; minutes)"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt ||
  fail "The wheels of requirements.txt could not be installed: is there a network, and 10 GB of free disk?"
cp requirements.txt .venv/requirements.txt
