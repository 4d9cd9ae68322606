"""Functions: calls into WebAssembly, and host functions."""

import inspect
import typing
import weakref
from typing import Any, Callable, Optional

from ._handle import StoreObject, check, keep, kept
from ._native import ffi, lib
from ._values import MEMBERS, NULL, holders, put, put_number, referenced, take
from .store import own_store
from .tag import WasmException, thrown, trapped
from .limits import trap_for
from .types import EXNREF, EXTERNREF, F64, FUNCREF, I32, V128, FuncType, ValType

__all__ = ["Func"]

_ANNOTATIONS = {int: I32, float: F64, bytes: V128, object: EXTERNREF, Any: EXTERNREF}


class Func(StoreObject):
    """A function. Calling it takes and gives ints for i32 and i64, floats for f32 and f64, 16 bytes for v128, Func or None for
    funcref, any object for externref, WasmException for exnref; several results come as a tuple.

    `Func(store, callable, type)` makes a host function. Without a type it comes from the annotations: a ValType, or int
    (i32), float (f64), bytes (v128), object (externref), Func (funcref), WasmException (exnref); tuple[...] for several results. What the callable
    raises comes out unchanged where the WebAssembly code was called.
    """

    __slots__ = ("_type", "_count", "_members", "_out", "_pool", "_raw", "_room")

    def __init__(self, store, function: Callable, type: Optional[FuncType] = None):
        ptr = own_store(store)._ptr
        if not callable(function):
            raise TypeError(f"a callable is expected, not {function!r}")
        if type is None:
            type = functype_of(function)
        if not isinstance(type, FuncType):
            raise TypeError(f"a FuncType is expected, not {type!r}")
        self._describe(store, type)
        env = keep(_Host(store, function, type))
        ty = ffi.gc(type._new(), lib.wasm_functype_delete)
        out = ffi.new("wasm_func_t **")
        try:
            if self._raw:
                check(lib.tenon_func_new_raw(ptr, ty, lib.tenon_py_call_raw, env, lib.tenon_py_release, out))
            else:
                check(lib.tenon_func_new_val(ptr, ty, lib.tenon_py_call, env, lib.tenon_py_release, out))
        except BaseException:
            kept.pop(int(ffi.cast("uintptr_t", env)), None)
            raise
        self._own(out[0], lib.wasm_func_delete)

    @classmethod
    def _wrap(cls, store, ptr):
        self = cls.__new__(cls)
        self._own(ptr, lib.wasm_func_delete)
        ty = ffi.gc(lib.wasm_func_type(ptr), lib.wasm_functype_delete)
        self._describe(store, FuncType._of(ty))
        return self

    def _describe(self, store, type):
        self._store = store
        self._type = type
        self._count = len(type.params)
        # Numbers alone go the short way, whose values the library does not check: they are all good.
        self._raw = all(ty.kind in MEMBERS for ty in type.params + type.results)
        if self._raw:
            self._members = tuple((i, MEMBERS[ty.kind], ty.kind) for i, ty in enumerate(type.params))
            self._out = tuple((i, MEMBERS[ty.kind]) for i, ty in enumerate(type.results))
            self._room = max(len(type.params), len(type.results), 1)
            # Arrays that no call uses at the moment.
            self._pool = []

    def _as_reference(self):
        return self._store, self._live()

    @property
    def type(self) -> FuncType:
        """Its type."""
        return self._type

    def __repr__(self):
        return f"<Func {list(self._type.params)} -> {list(self._type.results)}>"

    def __call__(self, *args: Any) -> Any:
        store = self._store
        ptr = self._ptr
        if ptr is None or store._ptr is None:
            self._live()
        if len(args) != self._count:
            raise TypeError(f"the function takes {self._count} arguments ({list(self._type.params)}), not {len(args)}")
        if not self._raw:
            return self._call_values(store, ptr, args)
        try:
            values = self._pool.pop()
        except IndexError:
            values = ffi.new("tenon_raw_t[]", self._room)
        for i, member, kind in self._members:
            try:
                setattr(values[i], member, args[i])
            except (TypeError, OverflowError):
                self._convert(values[i], kind, args[i], i)
        store._calls += 1
        try:
            trap = _call_raw(ptr, values)
        finally:
            store._calls -= 1
        if trap:
            raise trapped(store, trap)
        out = self._out
        if len(out) == 1:
            result = getattr(values[0], out[0][1])
        elif not out:
            result = None
        else:
            result = tuple([getattr(values[i], member) for i, member in out])
        self._pool.append(values)
        return result

    @staticmethod
    def _convert(slot, kind, value, index):
        try:
            put_number(slot, kind, value)
        except (TypeError, OverflowError) as error:
            raise type(error)(f"argument {index}: {error}") from None

    def _call_values(self, store, ptr, args):
        count, results = self._count, len(self._type.results)
        values, out = ffi.new("tenon_val_t[]", count), ffi.new("tenon_val_t[]", results)
        done = 0
        try:
            for index, ty in enumerate(self._type.params):
                try:
                    put(store, ty, values[index], args[index])
                except (TypeError, OverflowError) as error:
                    raise type(error)(f"argument {index}: {error}") from None
                done += 1
            store._calls += 1
            try:
                trap = lib.tenon_func_call_val(ptr, values, count, out, results)
            finally:
                store._calls -= 1
        finally:
            for index in range(done):
                lib.tenon_val_delete(values + index)
        if trap:
            raise trapped(store, trap)
        taken = [take(store, out[i]) for i in range(results)]
        return None if not taken else taken[0] if results == 1 else tuple(taken)


holders.append((lib.wasm_ref_as_func, Func._wrap))
_call_raw = lib.tenon_func_call_raw


class _Host:
    """A host function: what the library's pointer stands for."""

    __slots__ = ("store", "function", "type", "params", "results")

    def __init__(self, store, function, type):
        # Weak, as the store keeps the function.
        self.store = weakref.ref(store)
        self.function = function
        self.type = type
        self.params = tuple(MEMBERS.get(ty.kind) for ty in type.params)
        self.results = type.results

    def values(self, result):
        """The results that a callable returned, as many as the type says."""
        count = len(self.results)
        if count == 1:
            return (result,)
        if count == 0:
            if result is not None:
                raise TypeError(f"the host function has no results, but returned {result!r}")
            return ()
        if not isinstance(result, (tuple, list)) or len(result) != count:
            raise TypeError(f"the host function has {count} results, but returned {result!r}")
        return result


def _fail(host, error):
    store = host.store()
    if isinstance(error, WasmException):
        trap = thrown(store, error)
        if trap != NULL:
            return trap
    return trap_for(store, error)


def _interrupted(_, error, traceback):
    """The trap for what was raised in a callback outside of its `try`: by a handler of a signal, at the very beginning for example."""
    return _fail(ffi.from_handle(traceback.tb_frame.f_locals["env"]), error)


@ffi.def_extern(onerror=_interrupted)
def tenon_py_call_raw(env, caller, values):
    host = ffi.from_handle(env)
    try:
        result = host.function(*[getattr(values[i], member) for i, member in enumerate(host.params)])
        for i, value in enumerate(host.values(result)):
            put_number(values[i], host.results[i].kind, value)
    except BaseException as error:
        return _fail(host, error)
    return NULL


@ffi.def_extern(onerror=_interrupted)
def tenon_py_call(env, caller, args, arg_count, results, result_count):
    host = ffi.from_handle(env)
    store = host.store()
    given = 0
    try:
        taken = []
        for i in range(arg_count):
            if args[i].kind not in MEMBERS and args[i].kind != 4:
                taken.append(referenced(store, lib.wasm_ref_copy(args[i].of.ref)))
            else:
                taken.append(take(store, args[i]))
        for i, value in enumerate(host.values(host.function(*taken))):
            put(store, host.results[i], results[i], value)
            given = i + 1
    except BaseException as error:
        # The library takes no results beside a trap.
        for i in range(given):
            lib.tenon_val_delete(results + i)
        return _fail(host, error)
    return NULL


def functype_of(function) -> FuncType:
    """The type that a callable's annotations say."""
    try:
        hints = typing.get_type_hints(function if inspect.isroutine(function) else type(function).__call__)
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError, NameError, AttributeError) as error:
        raise TypeError(f"the annotations of {function!r} cannot be read ({error}): give a FuncType") from None

    def one(hint, what):
        if isinstance(hint, ValType):
            return hint
        if hint is Func:
            return FUNCREF
        if hint is WasmException:
            return EXNREF
        try:
            return _ANNOTATIONS[hint]
        except (KeyError, TypeError):
            raise TypeError(f"{what} of {function!r} has the annotation {hint!r}, which names no type of WebAssembly") from None

    params = []
    for parameter in parameters:
        if parameter.kind not in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD):
            raise TypeError(f"parameter {parameter.name} of {function!r} is not positional: give a FuncType")
        if parameter.annotation is parameter.empty:
            raise TypeError(f"parameter {parameter.name} of {function!r} has no annotation: annotate it or give a FuncType")
        params.append(one(hints.get(parameter.name), f"parameter {parameter.name}"))
    result = hints.get("return", type(None))
    if result is type(None):
        return FuncType(params)
    if typing.get_origin(result) is tuple:
        return FuncType(params, [one(hint, "a result") for hint in typing.get_args(result)])
    return FuncType(params, [one(result, "the result")])
