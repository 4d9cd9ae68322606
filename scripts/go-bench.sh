#!/usr/bin/env bash
# go-bench.sh: prints the cost of calls and callbacks from Go beside wasmtime-go's, which Go's module proxy has. Called by `make bench`,
# after the library was built.
set -euo pipefail
cd "$(dirname "$0")/.."
prefix=$PWD/build/go-prefix
cmake -S . -B build/go-distribution -DTENON_TESTS=OFF -DTENON_BENCH=OFF > build/go-bench.log
cmake --build build/go-distribution >> build/go-bench.log 2>&1
cmake --install build/go-distribution --prefix "$prefix" >> build/go-bench.log
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig LD_LIBRARY_PATH=$prefix/lib
programs=$PWD/build/go-bench
mkdir -p "$programs"
cd bindings/go
# Both in turns, so that they have the same of the machine; what is left is the least of each.
go test -c -o "$programs/test" .
for _ in $(seq 9); do
  "$programs/test" -test.run '^$' -test.cpu 1 -test.benchtime 100ms -test.bench '^Benchmark(BareCgoCall|Call)$'
done | awk '/ns\/op/ { if (!($1 in least) || $3 < least[$1]) least[$1] = $3 }
  END { bare = least["BenchmarkBareCgoCall"]; call = least["BenchmarkCall"]
    printf "Go call      tenon %7.1f ns, bare cgo call %7.1f ns, difference %.1f ns\n", call, bare, call - bare }'
cd bench
if ! timeout 300 go mod download >> "$programs.log" 2>&1; then
  echo "-- wasmtime-go could not be fetched: the rows of Go are left out"
  exit 0
fi
go build -o "$programs/" ./...
"$programs/bench" "$programs/tenon" "$programs/wasmtime"
