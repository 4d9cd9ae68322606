"""Modules and linking, and what is refused."""

import pytest

import tenon

NEEDS = '(module (import "env" "first" (func (param i32))) (import "env" "second" (memory 1)))'


def test_what_is_closed_is_refused(store, load):
    exports = load('(module (memory (export "m") 1) (func (export "f")))')
    exports.f.close()
    exports.f.close()
    assert exports.f.closed
    with pytest.raises(tenon.ClosedError, match="this Func is closed"):
        exports.f()
    store.close()
    with pytest.raises(tenon.ClosedError, match="the store of this Memory is closed"):
        exports.m.read(0, 1)
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
