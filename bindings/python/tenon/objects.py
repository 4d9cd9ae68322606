"""Structures and arrays, which WebAssembly's collector manages. They may move in memory; a reference follows."""

from typing import Any, Iterable, Iterator, Optional

from ._handle import check
from ._native import ffi, lib
from ._values import NULL, Ref, holders, put, take
from .store import own_store
from .types import ArrayType, Field, StructType, ValType, deftype

__all__ = ["Struct", "Array"]


class _Values:
    """Values for the library, which are given up at the end of a `with` block."""

    def __init__(self, store, types, values, what):
        self.count = len(values)
        self.array = ffi.new("tenon_val_t[]", max(self.count, 1))
        try:
            for index, (ty, value) in enumerate(zip(types, values)):
                try:
                    put(store, ty, self.array[index], value)
                except (TypeError, OverflowError) as error:
                    raise type(error)(f"{what} {index}: {error}") from None
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self):
        return self.array

    def __exit__(self, *_):
        for index in range(self.count):
            lib.tenon_val_delete(self.array + index)


class _Object(Ref):
    __slots__ = ("_type",)

    def _describe(self):
        ty = ffi.gc(lib.tenon_ref_type(self._ptr), lib.wasm_valtype_delete)
        self._type = deftype(lib.tenon_valtype_deftype(ty))
        return self

    @classmethod
    def _wrap(cls, store, ptr):
        return cls.__new__(cls)._bind(store, ptr)._describe()

    def _index(self, index):
        if not isinstance(index, int):
            raise TypeError(f"an index is a number, not {index!r}")
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} is outside of the {len(self)} that there are")
        return index

    def _read(self, get, index):
        slot = ffi.new("tenon_val_t *")
        check(get(self._live(), self._index(index), slot))
        return take(self._store, slot)

    def __bool__(self):
        return True


class Struct(_Object):
    """A structure. Its fields are items; a packed one comes with zeros above, and `signed` with its sign."""

    __slots__ = ()

    def __init__(self, store, type: StructType, *values: Any):
        ptr = own_store(store)._ptr
        if not isinstance(type, StructType):
            raise TypeError(f"a StructType is expected, not {type!r}")
        fields = type.fields
        if len(values) != len(fields):
            raise TypeError(f"the structure has {len(fields)} fields, not {len(values)}")
        out = ffi.new("wasm_ref_t **")
        with _Values(store, [field.type for field in fields], values, "field") as array:
            check(lib.tenon_struct_new(ptr, type._ptr, array, len(values), out))
        self._bind(store, out[0])._describe()

    @classmethod
    def default(cls, store, type: StructType) -> "Struct":
        """A structure whose fields are all zero or None."""
        out = ffi.new("wasm_ref_t **")
        check(lib.tenon_struct_new_default(own_store(store)._ptr, type._ptr, out))
        return cls._wrap(store, out[0])

    @property
    def type(self) -> StructType:
        """Its type."""
        return self._type

    def __len__(self) -> int:
        return lib.tenon_struct_field_count(self._live())

    def __getitem__(self, index: int) -> Any:
        return self._read(lib.tenon_struct_get, index)

    def signed(self, index: int) -> int:
        """A packed field as a signed number."""
        return self._read(lib.tenon_struct_get_s, index)

    def __setitem__(self, index: int, value: Any) -> None:
        field = self._type._field(self._index(index))
        if not field.mutable:
            raise TypeError(f"field {index} is constant")
        with _Values(self._store, [field.type], [value], "field") as array:
            check(lib.tenon_struct_set(self._live(), index, array))


class Array(_Object):
    """An array. Packed elements come with zeros above, and `signed` with their sign."""

    __slots__ = ()

    def __init__(self, store, type: ArrayType, values: Iterable[Any] = ()):
        ptr = own_store(store)._ptr
        if not isinstance(type, ArrayType):
            raise TypeError(f"an ArrayType is expected, not {type!r}")
        values = list(values)
        out = ffi.new("wasm_ref_t **")
        with _Values(store, [type.element.type] * len(values), values, "element") as array:
            check(lib.tenon_array_new_fixed(ptr, type._ptr, array, len(values), out))
        self._bind(store, out[0])._describe()

    @classmethod
    def filled(cls, store, type: ArrayType, length: int, value: Any = None) -> "Array":
        """An array of so many elements, all the same; zero or None if there is no value."""
        ptr, out = own_store(store)._ptr, ffi.new("wasm_ref_t **")
        with _Values(store, [type.element.type], [] if value is None else [value], "element") as array:
            check(lib.tenon_array_new(ptr, type._ptr, NULL if value is None else array, length, out))
        return cls._wrap(store, out[0])

    @property
    def type(self) -> ArrayType:
        """Its type."""
        return self._type

    def __len__(self) -> int:
        return lib.tenon_array_len(self._live())

    def __getitem__(self, index: int) -> Any:
        return self._read(lib.tenon_array_get, index)

    def signed(self, index: int) -> int:
        """A packed element as a signed number."""
        return self._read(lib.tenon_array_get_s, index)

    def __iter__(self) -> Iterator[Any]:
        return (self[index] for index in range(len(self)))

    def _numbers(self, start, count):
        """Bytes of an element, which must be a number, and a count of elements, all by default, after a check that they are there."""
        element, have = self._type.element, len(self)
        if element.type.kind > 4:
            raise TypeError(f"the elements are {element.type}, which have no bytes")
        count = have - start if count is None else count
        if not (isinstance(start, int) and isinstance(count, int)):
            raise TypeError(f"start and count are numbers, not {start!r} and {count!r}")
        if start < 0 or count < 0 or start + count > have:
            raise IndexError(f"{count} elements from {start} on are outside of the {have} that there are")
        return element.packing // 8 or (4, 8, 4, 8, 16)[element.type.kind], count

    def tobytes(self, start: int = 0, count: Optional[int] = None) -> bytes:
        """Elements that are numbers as bytes, little-endian: so many, or all from the start on. numpy.frombuffer takes them."""
        size, count = self._numbers(start, count)
        out = bytearray(count * size)
        check(lib.tenon_py_array_read(self._live(), start, count, size, ffi.from_buffer("char[]", out)))
        return bytes(out)

    def frombytes(self, data: Any, start: int = 0) -> None:
        """Replaces elements that are numbers by those in bytes, or in anything with the buffer protocol, little-endian."""
        data, element = memoryview(data).cast("B"), self._mutable()
        size, count = self._numbers(start, 0)
        if len(data) % size:
            raise ValueError(f"{len(data)} bytes are no elements of {size} bytes each")
        size, count = self._numbers(start, len(data) // size)
        place = ffi.from_buffer("char[]", data)
        check(lib.tenon_py_array_write(self._live(), start, count, size, element.type.kind, place))

    def _mutable(self) -> Field:
        element = self._type.element
        if not element.mutable:
            raise TypeError("the elements are constant")
        return element

    def __setitem__(self, index: int, value: Any) -> None:
        index, element = self._index(index), self._mutable()
        with _Values(self._store, [element.type], [value], "element") as array:
            check(lib.tenon_array_set(self._live(), index, array))

    def fill(self, value: Any, start: int = 0, count: Optional[int] = None) -> None:
        """Replaces elements by a value: so many, or all from the start on."""
        element = self._mutable()
        with _Values(self._store, [element.type], [value], "element") as array:
            check(lib.tenon_array_fill(self._live(), start, array, len(self) - start if count is None else count))

    def copy_from(self, start: int, source: "Array", source_start: int, count: int) -> None:
        """Copies elements of an array, which may be this one, to here."""
        self._mutable()
        check(lib.tenon_array_copy(self._live(), start, source._live(), source_start, count))


_STRUCT, _ARRAY, _I31 = (ValType.ref(heap) for heap in ("struct", "array", "i31"))


def _seen_as(type):
    return lambda ref: ref if lib.tenon_ref_test(ref, type._copy) else NULL


def _small_number(_, ref):
    value = lib.tenon_i31_get_s(ref)
    lib.wasm_ref_delete(ref)
    return value


holders += [(_seen_as(_STRUCT), Struct._wrap), (_seen_as(_ARRAY), Array._wrap), (_seen_as(_I31), _small_number)]
