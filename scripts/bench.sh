#!/usr/bin/env bash
# bench.sh CMAKE_BUILD_DIR [NAME=PATH...]: runs the bench program with our library first, wasmtime's
# second, and whatever else with a wasm.h was given. Called by `make bench`.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
large=()
if [ -e build/esbuild.wasm ]; then large=(--large build/esbuild.wasm); fi
if [ -e build/guests/resvg.wasm ]; then large+=(--guests build/guests); fi
"$build/benches/bench" --kernels "$build/benches" "${large[@]}" \
  tenon="$PWD/target/release/libtenon.so" wasmtime="$PWD/build/peers/wasmtime.so" "$@"

# The Python package beside the peer's.
echo
build/python-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --force-reinstall \
  ./bindings/python
PYTHONPATH=$PWD/build/python build/python-venv/bin/python bindings/python/benches/calls.py
