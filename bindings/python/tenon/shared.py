"""Memories that stores on several threads share."""

import enum
from typing import Optional

from ._buffer import Exporter
from ._handle import SharedHandle, check
from ._native import ffi, lib
from .atomic import Atomics
from .errors import StoreError
from .memory import Memory
from .store import Engine, own_store
from .types import MemoryType

__all__ = ["SharedMemory", "Wait"]


class Wait(enum.IntEnum):
    """How a wait ended."""

    NOTIFIED = 0
    NOT_EQUAL = 1
    TIMED_OUT = 2


class SharedMemory(SharedHandle, Atomics, Exporter):
    """A memory that belongs to no store: any thread may use it, and stores of the same engine obtain it as a Memory of theirs.

    `view()` gives the bytes without a copy, and numpy takes the memory itself. They never move; others write to them meanwhile.
    """

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine, type: MemoryType):
        if not isinstance(engine, Engine):
            raise TypeError(f"an Engine is expected, not {engine!r}")
        if not isinstance(type, MemoryType):
            raise TypeError(f"a MemoryType is expected, not {type!r}")
        ty = ffi.gc(type._new(), lib.wasm_memorytype_delete)
        out = ffi.new("tenon_shared_memory_t **")
        check(lib.tenon_shared_memory_new(engine._live(), ty, out))
        self._bind(engine, out[0])

    def _bind(self, engine, ptr):
        self._engine = engine
        self._own(ptr, lib.tenon_shared_memory_delete)
        return self

    @classmethod
    def of(cls, memory: Memory) -> "SharedMemory":
        """The shared memory that a store's memory is. TypeError if its type is not that of one."""
        shared = lib.tenon_memory_share(memory._live())
        if shared == ffi.NULL:
            raise TypeError("the memory is not shared")
        return cls.__new__(cls)._bind(memory._store._engine, shared)

    def obtain(self, store) -> Memory:
        """A memory of a store, to be imported by its instances."""
        ptr = self._live()
        if own_store(store)._engine is not self._engine:
            raise StoreError("the shared memory was made with another engine than the store's")
        memory = lib.tenon_memory_obtain(store._ptr, ptr)
        if memory == ffi.NULL:
            raise MemoryError("the shared memory could not be obtained")
        return Memory.__new__(Memory)._bind(store, memory)

    def same(self, other: "SharedMemory") -> bool:
        """Whether both are the same shared memory."""
        if not isinstance(other, SharedMemory):
            raise TypeError(f"a SharedMemory is expected, not {other!r}")
        return bool(lib.tenon_shared_memory_same(self._live(), other._live()))

    @property
    def type(self) -> MemoryType:
        """Its type; the minimum is the size that it has now."""
        return MemoryType._of(ffi.gc(lib.tenon_shared_memory_type(self._live()), lib.wasm_memorytype_delete))

    @property
    def pages(self) -> int:
        """The size in pages."""
        return lib.tenon_shared_memory_size(self._live())

    def __len__(self) -> int:
        """The size in bytes."""
        return lib.tenon_shared_memory_data_size(self._live())

    def __bool__(self):
        return True

    def grow(self, pages: int) -> int:
        """Adds pages of zeros; answers how many there were. LimitError where that is not possible."""
        old = ffi.new("uint64_t *")
        check(lib.tenon_shared_memory_grow(self._live(), pages, old))
        return old[0]

    def view(self) -> memoryview:
        """The bytes that there are now, without a copy."""
        copy = lib.tenon_shared_memory_copy(self._live())
        size = lib.tenon_shared_memory_data_size(copy)
        base = ffi.gc(ffi.cast("char *", lib.tenon_shared_memory_data(copy)), lambda _: lib.tenon_shared_memory_delete(copy))
        return memoryview(ffi.buffer(base, size))

    @staticmethod
    def _nanoseconds(timeout):
        return -1 if timeout is None else max(0, min(int(timeout * 1e9), (1 << 63) - 1))

    def wait32(self, address: int, expected: int, timeout: Optional[float] = None) -> Wait:
        """Waits at an address, a multiple of 4, if the expected number is there, until WebAssembly code or `notify` wakes it, or for
        so many seconds. Other threads of Python go on meanwhile; signals, Ctrl-C among them, wait until it ends."""
        result = ffi.new("uint8_t *")
        check(lib.tenon_shared_memory_wait32(self._live(), address, expected & 0xFFFFFFFF, self._nanoseconds(timeout), result))
        return Wait(result[0])

    def wait64(self, address: int, expected: int, timeout: Optional[float] = None) -> Wait:
        """`wait32` for 64 bits: the address is a multiple of 8."""
        result = ffi.new("uint8_t *")
        check(lib.tenon_shared_memory_wait64(self._live(), address, expected & (1 << 64) - 1, self._nanoseconds(timeout), result))
        return Wait(result[0])

    def notify(self, address: int, count: int = 0xFFFFFFFF) -> int:
        """Wakes up to so many waits at an address, a multiple of 4; answers how many."""
        woken = ffi.new("uint32_t *")
        check(lib.tenon_shared_memory_notify(self._live(), address, count, woken))
        return woken[0]
