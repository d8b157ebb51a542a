#!/usr/bin/env bash
# Runs every command of README.md's `sh` blocks, in order, except `make test`, which CI has run before.
set -euo pipefail
cd "$(dirname "$0")/.."
commands=$(awk '/^```/ { inside = ($0 == "```sh"); next } inside' README.md | grep -v '^make test\b')
PATH="$PWD/.venv/bin:$PATH" bash -euxo pipefail -c "$commands"
