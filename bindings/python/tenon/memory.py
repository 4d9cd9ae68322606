"""Memories, tables and globals."""

import operator
import struct
from typing import Any, Optional, Union

from ._handle import StoreObject, check
from ._buffer import Exporter
from ._native import ffi, lib
from ._values import put, put_vector, reference, referenced, take
from .contents import Contents, elements
from .limits import makers
from .store import own_store
from .types import GlobalType, MemoryType, TableType

__all__ = ["Memory", "Table", "Global"]

_FORMATS = {"i8": "<b", "u8": "<B", "i16": "<h", "u16": "<H", "i32": "<i", "u32": "<I", "i64": "<q", "u64": "<Q",
            "f32": "<f", "f64": "<d"}
_SCALARS = {name: struct.Struct(form) for name, form in _FORMATS.items()}


class Memory(StoreObject, Contents, Exporter):
    """A linear memory. Every access is checked.

    `view()` gives the bytes without a copy, as a memoryview; numpy and others take the memory itself. A view holds a reference to
    the memory, so its bytes stay mapped when the memory and the store are closed. It has the size of when it was made. Only memories that
    are `pinned`, and so never move, have views: those with 32-bit addresses under a configuration that reserves 4 GiB (the
    default), shared ones, those that cannot grow, and all under `Config(pinned_memories=True)`. Others refuse with BufferError.
    """

    __slots__ = ("_type",)

    def __init__(self, store, type: MemoryType):
        ptr = own_store(store)._ptr
        if not isinstance(type, MemoryType):
            raise TypeError(f"a MemoryType is expected, not {type!r}")
        ty = ffi.gc(type._new(), lib.wasm_memorytype_delete)
        out = ffi.new("wasm_memory_t **")
        store._grown(lib.tenon_memory_new(ptr, ty, out))
        self._bind(store, out[0])

    def _bind(self, store, ptr):
        self._store = store
        self._own(ptr, lib.wasm_memory_delete)
        return self

    @property
    def type(self) -> MemoryType:
        """Its type; the minimum is the size that it has now."""
        return MemoryType._of(ffi.gc(lib.wasm_memory_type(self._live()), lib.wasm_memorytype_delete))

    @property
    def pages(self) -> int:
        """The size in pages."""
        return lib.tenon_memory_size(self._live())

    @property
    def page_size(self) -> int:
        """Bytes of a page."""
        return lib.tenon_memory_page_size(self._live())

    def __len__(self) -> int:
        """The size in bytes."""
        return lib.wasm_memory_data_size(self._live())

    def __bool__(self):
        return True

    def grow(self, pages: int) -> int:
        """Adds pages of zeros; answers how many there were. LimitError where that is not possible."""
        old = ffi.new("uint64_t *")
        self._store._grown(lib.tenon_memory_grow(self._live(), pages, old))
        return old[0]

    def view(self, kind: Optional[str] = None, offset: int = 0, count: Optional[int] = None) -> memoryview:
        """The bytes, without a copy; or, from an offset on, so many numbers of a kind, "i8" to "f64", or all that there are. The
        offset is a multiple of a number's bytes then. See the class."""
        if kind is not None:
            return elements(self.view(), kind, offset, count)
        ptr = self._live()
        if not self.pinned:
            raise BufferError("this memory may move when it grows, so it has no views: use read and write")
        copy = lib.wasm_memory_copy(ptr)
        base = ffi.gc(ffi.cast("char *", lib.wasm_memory_data(ptr)), lambda _: lib.wasm_memory_delete(copy))
        return memoryview(ffi.buffer(base, lib.wasm_memory_data_size(ptr)))

    def _at(self, offset, length):
        """The bytes from offset on, after a check that they lie inside."""
        ptr = self._live()
        if not isinstance(offset, int) or not isinstance(length, int):
            raise TypeError(f"offset and length are numbers, not {offset!r} and {length!r}")
        size = lib.wasm_memory_data_size(ptr)
        if offset < 0 or length < 0 or offset + length > size:
            raise IndexError(f"{length} bytes at {offset} are outside the memory of {size} bytes")
        return ffi.buffer(lib.wasm_memory_data(ptr) + offset, length)

    def read(self, offset: int, length: int) -> bytes:
        """A copy of these bytes."""
        return self._at(offset, length)[:]

    def write(self, offset: int, data) -> None:
        """Writes bytes, or anything with the buffer protocol."""
        data = memoryview(data).cast("B")
        self._at(offset, len(data))[:] = data

    def read_into(self, offset: int, buffer) -> int:
        """Fills a buffer that can be written, a bytearray or an array for example, from an offset on; answers how many bytes that were."""
        place = memoryview(buffer).cast("B")
        place[:] = self._at(offset, len(place))
        return len(place)

    def _slice(self, key):
        """Offset and length of an index or of a slice, as of bytes."""
        if isinstance(key, slice):
            start, stop, step = key.indices(len(self))
            if step != 1:
                raise ValueError("the steps of a slice of a memory are 1")
            return start, max(stop - start, 0)
        try:
            index = operator.index(key)
        except TypeError:
            raise TypeError(f"an index is a number or a slice, not {key!r}") from None
        return (index + len(self) if index < 0 else index), 1

    def __getitem__(self, key):
        """The byte at an index, or a copy of the bytes of a slice, as of a bytes object; negative ones count from the end."""
        data = self.read(*self._slice(key))
        return data if isinstance(key, slice) else data[0]

    def __setitem__(self, key, value) -> None:
        """Writes a byte to an index, or as many bytes as there are to a slice."""
        offset, length = self._slice(key)
        if not isinstance(key, slice):
            value = bytes((value,))
        data = memoryview(value).cast("B")
        if len(data) != length:
            raise ValueError(f"{len(data)} bytes are not the {length} of the slice: a memory has no others")
        self.write(offset, data)

    def read_string(self, offset: int, length: int, errors: str = "strict") -> str:
        """UTF-8 of this many bytes, as text. `errors` is that of bytes.decode."""
        return self.read(offset, length).decode("utf-8", errors)

    def write_string(self, offset: int, string: str) -> int:
        """Writes a text in UTF-8; answers how many bytes that were."""
        data = string.encode("utf-8")
        self.write(offset, data)
        return len(data)

    @staticmethod
    def _scalar(kind):
        try:
            return _SCALARS[kind]
        except (KeyError, TypeError):
            raise TypeError(f"there is no kind {kind!r}; there are {', '.join(_SCALARS)}") from None

    def load(self, kind: str, offset: int) -> Any:
        """A number: "i8" to "u64", "f32", "f64", little-endian; or 16 bytes, "v128"."""
        if kind == "v128":
            return self.read(offset, 16)
        form = self._scalar(kind)
        return form.unpack(self._at(offset, form.size))[0]

    def store_value(self, kind: str, offset: int, value) -> None:
        """Writes a number; the kinds are those of `load`."""
        if kind == "v128":
            put_vector(ffi.cast("tenon_raw_t *", ffi.from_buffer(self._at(offset, 16))), value)
            return
        form = self._scalar(kind)
        place = self._at(offset, form.size)
        try:
            place[:] = form.pack(value)
        except struct.error as error:
            raise OverflowError(f"{value!r} is no {kind}: {error}") from None


class Table(StoreObject):
    """A table of references."""

    __slots__ = ("_element",)

    def __init__(self, store, type: TableType, init=None):
        ptr = own_store(store)._ptr
        if not isinstance(type, TableType):
            raise TypeError(f"a TableType is expected, not {type!r}")
        ty = ffi.gc(type._new(), lib.wasm_tabletype_delete)
        out = ffi.new("wasm_table_t **")
        ref = ffi.gc(reference(store, type.element, init), lib.wasm_ref_delete)
        store._grown(lib.tenon_table_new(ptr, ty, ref, out))
        self._bind(store, out[0])

    def _bind(self, store, ptr):
        self._store = store
        self._own(ptr, lib.wasm_table_delete)
        self._element = self.type.element
        return self

    @property
    def type(self) -> TableType:
        """Its type; the minimum is the size that it has now."""
        return TableType._of(ffi.gc(lib.wasm_table_type(self._live()), lib.wasm_tabletype_delete))

    def __len__(self) -> int:
        return lib.tenon_table_size(self._live())

    def __bool__(self):
        return True

    def _index(self, index):
        size = len(self)
        if not isinstance(index, int):
            raise TypeError(f"an index is a number, not {index!r}")
        if not 0 <= index < size:
            raise IndexError(f"index {index} is outside the table of {size} elements")
        return index

    def __getitem__(self, index: int) -> Any:
        index = self._index(index)
        out = ffi.new("wasm_ref_t **")
        check(lib.tenon_table_get(self._ptr, index, out))
        return referenced(self._store, out[0])

    def __setitem__(self, index: int, value: Any) -> None:
        index = self._index(index)
        ref = ffi.gc(reference(self._store, self._element, value), lib.wasm_ref_delete)
        check(lib.tenon_table_set(self._ptr, index, ref))

    def grow(self, delta: int, init=None) -> int:
        """Adds elements; answers how many there were."""
        ptr = self._live()
        ref = ffi.gc(reference(self._store, self._element, init), lib.wasm_ref_delete)
        old = ffi.new("uint64_t *")
        self._store._grown(lib.tenon_table_grow(ptr, delta, ref, old))
        return old[0]


makers[2] = "table", lambda item: lib.wasm_table_copy(lib.wasm_extern_as_table_const(item)), Table
makers[3] = "memory", lambda item: lib.wasm_memory_copy(lib.wasm_extern_as_memory_const(item)), Memory


class Global(StoreObject):
    """A global variable or constant."""

    __slots__ = ("_type",)

    def __init__(self, store, type: GlobalType, value):
        ptr = own_store(store)._ptr
        if not isinstance(type, GlobalType):
            raise TypeError(f"a GlobalType is expected, not {type!r}")
        ty = ffi.gc(type._new(), lib.wasm_globaltype_delete)
        slot, out = ffi.new("tenon_val_t *"), ffi.new("wasm_global_t **")
        put(store, type.content, slot, value)
        try:
            check(lib.tenon_global_new_val(ptr, ty, slot, out))
        finally:
            lib.tenon_val_delete(slot)
        self._bind(store, out[0])

    def _bind(self, store, ptr):
        self._store = store
        self._own(ptr, lib.wasm_global_delete)
        self._type = GlobalType._of(ffi.gc(lib.wasm_global_type(ptr), lib.wasm_globaltype_delete))
        return self

    @property
    def type(self) -> GlobalType:
        """Its type."""
        return self._type

    @property
    def value(self) -> Any:
        """Its value; it can be set if the global is mutable."""
        slot = ffi.new("tenon_val_t *")
        check(lib.tenon_global_get_val(self._live(), slot))
        return take(self._store, slot)

    @value.setter
    def value(self, value: Any) -> None:
        ptr = self._live()
        if not self._type.mutable:
            raise TypeError("the global is a constant")
        slot = ffi.new("tenon_val_t *")
        put(self._store, self._type.content, slot, value)
        try:
            check(lib.tenon_global_set_val(ptr, slot))
        finally:
            lib.tenon_val_delete(slot)
