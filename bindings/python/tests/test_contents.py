"""Limits and growth, and all that a memory can be asked for."""

import gc
import weakref

import numpy as np
import pytest

import tenon
from tenon import Atomic, Limit, Memory, MemoryType, SharedMemory

GUEST = """(module
  (memory (export "memory") 1 10)
  (memory 2 2)
  (table (export "table") 1 10 funcref)
  (data (i32.const 8) "text")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))"""


def test_limits(store, load):
    exports = load(GUEST)
    assert store.usage(Limit.MEMORY_BYTES) == 3 * 65536 and store.usage(Limit.INSTANCES) == 1
    assert store.limit(Limit.TABLES) is None
    store.set_limit(Limit.MEMORY_BYTES, 4 * 65536)
    with pytest.raises(tenon.StoreLimitError, match="the store may have 262144 bytes of memory"):
        exports.memory.grow(2)
    with pytest.raises(tenon.LimitError, match="cannot grow by 20") as caught:
        exports.memory.grow(20)
    assert not isinstance(caught.value, tenon.StoreLimitError)
    assert exports.grow(2) == -1 and exports.grow(1) == 1 and store.limit(Limit.MEMORY_BYTES) == 262144
    with pytest.raises(tenon.StoreLimitError):
        Memory(store, MemoryType(1))
    store.set_growth_traps(True)
    with pytest.raises(tenon.Trap, match="memory.grow: the store may have") as caught:
        exports.grow(1)
    assert caught.value.code is tenon.TrapCode.ALLOCATION_FAILURE
    store.set_limit(Limit.MEMORY_BYTES, None)
    assert exports.grow(1) == 2
    for wrong in (-1, 1 << 64, "x"):
        with pytest.raises(ValueError):
            store.set_limit(Limit.TABLES, wrong)
    with pytest.raises(ValueError):
        store.usage(99)


def test_growth_is_asked_for_and_told(store, load):
    exports = load(GUEST)
    asked, told = [], []

    def before(growth):
        asked.append(growth)
        if growth.new_size == 7:
            raise ValueError("never seven")
        if growth.item is not None and growth.kind == "memory":
            assert growth.item.pages == growth.old_size
            with pytest.raises(tenon.StoreLimitError, match="within a callback about a growth"):
                growth.item.grow(1)
        with pytest.raises(tenon.TenonError, match="call is under way"):
            store.close()
        return growth.new_size != 5

    store.on_growth(before, told.append)
    assert exports.grow(2) == 1 and exports.grow_table(1) == 1 and len(asked) == len(told) == 2
    assert told[0][1:] == ("memory", told[0].moved, 1, 3, 10) and told[0].item.pages == 3
    assert told[1][1:] == ("table", told[1].moved, 1, 2, 10) and len(told[1].item) == 2
    assert exports.grow(2) == -1 and exports.grow(0) == 3 and len(told) == 2
    with pytest.raises(tenon.StoreLimitError, match="the host refuses it"):
        exports.memory.grow(2)
    for grow in (lambda: exports.grow(4), lambda: exports.memory.grow(4), lambda: exports.memory.grow_at_least(7),
                 lambda: Memory(store, MemoryType(7)), lambda: load("(module (memory 7))"),
                 lambda: exports.table.grow(5), lambda: tenon.Table(store, tenon.TableType(tenon.FUNCREF, 7))):
        with pytest.raises(ValueError, match="^never seven$"):
            grow()
    assert store._raised is None and exports.memory.pages == 3 and len(told) == 2
    Memory(store, MemoryType(1))
    assert asked[-1] == (None, "memory", False, 0, 1, None)
    store.on_growth()
    assert exports.grow(4) == 3 and len(told) == 2
    with pytest.raises(TypeError, match="callable"):
        store.on_growth(5)


def test_the_observer_goes_with_the_store():
    class Watcher:
        def __call__(self, growth):
            return True

    store, watcher = tenon.Store(), Watcher()
    gone = weakref.ref(watcher)
    store.on_growth(watcher)
    del watcher
    Memory(store, MemoryType(1)).grow(1)
    assert gone() is not None
    store.close()
    gc.collect()
    assert gone() is None


def test_parts(store):
    memory = Memory(store, MemoryType(1, 3))
    generation = memory.generation
    assert memory.grow_at_least(1) == 1 and memory.generation == generation
    assert memory.grow_at_least(2) == 1 and memory.generation != generation
    with tenon.Store() as elsewhere:
        other = Memory(elsewhere, MemoryType(1))
        memory.fill(0, 7, 131072)
        other.copy_from(1, memory, 65536, 3)
        assert other.read(0, 5) == b"\0\x07\x07\x07\0"
        snapshot = memory.snapshot()
        with pytest.raises(tenon.TenonError, match="grow it first"):
            other.restore(snapshot)
        with pytest.raises(TypeError, match="Memory"):
            memory.copy_from(0, b"", 0, 0)
    memory.discard(65536, 65535)
    assert memory.read(131070, 2) == b"\0\x07" and memory.read(65535, 1) == b"\x07"
    memory.restore(snapshot)
    assert memory.read(131070, 2) == b"\x07\x07" and len(snapshot) == 131072
    for offset in (131072, 1 << 32, (1 << 64) - 1, 1 << 64, -1):
        for use in (lambda: memory.fill(offset, 1, 1), lambda: memory.discard(offset, 1), lambda: memory.fill(1, 1, offset),
                    lambda: memory.copy_from(0, memory, offset, 1), lambda: memory.read_cstring(offset, 1),
                    lambda: memory.write_cstring(offset, 9, "x")):
            with pytest.raises((IndexError, tenon.TenonError)):
                use()
    with pytest.raises(IndexError, match="outside of the memory of 131072 bytes"):
        memory.fill(131071, 1, 2)
    memory.fill(131072, 1, 0)
    with pytest.raises(OverflowError):
        memory.fill(0, 256, 1)
    with pytest.raises(TypeError):
        memory.fill(0.5, 1, 1)
    snapshot.close()
    with pytest.raises(tenon.ClosedError):
        memory.restore(snapshot)
    with pytest.raises(TypeError, match="Snapshot"):
        memory.restore(b"")


def test_texts(store):
    memory = Memory(store, MemoryType(1))
    assert memory.write_cstring(100, 7, "grüß") == 7 and memory.read_cstring(100, 7) == "grüß"
    with pytest.raises(UnicodeDecodeError):
        memory.read_string(100, 3)
    assert memory.read_string(100, 3, "replace") == "gr\ufffd"
    memory.write(105, b"\0")
    assert memory.read_cstring(100, 7, "replace") == "grü\ufffd"
    with pytest.raises(tenon.TenonError, match="no NUL"):
        memory.read_cstring(100, 5)
    with pytest.raises(tenon.TenonError, match="room for 3"):
        memory.write_cstring(100, 3, "abc")
    with pytest.raises(tenon.TenonError, match="has a NUL"):
        memory.write_cstring(100, 9, "a\0c")


def test_views_of_numbers(store):
    memory = Memory(store, MemoryType(1, 3))
    numbers = memory.view("u16", 4, 3)
    numbers[2] = 500
    assert memory.load("u16", 8) == 500 and len(numbers) == 3
    memory.grow(1)
    numbers[1] = 7
    assert memory.load("u16", 6) == 7 and len(memory.view("f64", 65536)) == 8192
    array = np.asarray(memory.view("f32", 16, 4))
    array[:] = 0.5
    assert memory.load("f32", 28) == 0.5 and array.dtype == np.float32
    with pytest.raises(ValueError, match="no multiple of the 4 bytes of i32"):
        memory.view("i32", 2, 1)
    for wrong in ((0, 16385), (131072, 1), (-8, 1), (8, 1 << 61), (131080, None)):
        with pytest.raises(IndexError):
            memory.view("i64", *wrong)
    assert len(memory.view("i64", 131072, 0)) == 0
    with pytest.raises(TypeError, match="v128"):
        memory.view("v128")


def test_memories_by_index(store):
    instance = tenon.Instance(store, tenon.Module(store, GUEST))
    first, second = instance.memory(0), instance.memory(1)
    assert first.pages == 1 and second.pages == 2
    for wrong in (2, -1, 1 << 32):
        with pytest.raises(IndexError, match="there is no memory"):
            instance.memory(wrong)
    first.fill(0, 255, 65536)
    instance.reset_memory()
    assert first.read(0, 16) == b"\0" * 8 + b"text" + b"\0" * 4
    with pytest.raises(tenon.TenonError, match="memory 2 is not one"):
        instance.reset_memory(2)


def test_pinned_memories():
    wide = MemoryType(1, 100, is64=True)
    for pinned in (False, True):
        with tenon.Store(tenon.Engine(tenon.Config(memory_reservation=1 << 20, pinned_memories=pinned))) as store:
            memory = Memory(store, wide)
            assert memory.pinned == pinned
            if pinned:
                view = memory.view()
                memory.grow(99)
                view[5] = 1
                assert memory.read(5, 1) == b"\x01"
                with pytest.raises(tenon.CompileError, match="cannot be pinned without a maximum"):
                    Memory(store, MemoryType(1, is64=True))
            else:
                with pytest.raises(BufferError, match="may move"):
                    memory.view()


@pytest.mark.parametrize("kind, low, high", [("i8", -128, 127), ("u8", 0, 255), ("i16", -32768, 32767), ("u16", 0, 65535),
                                             ("i32", -1 << 31, (1 << 31) - 1), ("u32", 0, (1 << 32) - 1),
                                             ("i64", -1 << 63, (1 << 63) - 1), ("u64", 0, (1 << 64) - 1)])
def test_atomic_accesses(store, kind, low, high):
    memory = SharedMemory(store.engine, MemoryType(1, 1, shared=True))
    memory.atomic_store(kind, 8, high)
    assert memory.atomic_rmw(kind, 8, Atomic.ADD, 1) == high and memory.atomic_load(kind, 8) == low
    assert memory.atomic_cmpxchg(kind, 8, low, 5) == low and memory.atomic_cmpxchg(kind, 8, low, 6) == 5
    assert memory.atomic_rmw(kind, 8, Atomic.EXCHANGE, high) == 5 and memory.atomic_load(kind, 8) == high
    size = int(kind[1:]) // 8
    with pytest.raises(tenon.TenonError, match="outside of the memory"):
        memory.atomic_load(kind, 65536)
    if size > 1:
        with pytest.raises(tenon.TenonError, match="not a multiple"):
            memory.atomic_load(kind, 1)
    with pytest.raises(TypeError, match="f32"):
        memory.atomic_load("f32", 0)
