"""The cost of a call into WebAssembly and of a callback into Python, beside the package wasmtime.

Rounds of the two take turns; what is printed are medians in nanoseconds, and their ratio. Run by `make bench`.
"""

import statistics
import time

import tenon
import wasmtime

TEXT = """(module (import "h" "f" (func $f (param i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "nop"))
  (func (export "back") (param i32) (local i32)
    (loop $l (drop (call $f (local.get 1)))
      (br_if $l (i32.lt_s (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))))"""
ROUNDS, COUNT = 15, 4000


def ours():
    store = tenon.Store()
    exports = tenon.Instance(store, tenon.Module(store, TEXT), [lambda x: x]).exports
    return exports.nop, exports.add, exports.back


def theirs():
    store = wasmtime.Store()
    i32 = wasmtime.ValType.i32()
    host = wasmtime.Func(store, wasmtime.FuncType([i32], [i32]), lambda x: x)
    exports = wasmtime.Instance(store, wasmtime.Module(store.engine, TEXT), [host]).exports(store)
    nop, add, back = exports["nop"], exports["add"], exports["back"]
    return lambda: nop(store), lambda a, b: add(store, a, b), lambda n: back(store, n)


def calls(function, *args):
    begin = time.perf_counter_ns()
    for _ in range(COUNT):
        function(*args)
    return (time.perf_counter_ns() - begin) / COUNT


def callbacks(function):
    begin = time.perf_counter_ns()
    function(COUNT)
    return (time.perf_counter_ns() - begin) / COUNT


def main():
    sides = ours(), theirs()
    print(f"{'Python':<28}{'tenon':>10}{'wasmtime':>10}{'ratio':>8}   (ns, medians of {ROUNDS} rounds)")
    for name, measure in [("call without arguments", lambda side: calls(side[0])),
                          ("call of add(1, 2)", lambda side: calls(side[1], 1, 2)),
                          ("callback with an i32", lambda side: callbacks(side[2]))]:
        times = [[], []]
        for _ in range(ROUNDS):
            for side, taken in zip(sides, times):
                taken.append(measure(side))
        mine, other = map(statistics.median, times)
        print(f"{name:<28}{mine:>10.0f}{other:>10.0f}{mine / other:>8.3f}")


main()
