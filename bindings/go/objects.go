package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// An I31 is a reference to a number of 31 bits: a value of type i31ref, and of eqref and anyref.
type I31 int32

// object31 is a reference of the caller's to a number of 31 bits.
func (s *Store) object31(value I31) (out *C.wasm_ref_t, err error) {
	if value != value<<1>>1 {
		return nil, errorf(KindArgument, "does not fit into 31 bits: %d", int32(value))
	}
	err = takeError(C.tenon_i31_new(s.ptr, C.int32_t(value), &out))
	return out, err
}

// managed is a structure or an array, which WebAssembly's collector manages. It may move in memory; a reference follows.
type managed struct {
	*ref
	store *Store
	def   *defType
}

// takeObject is the structure, array or number of 31 bits that a reference, which it takes over, is to; else a *Ref.
func (s *Store) takeObject(r *C.wasm_ref_t) any {
	var def *C.tenon_deftype_t
	switch C.tenon_go_object(r, &def) {
	case C.TENON_GO_STRUCT:
		return newStruct(s, r, newDefType(def))
	case C.TENON_GO_ARRAY:
		return newArray(s, r, newDefType(def))
	case C.TENON_GO_I31:
		defer C.wasm_ref_delete(r)
		return I31(C.tenon_i31_get_s(r))
	}
	other := &Ref{store: s}
	other.ref = own(s, other, unsafe.Pointer(r))
	return other
}

func (m *managed) use(do func(ptr *C.wasm_ref_t) error) error {
	before, err := m.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(m)
	defer m.store.leave(before)
	ptr := m.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	return do((*C.wasm_ref_t)(unsafe.Pointer(ptr)))
}

// read is the value in a place, by way of one of the library's functions that read.
func (m *managed) read(get func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t, place int) (value any, err error) {
	err = m.use(func(ptr *C.wasm_ref_t) error {
		val := newVals(1)
		defer val.free()
		if err := takeError(get(ptr, val.val(0))); err != nil {
			return err
		}
		field, ok := m.def.field(place)
		if !ok {
			return errorf(KindArgument, "there is no field %d", place)
		}
		value = val.take(m.store, 0, field.Type)
		return nil
	})
	return
}

// with is use with a value for a place.
func (m *managed) with(place int, value any, do func(ptr *C.wasm_ref_t, val *C.tenon_val_t) *C.tenon_error_t) error {
	return m.use(func(ptr *C.wasm_ref_t) error {
		field, ok := m.def.field(place)
		if !ok {
			return errorf(KindArgument, "there is no field %d", place)
		}
		val := newVals(1)
		defer val.free()
		if err := val.put(m.store, 0, field.Type, value); err != nil {
			return at(err, "the value")
		}
		return takeError(do(ptr, val.val(0)))
	})
}

// newObject makes an object of values for the places of a type.
func newObject(s *Store, def *defType, place func(i int) int, values []any,
	create func(vals vals, out **C.wasm_ref_t) *C.tenon_error_t) (ptr *C.wasm_ref_t, err error) {
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(def)
	defer s.leave(before)
	vals := newVals(len(values))
	defer vals.free()
	for i, value := range values {
		field, ok := def.field(place(i))
		if !ok {
			return nil, errorf(KindArgument, "%d values for a structure of %d fields", len(values), def.count())
		}
		if err := vals.put(s, i, field.Type, value); err != nil {
			return nil, at(err, "value %d", i)
		}
	}
	err = takeError(create(vals, &ptr))
	return ptr, err
}

// A Struct is a structure.
type Struct struct{ managed }

func newStruct(s *Store, ptr *C.wasm_ref_t, def *defType) *Struct {
	o := &Struct{managed{store: s, def: def}}
	o.ref = own(s, o, unsafe.Pointer(ptr))
	return o
}

// NewStruct makes a structure with Go values of the types of its fields; without values, all are zero or nil.
func NewStruct(s *Store, ty *StructType, values ...any) (*Struct, error) {
	ptr, err := newObject(s, ty.def, func(i int) int { return i }, values, func(vals vals, out **C.wasm_ref_t) *C.tenon_error_t {
		if vals.count == 0 {
			return C.tenon_struct_new_default(s.ptr, ty.def.ptr, out)
		}
		return C.tenon_struct_new(s.ptr, ty.def.ptr, vals.val(0), C.size_t(vals.count), out)
	})
	if err != nil {
		return nil, err
	}
	return newStruct(s, ptr, ty.def), nil
}

func (o *Struct) reference() (*Store, *ref) {
	if o == nil {
		return nil, nil
	}
	return o.store, o.ref
}

// Type is the structure's type.
func (o *Struct) Type() *StructType { return &StructType{o.def} }

// Close gives up the reference to the structure.
func (o *Struct) Close() { o.drop() }

// Same says whether both refer to the same structure.
func (o *Struct) Same(other *Struct) bool { return same(o.ref, other.ref) }

// Get is the value of a field; a packed one with zeros above.
func (o *Struct) Get(field int) (any, error) {
	return o.read(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_struct_get(ptr, C.size_t(field), out)
	}, field)
}

// GetSigned is Get for a packed field, as a signed number.
func (o *Struct) GetSigned(field int) (any, error) {
	return o.read(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_struct_get_s(ptr, C.size_t(field), out)
	}, field)
}

// Set replaces the value of a field.
func (o *Struct) Set(field int, value any) error {
	return o.with(field, value, func(ptr *C.wasm_ref_t, val *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_struct_set(ptr, C.size_t(field), val)
	})
}

// An Array is an array.
type Array struct{ managed }

func newArray(s *Store, ptr *C.wasm_ref_t, def *defType) *Array {
	o := &Array{managed{store: s, def: def}}
	o.ref = own(s, o, unsafe.Pointer(ptr))
	return o
}

// NewArray makes an array of Go values of the type of its elements.
func NewArray(s *Store, ty *ArrayType, values ...any) (*Array, error) {
	ptr, err := newObject(s, ty.def, func(int) int { return 0 }, values, func(vals vals, out **C.wasm_ref_t) *C.tenon_error_t {
		return C.tenon_array_new_fixed(s.ptr, ty.def.ptr, vals.val(0), C.size_t(vals.count), out)
	})
	if err != nil {
		return nil, err
	}
	return newArray(s, ptr, ty.def), nil
}

// NewArrayOf makes an array of a length, whose elements are all the same.
func NewArrayOf(s *Store, ty *ArrayType, length uint32, element any) (*Array, error) {
	ptr, err := newObject(s, ty.def, func(int) int { return 0 }, []any{element}, func(vals vals, out **C.wasm_ref_t) *C.tenon_error_t {
		return C.tenon_array_new(s.ptr, ty.def.ptr, vals.val(0), C.uint32_t(length), out)
	})
	if err != nil {
		return nil, err
	}
	return newArray(s, ptr, ty.def), nil
}

func (o *Array) reference() (*Store, *ref) {
	if o == nil {
		return nil, nil
	}
	return o.store, o.ref
}

// Type is the array's type.
func (o *Array) Type() *ArrayType { return &ArrayType{o.def} }

// Close gives up the reference to the array.
func (o *Array) Close() { o.drop() }

// Same says whether both refer to the same array.
func (o *Array) Same(other *Array) bool { return same(o.ref, other.ref) }

// Len is the number of elements.
func (o *Array) Len() (n uint32, err error) {
	err = o.use(func(ptr *C.wasm_ref_t) error { n = uint32(C.tenon_array_len(ptr)); return nil })
	return
}

// Get is an element; a packed one with zeros above.
func (o *Array) Get(index uint32) (any, error) {
	return o.read(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_get(ptr, C.uint32_t(index), out)
	}, 0)
}

// GetSigned is Get for a packed element, as a signed number.
func (o *Array) GetSigned(index uint32) (any, error) {
	return o.read(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_get_s(ptr, C.uint32_t(index), out)
	}, 0)
}

// Set replaces an element.
func (o *Array) Set(index uint32, value any) error { return o.Fill(index, value, 1) }

// Fill replaces count elements, from an index on, by a value: all of them, or none.
func (o *Array) Fill(start uint32, value any, count uint32) error {
	return o.with(0, value, func(ptr *C.wasm_ref_t, val *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_fill(ptr, C.uint32_t(start), val, C.uint32_t(count))
	})
}

// Copy copies count elements of an array, which may be the same, to an index on: all of them, or none.
func (o *Array) Copy(start uint32, source *Array, sourceStart, count uint32) error {
	if source.store != o.store {
		return errorf(KindStore, "the arrays are of different stores")
	}
	return o.use(func(ptr *C.wasm_ref_t) error {
		from := source.ptr.Load()
		if from == nil {
			return ErrClosed
		}
		defer runtime.KeepAlive(source)
		return takeError(C.tenon_array_copy(ptr, C.uint32_t(start), (*C.wasm_ref_t)(unsafe.Pointer(from)), C.uint32_t(sourceStart), C.uint32_t(count)))
	})
}
