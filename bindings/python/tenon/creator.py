"""Memories whose bytes the program provides."""

import mmap
from typing import Any, NamedTuple

from ._handle import check, keep, kept, refusals
from ._native import ffi, lib

__all__ = ["MemoryCreator", "MemoryRequest"]


class MemoryRequest(NamedTuple):
    """What a memory creator is asked for: bytes at first, bytes that there may ever be, what the address must be a multiple of, and
    whether it must never change (`Config(pinned_memories=True)`)."""

    size: int
    maximum: int
    alignment: int
    pinned: bool


class MemoryCreator:
    """Provides the bytes of an engine's memories, shared ones included: `Config(memory_creator=...)`. Every access is checked in
    code then. It is asked on any thread that uses a store of the engine, and must not use the store. What it raises counts as a
    refusal, and is the cause of what the host gets; WebAssembly gets -1. This one makes anonymous mappings; others override it."""

    def allocate(self, request: MemoryRequest) -> Any:
        """Something with the buffer protocol, writable, of at least so many bytes, all of them zero. It is exported until it is given to
        `free`, so that a bytearray cannot be resized."""
        return mmap.mmap(-1, max(request.maximum if request.pinned else request.size, 1))

    def free(self, buffer: Any) -> None:
        """Takes back what `allocate` gave. A memory that grows beyond its buffer moves to another one, and gives the first back."""


class _Creator:
    """What the library's pointer to a creator stands for."""

    __slots__ = ("creator",)

    def __init__(self, creator):
        self.creator = creator


class _Created:
    """A memory of a creator: what the library's handle stands for."""

    __slots__ = ("creator", "request", "buffer", "place")

    def __init__(self, creator, request):
        self.creator = creator
        self.request = request
        self.buffer, self.place = self.allocate(request)

    def allocate(self, request):
        """A buffer, and the address of its bytes, which keeps it exported."""
        buffer = self.creator.allocate(request)
        place = ffi.from_buffer("uint8_t[]", buffer, require_writable=True)
        if len(place) < request.size:
            have = len(place)
            ffi.release(place)
            raise ValueError(f"the memory's creator gave {have} bytes, not {request.size}")
        # The address of no bytes must be good for something, too.
        return buffer, place if len(place) else ffi.from_buffer("uint8_t[]", bytearray(16))

    def grow(self, old_size, size):
        """Has room for so many bytes: in the buffer, if that is longer than it was to be, or in another one."""
        if size <= len(self.place):
            return
        buffer, place = self.allocate(self.request._replace(size=size))
        ffi.memmove(place, self.place, old_size)
        self.free()
        self.buffer, self.place = buffer, place

    def free(self):
        buffer, place = self.buffer, self.place
        self.buffer = self.place = None
        if place is not None:
            ffi.release(place)
            self.creator.free(buffer)


def creator_of(config, creator):
    """Gives a creator to a configuration."""
    env = keep(_Creator(creator))
    functions = ffi.new("tenon_memory_creator_t *", {
        "allocate": lib.tenon_py_allocate, "grow": lib.tenon_py_grow, "free": lib.tenon_py_free, "env": env,
        "finalizer": lib.tenon_py_release})
    try:
        check(lib.tenon_config_set_memory_creator(config, functions))
    except BaseException:
        kept.pop(int(ffi.cast("uintptr_t", env)), None)
        raise


def _refused(_, error, traceback):
    """What was raised in a creator, for whoever asked."""
    refusals.error = error
    return False


@ffi.def_extern(error=False, onerror=_refused)
def tenon_py_allocate(env, request, out):
    refusals.error = None
    creator = ffi.from_handle(env).creator
    created = _Created(creator, MemoryRequest(request.size, request.maximum, request.alignment, bool(request.pinned)))
    out.data, out.handle = created.place, keep(created)
    return True


@ffi.def_extern(error=False, onerror=_refused)
def tenon_py_grow(env, memory, old_size, size):
    refusals.error = None
    created = ffi.from_handle(memory.handle)
    created.grow(old_size, size)
    memory.data = created.place
    return True


@ffi.def_extern()
def tenon_py_free(env, memory, size):
    created = ffi.from_handle(memory.handle)
    kept.pop(int(ffi.cast("uintptr_t", memory.handle)), None)
    created.free()
