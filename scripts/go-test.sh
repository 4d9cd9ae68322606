#!/usr/bin/env bash
# go-test.sh: installs the library into build/go-prefix and tests the Go package with it: vet and gofmt, the tests with cgo's
# checks, with the race detector, and with the checks that need another build of the runtime. Ends with the number of tests of
# each run. Called by `make test`, after the library was built.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$PWD/build/go-prefix
log=$PWD/build/go-test.log
# As many tests as there must at least be; a run with fewer has lost some.
least=95

fail() { echo "go-test.sh: $*" >&2; exit 1; }
quietly() { timeout 600 "$@" > "$log" 2>&1 || { tail -60 "$log" >&2; fail "failed: $*"; }; }

rm -rf "$prefix"
quietly cmake -S . -B build/go-distribution -DTENON_TESTS=OFF -DTENON_BENCH=OFF
quietly cmake --build build/go-distribution
quietly cmake --install build/go-distribution --prefix "$prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib

cd bindings/go
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || fail "not formatted by gofmt: $unformatted"
quietly go vet ./...

counts=()
run() { # run NAME SETTING... -- ARGUMENT...
  local name=$1 settings=()
  shift
  while [ "$1" != -- ]; do settings+=("$1"); shift; done
  shift
  quietly env "${settings[@]}" go test -count=1 -v "$@" ./...
  local number
  number=$(grep -c '^ *--- PASS' "$log" || true)
  [ "$number" -ge $least ] || fail "only $number tests were run ($name), at least $least are expected"
  counts+=("$number $name")
}
run "tests" GODEBUG=cgocheck=1 --
run "with the race detector" GODEBUG=cgocheck=1 -- -race
run "with cgocheck2" GOEXPERIMENT=cgocheck2 --
printf 'go-test: %s, %s, %s\n' "${counts[@]}"
