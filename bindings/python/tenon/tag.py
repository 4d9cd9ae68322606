"""Tags and exceptions, and what becomes of traps."""

from typing import Any, Iterable, Tuple

from ._handle import StoreObject, check, text
from ._native import ffi, lib
from ._values import NULL, holders, put_raw, take_raw
from .errors import Frame, Trap, TrapCode
from .store import own_store
from .types import FuncType, TagType, ValType

__all__ = ["Tag", "WasmException"]


class Tag(StoreObject):
    """What tells exceptions apart, and says what they carry. Two are equal if they are the same tag."""

    __slots__ = ("_type",)

    def __init__(self, store, params: Iterable[ValType] = ()):
        ptr = own_store(store)._ptr
        ty = ffi.gc(lib.wasm_tagtype_new(FuncType(params)._new()), lib.wasm_tagtype_delete)
        out = ffi.new("wasm_tag_t **")
        check(lib.tenon_tag_new(ptr, ty, out))
        self._bind(store, out[0])

    def _bind(self, store, ptr):
        self._store = store
        self._own(ptr, lib.wasm_tag_delete)
        ty = ffi.gc(lib.wasm_tag_type(ptr), lib.wasm_tagtype_delete)
        self._type = TagType(FuncType._of(lib.wasm_tagtype_functype(ty)).params)
        return self

    @property
    def type(self) -> TagType:
        """Its type."""
        return self._type

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return (isinstance(other, Tag) and self._ptr is not None and other._ptr is not None
                and bool(lib.wasm_tag_same(self._ptr, other._ptr)))

    def __hash__(self) -> int:
        return hash(self._type)

    def __repr__(self):
        return f"<Tag {list(self._type.params)}>"


class _Held(StoreObject):
    """The library's object behind an exception."""

    __slots__ = ()

    def __init__(self, store, ptr):
        self._store = store
        self._own(ptr, lib.tenon_exception_delete)


class WasmException(Trap):
    """An exception of WebAssembly: a tag, and a value for each of its parameters.

    A host function throws it by raising it, and WebAssembly code can catch it. One that nothing caught comes out where the code was
    called. It is what an exnref is here.
    """

    def __init__(self, tag: Tag, *values: Any):
        if not isinstance(tag, Tag):
            raise TypeError(f"a Tag is expected, not {tag!r}")
        ptr, store, params = tag._live(), tag._store, tag._type.params
        if len(values) != len(params):
            raise TypeError(f"the tag has {len(params)} parameters ({list(params)}), not {len(values)}")
        raw, out = ffi.new("tenon_raw_t[]", max(len(params), 1)), ffi.new("tenon_exception_t **")
        try:
            for index, (ty, value) in enumerate(zip(params, values)):
                try:
                    put_raw(store, ty, raw[index], value)
                except (TypeError, OverflowError) as error:
                    raise type(error)(f"value {index}: {error}") from None
            check(lib.tenon_exception_new_raw(store._ptr, ptr, raw, out))
        finally:
            for index, ty in enumerate(params):
                if ty.kind > 4:
                    lib.wasm_ref_delete(raw[index].ref)
        super().__init__(f"exception {list(params)}", TrapCode.UNCAUGHT_EXCEPTION)
        self.tag = tag
        self.values: Tuple[Any, ...] = values
        self._held = _Held(store, out[0])

    @classmethod
    def _of(cls, store, ptr, message=None, frames=()):
        """The exception for a tenon_exception_t, which is taken over."""
        self = cls.__new__(cls)
        held = _Held(store, ptr)
        tag = Tag.__new__(Tag)._bind(store, lib.tenon_exception_tag(ptr))
        params = tag._type.params
        raw = ffi.new("tenon_raw_t[]", max(len(params), 1))
        check(lib.tenon_exception_args_raw(ptr, raw))
        message = f"exception {list(params)}" if message is None else message
        Trap.__init__(self, message, TrapCode.UNCAUGHT_EXCEPTION, frames)
        self.tag, self._held = tag, held
        self.values = tuple([take_raw(store, ty.kind, raw[index]) for index, ty in enumerate(params)])
        return self

    def _as_reference(self):
        return self._held._store, self._held._live()

    def same(self, other: "WasmException") -> bool:
        """Whether both are the same exception, and not only alike."""
        return bool(lib.tenon_exception_same(self._held._live(), other._held._live()))


holders.append((lib.tenon_ref_as_exception, WasmException._of))


def thrown(store, error):
    """The trap that throws an exception in the WebAssembly code that called a host function; NULL if it is of another store."""
    if error._held._store is not store or error._held._ptr is None:
        return NULL
    return lib.tenon_trap_from_exception(error._held._ptr)


def trapped(store, trap):
    """The exception for a trap, which is given up: what a callback raised, a WasmException, or a Trap."""
    raised, store._raised = store._raised, None
    try:
        # That of another trap was left by a call that an interrupt ended.
        if raised is not None and raised[0] == trap:
            return raised[1]
        message = ffi.new("wasm_message_t *")
        lib.wasm_trap_message(trap, message)
        said = text(message).rstrip("\0")
        lib.wasm_byte_vec_delete(message)
        vector = ffi.new("wasm_frame_vec_t *")
        lib.wasm_trap_trace(trap, vector)
        frames = [_frame(vector.data[i]) for i in range(vector.size)]
        lib.wasm_frame_vec_delete(vector)
        exception = lib.tenon_trap_exception(trap)
        if exception != NULL:
            return WasmException._of(store, exception, said, frames)
        return Trap(said, lib.tenon_trap_code(trap), frames)
    finally:
        lib.wasm_trap_delete(trap)


def _frame(frame):
    name = ffi.new("wasm_name_t *")
    func = text(name) if lib.tenon_frame_func_name(frame, name) else None
    lib.wasm_byte_vec_delete(name)
    module = text(name) if lib.tenon_frame_module_name(frame, name) else None
    lib.wasm_byte_vec_delete(name)
    return Frame(lib.wasm_frame_func_index(frame), func, module, lib.wasm_frame_func_offset(frame),
                 lib.wasm_frame_module_offset(frame))
