#!/usr/bin/env bash
# bench.sh CMAKE_BUILD_DIR [NAME=PATH...]: runs the bench program with our library first, wasmtime's
# second, and whatever else with a wasm.h was given. Called by `make bench`.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1
shift
large=()
if [ -e build/esbuild.wasm ]; then large=(--large build/esbuild.wasm); fi
exec "$build/benches/bench" --kernels "$build/benches" "${large[@]}" \
  tenon="$PWD/target/release/libtenon.so" wasmtime="$PWD/build/peers/wasmtime.so" "$@"
