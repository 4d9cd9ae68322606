"""The types of values, functions, memories, tables and globals, of imports and exports."""

from typing import Iterable, NamedTuple, Optional, Tuple, Union

from ._handle import check, text
from ._native import ffi, lib

__all__ = ["ValType", "FuncType", "MemoryType", "TableType", "GlobalType", "TagType", "ImportType", "ExportType",
           "I32", "I64", "F32", "F64", "V128", "FUNCREF", "EXTERNREF", "ANYREF", "EXNREF"]


class ValType:
    """The type of a value. The nine usual ones are constants; `ref` makes other reference types, and modules have some, too."""

    __slots__ = ("name", "kind", "_copy")

    def __init__(self, name, kind, copy=None):
        self.name = name
        self.kind = kind
        self._copy = copy

    def __repr__(self):
        return self.name

    def __eq__(self, other):
        if not isinstance(other, ValType):
            return NotImplemented
        if self._copy is None or other._copy is None:
            return self is other
        return bool(lib.tenon_valtype_matches(self._copy, other._copy)
                    and lib.tenon_valtype_matches(other._copy, self._copy))

    def __hash__(self):
        return hash(self.kind)

    @staticmethod
    def ref(heap: Union[str, "FuncType"], nullable: bool = True) -> "ValType":
        """The type of references to what a heap type of the specification names ("func", "extern", "any", "eq", "i31", "struct",
        "array", "exn", "nofunc", "noextern", "none", "noexn"), or to functions of a type."""
        if isinstance(heap, FuncType):
            functype = ffi.gc(heap._new(), lib.wasm_functype_delete)
            defined = ffi.gc(lib.tenon_deftype_of_functype(functype), lib.tenon_deftype_delete)
            made = lib.tenon_valtype_new_ref_to(nullable, defined)
        elif heap in _HEAPS[:-1]:
            made = lib.tenon_valtype_new_ref(nullable, _HEAPS.index(heap))
        else:
            raise ValueError(f"{heap!r} is no heap type; there are {', '.join(_HEAPS[:-1])}")
        return valtype(ffi.gc(made, lib.wasm_valtype_delete))

    @property
    def functype(self) -> Optional["FuncType"]:
        """The type of the functions that references of the type are to, if it is that precise."""
        if self._copy is None:
            return None
        defined = ffi.gc(lib.tenon_valtype_deftype(self._copy), lib.tenon_deftype_delete)
        functype = lib.tenon_deftype_functype(defined)
        return None if functype == ffi.NULL else FuncType._of(ffi.gc(functype, lib.wasm_functype_delete))

    def matches(self, other: "ValType") -> bool:
        """Whether values of this type are values of the other, too."""
        mine, others = (ffi.gc(ty._new(), lib.wasm_valtype_delete) for ty in (self, other))
        return bool(lib.tenon_valtype_matches(mine, others))

    def _new(self):
        """A wasm_valtype_t of the caller's."""
        if self._copy is not None:
            return lib.wasm_valtype_copy(self._copy)
        return lib.wasm_valtype_new(self.kind)


I32, I64, F32, F64 = ValType("i32", 0), ValType("i64", 1), ValType("f32", 2), ValType("f64", 3)
V128, EXTERNREF, FUNCREF = ValType("v128", 4), ValType("externref", 128), ValType("funcref", 129)
_NUMBERS = {t.kind: t for t in (I32, I64, F32, F64, V128)}

# As the library numbers them.
_HEAPS = ("func", "nofunc", "extern", "noextern", "any", "eq", "i31", "struct", "array", "none", "exn", "noexn", "$type")


def _top(name, heap):
    return ValType(name, 131 if heap == 10 else 130, ffi.gc(lib.tenon_valtype_new_ref(True, heap), lib.wasm_valtype_delete))


ANYREF, EXNREF = _top("anyref", 4), _top("exnref", 10)
_NULLABLE = {0: FUNCREF, 2: EXTERNREF, 4: ANYREF, 10: EXNREF}


def valtype(ty) -> ValType:
    """The type behind a wasm_valtype_t."""
    kind = lib.tenon_valtype_kind(ty)
    number = _NUMBERS.get(kind)
    if number is not None:
        return number
    nullable, heap = lib.tenon_valtype_is_nullable(ty), lib.tenon_valtype_heap(ty)
    if nullable and heap in _NULLABLE:
        return _NULLABLE[heap]
    name = f"(ref {'null ' if nullable else ''}{_HEAPS[heap]})"
    return ValType(name, kind, ffi.gc(lib.wasm_valtype_copy(ty), lib.wasm_valtype_delete))


def _valtypes(types, what) -> Tuple[ValType, ...]:
    types = tuple(types)
    for index, ty in enumerate(types):
        if not isinstance(ty, ValType):
            raise TypeError(f"{what} {index} is {ty!r}, which is no ValType")
    return types


def _vector(types):
    vector = ffi.new("wasm_valtype_vec_t *")
    lib.wasm_valtype_vec_new_uninitialized(vector, len(types))
    for index, ty in enumerate(types):
        vector.data[index] = ty._new()
    return vector


class FuncType:
    """The type of a function: what it takes and what it gives."""

    __slots__ = ("params", "results")

    def __init__(self, params: Iterable[ValType] = (), results: Iterable[ValType] = ()):
        self.params = _valtypes(params, "parameter")
        self.results = _valtypes(results, "result")

    def __repr__(self):
        return f"FuncType({list(self.params)}, {list(self.results)})"

    def __eq__(self, other):
        return isinstance(other, FuncType) and (self.params, self.results) == (other.params, other.results)

    def __hash__(self):
        return hash((self.params, self.results))

    def _new(self):
        return lib.wasm_functype_new(_vector(self.params), _vector(self.results))

    @staticmethod
    def _of(ty) -> "FuncType":
        params, results = lib.wasm_functype_params(ty), lib.wasm_functype_results(ty)
        return FuncType([valtype(params.data[i]) for i in range(params.size)],
                        [valtype(results.data[i]) for i in range(results.size)])


class MemoryType(NamedTuple):
    """The type of a memory; limits are in pages."""

    minimum: int
    maximum: Optional[int] = None
    is64: bool = False
    shared: bool = False
    page_size: int = 65536

    def _new(self):
        if self.page_size not in (1, 65536):
            raise ValueError(f"pages have 65536 bytes or 1, not {self.page_size}")
        out = ffi.new("wasm_memorytype_t **")
        check(lib.tenon_memorytype_new(self.minimum, self.maximum is not None, self.maximum or 0, self.is64, self.shared,
                                       16 if self.page_size == 65536 else 0, out))
        return out[0]

    @staticmethod
    def _of(ty) -> "MemoryType":
        most = ffi.new("uint64_t *")
        maximum = most[0] if lib.tenon_memorytype_maximum(ty, most) else None
        return MemoryType(lib.tenon_memorytype_minimum(ty), maximum, lib.tenon_memorytype_is64(ty),
                          lib.tenon_memorytype_is_shared(ty), lib.tenon_memorytype_page_size(ty))


class TableType(NamedTuple):
    """The type of a table; limits are in elements."""

    element: ValType
    minimum: int
    maximum: Optional[int] = None
    is64: bool = False

    def _new(self):
        _valtypes([self.element], "element")
        out = ffi.new("wasm_tabletype_t **")
        check(lib.tenon_tabletype_new(self.element._new(), self.minimum, self.maximum is not None, self.maximum or 0,
                                      self.is64, out))
        return out[0]

    @staticmethod
    def _of(ty) -> "TableType":
        most = ffi.new("uint64_t *")
        maximum = most[0] if lib.tenon_tabletype_maximum(ty, most) else None
        return TableType(valtype(lib.wasm_tabletype_element(ty)), lib.tenon_tabletype_minimum(ty), maximum,
                         lib.tenon_tabletype_is64(ty))


class GlobalType(NamedTuple):
    """The type of a global."""

    content: ValType
    mutable: bool = False

    def _new(self):
        _valtypes([self.content], "content")
        return lib.wasm_globaltype_new(self.content._new(), 1 if self.mutable else 0)

    @staticmethod
    def _of(ty) -> "GlobalType":
        return GlobalType(valtype(lib.wasm_globaltype_content(ty)), lib.wasm_globaltype_mutability(ty) == 1)


class TagType(NamedTuple):
    """The type of a tag: what an exception carries."""

    params: Tuple[ValType, ...]


ExternType = Union[FuncType, GlobalType, TableType, MemoryType, TagType]


def externtype(ty) -> ExternType:
    """The type behind a wasm_externtype_t."""
    kind = lib.wasm_externtype_kind(ty)
    ty = ffi.cast("wasm_externtype_t *", ty)
    if kind == 0:
        return FuncType._of(lib.wasm_externtype_as_functype(ty))
    if kind == 1:
        return GlobalType._of(lib.wasm_externtype_as_globaltype(ty))
    if kind == 2:
        return TableType._of(lib.wasm_externtype_as_tabletype(ty))
    if kind == 3:
        return MemoryType._of(lib.wasm_externtype_as_memorytype(ty))
    return TagType(FuncType._of(lib.wasm_tagtype_functype(lib.wasm_externtype_as_tagtype(ty))).params)


class ImportType(NamedTuple):
    """What a module imports."""

    module: str
    name: str
    type: ExternType


class ExportType(NamedTuple):
    """What a module exports."""

    name: str
    type: ExternType


def import_of(ty) -> ImportType:
    """What a wasm_importtype_t says."""
    return ImportType(text(lib.wasm_importtype_module(ty)), text(lib.wasm_importtype_name(ty)),
                      externtype(lib.wasm_importtype_type(ty)))


def export_of(ty) -> ExportType:
    """What a wasm_exporttype_t says."""
    return ExportType(text(lib.wasm_exporttype_name(ty)), externtype(lib.wasm_exporttype_type(ty)))
