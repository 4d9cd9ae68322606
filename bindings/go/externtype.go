package tenon

// #include "shim.h"
import "C"

// An ExternType is the type of an import or export: a FuncType, GlobalType, TableType, MemoryType or TagType.
type ExternType interface{ externKind() ExternKind }

func (FuncType) externKind() ExternKind   { return ExternFunc }
func (GlobalType) externKind() ExternKind { return ExternGlobal }
func (TableType) externKind() ExternKind  { return ExternTable }
func (MemoryType) externKind() ExternKind { return ExternMemory }
func (TagType) externKind() ExternKind    { return ExternTag }

// Limits are the least and the greatest size of a memory in pages, or of a table in elements.
type Limits struct {
	Min uint64
	// Max is not looked at unless HasMax.
	Max    uint64
	HasMax bool
}

// A MemoryType is the type of a memory. That of a memory which exists has its size of now as the least one.
type MemoryType struct {
	Limits
	// Is64 says that addresses have 64 bits, else 32.
	Is64 bool
	// Shared memories, which must have a maximum, can be used by stores on several goroutines at once.
	Shared bool
	// PageSize is 65536 or 1; 0 stands for 65536.
	PageSize uint64
}

func (t MemoryType) c() (ty *C.wasm_memorytype_t, err error) {
	log2 := C.uint8_t(16)
	switch t.PageSize {
	case 0, PageSize:
	case 1:
		log2 = 0
	default:
		return nil, errorf(KindArgument, "pages have 65536 bytes or 1, not %d", t.PageSize)
	}
	err = takeError(C.tenon_memorytype_new(C.uint64_t(t.Min), C.bool(t.HasMax), C.uint64_t(t.Max), C.bool(t.Is64), C.bool(t.Shared),
		log2, &ty))
	return ty, err
}

func memoryType(c *C.wasm_memorytype_t) MemoryType {
	t := MemoryType{Is64: bool(C.tenon_memorytype_is64(c)), Shared: bool(C.tenon_memorytype_is_shared(c)),
		PageSize: uint64(C.tenon_memorytype_page_size(c))}
	var most C.uint64_t
	t.HasMax = bool(C.tenon_memorytype_maximum(c, &most))
	t.Min, t.Max = uint64(C.tenon_memorytype_minimum(c)), uint64(most)
	return t
}

// A TableType is the type of a table. That of a table which exists has its size of now as the least one.
type TableType struct {
	Element ValType
	Limits
	// Is64 says that indices have 64 bits, else 32.
	Is64 bool
}

func (t TableType) c() (ty *C.wasm_tabletype_t, err error) {
	err = takeError(C.tenon_tabletype_new(t.Element.c(), C.uint64_t(t.Min), C.bool(t.HasMax), C.uint64_t(t.Max), C.bool(t.Is64), &ty))
	return ty, err
}

func tableType(c *C.wasm_tabletype_t) TableType {
	t := TableType{Element: valType(C.wasm_tabletype_element(c)), Is64: bool(C.tenon_tabletype_is64(c))}
	var most C.uint64_t
	t.HasMax = bool(C.tenon_tabletype_maximum(c, &most))
	t.Min, t.Max = uint64(C.tenon_tabletype_minimum(c)), uint64(most)
	return t
}

// A GlobalType is the type of a global.
type GlobalType struct {
	Content ValType
	Mutable bool
}

func (t GlobalType) c() *C.wasm_globaltype_t {
	mutability := C.wasm_mutability_t(C.WASM_CONST)
	if t.Mutable {
		mutability = C.WASM_VAR
	}
	return C.wasm_globaltype_new(t.Content.c(), mutability)
}

func globalType(c *C.wasm_globaltype_t) GlobalType {
	return GlobalType{valType(C.wasm_globaltype_content(c)), C.wasm_globaltype_mutability(c) == C.WASM_VAR}
}

// A TagType is the type of a tag: what its exceptions carry.
type TagType struct{ Params []ValType }

func (t TagType) c() *C.wasm_tagtype_t { return C.wasm_tagtype_new(FuncType{Params: t.Params}.c()) }

func tagType(c *C.wasm_tagtype_t) TagType {
	return TagType{funcType(C.wasm_tagtype_functype(c)).Params}
}

// externType is the type behind a C type, which is lent.
func externType(c *C.wasm_externtype_t) ExternType {
	switch ExternKind(C.wasm_externtype_kind(c)) {
	case ExternFunc:
		return funcType(C.wasm_externtype_as_functype(c))
	case ExternGlobal:
		return globalType(C.wasm_externtype_as_globaltype(c))
	case ExternTable:
		return tableType(C.wasm_externtype_as_tabletype(c))
	case ExternMemory:
		return memoryType(C.wasm_externtype_as_memorytype(c))
	}
	return tagType(C.wasm_externtype_as_tagtype(c))
}
