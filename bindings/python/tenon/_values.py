"""Values of every type on their way between Python and the library."""

from typing import Any, Callable, List, Tuple

from ._handle import StoreObject, keep, kept
from ._native import ffi, lib
from .errors import StoreError

__all__ = ["Ref"]

MEMBERS = {0: "i32", 1: "i64", 2: "f32", 3: "f64"}
NULL = ffi.NULL

# Who makes objects of Python of what references refer to: pairs of a function that sees a reference as such a thing, or NULL, and one
# that takes it over. The modules of those classes add theirs.
holders: List[Tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = []


class Ref(StoreObject):
    """A reference to an object of WebAssembly that has no class of its own here. It can be passed on."""

    __slots__ = ()

    def _bind(self, store, ptr):
        self._store = store
        self._own(ptr, lib.wasm_ref_delete)
        return self

    def _as_reference(self):
        return self._store, self._live()


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


def reference(store, ty, value):
    """A value as a reference of the caller's, for a place of this type. Any object can be an externref."""
    if value is None:
        return NULL
    if ty.kind != 128 or isinstance(value, Ref):
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
