#!/usr/bin/env bash
# test.sh CMAKE_BUILD_DIR: runs every test, goes on after a failure, and ends with one line that says
# how many of what passed. Called by `make test`, which has installed the tools.
set -uo pipefail
cd "$(dirname "$0")/.."
build=$1
jobs=${JOBS:-2}
log=build/test.log
begin=$SECONDS
passed=()
failed=()

# The libclang of a Python package comes without the compiler's own headers.
export BINDGEN_EXTRA_CLANG_ARGS="${BINDGEN_EXTRA_CLANG_ARGS:-} -I$(cc -print-file-name=include)"

# stage NAME COUNT COMMAND...: runs a command, showing its output; COUNT turns the output into a number.
stage() {
  local name=$1 count=$2 start=$SECONDS
  shift 2
  echo
  echo "== $name"
  if "$@" 2>&1 | tee "$log"; then
    local number
    number=$($count "$log")
    passed+=("$name${number:+: $number}")
    echo "== $name passed${number:+ ($number)} in $((SECONDS - start)) s"
  else
    failed+=("$name")
    echo "== $name FAILED after $((SECONDS - start)) s"
  fi
}

no_count() { :; }
cargo_count() { awk '/^test result: ok/ { n += $4 } END { print n + 0 }' "$1"; }
ctest_count() { sed -n 's/.*tests passed.* out of \([0-9]*\)$/\1/p' "$1"; }
# The suite's own numbers, which count directives and not test functions.
spec_count() {
  awk -F'[:,] *' '/ files, .* directives, .* passed/ { modes++; split($5, n, " "); passed += n[1] }
    END { print passed + 0 " directives in " modes + 0 " modes" }' "$1"
}
go_count() { sed -n 's/^go-test: //p' "$1"; }
install_count() { sed -n 's/^install-test: //p' "$1"; }
python_count() { sed -n 's/^python-test: //p' "$1"; }
jvm_count() { sed -n 's/^jvm-test: //p' "$1"; }
docs_count() { sed -n 's/^docs-test: //p' "$1"; }
differential_count() { sed -n 's/^differential: \([0-9]* modules\) alike.*/\1/p' "$1"; }

# All tests of this workspace, so that what they share is compiled with the same features. tests/examples.rs runs the examples.
cargo_examples() { cargo build --workspace --release --locked --examples; }
cargo_test() { cargo test --workspace --release --locked --no-fail-fast "$@"; }

cargo_tests() {
  local targets=(--lib) file
  for file in tests/*.rs tests/*/main.rs tests/capi/tests/*.rs; do
    [ -e "$file" ] || continue
    file=${file%/main.rs}
    file=$(basename "${file%.rs}")
    [ "$file" = spec ] || targets+=(--test "$file")
  done
  cargo_examples && cargo_test "${targets[@]}" && cargo_test --doc
}

c_build() {
  cmake -S . -B "$build" -DTENON_UPSTREAM_EXAMPLES="${UPSTREAM_EXAMPLES:-}" &&
    cmake --build "$build" --parallel "$jobs"
}

c_tests() { ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --label-exclude valgrind; }
valgrind_tests() { ctest --test-dir "$build" --parallel "$jobs" --output-on-failure --label-regex valgrind; }

stage "formatting" no_count cargo fmt --all --check
stage "library" no_count cargo build --release --lib --locked
stage "lints" no_count cargo clippy --workspace --release --all-targets --locked -- -D warnings
stage "cargo tests" cargo_count cargo_tests
stage "differential tests" differential_count cargo_test --test differential
stage "specification suite" spec_count cargo_test --test spec
stage "C programs" no_count c_build
stage "C tests" ctest_count c_tests
stage "C tests under valgrind" ctest_count valgrind_tests
stage "documentation" docs_count scripts/docs-test.sh
stage "installation" install_count scripts/install-test.sh
stage "Go package" go_count scripts/go-test.sh
stage "Python package" python_count scripts/python-test.sh
stage "the JVM" jvm_count scripts/jvm-test.sh

join() { local first=1 part; for part in "$@"; do [ $first = 1 ] || printf '; '; first=0; printf '%s' "$part"; done; }
echo
if [ ${#failed[@]} != 0 ]; then
  echo "make test: FAILED after $((SECONDS - begin)) s: $(join "${failed[@]}")"
  exit 1
fi
echo "make test: all passed in $((SECONDS - begin)) s: $(join "${passed[@]}")"
