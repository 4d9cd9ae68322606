"""Values of every type on their way between Python and the library."""

from typing import Any, Callable, List, Tuple

from ._handle import StoreObject, check, keep, kept
from ._native import ffi, lib
from .errors import StoreError
from .types import ANYREF, FUNCREF, ValType

__all__ = ["Ref"]

MEMBERS = {0: "i32", 1: "i64", 2: "f32", 3: "f64"}
NULL = ffi.NULL

# Who makes objects of Python of what references refer to: pairs of a function that sees a reference as such a thing, or NULL, and one
# that takes it over. The modules of those classes add theirs.
holders: List[Tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = []


class Ref(StoreObject):
    """A reference to an object of WebAssembly. It can be passed on."""

    __slots__ = ()

    def _bind(self, store, ptr):
        self._store = store
        self._own(ptr, lib.wasm_ref_delete)
        return self

    def _as_reference(self):
        return self._store, self._live()

    def is_a(self, type: ValType) -> bool:
        """Whether the reference is of a type: what `ref.test` answers."""
        return bool(lib.tenon_ref_test(self._live(), _reftype(type)))

    def cast(self, type: ValType) -> Any:
        """The reference, if it is of a type: what `ref.cast` gives. TypeError if it is not."""
        return _cast(self._store, self._live(), type)

    def same(self, other: "Ref") -> bool:
        """Whether both refer to the same object."""
        if not isinstance(other, Ref):
            raise TypeError(f"a Ref is expected, not {other!r}")
        return bool(lib.wasm_ref_same(self._live(), other._live()))


def _reftype(type):
    """The C type of a reference type, which goes by itself."""
    if not isinstance(type, ValType):
        raise TypeError(f"a ValType is expected, not {type!r}")
    ty = ffi.gc(type._new(), lib.wasm_valtype_delete)
    if not lib.tenon_valtype_is_ref(ty):
        raise TypeError(f"{type} is no reference type")
    return ty


def _cast(store, ref, type):
    out = ffi.new("wasm_ref_t **")
    error = lib.tenon_ref_cast(ref, _reftype(type), out)
    if error != NULL:
        message = ffi.string(lib.tenon_error_message(error)).decode("utf-8", "replace")
        lib.tenon_error_delete(error)
        raise TypeError(message)
    return referenced(store, out[0])


class References:
    """What a Store can tell of references."""

    __slots__ = ()

    def ref_test(self, value: Any, type: ValType) -> bool:
        """Whether a value is, as a reference, of a reference type: what `ref.test` answers. None is the null reference, an int a number
        of 31 bits, and what WebAssembly does not know is the host's."""
        ty, ref = _reftype(type), self._as_any(value)
        return bool(lib.tenon_ref_test(ref, ty))

    def ref_cast(self, value: Any, type: ValType) -> Any:
        """The value that WebAssembly has for a reference after `ref.cast`. TypeError if it is not of the type."""
        return _cast(self, self._as_any(value), type)

    def _as_any(self, value):
        """A value as a reference, which goes by itself."""
        self._live()
        known = hasattr(type(value), "_as_reference")
        return ffi.gc(reference(self, FUNCREF if known else ANYREF, value), lib.wasm_ref_delete)


def put_number(place, kind, value):
    """Writes a number to a union of values; the range is checked. Unsigned integers are taken, too."""
    try:
        setattr(place, MEMBERS[kind], value)
    except OverflowError:
        bits = 32 if kind == 0 else 64
        if kind > 1 or not 0 <= value < 1 << bits:
            raise OverflowError(f"{value} does not fit into {MEMBERS[kind]}") from None
        setattr(place, MEMBERS[kind], value - (1 << bits))
    except TypeError:
        raise TypeError(f"{MEMBERS[kind]} is expected, not {value!r}") from None


def put_vector(place, value):
    """Writes 16 bytes to a union of values."""
    if not isinstance(value, (bytes, bytearray, memoryview)) or len(value) != 16:
        raise TypeError(f"v128 is 16 bytes, not {value!r}")
    ffi.buffer(place.v128)[:] = bytes(value)


def number_of_31_bits(store, value):
    """A reference of the caller's to a number of 31 bits."""
    if not -1 << 30 <= value < 1 << 31:
        raise OverflowError(f"{value} does not fit into 31 bits")
    out = ffi.new("wasm_ref_t **")
    check(lib.tenon_i31_new(store._live(), value if value < 1 << 30 else value - (1 << 31), out))
    return out[0]


def reference(store, ty, value):
    """A value as a reference of the caller's, for a place of this type. Any object can be an externref or, unless it is a number of
    31 bits, an anyref."""
    if value is None:
        return NULL
    if ty.kind == 130 and isinstance(value, int) and not isinstance(value, bool):
        return number_of_31_bits(store, value)
    if not (ty.kind == 128 or ty is ANYREF) or isinstance(value, Ref):
        as_reference = getattr(type(value), "_as_reference", None)
        if as_reference is None:
            raise TypeError(f"{ty} is expected, not {value!r}")
        owner, ptr = as_reference(value)
        if owner is not store:
            raise StoreError(f"this {type(value).__name__} is of another store")
        return lib.wasm_ref_copy(ffi.cast("wasm_ref_t *", ptr))
    foreign = lib.wasm_foreign_new(store._live())
    if foreign == NULL:
        raise MemoryError("no memory for a reference")
    lib.wasm_foreign_set_host_info_with_finalizer(foreign, keep(value), lib.tenon_py_release)
    return lib.wasm_foreign_as_ref(foreign)


def referenced(store, ref):
    """What a reference, which is taken over, refers to."""
    if ref == NULL:
        return None
    for see, hold in holders:
        seen = see(ref)
        if seen != NULL:
            return hold(store, seen)
    foreign = lib.wasm_ref_as_foreign(ref)
    if foreign != NULL:
        info = lib.wasm_foreign_get_host_info(foreign)
        handle = kept.get(int(ffi.cast("uintptr_t", info)))
        if handle is not None:
            lib.wasm_ref_delete(ref)
            return ffi.from_handle(handle)
    return Ref()._bind(store, ref)


def put_raw(store, ty, place, value):
    """Writes a value of any type to a union of values."""
    if ty.kind in MEMBERS:
        put_number(place, ty.kind, value)
    elif ty.kind == 4:
        put_vector(place, value)
    else:
        place.ref = reference(store, ty, value)


def put(store, ty, slot, value):
    """Writes a value of any type into a tenon_val_t."""
    slot.kind = ty.kind
    put_raw(store, ty, slot.of, value)


def take_raw(store, kind, place):
    """The value in a union of values, which is given up."""
    member = MEMBERS.get(kind)
    if member:
        return getattr(place, member)
    if kind == 4:
        return bytes(ffi.buffer(place.v128))
    return referenced(store, place.ref)


def take(store, slot):
    """The value in a tenon_val_t, which is given up."""
    return take_raw(store, slot.kind, slot.of)
