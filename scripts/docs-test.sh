#!/usr/bin/env bash
# docs-test.sh: compiles and runs the examples of the documentation, builds it, and checks that it describes every
# function of the headers, that its links lead somewhere, and that the crate's documentation has no warnings. Then it sees the checks fail: on a function that
# nobody describes, and on a link that leads nowhere. Expects target/release/libtenon.so.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PYTHONDONTWRITEBYTECODE=1

python3 scripts/docs/run.py target/release build/docs-examples
RUSTDOCFLAGS="-D warnings" cargo doc --release --no-deps --locked
target=$(cargo metadata --format-version 1 --no-deps --locked |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
python3 scripts/docs/build.py --rust "$target/doc" build/docs | tee "$scratch/count"

# must_fail MESSAGE: builds the copy, which must fail and say so.
must_fail() {
  if python3 "$scratch/copy/scripts/docs/build.py" "$scratch/site" > "$scratch/said" 2>&1; then
    echo "docs-test.sh: no failure where this was expected: $1" >&2
    exit 1
  fi
  grep -qF "$1" "$scratch/said" || { cat "$scratch/said" >&2; echo "docs-test.sh: expected: $1" >&2; exit 1; }
}

copy() {
  rm -rf "$scratch/copy"
  mkdir -p "$scratch/copy/build"
  ln -s "$PWD/build/python" "$scratch/copy/build/python"
  cp -r docs scripts include c-examples cpp-examples "$scratch/copy/"
}

copy
sed -i 's|^WASM_API_EXTERN const char \*tenon_version(void);|&\nWASM_API_EXTERN void tenon_nothing(void);|' "$scratch/copy/include/tenon.h"
must_fail "tenon_nothing has no paragraph in the header"
must_fail "tenon_nothing is called by no program in docs/examples"
copy
echo "[nowhere](nowhere.html)" >> "$scratch/copy/docs/index.md"
must_fail "nowhere.html: there is no such file"
copy
rm "$scratch/copy/cpp-examples/memory.cc"
must_fail "cpp-examples/memory.cc is missing"

sed 's/^docs: /docs-test: /' "$scratch/count"
