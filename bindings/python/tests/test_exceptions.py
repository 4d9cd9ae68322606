"""Tags and exceptions, thrown and caught on both sides; references of every type."""

import gc
import weakref

import pytest

import tenon
from tenon import ANYREF, EXNREF, EXTERNREF, FUNCREF, I32, I64, Func, FuncType, Tag, ValType, WasmException

THROWING = """(module (import "h" "t" (tag $t (param i32 externref))) (import "h" "f" (func $f (param i32)))
  (tag $mine (export "mine") (param i64 v128))
  (func (export "catch") (param i32) (result i32 externref)
    (block $caught (result i32 externref)
      (try_table (catch $t $caught) (call $f (local.get 0)))
      (i32.const -1) (ref.null extern)))
  (func (export "go") (param i32) (call $f (local.get 0)))
  (func (export "throw") (param i64) (throw $mine (local.get 0) (i64x2.splat (local.get 0))))
  (func (export "ref") (param i64) (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (throw $mine (local.get 0) (i64x2.splat (local.get 0))))
      unreachable))
  (func (export "again") (param exnref) (throw_ref (local.get 0))))"""


@pytest.fixture
def world(store, load):
    tag = Tag(store, [I32, EXTERNREF])

    def host(n):
        if n:
            raise WasmException(tag, n, world)

    return tag, load(THROWING, [tag, host])


def test_the_host_throws_and_the_guest_catches(world):
    tag, exports = world
    for _ in range(3):
        number, thing = exports.catch(5)
        assert number == 5 and callable(thing)
    assert exports.catch(0) == (-1, None)


def test_what_nobody_catches_comes_out(world):
    tag, exports = world
    with pytest.raises(WasmException) as caught:
        exports.go(6)
    error = caught.value
    assert error.tag == tag and error.tag != exports.mine and error.values[0] == 6 and hash(error.tag) == hash(tag)
    assert isinstance(error, tenon.Trap) and error.code is tenon.TrapCode.UNCAUGHT_EXCEPTION and len(error.frames) == 1
    with pytest.raises(WasmException) as caught:
        exports.throw(7)
    assert caught.value.tag == exports.mine and caught.value.values == (7, bytes([7] + 7 * [0]) * 2)


def test_exceptions_are_values(world):
    exports = world[1]
    exception = exports.ref(8)
    assert isinstance(exception, WasmException) and exception.values[0] == 8
    with pytest.raises(WasmException) as caught:
        exports.again(exception)
    assert caught.value.same(exception) and not caught.value.same(exports.ref(8))
    with pytest.raises(tenon.Trap) as trap:
        exports.again(None)
    assert trap.value.code is tenon.TrapCode.NULL_REFERENCE and not isinstance(trap.value, WasmException)
    with pytest.raises(TypeError, match="exnref is expected, not 3"):
        exports.again(3)


def test_an_exception_passes_through_python_frames(store, load):
    tag = Tag(store, [I32])
    inner = load('(module (import "h" "t" (tag $t (param i32))) (func (export "run") (throw $t (i32.const 9))))', [tag]).run
    catching = load("""(module (import "h" "t" (tag $t (param i32))) (import "h" "f" (func $f))
      (func (export "run") (result i32) (block $caught (result i32) (try_table (catch $t $caught) (call $f)) (i32.const 0))))""",
                    [tag, lambda: inner()]).run
    assert catching() == 9


def test_wrong_exceptions(store, world):
    tag, exports = world
    with pytest.raises(TypeError, match="2 parameters.*not 1"):
        WasmException(tag, 1)
    with pytest.raises(TypeError, match="value 0: i32 is expected, not 'x'"):
        WasmException(tag, "x", None)
    with pytest.raises(OverflowError, match="value 0"):
        WasmException(tag, 1 << 32, None)
    with pytest.raises(TypeError, match="a Tag is expected"):
        WasmException(3)
    with tenon.Store() as other:
        foreign = WasmException(Tag(other))
        with pytest.raises(tenon.StoreError, match="another store"):
            exports.again(foreign)
        # As any other exception of Python.
        run = tenon.Instance(store, tenon.Module(store, '(module (import "h" "f" (func $f)) (func (export "run") (call $f)))'),
                             [Func(store, lambda: (_ for _ in ()).throw(foreign), FuncType())]).exports.run
        with pytest.raises(WasmException) as caught:
            run()
        assert caught.value is foreign
    with pytest.raises(tenon.ClosedError):
        foreign.same(foreign)
    with pytest.raises(TypeError):
        Tag(store, [3])


def test_exceptions_leave_nothing_behind():
    class Thing:
        pass

    store = tenon.Store()
    tag = Tag(store, [EXTERNREF])
    seen = []

    def host():
        thing = Thing()
        seen.append(weakref.ref(thing))
        raise WasmException(tag, thing)

    exports = tenon.Instance(store, tenon.Module(store, """(module (import "h" "t" (tag $t (param externref)))
      (import "h" "f" (func $f)) (func (export "run") (call $f))
      (func (export "catch") (try_table (catch_all 0) (call $f))))"""), [tag, host]).exports
    for _ in range(50):
        exports.catch()
        with pytest.raises(WasmException):
            exports.run()
    gc.collect()
    store.collect()
    gc.collect()
    assert len(seen) == 100 and sum(ref() is not None for ref in seen) == 0


def test_any_object_is_an_externref_and_comes_back_itself(store, load):
    run = load('(module (func (export "run") (param externref) (result externref) (local.get 0)))').run
    for value in [run, store, Tag(store), WasmException(Tag(store)), 0, "", [1]]:
        assert run(value) is value


def test_results_before_a_wrong_one_are_given_up(store, load):
    class Thing:
        pass

    thing = Thing()
    seen = weakref.ref(thing)
    results = [thing, "no number"]
    run = load('(module (import "h" "f" (func $f (result externref i32))) (func (export "run") (result externref i32) (call $f)))',
               [lambda: results]).run
    for _ in range(10):
        with pytest.raises(TypeError, match="i32 is expected"):
            run()
    del thing
    results.clear()
    gc.collect()
    store.collect()
    assert seen() is None


def test_reference_types(store):
    module = tenon.Module(store, """(module (type $f (func (param i32) (result i64)))
      (import "h" "f" (func (param (ref null $f) exnref) (result (ref func)))))""")
    ty = module.imports[0].type
    mine = ValType.ref(FuncType([I32], [I64]))
    assert ty.params[0] == mine and mine.functype == FuncType([I32], [I64]) and ty.params[1] is EXNREF
    assert ty.results[0] == ValType.ref("func", nullable=False) != FUNCREF and ValType.ref("func") is FUNCREF
    assert mine.matches(FUNCREF) and not FUNCREF.matches(mine) and ValType.ref("i31").matches(ANYREF)
    assert ValType.ref("none").matches(ValType.ref("eq")) and not I32.matches(I64) and FUNCREF.functype is None
    with pytest.raises(ValueError, match="'thing' is no heap type"):
        ValType.ref("thing")
    back = []
    host = Func(store, lambda f, e: back[0], ty)
    right = Func(store, lambda x: x + 1, FuncType([I32], [I64]))
    back.append(right)
    assert host(right, None)(3) == 4
    with pytest.raises(tenon.Trap, match="type|expected"):
        host(Func(store, lambda: None, FuncType()), None)
    back[0] = None
    with pytest.raises(tenon.Trap, match="null|expected"):
        host(right, None)


def test_tags_are_exports_and_imports(store, load):
    exports = load('(module (tag (export "t") (param i32 f64)))')
    assert repr(exports.t) == "<Tag [i32, f64]>" and exports.t.type.params[0] is I32
    again = load('(module (import "h" "t" (tag $t (param i32 f64))) (export "t" (tag $t)))', [exports.t])
    assert again.t == exports.t
    linker = tenon.Linker(store)
    linker.define("h", "t", exports.t)
    assert linker.get("h", "t") == exports.t
    with pytest.raises(tenon.LinkError, match='"h" "t"'):
        load('(module (import "h" "t" (tag (param i32))))', [exports.t])
