"""The cost of a call into WebAssembly, of a callback into Python and of their likes, beside the package wasmtime.

Rounds of the two take turns; what is printed are medians in nanoseconds, and their ratio. Run by `make bench`.
"""

import statistics
import time

import tenon
import wasmtime

TEXT = """(module (import "h" "f" (func $f (param i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (memory (export "memory") 1)
  (func (export "nop"))
  (func (export "back") (param i32) (local i32)
    (loop $l (drop (call $f (local.get 1)))
      (br_if $l (i32.lt_s (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))))"""
ROUNDS, COUNT = 15, 4000


def ours():
    engine = tenon.Engine()
    module = tenon.Module(engine, TEXT)

    def new():
        with tenon.Store(engine) as store:
            tenon.Instance(store, module, [lambda x: x]).exports.nop()

    store = tenon.Store(engine)
    exports = tenon.Instance(store, module, [lambda x: x]).exports
    memory = exports.memory
    return exports.nop, exports.add, exports.back, lambda: memory.read(8, 16), new


def theirs():
    engine = wasmtime.Engine()
    module = wasmtime.Module(engine, TEXT)
    i32 = wasmtime.ValType.i32()
    host_type = wasmtime.FuncType([i32], [i32])

    def world():
        store = wasmtime.Store(engine)
        return store, wasmtime.Instance(store, module, [wasmtime.Func(store, host_type, lambda x: x)]).exports(store)

    def new():
        store, exports = world()
        exports["nop"](store)

    store, exports = world()
    nop, add, back, memory = exports["nop"], exports["add"], exports["back"], exports["memory"]
    return (lambda: nop(store), lambda a, b: add(store, a, b), lambda n: back(store, n), lambda: memory.read(store, 8, 24), new)


def calls(function, *args, count=COUNT):
    begin = time.perf_counter_ns()
    for _ in range(count):
        function(*args)
    return (time.perf_counter_ns() - begin) / count


def callbacks(function):
    begin = time.perf_counter_ns()
    function(COUNT)
    return (time.perf_counter_ns() - begin) / COUNT


def main():
    sides = ours(), theirs()
    print(f"{'Python':<28}{'tenon':>10}{'wasmtime':>10}{'ratio':>8}   (ns, medians of {ROUNDS} rounds)")
    for name, measure in [("call without arguments", lambda side: calls(side[0])),
                          ("call of add(1, 2)", lambda side: calls(side[1], 1, 2)),
                          ("callback with an i32", lambda side: callbacks(side[2])),
                          ("read of 16 bytes", lambda side: calls(side[3])),
                          ("new store and instance", lambda side: calls(side[4], count=100))]:
        times = [[], []]
        for _ in range(ROUNDS):
            for side, taken in zip(sides, times):
                taken.append(measure(side))
        mine, other = map(statistics.median, times)
        print(f"{name:<28}{mine:>10.0f}{other:>10.0f}{mine / other:>8.3f}")


main()
