"""The types of values, functions, memories, tables and globals, of imports and exports."""

from typing import Iterable, List, NamedTuple, Optional, Tuple, Union

from ._handle import check, text
from ._native import ffi, lib

__all__ = ["ValType", "FuncType", "MemoryType", "TableType", "GlobalType", "TagType", "ImportType", "ExportType",
           "Field", "StructType", "ArrayType", "TypeGroup",
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
    def ref(heap: Union[str, "FuncType", "StructType", "ArrayType"], nullable: bool = True) -> "ValType":
        """The type of references to what a heap type of the specification names ("func", "extern", "any", "eq", "i31", "struct",
        "array", "exn", "nofunc", "noextern", "none", "noexn"), or to functions, structures or arrays of a type."""
        if isinstance(heap, _DefType):
            made = lib.tenon_valtype_new_ref_to(nullable, heap._ptr)
        elif isinstance(heap, FuncType):
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

    @property
    def deftype(self) -> Union["StructType", "ArrayType", None]:
        """The type of the structures or arrays that references of the type are to, if it is that precise."""
        defined = lib.tenon_valtype_deftype(self._copy) if self._copy is not None else ffi.NULL
        return None if defined == ffi.NULL else deftype(defined)

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


class _InGroup(ValType):
    """The type of references to a type of a TypeGroup, which means something there only."""

    __slots__ = ()


def _valtypes(types, what) -> Tuple[ValType, ...]:
    types = tuple(types)
    for index, ty in enumerate(types):
        if not isinstance(ty, ValType):
            raise TypeError(f"{what} {index} is {ty!r}, which is no ValType")
        if isinstance(ty, _InGroup):
            raise TypeError(f"{what} {index} is of a group that is not declared yet")
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


class Field(NamedTuple):
    """A field of a structure, or the elements of an array. A packed one keeps the lowest 8 or 16 bits of an i32."""

    type: ValType
    mutable: bool = False
    packing: int = 0


class _DefType:
    """A type of structures or arrays: what a tenon_deftype_t says."""

    __slots__ = ("_ptr",)

    def _declare(self, fields, supertype, final):
        self._hold(_declared([(type(self), list(fields), supertype, final)])[0])

    def _hold(self, ptr):
        self._ptr = ffi.gc(ptr, lib.tenon_deftype_delete)
        return self

    def _field(self, index):
        out = ffi.new("tenon_field_t *")
        lib.tenon_deftype_field(self._ptr, index, out)
        return Field(valtype(ffi.gc(out.type, lib.wasm_valtype_delete)), out.is_mutable, out.packing)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _DefType) and bool(lib.tenon_deftype_same(self._ptr, other._ptr))

    def __hash__(self) -> int:
        return hash(lib.tenon_deftype_field_count(self._ptr))

    @property
    def supertype(self) -> Union["StructType", "ArrayType", None]:
        """The type that it is declared below, or None."""
        above = lib.tenon_deftype_supertype(self._ptr)
        return None if above == ffi.NULL else deftype(above)

    @property
    def final(self) -> bool:
        """Whether nothing may be declared below it."""
        return bool(lib.tenon_deftype_is_final(self._ptr))

    def matches(self, other: Union["StructType", "ArrayType"]) -> bool:
        """Whether what has this type has the other, too: it is the same, or declared below it."""
        return bool(lib.tenon_deftype_matches(self._ptr, other._ptr))


class StructType(_DefType):
    """A type of structures. Those of modules are found by `ValType.deftype`."""

    __slots__ = ()

    def __init__(self, fields: Iterable[Field] = (), supertype: Optional["StructType"] = None, final: bool = True):
        self._declare(fields, supertype, final)

    @property
    def fields(self) -> Tuple[Field, ...]:
        """The fields."""
        return tuple([self._field(index) for index in range(lib.tenon_deftype_field_count(self._ptr))])

    def __repr__(self):
        return f"StructType({list(self.fields)})"


class ArrayType(_DefType):
    """A type of arrays. Those of modules are found by `ValType.deftype`."""

    __slots__ = ()

    def __init__(self, element: Field, supertype: Optional["ArrayType"] = None, final: bool = True):
        self._declare([element], supertype, final)

    @property
    def element(self) -> Field:
        """What the elements are like."""
        return self._field(0)

    def __repr__(self):
        return f"ArrayType({self.element})"


_KINDS = {StructType: 1, ArrayType: 2}


def _declared(group):
    """Declares a recursion group of classes, fields, supertypes and whether they are final; the tenon_deftype_t are the caller's."""
    declarations, lent = ffi.new("tenon_subtype_t[]", max(len(group), 1)), []
    for place, (cls, fields, supertype, final) in zip(declarations, group):
        for index, field in enumerate(fields):
            if not isinstance(field, Field) or not isinstance(field.type, ValType):
                raise TypeError(f"field {index} is {field!r}; a Field with a ValType is expected")
        # What they refer to is lent, and must live until the types are made.
        types = [ffi.gc(field.type._new(), lib.wasm_valtype_delete) for field in fields]
        made = ffi.new("tenon_field_t[]", [(ty, field.packing, field.mutable) for ty, field in zip(types, fields)])
        lent += [types, made]
        if not isinstance(supertype, (cls, type(None))):
            raise TypeError(f"the supertype is {supertype!r}")
        place.kind, place.is_final, place.fields, place.field_count = _KINDS[cls], final, made, len(fields)
        place.supertype = ffi.NULL if supertype is None else supertype._ptr
    out = ffi.new("tenon_deftype_t *[]", max(len(group), 1))
    check(lib.tenon_deftype_new_group(declarations, len(group), out))
    return list(out)[:len(group)]


class TypeGroup:
    """Types that refer to each other, one recursion group. They are the same as those that any module has for such a group.

        group = TypeGroup()
        group.add_struct([Field(I32), Field(group.ref(0), mutable=True)])
        [node] = group.declare()
    """

    __slots__ = ("_types",)

    def __init__(self) -> None:
        self._types = []

    def ref(self, place: int, kind: str = "struct", nullable: bool = True) -> ValType:
        """The type of references to the type at a place of the group, a "struct" or an "array"; for its fields only."""
        if kind not in ("struct", "array"):
            raise ValueError(f'{kind!r} is not "struct" or "array"')
        made = lib.tenon_valtype_new_ref_in_group(nullable, place, 1 if kind == "struct" else 2)
        if made == ffi.NULL:
            raise ValueError(f"there is no place {place}")
        null = "null " if nullable else ""
        return _InGroup(f"(ref {null}{kind} {place} of the group)", 130, ffi.gc(made, lib.wasm_valtype_delete))

    def add_struct(self, fields: Iterable[Field] = (), supertype: Optional[StructType] = None, final: bool = True) -> int:
        """Adds a type of structures; answers its place. The supertype exists already."""
        self._types.append((StructType, list(fields), supertype, final))
        return len(self._types) - 1

    def add_array(self, element: Field, supertype: Optional[ArrayType] = None, final: bool = True) -> int:
        """Adds a type of arrays; answers its place. The supertype exists already."""
        self._types.append((ArrayType, [element], supertype, final))
        return len(self._types) - 1

    def declare(self) -> List[Union[StructType, ArrayType]]:
        """The types, in the order of their places."""
        return [cls.__new__(cls)._hold(ptr) for (cls, *_), ptr in zip(self._types, _declared(self._types))]


def deftype(ptr) -> Union[StructType, ArrayType, None]:
    """The type behind a tenon_deftype_t, which is taken over; None for one of functions."""
    kind = lib.tenon_deftype_kind(ptr)
    if kind == 0:
        lib.tenon_deftype_delete(ptr)
        return None
    kind = StructType if kind == 1 else ArrayType
    return kind.__new__(kind)._hold(ptr)


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
