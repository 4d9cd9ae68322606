"""Calls, host functions, exceptions on their way through WebAssembly, traps, values of every type."""

import gc
import threading
import time
import weakref

import pytest

import tenon
from tenon import _handle
from tenon import EXTERNREF, F32, F64, FUNCREF, I32, I64, V128, Func, FuncType

ADD = '(module (func $add (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))'
CALL = '(module (import "h" "f" (func $f)) (func (export "run") (call $f)))'


def test_exports_are_attributes_and_items(load):
    exports = load(ADD)
    assert exports.add(1, 2) == exports["add"](1, 2) == 3
    assert list(exports) == ["add"] and len(exports) == 1 and "add" in exports and "add" in dir(exports)
    assert exports.add.type == FuncType([I32, I32], [I32])
    with pytest.raises(AttributeError, match="'sub'"):
        exports.sub
    with pytest.raises(KeyError, match="'sub'.*add"):
        exports["sub"]


def test_wrong_arguments(load):
    add = load(ADD).add
    with pytest.raises(TypeError, match="takes 2 arguments.*not 1"):
        add(1)
    with pytest.raises(TypeError, match="argument 1: i32 is expected, not 'x'"):
        add(1, "x")
    with pytest.raises(TypeError, match="argument 0: i32"):
        add(1.5, 2)
    with pytest.raises(OverflowError, match="argument 0: 4294967296 does not fit into i32"):
        add(1 << 32, 0)
    assert add(0xFFFFFFFF, 0) == -1
    assert add(-(1 << 31), 0) == -(1 << 31)


@pytest.mark.parametrize("ty, value", [
    (I32, -5), (I64, -(1 << 63)), (F32, 0.5), (F64, 0.1), (V128, bytes(range(16))), (EXTERNREF, {"any": "object"}),
    (EXTERNREF, None), (FUNCREF, None)])
def test_values_of_every_type_go_through_guest_and_host(store, load, ty, value):
    seen = []

    def host(it):
        seen.append(it)
        return it

    run = load(f'(module (import "h" "f" (func $f (param {ty}) (result {ty})))'
               f'(func (export "run") (param {ty}) (result {ty}) (call $f (local.get 0))))', [host]).run
    for _ in range(3):
        assert run(value) == value
        gc.collect()
    assert seen == [value] * 3
    if ty is EXTERNREF:
        assert run(value) is value


def test_functions_are_values(store, load):
    run = load('(module (import "h" "f" (func $f (param funcref) (result funcref)))'
               '(func (export "run") (param funcref) (result funcref) (call $f (local.get 0))))', [lambda f: f]).run
    assert run(load(ADD).add)(20, 22) == 42
    with pytest.raises(TypeError, match="funcref is expected, not 3"):
        run(3)
    with tenon.Store() as other:
        foreign = tenon.Instance(other, tenon.Module(other, ADD)).exports.add
        with pytest.raises(tenon.StoreError, match="another store"):
            run(foreign)


def test_several_results(load):
    run = load('(module (import "h" "f" (func $f (result i32 f64))) (func (export "run") (result i32 f64) (call $f)))',
               [lambda: (7, 0.5)]).run
    assert run() == (7, 0.5)


def test_types_from_annotations(store):
    def host(a: int, b: I64, c: float, d: bytes, e: object, f: Func) -> tuple[int, F32]:
        return 0, 0.0

    assert Func(store, host).type == FuncType([I32, I64, F64, V128, EXTERNREF, FUNCREF], [I32, F32])
    assert Func(store, lambda: None, FuncType([], [])).type == FuncType()

    def bad(a: list):
        pass

    with pytest.raises(TypeError, match="parameter a.*list"):
        Func(store, bad)
    with pytest.raises(TypeError, match="parameter x.*no annotation"):
        Func(store, lambda x: x)


class Mine(Exception):
    pass


def test_an_exception_comes_out_unchanged(load):
    mine = Mine("mine")

    def host():
        raise mine

    run = load(CALL, [host]).run
    for _ in range(100):
        with pytest.raises(Mine) as caught:
            run()
        assert caught.value is mine


def test_an_exception_goes_through_several_calls_and_can_be_caught_between(store, load):
    inner = load(CALL, {"h": {"f": lambda: 1 / 0}}).run
    assert_outer = load(CALL, [inner_caller := lambda: inner()]).run
    with pytest.raises(ZeroDivisionError):
        assert_outer()

    def catching():
        with pytest.raises(ZeroDivisionError):
            inner()

    assert load(CALL, [catching]).run() is None
    # Nothing of it is left: a later trap is a trap.
    trap = load('(module (func (export "run") unreachable))').run
    with pytest.raises(tenon.Trap):
        trap()


def test_exceptions_leave_nothing_behind():
    class Thing:
        pass

    before = len(_handle.kept)
    seen = []

    def host(value):
        thing = Thing()
        seen.append(weakref.ref(thing))
        raise Mine(thing, value)

    with tenon.Store() as store:
        module = tenon.Module(store, '(module (import "h" "f" (func $f (param externref) (result i32)))'
                                     '(func (export "run") (param externref) (result i32) (call $f (local.get 0))))')
        run = tenon.Instance(store, module, [host]).exports.run
        for _ in range(200):
            with pytest.raises(Mine):
                run(Thing())
        gc.collect()
        store.collect()
        assert all(ref() is None for ref in seen) and len(_handle.kept) <= before + 1
    del run, module, store
    gc.collect()
    assert len(seen) == 200 and len(_handle.kept) == before


def test_an_exception_in_a_start_function_comes_out(load):
    with pytest.raises(Mine):
        def host():
            raise Mine

        load('(module (import "h" "f" (func $f)) (start $f))', [host])
    with pytest.raises(tenon.Trap) as caught:
        load("(module (func $s unreachable) (start $s))")
    assert caught.value.code == tenon.TrapCode.UNREACHABLE


def test_what_a_host_function_returns_is_checked(load):
    text = '(module (import "h" "f" (func $f (result i32))) (func (export "run") (result i32) (call $f)))'
    with pytest.raises(TypeError, match="i32 is expected, not 'x'"):
        load(text, [lambda: "x"]).run()
    with pytest.raises(OverflowError):
        load(text, [lambda: 1 << 40]).run()
    with pytest.raises(TypeError, match="has no results"):
        load(CALL, [lambda: 1]).run()


def test_traps_have_code_message_and_frames(load):
    run = load('(module $m (func $deep unreachable) (func $run (export "run") (call $deep)))').run
    with pytest.raises(tenon.Trap, match="unreachable") as caught:
        run()
    trap = caught.value
    assert trap.code is tenon.TrapCode.UNREACHABLE and trap.message
    assert [(f.func_index, f.func_name, f.module_name) for f in trap.frames] == [(0, "deep", "m"), (1, "run", "m")]
    assert all(f.module_offset > f.func_offset > 0 for f in trap.frames)
    div = load('(module (func (export "div") (param i32 i32) (result i32) (i32.div_s (local.get 0) (local.get 1))))').div
    with pytest.raises(tenon.Trap) as caught:
        div(1, 0)
    assert caught.value.code is tenon.TrapCode.INTEGER_DIVIDE_BY_ZERO
    loop = load('(module (func $f (export "f") (call $f)))').f
    with pytest.raises(tenon.Trap) as caught:
        loop()
    assert caught.value.code is tenon.TrapCode.CALL_STACK_EXHAUSTED


def test_a_host_function_calls_back(load):
    exports = None

    def host(n: int) -> int:
        return 0 if n == 0 else n + exports.run(n - 1)

    exports = load('(module (import "h" "f" (func $f (param i32) (result i32)))'
                   '(func (export "run") (param i32) (result i32) (call $f (local.get 0))))', [host])
    assert exports.run(20) == 210


def test_host_functions_and_objects_are_released():
    class Thing:
        pass

    class Callable:
        def __call__(self):
            pass

    thing, function = Thing(), Callable()
    seen, called = weakref.ref(thing), weakref.ref(function)
    store = tenon.Store()
    host = Func(store, function, FuncType())
    kept = tenon.Global(store, tenon.GlobalType(EXTERNREF, True), thing)
    del thing, function
    gc.collect()
    assert seen() is kept.value and called() is not None
    kept.value = None
    host.close()
    kept.close()
    store.collect()
    store.close()
    del host, kept, store
    gc.collect()
    assert seen() is None and called() is None


def test_the_lock_is_released_during_calls():
    text = """(module (func (export "run") (param i32) (local i32)
      (loop $l (br_if $l (i32.lt_u (local.tee 1 (i32.add (local.get 1) (i32.const 1))) (local.get 0))))))"""
    store = tenon.Store()
    run = tenon.Instance(store, tenon.Module(store, text)).exports.run
    began, done, counted = threading.Event(), threading.Event(), []

    def count():
        began.set()
        while not done.is_set():
            counted.append(None)
            time.sleep(0.0005)

    thread = threading.Thread(target=count)
    thread.start()
    began.wait()
    before = len(counted)
    run(0xFFFFFF00)
    during = len(counted) - before
    done.set()
    thread.join()
    assert during > 2


def test_finalizers_may_run_on_another_thread():
    def drop(things):
        things.clear()
        gc.collect()

    for _ in range(10):
        store = tenon.Store()
        things = [tenon.Instance(store, tenon.Module(store, ADD)).exports, Func(store, lambda: None, FuncType())]
        thread = threading.Thread(target=drop, args=(things,))
        thread.start()
        thread.join()
        assert tenon.Instance(store, tenon.Module(store, ADD)).exports.add(1, 1) == 2
        store.close()
