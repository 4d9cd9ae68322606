package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// A ValType is the type of a value: a Kind, or a *RefType for references that no kind names.
type ValType interface {
	// Kind is the kind of the type's values.
	Kind() Kind
	// String is the type in the text format.
	String() string
	// c makes the C type, which the caller deletes.
	c() *C.wasm_valtype_t
}

// A Kind is the kind of a value. Each is a ValType, too: those of references have null, and all of their hierarchy.
type Kind uint8

// The kinds of values, with the numbers of wasm.h and tenon.h.
const (
	I32       Kind = 0
	I64       Kind = 1
	F32       Kind = 2
	F64       Kind = 3
	V128      Kind = 4
	ExternRef Kind = 128
	FuncRef   Kind = 129
	AnyRef    Kind = 130
	ExnRef    Kind = 131
)

var kindNames = map[Kind]string{I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128", ExternRef: "externref",
	FuncRef: "funcref", AnyRef: "anyref", ExnRef: "exnref"}

// Kind is the kind itself.
func (k Kind) Kind() Kind { return k }

// String is the name that the text format has for the kind.
func (k Kind) String() string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

func (k Kind) c() *C.wasm_valtype_t {
	switch k {
	case AnyRef:
		return C.tenon_valtype_new_ref(true, C.TENON_HEAP_ANY)
	case ExnRef:
		return C.tenon_valtype_new_ref(true, C.TENON_HEAP_EXN)
	}
	return C.wasm_valtype_new(C.wasm_valkind_t(k))
}

// A HeapType says what references point to.
type HeapType uint8

// The heap types, with the numbers of tenon.h. HeapDefined is what a module's own type defines.
const (
	HeapFunc HeapType = iota
	HeapNoFunc
	HeapExtern
	HeapNoExtern
	HeapAny
	HeapEq
	HeapI31
	HeapStruct
	HeapArray
	HeapNone
	HeapExn
	HeapNoExn
	HeapDefined
)

// String is the name that the text format has for the heap type.
func (h HeapType) String() string {
	names := [...]string{"func", "nofunc", "extern", "noextern", "any", "eq", "i31", "struct", "array", "none", "exn", "noexn", "$type"}
	if int(h) < len(names) {
		return names[h]
	}
	return fmt.Sprintf("heap type %d", uint8(h))
}

// A RefType is the type of references. Those that point to what a module's own type defines come from that module.
type RefType struct {
	ptr      *C.wasm_valtype_t
	kind     Kind
	heap     HeapType
	nullable bool
	// Of RefInGroup: it means something to DeclareTypes only.
	inGroup bool
}

// NewRefType makes a reference type. Refused for HeapDefined, and for what is no heap type.
func NewRefType(nullable bool, heap HeapType) (*RefType, error) {
	ptr := C.tenon_valtype_new_ref(C.bool(nullable), C.tenon_heaptype_t(heap))
	if ptr == nil {
		return nil, errorf(KindArgument, "no reference type can be made of %v", heap)
	}
	return newRefType(ptr), nil
}

// NewFuncRefType makes the type of references to functions of a type.
func NewFuncRefType(nullable bool, ty FuncType) (*RefType, error) {
	if err := ty.check(); err != nil {
		return nil, err
	}
	c := ty.c()
	defer C.wasm_functype_delete(c)
	defined := C.tenon_deftype_of_functype(c)
	defer C.tenon_deftype_delete(defined)
	ptr := C.tenon_valtype_new_ref_to(C.bool(nullable), defined)
	if ptr == nil {
		return nil, errorf(KindArgument, "no reference type can be made of %v", ty)
	}
	return newRefType(ptr), nil
}

// newRefType takes over the C type.
func newRefType(ptr *C.wasm_valtype_t) *RefType {
	t := &RefType{ptr: ptr, kind: Kind(C.tenon_valtype_kind(ptr)), heap: HeapType(C.tenon_valtype_heap(ptr)),
		nullable: bool(C.tenon_valtype_is_nullable(ptr))}
	runtime.AddCleanup(t, func(ptr *C.wasm_valtype_t) { C.wasm_valtype_delete(ptr) }, ptr)
	return t
}

// Kind is the kind of the references.
func (t *RefType) Kind() Kind { return t.kind }

// Heap is what they point to.
func (t *RefType) Heap() HeapType { return t.heap }

// Nullable says whether null belongs to the type.
func (t *RefType) Nullable() bool { return t.nullable }

// Func is the type of the functions that the references point to, if it is that precise.
func (t *RefType) Func() (ty FuncType, ok bool) {
	defined := C.tenon_valtype_deftype(t.ptr)
	defer C.tenon_deftype_delete(defined)
	c := C.tenon_deftype_functype(defined)
	runtime.KeepAlive(t)
	if c == nil {
		return ty, false
	}
	defer C.wasm_functype_delete(c)
	return funcType(c), true
}

// String is the type in the text format.
func (t *RefType) String() string {
	if t.nullable {
		return "(ref null " + t.heap.String() + ")"
	}
	return "(ref " + t.heap.String() + ")"
}

func (t *RefType) c() *C.wasm_valtype_t {
	copied := C.wasm_valtype_copy(t.ptr)
	runtime.KeepAlive(t)
	return copied
}

// Matches says whether values of the type ty are values of the type other, too.
func Matches(ty, other ValType) bool {
	a, b := ty.c(), other.c()
	matches := bool(C.tenon_valtype_matches(a, b))
	C.wasm_valtype_delete(a)
	C.wasm_valtype_delete(b)
	return matches
}

// Same says whether two types are the same: that holds of types from different modules, too.
func Same(ty, other ValType) bool { return ty == other || Matches(ty, other) && Matches(other, ty) }

// valType is the type behind a C type, which is lent.
func valType(c *C.wasm_valtype_t) ValType {
	if !C.tenon_valtype_is_ref(c) {
		return Kind(C.tenon_valtype_kind(c))
	}
	if C.tenon_valtype_is_nullable(c) {
		switch HeapType(C.tenon_valtype_heap(c)) {
		case HeapFunc:
			return FuncRef
		case HeapExtern:
			return ExternRef
		case HeapAny:
			return AnyRef
		case HeapExn:
			return ExnRef
		}
	}
	return newRefType(C.wasm_valtype_copy(c))
}

// A FuncType is the type of a function.
type FuncType struct{ Params, Results []ValType }

// String is the type as in "(i32, i32) -> (i64)".
func (t FuncType) String() string { return typeList(t.Params) + " -> " + typeList(t.Results) }

func typeList(types []ValType) string {
	names := make([]string, len(types))
	for i, ty := range types {
		names[i] = ty.String()
	}
	return "(" + strings.Join(names, ", ") + ")"
}

// check refuses a type with holes.
func (t FuncType) check() error {
	for _, ty := range append(append([]ValType{}, t.Params...), t.Results...) {
		if ty == nil {
			return errorf(KindArgument, "a type of a parameter or result is nil")
		}
		if ref, ok := ty.(*RefType); ok && ref.inGroup {
			return errorf(KindArgument, "a function type cannot mention a type of a group that is not declared yet")
		}
	}
	return nil
}

// plain says whether there are no references among the values: then no call of the type needs to look at them.
func (t FuncType) plain() bool {
	for _, types := range [...][]ValType{t.Params, t.Results} {
		for _, ty := range types {
			if ty.Kind() > V128 {
				return false
			}
		}
	}
	return true
}

// is compares with a type of kinds.
func (t FuncType) is(params, results []Kind) bool {
	same := func(types []ValType, kinds []Kind) bool {
		for i, ty := range types {
			if ty != ValType(kinds[i]) {
				return false
			}
		}
		return true
	}
	return len(t.Params) == len(params) && len(t.Results) == len(results) && same(t.Params, params) && same(t.Results, results)
}

// kindTypes are kinds as types.
func kindTypes(kinds []Kind) []ValType {
	types := make([]ValType, len(kinds))
	for i, kind := range kinds {
		types[i] = kind
	}
	return types
}

// c makes the C type, which the caller deletes.
func (t FuncType) c() *C.wasm_functype_t {
	var params, results C.wasm_valtype_vec_t
	typeVec(t.Params, &params)
	typeVec(t.Results, &results)
	return C.wasm_functype_new(&params, &results)
}

// typeVec fills in a vector, which the caller owns.
func typeVec(types []ValType, out *C.wasm_valtype_vec_t) {
	C.wasm_valtype_vec_new_uninitialized(out, C.size_t(len(types)))
	for i, place := 0, unsafe.Slice(out.data, int(out.size)); i < len(place); i++ {
		place[i] = types[i].c()
	}
}

func funcType(c *C.wasm_functype_t) FuncType {
	return FuncType{valTypes(C.wasm_functype_params(c)), valTypes(C.wasm_functype_results(c))}
}

func valTypes(vec *C.wasm_valtype_vec_t) []ValType {
	types := make([]ValType, int(vec.size))
	for i, c := range unsafe.Slice(vec.data, len(types)) {
		types[i] = valType(c)
	}
	return types
}
