"""Shared memories, and buffers of memories."""

import gc
import threading
import time

import numpy as np
import pytest

import tenon
from tenon import Memory, MemoryType, SharedMemory, Wait

TYPE = MemoryType(1, 4, shared=True)
COUNTING = """(module (import "h" "m" (memory 1 4 shared))
  (func (export "add") (param $n i32)
    (loop $again
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "await") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
  (func (export "wake") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 100))))"""


def member(engine, shared):
    store = tenon.Store(engine)
    return tenon.Instance(store, tenon.Module(store, COUNTING), [shared.obtain(store)]).exports


def test_threads_count_in_one_memory():
    engine = tenon.Engine()
    shared = SharedMemory(engine, TYPE)
    threads = [threading.Thread(target=lambda: member(engine, shared).add(20000)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert np.frombuffer(shared, "<u4")[2] == 80000


def test_waiting_and_waking():
    engine = tenon.Engine()
    shared = SharedMemory(engine, TYPE)
    ended = []
    thread = threading.Thread(target=lambda: ended.append(member(engine, shared)["await"]()))
    thread.start()
    while shared.notify(0) == 0:
        time.sleep(0.001)
    thread.join()
    thread = threading.Thread(target=lambda: ended.append(shared.wait32(0, 0)))
    thread.start()
    wake = member(engine, shared).wake
    while wake() == 0:
        time.sleep(0.001)
    thread.join()
    assert ended == [0, Wait.NOTIFIED]
    assert shared.wait32(0, 5) is Wait.NOT_EQUAL and shared.wait64(8, 0, 0.001) is Wait.TIMED_OUT
    assert shared.wait32(0, 0, -1.5) is Wait.TIMED_OUT
    for address in [2, 1 << 40]:
        with pytest.raises(tenon.TenonError):
            shared.wait32(address, 0)


def test_sharing_growth_and_closing():
    engine = tenon.Engine()
    store, other = tenon.Store(engine), tenon.Store(engine)
    memory = Memory(store, TYPE)
    shared = SharedMemory.of(memory)
    memory.write(100, b"shared")
    assert shared.obtain(other).read(100, 6) == b"shared"
    view = shared.view()
    assert shared.grow(2) == 1 and memory.pages == shared.pages == 3 and len(shared) == 3 * 65536 and len(view) == 65536
    assert shared.type == MemoryType(3, 4, shared=True) and shared
    with pytest.raises(tenon.LimitError):
        shared.grow(2)
    store.close()
    other.close()
    shared.close()
    gc.collect()
    assert bytes(view[100:106]) == b"shared"
    with pytest.raises(tenon.ClosedError, match="this SharedMemory is closed"):
        shared.notify(0)
    with pytest.raises(tenon.ClosedError):
        np.frombuffer(shared)


def test_what_is_refused(store):
    with pytest.raises(TypeError, match="not shared"):
        SharedMemory.of(Memory(store, MemoryType(1)))
    with pytest.raises(tenon.TenonError):
        SharedMemory(store.engine, MemoryType(1))
    with pytest.raises(tenon.StoreError, match="another engine"):
        SharedMemory(tenon.Engine(), TYPE).obtain(store)
    with pytest.raises(TypeError):
        SharedMemory(store, TYPE)


def test_a_memory_is_a_buffer(store):
    memory = Memory(store, MemoryType(1, 10))
    array = np.frombuffer(memory, "<u4")
    array[1] = 0x64636261
    assert memory.read(4, 4) == b"abcd" and bytes(memory)[4:8] == b"abcd" and memoryview(memory).nbytes == 65536
    assert memoryview(memory).readonly is False
    # Writing takes buffers, memories among them.
    Memory(store, MemoryType(1)).write(0, memory)
    memory.grow(1)
    assert np.frombuffer(memory, "u1").size == 131072 and array.size == 16384
    memory.close()
    store.close()
    gc.collect()
    with tenon.Store() as later:
        Memory(later, MemoryType(2)).write(0, b"\xff" * 131072)
    assert array[1] == 0x64636261
    with pytest.raises(tenon.ClosedError):
        np.frombuffer(memory)


def test_a_buffer_of_a_memory_that_may_move_is_refused(store):
    with pytest.raises(BufferError, match="may move"):
        memoryview(Memory(store, MemoryType(1, 1 << 20, is64=True)))
