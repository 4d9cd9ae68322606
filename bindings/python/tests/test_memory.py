"""Memories, tables and globals."""

import array
import gc

import numpy as np
import pytest

import tenon
from tenon import Memory, MemoryType

GROW = '(module (memory (export "memory") 1 10) (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))' \
       '(func (export "load") (param i32) (result i32) (i32.load (local.get 0))))'


def test_numpy_sees_the_memory_without_a_copy(load):
    exports = load(GROW)
    array = np.frombuffer(exports.memory.view(), dtype="<u4")
    array[3] = 77
    assert exports.load(12) == 77
    assert array.size == 16384


def test_a_view_survives_growth_close_and_collection():
    store = tenon.Store()
    exports = tenon.Instance(store, tenon.Module(store, GROW)).exports
    array = np.frombuffer(exports.memory.view(), dtype="<u4")
    array[0] = 5
    for _ in range(3):
        assert exports.grow(3) > 0
    assert array[0] == 5 and exports.load(0) == 5
    array[1] = 6
    assert exports.load(4) == 6
    exports.memory.close()
    del exports
    store.close()
    del store
    for _ in range(3):
        gc.collect()
    # Others take what was freed, if it was.
    for _ in range(3):
        with tenon.Store() as other:
            Memory(other, MemoryType(10)).write(0, b"\xff" * 655360)
    assert array[0] == 5 and array[1] == 6 and array.sum() == 11
    array[:] = 1


def test_a_memory_that_may_move_has_no_view():
    for config, ty in [(tenon.Config(memory_reservation=1 << 20), MemoryType(1, 100)),
                       (tenon.Config(), MemoryType(1, 1 << 20, is64=True))]:
        with tenon.Store(tenon.Engine(config)) as store:
            memory = Memory(store, ty)
            with pytest.raises(BufferError, match="may move"):
                memory.view()
            memory.write(0, b"abc")
            memory.grow(1)
            assert memory.read(0, 3) == b"abc"
            fixed = Memory(store, MemoryType(1, 1))
            assert len(fixed.view()) == 65536


def test_access_is_checked(store):
    memory = Memory(store, MemoryType(1))
    memory.write(65533, b"end")
    assert memory.read(65533, 3) == b"end" and memory.read(65536, 0) == b""
    for offset, length in [(65534, 3), (-1, 1), (0, -1), (1 << 64, 1), (65537, 0), (1, 1 << 64)]:
        with pytest.raises(IndexError, match="outside the memory of 65536 bytes"):
            memory.read(offset, length)
    with pytest.raises(IndexError):
        memory.write(65535, b"ab")
    with pytest.raises(TypeError):
        memory.read(1.0, 2)
    assert memory.write_string(8, "xịn") == 5 and memory.read_string(8, 5) == "xịn"


@pytest.mark.parametrize("kind, value", [("i8", -1), ("u8", 255), ("i16", -2), ("u16", 65535), ("i32", -3), ("u32", 1 << 31),
                                         ("i64", -4), ("u64", 1 << 63), ("f32", 0.5), ("f64", 0.1)])
def test_scalars(store, kind, value):
    memory = Memory(store, MemoryType(1))
    memory.store_value(kind, 3, value)
    assert memory.load(kind, 3) == value
    with pytest.raises(IndexError):
        memory.load(kind, 65536)
    if kind[0] != "f":
        with pytest.raises(OverflowError):
            memory.store_value(kind, 0, 1 << 64)
    with pytest.raises(TypeError, match="i128"):
        memory.load("i128", 0)


def test_growth_has_limits(store):
    memory = Memory(store, MemoryType(1, 2))
    assert memory.grow(1) == 1 and memory.pages == 2
    with pytest.raises(tenon.LimitError):
        memory.grow(1)
    assert memory.type == MemoryType(2, 2)


def test_tables(store, load):
    table = tenon.Table(store, tenon.TableType(tenon.FUNCREF, 2, 4))
    run = load('(module (import "h" "t" (table 1 funcref)) (type $t (func (result i32)))'
               '(func (export "run") (param i32) (result i32) (call_indirect (type $t) (local.get 0))))', [table]).run
    table[0] = tenon.Func(store, lambda: 42, tenon.FuncType([], [tenon.I32]))
    assert run(0) == 42 and table[0]() == 42 and table[1] is None and len(table) == 2
    with pytest.raises(tenon.Trap) as caught:
        run(1)
    assert caught.value.code is tenon.TrapCode.UNINITIALIZED_ELEMENT
    assert table.grow(2, table[0]) == 2 and table[3]() == 42
    with pytest.raises(tenon.LimitError):
        table.grow(1)
    with pytest.raises(IndexError, match="index 4"):
        table[4]
    with pytest.raises(TypeError, match="funcref"):
        table[0] = 5


def test_globals(store, load):
    exports = load('(module (global (export "g") (mut i64) (i64.const 5)) (global (export "c") f32 (f32.const 0.5)))')
    assert exports.g.value == 5 and exports.c.value == 0.5
    exports.g.value = -6
    assert exports.g.value == -6
    with pytest.raises(TypeError, match="constant"):
        exports.c.value = 1.0
    with pytest.raises(TypeError, match="i64"):
        exports.g.value = "x"
    vector = tenon.Global(store, tenon.GlobalType(tenon.V128), bytes(range(16)))
    assert vector.value == bytes(range(16)) and not vector.type.mutable


def test_indices_and_slices(load):
    memory = load('(module (memory (export "m") 1) (data (i32.const 4) "text"))').m
    assert memory[4] == ord("t") and memory[4:8] == b"text" and memory[-1] == 0 and memory[8:4] == b"" and memory[65534:99999] == b"\0\0"
    memory[4:8] = b"TEXT"
    memory[-1] = 7
    memory[0:4] = array.array("I", [1])
    assert memory[0:9] == b"\1\0\0\0TEXT\0" and memory[65535] == 7
    for wrong, error in [(lambda: memory[65536], IndexError), (lambda: memory[-65537], IndexError), (lambda: memory["x"], TypeError),
                         (lambda: memory[0:8:2], ValueError), (lambda: memory.__setitem__(slice(0, 4), b"abc"), ValueError),
                         (lambda: memory.__setitem__(0, 256), ValueError), (lambda: memory.__setitem__(65536, 1), IndexError)]:
        with pytest.raises(error):
            wrong()
    room = bytearray(4)
    assert memory.read_into(4, room) == 4 and room == b"TEXT"
    with pytest.raises(IndexError):
        memory.read_into(65533, room)
    with pytest.raises(TypeError):
        memory.read_into(0, b"constant")
    memory.store_value("v128", 16, bytes(range(16)))
    assert memory.load("v128", 16) == bytes(range(16))
    with pytest.raises(TypeError, match="v128 is 16 bytes"):
        memory.store_value("v128", 16, b"short")
    with pytest.raises(IndexError):
        memory.load("v128", 65521)
    with pytest.raises(IndexError):
        memory.store_value("v128", 65521, bytes(16))
    assert memory.element(16, 3, 8) == 40
    for wrong in [(0, 1 << 61, 8), (65530, 0, 8), (-1, 0, 1)]:
        with pytest.raises(IndexError):
            memory.element(*wrong)
