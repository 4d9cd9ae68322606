"""Modules and linking, and what is refused."""

import copy
import pickle
import threading
import traceback

import pytest

import tenon

NEEDS = '(module (import "env" "first" (func (param i32))) (import "env" "second" (memory 1)))'


def test_what_is_closed_is_refused(store, load):
    exports = load('(module (memory (export "m") 1) (func (export "f")) (func (export "g")))')
    exports.f.close()
    exports.f.close()
    assert exports.f.closed
    with pytest.raises(tenon.ClosedError, match="this Func is closed"):
        exports.f()
    memory = exports.m
    store.close()
    with pytest.raises(tenon.ClosedError, match="the store of this Memory is closed"):
        memory.read(0, 1)
    assert exports.m is memory and "g" in exports
    with pytest.raises(tenon.ClosedError, match="this Store is closed"):
        exports.g
    with pytest.raises(tenon.ClosedError, match="this Store is closed"):
        tenon.Module(store, "(module)")
    with pytest.raises(tenon.ClosedError):
        with store:
            pass
    with tenon.Engine() as engine:
        pass
    with pytest.raises(tenon.ClosedError, match="this Engine is closed"):
        tenon.Store(engine)


def test_a_store_is_not_closed_during_a_call(store, load):
    run = load('(module (import "h" "f" (func $f)) (func (export "run") (call $f)))', [lambda: store.close()]).run
    with pytest.raises(tenon.TenonError, match="call is under way"):
        run()
    assert not store.closed


def test_a_function_may_be_closed_during_its_call(load):
    exports = load('(module (import "h" "f" (func $f)) (func (export "run") (call $f)))', [lambda: exports.run.close()])
    exports.run()
    with pytest.raises(tenon.ClosedError):
        exports.run()


def test_missing_imports_are_named(store):
    module = tenon.Module(store, NEEDS)
    assert [(i.module, i.name) for i in module.imports] == [("env", "first"), ("env", "second")]
    for imports in [(), {}, {"env": {}}]:
        with pytest.raises(tenon.LinkError, match='"env" "first" is missing'):
            tenon.Instance(store, module, imports)
    with pytest.raises(tenon.LinkError, match='"env" "second" is missing'):
        tenon.Instance(store, module, {"env": {"first": lambda x: None}})
    with pytest.raises(tenon.LinkError, match="first"):
        tenon.Linker(store).instantiate(module)
    with pytest.raises(tenon.LinkError, match="2 imports, not 3"):
        tenon.Instance(store, module, [None] * 3)
    with pytest.raises(TypeError, match='import "env" "second" is 5'):
        tenon.Instance(store, module, [lambda x: None, 5])
    wrong = tenon.Func(store, lambda: None, tenon.FuncType())
    with pytest.raises(tenon.LinkError):
        tenon.Instance(store, module, [wrong, tenon.Memory(store, tenon.MemoryType(1))])


def test_another_store_is_refused(store):
    with tenon.Store(store.engine) as other:
        module = tenon.Module(store, NEEDS)
        with pytest.raises(tenon.StoreError, match='"env" "second" is of another store'):
            tenon.Instance(other, module, [lambda x: None, tenon.Memory(store, tenon.MemoryType(1))])
        with pytest.raises(tenon.StoreError):
            tenon.Linker(store).define("a", "b", tenon.Memory(other, tenon.MemoryType(1)))


def test_another_engine_is_refused(store):
    module = tenon.Module(tenon.Engine(), "(module)")
    with pytest.raises(tenon.StoreError, match="another engine"):
        tenon.Instance(store, module)
    with pytest.raises(tenon.StoreError, match="another engine"):
        tenon.Linker(store).instantiate(module)
    with pytest.raises(TypeError, match="an Engine or a Store is expected"):
        tenon.Module(None, "(module)")


def test_bad_modules(store):
    with pytest.raises(tenon.CompileError):
        tenon.Module(store, b"no module")
    for source in [5, None, open]:
        with pytest.raises(TypeError, match="bytes or a text is expected, not .*; from_file reads files"):
            tenon.Module(store, source)
    with pytest.raises(tenon.CompileError, match="1"):
        tenon.Module(store, "(module (func (wat)))")
    with pytest.raises(tenon.CompileError):
        tenon.Module.validate(store, tenon.wat2wasm("(module (func (result i32)))"))
    with pytest.raises(tenon.CompileError):
        tenon.Module.deserialize(store, b"damaged")
    with tenon.Store(tenon.Engine(tenon.Config(simd=False))) as plain:
        with pytest.raises(tenon.CompileError):
            tenon.Module(plain, "(module (func (param v128)))")


def test_bad_settings():
    with pytest.raises(TypeError, match="'smid'"):
        tenon.Config(smid=True)
    with pytest.raises(TypeError, match="simd is True or False"):
        tenon.Config(simd=1)
    with pytest.raises(ValueError, match="out of range"):
        tenon.Config(max_stack=-1)


def test_modules_are_serialized(store):
    module = tenon.Module(store, '(module (func (export "f") (result i32) (i32.const 9)))')
    again = tenon.Module.deserialize(store, module.serialize())
    assert tenon.Instance(store, again).exports.f() == 9


def test_linker(store):
    with tenon.Linker(store) as linker:
        def twice(n: int) -> int:
            return 2 * n

        linker.define("env", "twice", twice)
        with pytest.raises(tenon.TenonError, match="twice"):
            linker.define("env", "twice", twice)
        assert linker.get("env", "twice")(4) == 8 and linker.get("env", "none") is None
        exports = linker.instantiate(tenon.Module(store, '(module (import "env" "twice" (func $t (param i32) (result i32)))'
                                                  '(func (export "f") (result i32) (call $t (i32.const 21))))')).exports
        assert exports.f() == 42


def test_what_is_not_called_may_be_missing(store):
    module = tenon.Module(store, """(module (import "h" "a" (func $a (param i64))) (import "h" "b" (func $b (result f32)))
      (func (export "a") (call $a (i64.const 5))) (func (export "b") (result f32) (call $b)))""")
    linker = tenon.Linker(store)
    called = []
    linker.define("h", "a", called.append, tenon.FuncType([tenon.I64]))
    linker.define_missing(module)
    exports = linker.instantiate(module).exports
    exports.a()
    assert called == [5]
    with pytest.raises(tenon.LinkError, match='the import "h" "b" was called, which is not defined'):
        exports.b()
    memory = tenon.Module(store, '(module (import "h" "m" (memory 1)))')
    linker.define_missing(memory)
    with pytest.raises(tenon.LinkError, match="m"):
        linker.instantiate(memory)
    with pytest.raises(TypeError, match="a Module is expected"):
        linker.define_missing(None)


def test_nothing_of_the_library_has_two_owners(store):
    module = tenon.Module(store, '(module (memory (export "m") 1))')
    instance = tenon.Instance(store, module)
    for thing in [store, store.engine, module, instance, instance.exports, instance.exports.m, tenon.Tag(store), tenon.Linker(store)]:
        for use in [copy.copy, copy.deepcopy, pickle.dumps]:
            with pytest.raises(TypeError, match="cannot be copied or pickled"):
                use(thing)
    trap = pickle.loads(pickle.dumps(tenon.Trap("no", tenon.TrapCode.UNREACHABLE, [tenon.Frame(1, "f", None, 2, 3)])))
    assert (trap.message, trap.code, trap.frames[0].func_name) == ("no", tenon.TrapCode.UNREACHABLE, "f")


def test_the_same_and_others(store):
    module = tenon.Module(store, '(module (memory (export "m") 1) (table (export "t") 1 funcref) (global (export "g") i32 (i32.const 1))'
                                 '(func (export "f")))')
    one, two = tenon.Instance(store, module), tenon.Instance(store, module)
    one.exports.t[0] = one.exports.f
    assert one.exports.t[0].same(one.exports.f) and not one.exports.t[0].same(two.exports.f)
    assert one.exports.m.same(one.memory(0)) and not one.exports.m.same(two.exports.m)
    assert one.exports.t.same(one.exports.t) and not one.exports.g.same(two.exports.g)
    with pytest.raises(TypeError, match="a Func is expected, not <Memory of 65536 bytes>"):
        one.exports.f.same(one.exports.m)
    assert repr(one.exports) == "<Exports m, t, g, f>" and repr(one.exports.t) == "<Table of 1 funcref>"
    assert repr(one.exports.g) == "<Global of i32>"
    one.exports.m.close()
    assert repr(one.exports.m) == "<Memory, closed>"


def test_traps_show_where(store):
    exports = tenon.Instance(store, tenon.Module(store, "(module $m (func $inner unreachable) (func (export \"f\") (call $inner)))")).exports
    with pytest.raises(tenon.Trap) as trap:
        exports.f()
    first = trap.value.frames[0]
    assert str(first) == f"  in inner at {first.module_offset:#x} of m"
    if hasattr(trap.value, "add_note"):
        assert "".join(traceback.format_exception(trap.value)).endswith(f"{first}\n{trap.value.frames[1]}\n")


def test_another_thread_is_refused_while_the_store_is_used(store):
    entered, leave = threading.Event(), threading.Event()

    def wait(n):
        entered.set()
        assert leave.wait(60)
        return n

    module = tenon.Module(store, """(module (import "h" "f" (func $f (param i32) (result i32))) (memory (export "m") 1)
      (table (export "t") 1 funcref) (global (export "g") (mut externref) (ref.null extern))
      (func (export "f") (param i32) (result i32) (call $f (local.get 0))) (func (export "r") (param externref)))""")
    exports = tenon.Instance(store, module, [wait]).exports
    f, r, m, t, g = [exports[name] for name in ["f", "r", "m", "t", "g"]]
    tag = tenon.Tag(store, [])
    uses = [lambda: f(1), lambda: r("x"), lambda: m.grow(1), lambda: m.snapshot(), lambda: g.value, lambda: setattr(g, "value", "x"),
            lambda: t[0], lambda: t.grow(1), lambda: tenon.Memory(store, tenon.MemoryType(1)), lambda: tenon.Instance(store, module, [wait]),
            lambda: tenon.Func(store, wait, tenon.FuncType()), store.collect, store.gc_statistics, lambda: store.usage(tenon.Limit.TABLES),
            lambda: store.limit(tenon.Limit.TABLES), lambda: store.set_limit(tenon.Limit.TABLES, 1), lambda: tenon.WasmException(tag),
            lambda: tenon.Array(store, tenon.ArrayType(tenon.Field(tenon.I32)), [1]), lambda: store.ref_test(5, tenon.ANYREF)]
    answers = []

    def use():
        assert entered.wait(60)
        for use in uses:
            try:
                answers.append(use())
            except tenon.TenonError as error:
                answers.append(error)
        with pytest.raises(tenon.TenonError, match="call is under way"):
            store.close()
        leave.set()

    thread = threading.Thread(target=use)
    thread.start()
    assert f(5) == 5
    thread.join()
    assert len(answers) == len(uses)
    for place, answer in enumerate(answers):
        assert isinstance(answer, tenon.StoreError) and "in use on another thread" in str(answer), (place, answer)
    # Afterwards it may.
    thread = threading.Thread(target=lambda: answers.append(m.grow(1)))
    thread.start()
    thread.join()
    assert answers[-1] == 1
