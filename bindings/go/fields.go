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

// A DefKind is what a type defines, with the numbers of tenon.h.
type DefKind uint8

// What types define.
const (
	DefFunc DefKind = iota
	DefStruct
	DefArray
)

// A TypeDecl declares a type of functions, structures or arrays.
type TypeDecl struct {
	// Kind is what the type defines.
	Kind DefKind
	// Func is the type of functions.
	Func FuncType
	// Fields are those of a structure; of an array, one for the elements.
	Fields []Field
	// Super is the type of references to what it is declared below; nil if there is none.
	Super *RefType
	// Open lets other types be declared below it.
	Open bool
}

// DeclareTypes declares types that may refer to each other by RefInGroup, one recursion group, and returns the types of references,
// without null, to each. They are the same as those which any module has for such a group.
func DeclareTypes(types ...TypeDecl) ([]*RefType, error) {
	decls := declarations{make([]C.tenon_subtype_t, len(types)), nil}
	defer decls.free()
	for i, ty := range types {
		if err := decls.add(i, ty); err != nil {
			return nil, at(err, "type %d:", i)
		}
	}
	// In C's memory, as they have pointers in turn.
	data := C.calloc(C.size_t(len(types)+1), C.sizeof_tenon_subtype_t)
	defer C.free(data)
	copy(unsafe.Slice((*C.tenon_subtype_t)(data), len(types)), decls.types)
	out := make([]*C.tenon_deftype_t, len(types)+1)
	if err := takeError(C.tenon_deftype_new_group((*C.tenon_subtype_t)(data), C.size_t(len(types)), &out[0])); err != nil {
		return nil, err
	}
	runtime.KeepAlive(types)
	made := make([]*RefType, len(types))
	for i := range made {
		made[i] = refTypeTo(false, out[i])
	}
	return made, nil
}

// declarations are types that are to be declared, and what has to live until then.
type declarations struct {
	types []C.tenon_subtype_t
	undo  []func()
}

func (d *declarations) free() {
	for _, undo := range d.undo {
		undo()
	}
}

func (d *declarations) add(i int, ty TypeDecl) error {
	c := &d.types[i]
	c.kind, c.is_final = C.tenon_defkind_t(ty.Kind), C.bool(!ty.Open)
	if ty.Super != nil {
		super := C.tenon_valtype_deftype(ty.Super.ptr)
		if super == nil {
			return errorf(KindArgument, "nothing is declared below %v", ty.Super)
		}
		d.undo = append(d.undo, func() { C.tenon_deftype_delete(super) })
		c.supertype = super
	}
	if ty.Kind == DefFunc {
		if err := ty.Func.check(); err != nil {
			return err
		}
		c._func = ty.Func.c()
		d.undo = append(d.undo, func() { C.wasm_functype_delete(c._func) })
		return nil
	}
	fields := C.calloc(C.size_t(len(ty.Fields)+1), C.sizeof_tenon_field_t)
	places := unsafe.Slice((*C.tenon_field_t)(fields), len(ty.Fields))
	d.undo = append(d.undo, func() {
		for _, place := range places {
			C.wasm_valtype_delete(place._type)
		}
		C.free(fields)
	})
	c.fields, c.field_count = (*C.tenon_field_t)(fields), C.size_t(len(ty.Fields))
	for n, field := range ty.Fields {
		if field.Type == nil {
			return errorf(KindArgument, "the type of field %d is nil", n)
		}
		places[n] = C.tenon_field_t{_type: field.Type.c(), packing: C.uint8_t(field.Packed), is_mutable: C.bool(field.Mutable)}
	}
	return nil
}

// RefInGroup is the type of references to the type at a place, of a kind, among those that are given to the same DeclareTypes. It means
// nothing elsewhere.
func RefInGroup(nullable bool, place uint32, kind DefKind) (*RefType, error) {
	ptr := C.tenon_valtype_new_ref_in_group(C.bool(nullable), C.uint32_t(place), C.tenon_defkind_t(kind))
	if ptr == nil {
		return nil, errorf(KindArgument, "there is no kind of types %d", kind)
	}
	ty := newRefType(ptr)
	ty.inGroup = true
	return ty, nil
}

// NewStructType makes the type of references, without null, to structures of these fields. It is the same as that which any module has
// for such fields, if it is final there. DeclareTypes makes types that refer to themselves, or that others can be declared below.
func NewStructType(fields ...Field) (*RefType, error) {
	return declareOne(TypeDecl{Kind: DefStruct, Fields: fields})
}

// NewArrayType makes the type of references, without null, to arrays of such elements.
func NewArrayType(element Field) (*RefType, error) {
	return declareOne(TypeDecl{Kind: DefArray, Fields: []Field{element}})
}

func declareOne(ty TypeDecl) (*RefType, error) {
	types, err := DeclareTypes(ty)
	if err != nil {
		return nil, err
	}
	return types[0], nil
}

// refTypeTo is the type of references to a defined type, which it takes over; nil if there is none.
func refTypeTo(nullable bool, defined *C.tenon_deftype_t) *RefType {
	if defined == nil {
		return nil
	}
	defer C.tenon_deftype_delete(defined)
	return newRefType(C.tenon_valtype_new_ref_to(C.bool(nullable), defined))
}

// define runs something with the defined type that the references are to, nil if there is none.
func (t *RefType) define(do func(defined *C.tenon_deftype_t)) {
	defined := C.tenon_valtype_deftype(t.ptr)
	do(defined)
	C.tenon_deftype_delete(defined)
	runtime.KeepAlive(t)
}

// Fields are the fields of the structures that the references point to, or what the elements of the arrays are; nil if they point to
// neither.
func (t *RefType) Fields() (fields []Field) {
	t.define(func(defined *C.tenon_deftype_t) {
		for i := range C.tenon_deftype_field_count(defined) {
			var c C.tenon_field_t
			if !C.tenon_deftype_field(defined, i, &c) {
				break
			}
			fields = append(fields, Field{valType(c._type), uint8(c.packing), bool(c.is_mutable)})
			C.wasm_valtype_delete(c._type)
		}
	})
	return
}

// Def is what the type defines that the references are to; false if they are to anything of a kind, as (ref struct) is.
func (t *RefType) Def() (kind DefKind, ok bool) {
	t.define(func(defined *C.tenon_deftype_t) {
		kind, ok = DefKind(C.tenon_deftype_kind(defined)), defined != nil
	})
	return
}

// Final says whether nothing may be declared below what the references are to.
func (t *RefType) Final() (final bool) {
	t.define(func(defined *C.tenon_deftype_t) { final = bool(C.tenon_deftype_is_final(defined)) })
	return
}

// Super is the type of references, without null, to what it is declared below; nil if there is nothing.
func (t *RefType) Super() (super *RefType) {
	t.define(func(defined *C.tenon_deftype_t) { super = refTypeTo(false, C.tenon_deftype_supertype(defined)) })
	return
}
