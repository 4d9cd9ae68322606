"""Structures, arrays and numbers of 31 bits, on both sides."""

import gc
import weakref

import numpy
import pytest

import tenon
from tenon import ANYREF, F64, I32, I64, V128, Array, ArrayType, Field, Struct, StructType, TypeGroup, ValType

SHOP = """(module
  (type $name (array (mut i8)))
  (type $item (struct (field $name (ref $name)) (field $price i32) (field $count (mut i32)) (field $next (mut (ref null $item)))))
  (global $stock (mut (ref null $item)) (ref.null $item))
  (func (export "add") (param $item (ref $item))
    (struct.set $item $next (local.get $item) (global.get $stock))
    (global.set $stock (local.get $item)))
  (func (export "first") (result (ref null $item)) (global.get $stock))
  (func (export "clear") (global.set $stock (ref.null $item))))"""


def test_the_host_makes_what_the_guest_keeps(load):
    exports = load(SHOP)
    item = exports.add.type.params[0].deftype
    name = item.fields[0].type.deftype
    assert isinstance(item, StructType) and len(item.fields) == 4 and item.fields[2] == Field(I32, True, 0)
    assert name.element == Field(I32, True, 8) and name == ArrayType(Field(I32, True, 8)) != item
    store = exports.add.store
    for text, price in [("apple", 2), ("lamp", 49)]:
        exports.add(Struct(store, item, Array(store, name, text.encode()), price, 10, None))
    lamp = exports.first()
    assert isinstance(lamp, Struct) and lamp.type == item and len(lamp) == 4 and lamp
    assert bytes(lamp[0]) == b"lamp" and lamp[1] == 49 and bytes(lamp[3][0]) == b"apple" and lamp[3][3] is None
    lamp[2] = 3
    assert exports.first()[2] == 3 and exports.first().same(lamp) and not lamp.same(lamp[3])
    with pytest.raises(TypeError, match="field 1 is constant"):
        lamp[1] = 5
    with pytest.raises(TypeError, match="field 0: i32 is expected, not 'x'"):
        lamp[2] = "x"
    with pytest.raises(IndexError, match="index 4"):
        lamp[4]
    with pytest.raises(TypeError, match="4 fields, not 1"):
        Struct(store, item, None)
    with pytest.raises(TypeError, match="field 1: i32 is expected"):
        Struct(store, item, Array(store, name), "x", 1, None)
    with pytest.raises(tenon.TenonError):
        Struct(store, item, None, 1, 1, None)
    exports.clear()
    assert exports.first() is None and lamp[1] == 49
    with tenon.Store() as other:
        with pytest.raises((tenon.StoreError, tenon.Trap), match="store"):
            exports.add(Struct(other, StructType([Field(I32)]), 1))


def test_arrays(store):
    bytes_of = ArrayType(Field(I32, True, 8))
    array = Array(store, bytes_of, [1, 2, 255])
    assert list(array) == [1, 2, 255] and array.signed(2) == -1 and len(array) == 3
    array[0] = 77
    array.fill(9, 1)
    assert list(array) == [77, 9, 9]
    array.copy_from(1, array, 0, 2)
    assert list(array) == [77, 77, 9]
    longer = Array.filled(store, bytes_of, 5, 4)
    longer.copy_from(0, array, 1, 2)
    assert list(longer) == [77, 9, 4, 4, 4] and list(Array.filled(store, bytes_of, 2)) == [0, 0]
    with pytest.raises(tenon.TenonError):
        longer.copy_from(4, array, 0, 2)
    with pytest.raises(tenon.TenonError):
        array.fill(1, 2, 2)
    with pytest.raises(IndexError):
        array[3]
    constant = Array(store, ArrayType(Field(F64)), [0.5])
    with pytest.raises(TypeError, match="constant"):
        constant[0] = 1.0
    assert [*Array(store, ArrayType(Field(V128)), [bytes(range(16))])] == [bytes(range(16))]
    with pytest.raises(TypeError, match="element 1: i64"):
        Array(store, ArrayType(Field(I64)), [1, "x"])


def test_structures_of_the_hosts_own_types(store):
    base = StructType([Field(I32, True, 16)], final=False)
    derived = StructType([Field(I32, True, 16), Field(ANYREF, True)], supertype=base)
    assert derived.matches(base) and not base.matches(derived) and derived != base and repr(base).startswith("StructType([Field(")
    struct = Struct(store, derived, 0xFFFE, None)
    assert struct[0] == 0xFFFE and struct.signed(0) == -2
    assert struct.is_a(ValType.ref(base)) and struct.is_a(ValType.ref("struct")) and not struct.is_a(ValType.ref("array"))
    struct[1] = struct
    assert struct[1].same(struct)
    assert [*Struct.default(store, derived)] == [0, None]
    with pytest.raises(tenon.TenonError):
        Struct.default(store, StructType([Field(ValType.ref("any", nullable=False))]))
    with pytest.raises(tenon.TenonError):
        StructType([Field(I64)], supertype=base)
    with pytest.raises(TypeError):
        StructType([], supertype=ArrayType(Field(I32)))


def test_small_numbers_and_any_objects(load):
    exports = load("""(module
      (func (export "same") (param anyref) (result anyref) (local.get 0))
      (func (export "number") (param i31ref) (result i32) (i31.get_s (local.get 0)))
      (func (export "out") (param anyref) (result externref) (extern.convert_any (local.get 0)))
      (func (export "in") (param externref) (result anyref) (any.convert_extern (local.get 0))))""")
    for value in [0, -1, (1 << 30) - 1, -1 << 30]:
        assert exports.same(value) == value and exports.number(value) == value and exports.out(value) == value
    assert exports.same(0x7FFFFFFF) == -1
    with pytest.raises(OverflowError, match="31 bits"):
        exports.same(1 << 31)
    thing = object()
    assert exports.same(thing) is thing and exports["in"](thing) is thing and exports.out(thing) is thing
    with pytest.raises(TypeError, match="is expected"):
        exports.number(thing)


def test_objects_are_collected(store):
    class Thing:
        pass

    thing = Thing()
    seen = weakref.ref(thing)
    struct = Struct(store, StructType([Field(tenon.EXTERNREF, True)]), thing)
    del thing
    gc.collect()
    store.collect()
    assert struct[0] is seen()
    for _ in range(2000):
        Array.filled(store, ArrayType(Field(I64)), 1000)
    assert struct[0] is seen()
    struct.close()
    gc.collect()
    store.collect()
    assert seen() is None


def test_numbers_of_arrays(store):
    for field, values, data in [(Field(I32, True, 8), [1, 255], b"\x01\xff"), (Field(I32, True, 16), [1, 0xFFFE], b"\x01\0\xfe\xff"),
                                (Field(I32, True), [-1, 5], b"\xff\xff\xff\xff\x05\0\0\0"), (Field(F64, True), [0.5], b"\0\0\0\0\0\0\xe0?"),
                                (Field(V128, True), [bytes(range(16))], bytes(range(16)))]:
        array = Array.filled(store, ArrayType(field), len(values) + 2)
        array.frombytes(data, 1)
        assert list(array)[1:-1] == values and array.tobytes(1, len(values)) == data and array.tobytes(len(values) + 2) == b""
        with pytest.raises(IndexError):
            array.frombytes(data, 3)
        with pytest.raises(IndexError):
            array.tobytes(1, len(values) + 2)
        with pytest.raises(IndexError):
            array.tobytes(-1)
    numbers = Array(store, ArrayType(Field(I32, True)), range(1000))
    assert numpy.frombuffer(numbers.tobytes(), "<i4").sum() == sum(range(1000))
    numbers.frombytes(numpy.arange(1000, dtype="<i4")[::-1].copy())
    assert numbers[0] == 999
    with pytest.raises(ValueError, match="3 bytes are no elements of 4"):
        numbers.frombytes(b"abc")
    with pytest.raises(TypeError, match="constant"):
        Array(store, ArrayType(Field(I32)), [1]).frombytes(bytes(4))
    with pytest.raises(TypeError, match="no bytes"):
        Array.filled(store, ArrayType(Field(ANYREF, True)), 1).tobytes()


def test_groups_of_types(store, load):
    exports = load("""(module
      (rec (type $tree (sub (struct (field i32) (field (ref null $forest)))))
           (type $forest (array (mut (ref null $tree)))))
      (func (export "value") (param (ref $tree)) (result i32) (struct.get $tree 0 (local.get 0))))""")
    group = TypeGroup()
    assert group.add_struct([Field(I32), Field(group.ref(1, "array"))], final=False) == 0
    assert group.add_array(Field(group.ref(0), True)) == 1
    tree, forest = group.declare()
    assert tree == exports.value.type.params[0].deftype and isinstance(forest, ArrayType) and tree.fields[1].type.deftype == forest
    assert tree.supertype is None and not tree.final and forest.final
    oak = StructType([*tree.fields, Field(F64)], supertype=tree)
    assert oak.supertype == tree and oak.matches(tree)
    leaf = Struct(store, oak, 7, None, 0.5)
    assert exports.value(leaf) == 7 and Struct(store, tree, 1, Array(store, forest, [leaf, None]))[1][0].same(leaf)
    assert TypeGroup().declare() == []
    for wrong in [lambda: group.ref(0, "func"), lambda: group.ref(1 << 31)]:
        with pytest.raises((ValueError, OverflowError)):
            wrong()
    with pytest.raises(TypeError, match="not declared yet"):
        tenon.FuncType([group.ref(0)])
    alone = TypeGroup()
    alone.add_struct([Field(alone.ref(5))])
    with pytest.raises(tenon.TenonError, match="a place or a kind that is not there"):
        alone.declare()
    with pytest.raises(TypeError, match="a Field with a ValType is expected"):
        StructType([I32])
    with pytest.raises(tenon.TenonError):
        StructType([Field(I32)], supertype=oak)


def test_references_of_every_kind_are_tested_and_cast(store, load):
    func = load('(module (func (export "f") (param i32)))').f
    struct = Struct(store, StructType([Field(I32)]), 1)
    ref, exact = ValType.ref, ValType.ref(struct.type)
    for value, type, expected in [
            (struct, exact, True), (struct, ref("struct"), True), (struct, ref("array"), False), (struct, tenon.EXTERNREF, True),
            (None, ANYREF, True), (None, ref("any", nullable=False), False), (5, ref("i31"), True), (5, ref("struct"), False),
            ("text", tenon.EXTERNREF, True), ("text", ANYREF, True), ("text", ref("eq"), False),
            (func, tenon.FUNCREF, True), (func, ref(func.type), True), (func, ref(tenon.FuncType([F64])), False)]:
        assert store.ref_test(value, type) is expected, (value, type)
        if expected:
            assert same(store.ref_cast(value, type), value)
        else:
            with pytest.raises(TypeError):
                store.ref_cast(value, type)
    assert struct.cast(exact).same(struct) and struct.is_a(exact)
    with pytest.raises(TypeError):
        struct.cast(ref("array"))
    tag = tenon.Tag(store, [I32])
    error = tenon.WasmException(tag, 5)
    assert store.ref_test(error, tenon.EXNREF) and store.ref_cast(error, tenon.EXNREF).same(error)
    for use in [store.ref_test, store.ref_cast]:
        with pytest.raises(TypeError, match="no reference type"):
            use(struct, I32)
        with pytest.raises(TypeError, match="a ValType is expected"):
            use(struct, "any")
        with tenon.Store() as other, pytest.raises(tenon.StoreError):
            use(Struct(other, struct.type, 1), exact)
    gc.collect()
    struct.close()
    with pytest.raises(tenon.ClosedError):
        store.ref_test(struct, exact)


def same(a, b):
    return a.same(b) if isinstance(a, (tenon.Ref, tenon.WasmException)) else a == b if not isinstance(a, tenon.Func) else a.type == b.type
