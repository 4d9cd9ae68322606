"""What all objects share that stand for an object of the library: closing, finalization, errors of the library."""

import threading
import weakref
from typing import Any, Dict

from ._native import ffi, lib
from .errors import ClosedError, CompileError, LimitError, error_of_kind


class Handle:
    """An object of the library. It is given back by `close`, at the end of a `with` block, or when it is collected, on
    whichever thread: the library leaves the rest to the thread of the store."""

    __slots__ = ("_ptr", "_finalizer", "__weakref__")

    def _own(self, ptr, delete):
        self._ptr = ptr
        self._finalizer = weakref.finalize(self, delete, ptr)
        # At the end of the process nothing needs to be given back, and callbacks could not run any more.
        self._finalizer.atexit = False

    def _live(self):
        """The pointer, or a ClosedError."""
        if self._ptr is None:
            raise ClosedError(f"this {type(self).__name__} is closed")
        return self._ptr

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._ptr is None

    def close(self) -> None:
        """Gives the object back; it cannot be used any more. Closing twice does nothing."""
        if self._ptr is not None:
            self._ptr = None
            self._finalizer()

    def __enter__(self):
        self._live()
        return self

    def __exit__(self, *_):
        self.close()


class SharedHandle(Handle):
    """An object that any thread may use, until one of them closes it: whoever is using it has a pointer of its own, and the object is
    given back when the last one goes."""

    __slots__ = ()

    def _own(self, ptr, delete):
        self._ptr = ffi.gc(ptr, delete)

    def close(self) -> None:
        """Gives the object back; it cannot be used any more. Closing twice does nothing."""
        self._ptr = None


class StoreObject(Handle):
    """An object that belongs to a store."""

    __slots__ = ("_store",)
    _store: Any

    def _live(self):
        if self._ptr is None:
            raise ClosedError(f"this {type(self).__name__} is closed")
        if self._store._ptr is None:
            raise ClosedError(f"the store of this {type(self).__name__} is closed")
        return self._ptr

    @property
    def store(self):
        """The store that it belongs to."""
        return self._store

    def close(self) -> None:
        """Gives the object back; it cannot be used any more. Closing twice does nothing."""
        if self._ptr is not None:
            self._ptr = None
            # Whoever runs in it has a reference to it: it is given back when the last one goes.
            if not self._store._calls:
                self._finalizer()


# What a memory creator raised on a thread, until somebody hears of it.
refusals = threading.local()


def check(error) -> None:
    """Raises what the library reports, if it reports something."""
    if error == ffi.NULL:
        return
    try:
        message = ffi.string(lib.tenon_error_message(error)).decode("utf-8", "replace")
        raised = error_of_kind(lib.tenon_error_kind(error), message)
        if isinstance(raised, LimitError) and "creator" in message:
            raised.__cause__, refusals.error = getattr(refusals, "error", None), None
        if isinstance(raised, CompileError):
            offset, line, column = ffi.new("uint64_t *"), ffi.new("uint32_t *"), ffi.new("uint32_t *")
            if lib.tenon_error_offset(error, offset):
                raised.offset = offset[0]
            if lib.tenon_error_line(error, line, column):
                raised.line, raised.column = line[0], column[0]
    finally:
        lib.tenon_error_delete(error)
    raise raised


def text(name) -> str:
    """The text of a wasm_name_t."""
    return bytes(ffi.buffer(name.data, name.size)).decode("utf-8") if name.size else ""


# Everything that the library refers to by an address: host functions and externref objects. The library's finalizer takes
# an entry out again.
kept: Dict[int, Any] = {}


def keep(thing):
    """An address for the library that stands for this object until the library releases it."""
    handle = ffi.new_handle(thing)
    kept[int(ffi.cast("uintptr_t", handle))] = handle
    return handle


@ffi.def_extern()
def tenon_py_release(env):
    kept.pop(int(ffi.cast("uintptr_t", env)), None)
