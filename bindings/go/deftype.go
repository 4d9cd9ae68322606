package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// A Packing says how a field keeps its value.
type Packing uint8

// The packings: whole, or the lowest bits of an i32.
const (
	Unpacked Packing = 0
	Packed8  Packing = 8
	Packed16 Packing = 16
)

// A Field is a field of a structure, or what the elements of an array are like.
type Field struct {
	// Type is the type of its value: I32 if it is packed.
	Type    ValType
	Mutable bool
	Packing Packing
}

// defType is a type of structures or arrays.
type defType struct{ ptr *C.tenon_deftype_t }

// newDefType takes over the C type.
func newDefType(ptr *C.tenon_deftype_t) *defType {
	t := &defType{ptr}
	runtime.AddCleanup(t, func(ptr *C.tenon_deftype_t) { C.tenon_deftype_delete(ptr) }, ptr)
	return t
}

func declare(kind C.tenon_defkind_t, fields []Field) (*defType, error) {
	memory := C.calloc(C.size_t(len(fields)+1), C.sizeof_tenon_field_t)
	defer C.free(memory)
	c := unsafe.Slice((*C.tenon_field_t)(memory), len(fields)+1)
	for i, field := range fields {
		if field.Type == nil {
			return nil, errorf(KindArgument, "the type of field %d is nil", i)
		}
		c[i]._type = field.Type.c()
		defer C.wasm_valtype_delete(c[i]._type)
		c[i].packing, c[i].is_mutable = C.uint8_t(field.Packing), C.bool(field.Mutable)
	}
	var out *C.tenon_deftype_t
	if err := takeError(C.tenon_go_deftype_new(kind, &c[0], C.size_t(len(fields)), &out)); err != nil {
		return nil, err
	}
	return newDefType(out), nil
}

func (t *defType) count() int {
	defer runtime.KeepAlive(t)
	return int(C.tenon_deftype_field_count(t.ptr))
}

func (t *defType) field(i int) (f Field, ok bool) {
	defer runtime.KeepAlive(t)
	var c C.tenon_field_t
	if !C.tenon_deftype_field(t.ptr, C.size_t(i), &c) {
		return f, false
	}
	defer C.wasm_valtype_delete(c._type)
	return Field{valType(c._type), bool(c.is_mutable), Packing(c.packing)}, true
}

func (t *defType) reference(nullable bool) *RefType {
	defer runtime.KeepAlive(t)
	return newRefType(C.tenon_valtype_new_ref_to(C.bool(nullable), t.ptr))
}

func (t *defType) same(other *defType) bool {
	defer runtime.KeepAlive(t)
	defer runtime.KeepAlive(other)
	return bool(C.tenon_deftype_same(t.ptr, other.ptr))
}

// String is the field in the text format.
func (f Field) String() string {
	name := fmt.Sprint(f.Type)
	if f.Packing != Unpacked {
		name = fmt.Sprintf("i%d", f.Packing)
	}
	if f.Mutable {
		return "(mut " + name + ")"
	}
	return name
}

// A StructType is a type of structures. RefType.Struct finds those of modules.
type StructType struct{ def *defType }

// NewStructType makes a type of structures with these fields.
func NewStructType(fields ...Field) (*StructType, error) {
	def, err := declare(C.TENON_DEF_STRUCT, fields)
	if err != nil {
		return nil, err
	}
	return &StructType{def}, nil
}

// Fields are the fields.
func (t *StructType) Fields() []Field {
	fields := make([]Field, t.def.count())
	for i := range fields {
		fields[i], _ = t.def.field(i)
	}
	return fields
}

// Ref is the type of references to structures of the type.
func (t *StructType) Ref(nullable bool) *RefType { return t.def.reference(nullable) }

// Same says whether both are the same type.
func (t *StructType) Same(other *StructType) bool { return t.def.same(other.def) }

// String is the type in the text format.
func (t *StructType) String() string {
	var b strings.Builder
	for _, field := range t.Fields() {
		fmt.Fprintf(&b, " (field %v)", field)
	}
	return "(struct" + b.String() + ")"
}

// An ArrayType is a type of arrays. RefType.Array finds those of modules.
type ArrayType struct{ def *defType }

// NewArrayType makes a type of arrays with such elements.
func NewArrayType(element Field) (*ArrayType, error) {
	def, err := declare(C.TENON_DEF_ARRAY, []Field{element})
	if err != nil {
		return nil, err
	}
	return &ArrayType{def}, nil
}

// Element is what the elements are like.
func (t *ArrayType) Element() Field {
	field, _ := t.def.field(0)
	return field
}

// Ref is the type of references to arrays of the type.
func (t *ArrayType) Ref(nullable bool) *RefType { return t.def.reference(nullable) }

// Same says whether both are the same type.
func (t *ArrayType) Same(other *ArrayType) bool { return t.def.same(other.def) }

// String is the type in the text format.
func (t *ArrayType) String() string { return "(array " + t.Element().String() + ")" }

// defined is the type that references of the type are to, if it is of the kind.
func (t *RefType) defined(kind C.tenon_defkind_t) *defType {
	defer runtime.KeepAlive(t)
	ptr := C.tenon_valtype_deftype(t.ptr)
	if ptr == nil || C.tenon_deftype_kind(ptr) != kind {
		C.tenon_deftype_delete(ptr)
		return nil
	}
	return newDefType(ptr)
}

// Struct is the type of the structures that the references point to, if it is that precise.
func (t *RefType) Struct() (*StructType, bool) {
	def := t.defined(C.TENON_DEF_STRUCT)
	return &StructType{def}, def != nil
}

// Array is the type of the arrays that the references point to, if it is that precise.
func (t *RefType) Array() (*ArrayType, bool) {
	def := t.defined(C.TENON_DEF_ARRAY)
	return &ArrayType{def}, def != nil
}
