"""Configurations, engines and stores."""

import enum
from typing import NamedTuple, Optional, Union

from ._handle import Handle, SharedHandle, check
from .creator import MemoryCreator, creator_of
from ._native import ffi, lib
from ._values import References
from .errors import TenonError
from .limits import Limited

__all__ = ["Config", "Engine", "GCStatistics", "Optimization", "Store"]

_SWITCHES = {
    "signals": lib.tenon_config_set_signals, "eager": lib.tenon_config_set_eager, "simd": lib.tenon_config_set_simd,
    "relaxed_simd": lib.tenon_config_set_relaxed_simd, "reference_types": lib.tenon_config_set_reference_types,
    "multi_memory": lib.tenon_config_set_multi_memory, "memory64": lib.tenon_config_set_memory64,
    "custom_page_sizes": lib.tenon_config_set_custom_page_sizes, "wide_arithmetic": lib.tenon_config_set_wide_arithmetic,
    "threads": lib.tenon_config_set_threads, "exceptions": lib.tenon_config_set_exceptions,
    "legacy_exceptions": lib.tenon_config_set_legacy_exceptions, "tail_calls": lib.tenon_config_set_tail_calls,
    "function_references": lib.tenon_config_set_function_references, "gc": lib.tenon_config_set_gc,
    "collect_always": lib.tenon_config_set_collect_always, "pinned_memories": lib.tenon_config_set_pinned_memories,
    "dense_memories": lib.tenon_config_set_dense_memories,
}
_SIZES = {
    "memory_reservation": lib.tenon_config_set_memory_reservation, "memory_guard": lib.tenon_config_set_memory_guard,
    "max_stack": lib.tenon_config_set_max_stack, "pooled_memories": lib.tenon_config_set_pooled_memories,
    "pooled_bytes": lib.tenon_config_set_pooled_bytes, "gc_heap_limit": lib.tenon_config_set_gc_heap_limit,
}

_SETTERS = {**_SWITCHES, **_SIZES, "optimization": lib.tenon_config_set_optimization}
_NAMES = [*_SETTERS, "memory_creator"]


class Optimization(enum.IntEnum):
    """How much time the compiler takes for better code."""

    SPEED = 0
    LITTLE = 1
    NONE = 2


class GCStatistics(NamedTuple):
    """Figures about the structures and arrays of a store, in bytes: those that are there, what fits before the next collection, what the
    last one found reachable; and how many collections there were."""

    used: int
    capacity: int
    survived: int
    collections: int


class Config:
    """Settings of an engine, as keywords: `Config(simd=False, max_stack=1 << 20)`. Their meaning is that of the functions
    `tenon_config_set_...` of tenon.h; `optimization` is an Optimization, and `memory_creator` makes the memories, see MemoryCreator."""

    def __init__(self, **settings):
        for name, value in settings.items():
            if name in _SWITCHES:
                if not isinstance(value, bool):
                    raise TypeError(f"{name} is True or False, not {value!r}")
            elif name in _SIZES:
                if not isinstance(value, int) or isinstance(value, bool):
                    raise TypeError(f"{name} is a number, not {value!r}")
                if not 0 <= value < 1 << 64:
                    raise ValueError(f"{name} is out of range: {value}")
            elif name == "optimization":
                Optimization(value)
            elif name == "memory_creator":
                if not isinstance(value, (MemoryCreator, type(None))):
                    raise TypeError(f"memory_creator is a MemoryCreator, not {value!r}")
            else:
                raise TypeError(f"there is no setting {name!r}; there are {', '.join(_NAMES)}")
        self.settings = dict(settings)

    def _new(self):
        config = lib.wasm_config_new()
        try:
            for name, value in self.settings.items():
                if name == "memory_creator":
                    if value is not None:
                        creator_of(config, value)
                else:
                    _SETTERS[name](config, value)
        except BaseException:
            lib.wasm_config_delete(config)
            raise
        return config


class Engine(SharedHandle):
    """Compiled code and configuration, which stores share. Any thread may use it. What was made with it stays when it is closed."""

    __slots__ = ()

    def __init__(self, config: Optional[Config] = None):
        if config is not None and not isinstance(config, Config):
            raise TypeError(f"a Config is expected, not {config!r}")
        config = config or Config()
        out = ffi.new("wasm_engine_t **")
        check(lib.tenon_engine_new(config._new(), out))
        self._own(out[0], lib.wasm_engine_delete)

    def trim(self) -> None:
        """Gives the memories that the engine keeps for others back to the system, now. What is in use stays."""
        lib.tenon_engine_trim(self._live())


class Store(Handle, Limited, References):
    """The home of instances and everything else that runs. One thread at a time may use it."""

    __slots__ = ("_engine", "_calls", "_raised")

    def __init__(self, engine: Optional[Engine] = None):
        if engine is None:
            engine = Engine()
        if not isinstance(engine, Engine):
            raise TypeError(f"an Engine is expected, not {engine!r}")
        ptr = lib.wasm_store_new(engine._live())
        if ptr == ffi.NULL:
            raise TenonError("the store could not be made")
        self._own(ptr, lib.wasm_store_delete)
        self._engine = engine
        # Calls that are under way; and a trap with what a callback raised, which waits here for the way through the WebAssembly frames.
        self._calls = 0
        self._raised = None

    @property
    def engine(self) -> Engine:
        """The engine that it was made with."""
        return self._engine

    def collect(self) -> None:
        """Reclaims now what cannot be reached any more in the store."""
        lib.tenon_store_gc(self._live())

    def gc_statistics(self) -> GCStatistics:
        """Figures about the structures and arrays of the store; zeros as long as it has had none."""
        out = ffi.new("tenon_gc_statistics_t *")
        lib.tenon_store_gc_statistics(self._live(), out)
        return GCStatistics(out.used, out.capacity, out.survived, out.collections)

    def close(self) -> None:
        """Closes the store; nothing in it can be used any more. Views of memories stay readable. Refused during a call."""
        if self._ptr is not None and self._calls:
            raise TenonError("the store cannot be closed while a call is under way in it")
        super().close()


def engine_of(home: Union[Engine, Store]) -> Engine:
    """The argument, or its engine if it is a store."""
    if isinstance(home, Store):
        home._live()
        return home._engine
    if not isinstance(home, Engine):
        raise TypeError(f"an Engine or a Store is expected, not {home!r}")
    return home


def own_store(store) -> Store:
    """The argument, if it is an open store."""
    if not isinstance(store, Store):
        raise TypeError(f"a Store is expected, not {store!r}")
    store._live()
    return store
