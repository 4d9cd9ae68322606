"""Atomic accesses to shared memories."""

import enum

from ._handle import check
from ._native import ffi, lib

__all__ = ["Atomic"]

# Bytes, and whether numbers have a sign.
KINDS = {"i8": (1, True), "u8": (1, False), "i16": (2, True), "u16": (2, False), "i32": (4, True), "u32": (4, False),
         "i64": (8, True), "u64": (8, False)}
_MASK = (1 << 64) - 1


class Atomic(enum.IntEnum):
    """What a read-modify-write writes: of what was there and the operand."""

    ADD = 0
    SUB = 1
    AND = 2
    OR = 3
    XOR = 4
    EXCHANGE = 5


def _kind(kind):
    try:
        return KINDS[kind]
    except (KeyError, TypeError):
        raise TypeError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}") from None


def _number(value, size, signed):
    """What is in memory as a number of the kind."""
    return value - (1 << 8 * size) if signed and value >> 8 * size - 1 else value


class Atomics:
    """The atomic accesses of a SharedMemory: in one order with those of WebAssembly. The address is a multiple of the number's bytes.
    Numbers that the kind cannot hold are wrapped."""

    __slots__ = ()

    def atomic_load(self, kind: str, address: int) -> int:
        """Reads an integer: "i8" to "u64"."""
        size, signed = _kind(kind)
        out = ffi.new("uint64_t *")
        check(lib.tenon_shared_memory_atomic_load(self._live(), address, size, out))
        return _number(out[0], size, signed)

    def atomic_store(self, kind: str, address: int, value: int) -> None:
        """Writes an integer."""
        size, _ = _kind(kind)
        check(lib.tenon_shared_memory_atomic_store(self._live(), address, size, value & _MASK))

    def atomic_rmw(self, kind: str, address: int, operation: Atomic, operand: int) -> int:
        """Replaces an integer by what the operation makes of it; answers what was there."""
        size, signed = _kind(kind)
        old = ffi.new("uint64_t *")
        check(lib.tenon_shared_memory_atomic_rmw(self._live(), address, size, Atomic(operation), operand & _MASK, old))
        return _number(old[0], size, signed)

    def atomic_cmpxchg(self, kind: str, address: int, expected: int, replacement: int) -> int:
        """Replaces an integer if it is the expected one; answers what was there."""
        size, signed = _kind(kind)
        old = ffi.new("uint64_t *")
        ptr = self._live()
        check(lib.tenon_shared_memory_atomic_cmpxchg(ptr, address, size, expected & _MASK, replacement & _MASK, old))
        return _number(old[0], size, signed)
