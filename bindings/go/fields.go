package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Field is a field of a structure, or what the elements of an array are.
type Field struct {
	// Type is the type of the value: I32 if it is packed.
	Type ValType
	// Packed is how many bits are kept of the value, 8 or 16; 0 stands for all.
	Packed uint8
	// Mutable says whether it may be set.
	Mutable bool
}

// NewStructType makes the type of references, without null, to structures of these fields. It is the same as that which any module has
// for such fields, if it is final there. Types that refer to themselves come from modules.
func NewStructType(fields ...Field) (*RefType, error) {
	return newDefined(C.TENON_DEF_STRUCT, fields)
}

// NewArrayType makes the type of references, without null, to arrays of such elements.
func NewArrayType(element Field) (*RefType, error) {
	return newDefined(C.TENON_DEF_ARRAY, []Field{element})
}

func newDefined(kind C.tenon_defkind_t, fields []Field) (*RefType, error) {
	// In C's memory, which the declaration points to.
	data := C.calloc(C.size_t(len(fields)+1), C.sizeof_tenon_field_t)
	defer C.free(data)
	places := unsafe.Slice((*C.tenon_field_t)(data), len(fields))
	defer func() {
		for _, place := range places {
			C.wasm_valtype_delete(place._type)
		}
	}()
	for i, field := range fields {
		if field.Type == nil {
			return nil, errorf(KindArgument, "the type of field %d is nil", i)
		}
		places[i] = C.tenon_field_t{_type: field.Type.c(), packing: C.uint8_t(field.Packed), is_mutable: C.bool(field.Mutable)}
	}
	declared := C.tenon_subtype_t{kind: kind, is_final: true, fields: (*C.tenon_field_t)(data), field_count: C.size_t(len(fields))}
	var defined *C.tenon_deftype_t
	if err := takeError(C.tenon_deftype_new_group(&declared, 1, &defined)); err != nil {
		return nil, err
	}
	defer C.tenon_deftype_delete(defined)
	return newRefType(C.tenon_valtype_new_ref_to(false, defined)), nil
}

// Fields are the fields of the structures that the references point to, or what the elements of the arrays are; nil if they point to
// neither.
func (t *RefType) Fields() []Field {
	defined := C.tenon_valtype_deftype(t.ptr)
	defer C.tenon_deftype_delete(defined)
	defer runtime.KeepAlive(t)
	var fields []Field
	for i := range C.tenon_deftype_field_count(defined) {
		var c C.tenon_field_t
		if !C.tenon_deftype_field(defined, i, &c) {
			break
		}
		fields = append(fields, Field{valType(c._type), uint8(c.packing), bool(c.is_mutable)})
		C.wasm_valtype_delete(c._type)
	}
	return fields
}
