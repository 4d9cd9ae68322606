"""Limits of stores, and a say in growth."""

import enum
import weakref
from typing import Any, NamedTuple, Optional

from ._handle import check, keep, kept
from ._native import ffi, lib
from .errors import Trap

__all__ = ["Limit", "Growth"]


class Limit(enum.IntEnum):
    """What a store can have limits for."""

    MEMORY_BYTES = 0
    TABLE_ELEMENTS = 1
    MEMORIES = 2
    TABLES = 3
    INSTANCES = 4
    HEAP_BYTES = 5


class Growth(NamedTuple):
    """A memory or table that grows, or is made: it grows from nothing then, and `item` is None. Sizes are pages or elements."""

    item: Any
    kind: str
    moved: bool
    old_size: int
    new_size: int
    maximum: Optional[int]


# How the items of growths are made: by their kinds.
makers = {}


class _Observer:
    """Who has a say in the growth of a store: what the library's pointer stands for."""

    __slots__ = ("store", "before", "after")

    def __init__(self, store, before, after):
        # Weak, as the store keeps the observer.
        self.store = weakref.ref(store)
        self.before = before
        self.after = after

    def growth(self, growth):
        kind, copy, maker = makers[growth.kind]
        item = None
        if growth.item != ffi.NULL:
            item = maker.__new__(maker)._bind(self.store(), copy(growth.item))
        maximum = None if growth.maximum == (1 << 64) - 1 else growth.maximum
        return Growth(item, kind, bool(growth.moved), growth.old_size, growth.new_size, maximum)


class Limited:
    """What a Store can limit."""

    __slots__ = ()

    def set_limit(self, limit: Limit, most: Optional[int]) -> None:
        """Sets how much of something the store may have; None is no limit. What would exceed it raises StoreLimitError; a
        growth that WebAssembly asks for gives -1, or traps after `set_growth_traps`."""
        if most is not None and (not isinstance(most, int) or not 0 <= most < 1 << 64):
            raise ValueError(f"a limit is a number from 0 on, or None, not {most!r}")
        check(lib.tenon_store_set_limit(self._live(), Limit(limit), (1 << 64) - 1 if most is None else most))

    def limit(self, limit: Limit) -> Optional[int]:
        """How much of something the store may have; None if there is no limit."""
        most = self._asked(lib.tenon_store_limit, self._live(), Limit(limit))
        return None if most == (1 << 64) - 1 else most

    def usage(self, limit: Limit) -> int:
        """How much of something the store has."""
        return self._asked(lib.tenon_store_usage, self._live(), Limit(limit))

    @staticmethod
    def _asked(function, *args):
        """What a function of the library answers that cannot say why it failed."""
        lib.tenon_last_error_clear()
        answer = function(*args)
        check(lib.tenon_last_error_take())
        return answer

    def set_growth_traps(self, on: bool) -> None:
        """Whether memory.grow and table.grow trap, instead of giving -1, where a limit, `before` or the system refuses."""
        check(lib.tenon_store_set_growth_traps(self._live(), on))

    def on_growth(self, before=None, after=None) -> None:
        """Has `before(growth)` asked before each growth of a memory or table, and before one is made; False refuses, and what it
        raises comes out at whoever asked for the growth. `after(growth)` is told after each; it must not raise. Both may use the
        store, but as long as they run nothing else in it can grow or be made."""
        for function in (before, after):
            if function is not None and not callable(function):
                raise TypeError(f"a callable is expected, not {function!r}")
        ptr, null = self._live(), ffi.NULL
        env = keep(_Observer(self, before, after))
        ask = lib.tenon_py_growth_before if before else null
        tell = lib.tenon_py_growth_after if after else null
        try:
            check(lib.tenon_store_set_growth_callbacks(ptr, ask, tell, env, lib.tenon_py_release))
        except BaseException:
            kept.pop(int(ffi.cast("uintptr_t", env)), None)
            raise

    def _grown(self, error):
        """Raises what the library reports about a growth: what `before` raised, if that is the reason."""
        try:
            check(error)
        except Trap:
            raised, self._raised = self._raised, None
            if raised is not None:
                raise raised[1] from None
            raise


def trap_for(store, error):
    """The trap for what a callback raised, which waits with the store until the trap has come to the caller."""
    said = f"{type(error).__name__}: {error}".encode("utf-8", "replace")
    message = ffi.new("wasm_message_t *")
    data = ffi.from_buffer(said)
    message.size, message.data = len(said), ffi.cast("char *", data)
    trap = lib.wasm_trap_new(store._ptr, message)
    store._raised = trap, error
    return trap


@ffi.def_extern()
def tenon_py_growth_before(env, growth, trap):
    observer = ffi.from_handle(env)
    store = observer.store()
    store._calls += 1
    try:
        return bool(observer.before(observer.growth(growth)))
    except BaseException as error:
        trap[0] = trap_for(store, error)
        return False
    finally:
        store._calls -= 1


@ffi.def_extern()
def tenon_py_growth_after(env, growth):
    observer = ffi.from_handle(env)
    store = observer.store()
    store._calls += 1
    try:
        observer.after(observer.growth(growth))
    finally:
        store._calls -= 1
