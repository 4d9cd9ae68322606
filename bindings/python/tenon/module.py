"""Modules, instances and linkers."""

import os
from typing import Any, Iterator, List, Union

from ._handle import SharedHandle, StoreObject, check
from ._native import ffi, lib
from .errors import LinkError, StoreError
from .func import Func
from .memory import Global, Memory, Table
from .store import Engine, Store, engine_of, own_store
from .tag import Tag, trapped
from .types import ExportType, FuncType, ImportType, export_of, import_of

__all__ = ["Module", "Instance", "Exports", "Linker", "wat2wasm"]


def _vec(data):
    return ffi.new("wasm_byte_vec_t *", {"size": len(data), "data": ffi.cast("char *", ffi.from_buffer(data))})


def wat2wasm(text: Union[str, bytes]) -> bytes:
    """The binary format of a module in the text format. A CompileError tells line and column."""
    data = text.encode("utf-8") if isinstance(text, str) else bytes(text)
    out = ffi.new("wasm_byte_vec_t *")
    check(lib.tenon_wat2wasm(data, len(data), out))
    try:
        return bytes(ffi.buffer(out.data, out.size))
    finally:
        lib.wasm_byte_vec_delete(out)


class Module(SharedHandle):
    """A compiled module, from bytes in the binary format or text in the text format. It is made with an engine, or with that of a store;
    all stores of the engine, on whichever thread, can have instances of it. These stay when it is closed."""

    __slots__ = ("_engine", "_imports", "_exports")

    def __init__(self, engine: Union[Engine, Store], source: Union[str, bytes]):
        data = wat2wasm(source) if isinstance(source, str) else bytes(memoryview(source))
        self._load(engine, lambda store, out: lib.tenon_module_new(store, _vec(data), out))

    def _load(self, home, load):
        """Takes over what `load` makes in a store: only a module that is shared belongs to none."""
        engine = engine_of(home)
        with _store_of(engine) as store:
            out = ffi.new("wasm_module_t **")
            check(load(store, out))
            module = ffi.gc(out[0], lib.wasm_module_delete)
            self._engine = engine
            self._own(lib.wasm_module_share(module), lib.wasm_shared_module_delete)
            imports = ffi.new("wasm_importtype_vec_t *")
            lib.wasm_module_imports(module, imports)
            self._imports = [import_of(imports.data[i]) for i in range(imports.size)]
            lib.wasm_importtype_vec_delete(imports)
            exports = ffi.new("wasm_exporttype_vec_t *")
            lib.wasm_module_exports(module, exports)
            self._exports = [export_of(exports.data[i]) for i in range(exports.size)]
            lib.wasm_exporttype_vec_delete(exports)
            ffi.release(module)
        return self

    def _obtain(self, store):
        """The module as a wasm_module_t of a store, which goes by itself."""
        return ffi.gc(lib.wasm_module_obtain(store, self._live()), lib.wasm_module_delete)

    @classmethod
    def from_file(cls, engine: Union[Engine, Store], path) -> "Module":
        """The module in a file, in either format."""
        with open(path, "rb") as file:
            data = file.read()
        return cls(engine, data if data[:4] == b"\0asm" else data.decode("utf-8"))

    @staticmethod
    def validate(engine: Union[Engine, Store], binary: bytes) -> None:
        """Raises CompileError if the bytes are no valid module."""
        with _store_of(engine_of(engine)) as store:
            check(lib.tenon_module_validate(store, _vec(bytes(binary))))

    @property
    def engine(self) -> Engine:
        """The engine that it was made with."""
        return self._engine

    @property
    def imports(self) -> List[ImportType]:
        """What it imports, in order."""
        return list(self._imports)

    @property
    def exports(self) -> List[ExportType]:
        """What it exports, in order."""
        return list(self._exports)

    def serialize(self) -> bytes:
        """The module, compiled, as bytes for `deserialize`."""
        with _store_of(self._engine) as store:
            module, out = self._obtain(store), ffi.new("wasm_byte_vec_t *")
            try:
                check(lib.tenon_module_serialize(module, out))
                return bytes(ffi.buffer(out.data, out.size))
            finally:
                lib.wasm_byte_vec_delete(out)
                ffi.release(module)

    @classmethod
    def deserialize(cls, engine: Union[Engine, Store], data: bytes) -> "Module":
        """What `serialize` gave. Only for bytes that you trust: they hold machine code."""
        data = bytes(data)
        return cls.__new__(cls)._load(engine, lambda store, out: lib.tenon_module_deserialize(store, _vec(data), out))

    @classmethod
    def deserialize_file(cls, engine: Union[Engine, Store], path) -> "Module":
        """A file of what `serialize` gave, mapped: nothing is read before it is needed, and processes share its memory. As long as the
        module lives it must not be written to or made shorter; it may be deleted or replaced. Only for files that you trust."""
        name = os.fsencode(path)
        if b"\0" in name:
            raise ValueError(f"the path {path!r} has a NUL")
        return cls.__new__(cls)._load(engine, lambda store, out: lib.tenon_module_deserialize_file(store, name, out))


class _store_of:
    """A store of an engine for a `with` block, without an object of its own."""

    __slots__ = ("ptr",)

    def __init__(self, engine):
        self.ptr = lib.wasm_store_new(engine._live())
        if self.ptr == ffi.NULL:
            raise MemoryError("no store could be made")

    def __enter__(self):
        return self.ptr

    def __exit__(self, *_):
        lib.wasm_store_delete(self.ptr)


def _extern(store, item, what):
    """A thing as a wasm_extern_t, which is lent."""
    if callable(item) and not isinstance(item, StoreObject):
        item = Func(store, item)
    if not isinstance(item, (Func, Memory, Table, Global, Tag)):
        raise TypeError(f"{what} is {item!r}; a function, memory, table, global or tag is expected")
    ptr = item._live()
    if item._store is not store:
        raise StoreError(f"{what} is of another store")
    return item, ffi.cast("wasm_extern_t *", ptr)


def _own_extern(store, external):
    """The object for a wasm_extern_t, which is taken over."""
    kind = lib.wasm_extern_kind(external)
    if kind == 0:
        return Func._wrap(store, lib.wasm_extern_as_func(external))
    if kind == 1:
        return Global.__new__(Global)._bind(store, lib.wasm_extern_as_global(external))
    if kind == 2:
        return Table.__new__(Table)._bind(store, lib.wasm_extern_as_table(external))
    if kind == 3:
        return Memory.__new__(Memory)._bind(store, lib.wasm_extern_as_memory(external))
    return Tag.__new__(Tag)._bind(store, lib.wasm_extern_as_tag(external))


class Exports:
    """The exports of an instance, as attributes and as items; len, iteration and `in` are by name."""

    def __init__(self, items):
        self._items = items

    def __getitem__(self, name: str) -> Any:
        try:
            return self._items[name]
        except KeyError:
            raise KeyError(f"there is no export {name!r}; there are {', '.join(self._items) or 'none'}") from None

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_items"][name]
        except KeyError:
            raise AttributeError(f"there is no export {name!r}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __contains__(self, name):
        return name in self._items

    def __dir__(self):
        return [*super().__dir__(), *self._items]


class Instance(StoreObject):
    """An instance of a module. Imports are a list in the module's order, or `{"module": {"name": thing}}`; plain callables
    become host functions of the type that the module imports."""

    __slots__ = ("_exports",)

    def __init__(self, store, module: Module, imports=()):
        own_store(store)
        if not isinstance(module, Module):
            raise TypeError(f"a Module is expected, not {module!r}")
        obtained = _obtained(store, module)
        given = self._in_order(module, imports)
        items, pointers = [], ffi.new("wasm_extern_t *[]", len(given))
        for index, (wanted, item) in enumerate(zip(module._imports, given)):
            what = f'import "{wanted.module}" "{wanted.name}"'
            if callable(item) and not isinstance(item, StoreObject):
                item = Func(store, item, wanted.type if isinstance(wanted.type, FuncType) else None)
            item, pointers[index] = _extern(store, item, what)
            items.append(item)
        vector = ffi.new("wasm_extern_vec_t *", {"size": len(given), "data": pointers})
        out, trap = ffi.new("wasm_instance_t **"), ffi.new("wasm_trap_t **")
        store._calls += 1
        try:
            error = lib.tenon_instance_new(store._ptr, obtained, vector, out, trap)
        finally:
            store._calls -= 1
            ffi.release(obtained)
        self._bind(store, module, _made(store, error, out, trap))

    def memory(self, index: int) -> Memory:
        """A memory by its index, imported ones first, exported or not. IndexError if there are fewer."""
        out = ffi.new("wasm_memory_t **")
        error = lib.tenon_instance_memory(self._live(), _index(index), out)
        if error != ffi.NULL and lib.tenon_error_kind(error) == 1:
            message = ffi.string(lib.tenon_error_message(error)).decode()
            lib.tenon_error_delete(error)
            raise IndexError(message)
        check(error)
        return Memory.__new__(Memory)._bind(self._store, out[0])

    def reset_memory(self, index: int = 0) -> None:
        """Makes a memory that the instance defines hold what it held before the start function ran. It keeps its size."""
        check(lib.tenon_instance_reset_memory(self._live(), _index(index)))

    @staticmethod
    def _in_order(module, imports):
        wanted = module._imports
        if isinstance(imports, dict):
            found = []
            for entry in wanted:
                try:
                    found.append(imports[entry.module][entry.name])
                except KeyError:
                    raise LinkError(f'the import "{entry.module}" "{entry.name}" is missing') from None
            return found
        imports = list(imports)
        if len(imports) < len(wanted):
            entry = wanted[len(imports)]
            raise LinkError(f'the import "{entry.module}" "{entry.name}" is missing: {len(wanted)} are needed, '
                            f"{len(imports)} given")
        if len(imports) > len(wanted):
            raise LinkError(f"the module has {len(wanted)} imports, not {len(imports)}")
        return imports

    def _bind(self, store, module, ptr):
        self._store = store
        self._own(ptr, lib.wasm_instance_delete)
        vector = ffi.new("wasm_extern_vec_t *")
        lib.wasm_instance_exports(ptr, vector)
        items = {}
        for index, entry in enumerate(module._exports):
            items[entry.name] = _own_extern(store, lib.wasm_extern_copy(vector.data[index]))
        lib.wasm_extern_vec_delete(vector)
        self._exports = Exports(items)
        return self

    @property
    def exports(self) -> Exports:
        """Its exports."""
        self._live()
        return self._exports


def _obtained(store, module):
    """A module as a wasm_module_t of a store, which the caller releases."""
    module._live()
    if module._engine is not store._engine:
        raise StoreError("the module was made with another engine than the store's")
    return module._obtain(store._ptr)


def _index(index):
    if not isinstance(index, int):
        raise TypeError(f"an index is a number, not {index!r}")
    if not 0 <= index < 1 << 32:
        raise IndexError(f"there is no memory {index}")
    return index


def _made(store, error, out, trap):
    """The instance, or the exception for what went wrong."""
    if trap[0] != ffi.NULL and (error == ffi.NULL or lib.tenon_error_kind(error) in (6, 11)):
        lib.tenon_error_delete(error)
        raise trapped(store, trap[0])
    lib.wasm_trap_delete(trap[0])
    check(error)
    return out[0]


class Linker(StoreObject):
    """Definitions by two names, from which modules get their imports."""

    __slots__ = ()

    def __init__(self, store):
        self._store = own_store(store)
        self._own(lib.tenon_linker_new(store._ptr), lib.tenon_linker_delete)

    def define(self, module: str, name: str, item: Any) -> None:
        """Defines a thing, or a callable whose annotations say its type. A name can be defined once."""
        ptr = self._live()
        item, external = _extern(self._store, item, f'"{module}" "{name}"')
        first, second = module.encode("utf-8"), name.encode("utf-8")
        check(lib.tenon_linker_define(ptr, first, len(first), second, len(second), external))

    def define_instance(self, name: str, instance: Instance) -> None:
        """Defines each export of an instance under this name and its own."""
        ptr = self._live()
        if not isinstance(instance, Instance):
            raise TypeError(f"an Instance is expected, not {instance!r}")
        first = name.encode("utf-8")
        check(lib.tenon_linker_define_instance(ptr, first, len(first), instance._live()))

    def get(self, module: str, name: str) -> Any:
        """What is defined under two names, or None."""
        first, second = module.encode("utf-8"), name.encode("utf-8")
        found = lib.tenon_linker_get(self._live(), first, len(first), second, len(second))
        return None if found == ffi.NULL else _own_extern(self._store, found)

    def instantiate(self, module: Module) -> Instance:
        """An instance whose imports are the definitions. A LinkError names what is missing."""
        ptr, store = self._live(), self._store
        if not isinstance(module, Module):
            raise TypeError(f"a Module is expected, not {module!r}")
        out, trap = ffi.new("wasm_instance_t **"), ffi.new("wasm_trap_t **")
        obtained = _obtained(store, module)
        store._calls += 1
        try:
            error = lib.tenon_linker_instantiate(ptr, obtained, out, trap)
        finally:
            store._calls -= 1
            ffi.release(obtained)
        return Instance.__new__(Instance)._bind(store, module, _made(store, error, out, trap))
