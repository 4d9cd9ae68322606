package tenon

// #include "shim.h"
import "C"

import (
	"math"
	"runtime"
	"unsafe"
)

// An I31 is a number of 31 bits that WebAssembly has as a reference (i31ref). One that needs more bits is refused.
type I31 int32

// Unsigned is the number with a zero above, from 0 to 2^31 - 1.
func (i I31) Unsigned() uint32 { return uint32(i) & math.MaxInt32 }

// heapObject is what a Struct and an Array are: a reference to an object in the store's heap, where a collection may move it.
type heapObject struct {
	*ref
	store *Store
	// What they are made of, once that was needed.
	made []Field
}

// A Struct is a reference to a structure of WebAssembly. Each time that WebAssembly gives the same one it is another Struct: Same
// compares them.
type Struct struct{ heapObject }

// An Array is a reference to an array of WebAssembly; Same compares them.
type Array struct{ heapObject }

func newStruct(s *Store, ptr *C.wasm_ref_t) *Struct {
	o := &Struct{heapObject{store: s}}
	o.ref = own(s, o, unsafe.Pointer(ptr))
	return o
}

func newArray(s *Store, ptr *C.wasm_ref_t) *Array {
	a := &Array{heapObject{store: s}}
	a.ref = own(s, a, unsafe.Pointer(ptr))
	return a
}

// takeHeap is what a reference into the heap, which it takes over, refers to. The store is in use.
func (s *Store) takeHeap(r *C.wasm_ref_t) (value any, ok bool) {
	switch C.tenon_go_heap(r) {
	case C.TENON_HEAP_STRUCT:
		return newStruct(s, r), true
	case C.TENON_HEAP_ARRAY:
		return newArray(s, r), true
	case C.TENON_HEAP_I31:
		defer C.wasm_ref_delete(r)
		return I31(C.tenon_i31_get_s(r)), true
	}
	return nil, false
}

func (s *Store) newI31(value I31) (ref *C.wasm_ref_t, err error) {
	if value<<1>>1 != value {
		return nil, errorf(KindArgument, "is %d, which has more than 31 bits", value)
	}
	err = takeError(C.tenon_i31_new(s.ptr, C.int32_t(value), &ref))
	return ref, err
}

// newObject makes an object of a type with Go values: one for each field, or elements.
func (s *Store) newObject(ty *RefType, kind C.tenon_defkind_t, values []any,
	construct func(ty *C.tenon_deftype_t, values *C.tenon_val_t, out **C.wasm_ref_t) *C.tenon_error_t) (*C.wasm_ref_t, error) {
	if ty == nil {
		return nil, errorf(KindArgument, "the type is nil")
	}
	defined := C.tenon_valtype_deftype(ty.ptr)
	defer C.tenon_deftype_delete(defined)
	defer runtime.KeepAlive(ty)
	if defined == nil || C.tenon_deftype_kind(defined) != kind {
		what := map[C.tenon_defkind_t]string{C.TENON_DEF_STRUCT: "a structure", C.TENON_DEF_ARRAY: "an array"}[kind]
		return nil, errorf(KindArgument, "%v is not the type of references to %s", ty, what)
	}
	fields := ty.Fields()
	if kind == C.TENON_DEF_STRUCT && len(values) > len(fields) {
		return nil, errorf(KindArgument, "%d values are given for a structure of %d fields", len(values), len(fields))
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	c := newVals(len(values))
	defer c.free()
	for i, value := range values {
		field := 0
		if kind == C.TENON_DEF_STRUCT {
			field = i
		}
		if err := c.put(s, i, fields[field].Type, value); err != nil {
			return nil, at(err, "value %d", i)
		}
	}
	var out *C.wasm_ref_t
	err = takeError(construct(defined, c.val(0), &out))
	return out, err
}

// NewStruct makes a structure of the type that references of type ty point to, with Go values for all of its fields.
func NewStruct(s *Store, ty *RefType, fields ...any) (*Struct, error) {
	ref, err := s.newObject(ty, C.TENON_DEF_STRUCT, fields,
		func(ty *C.tenon_deftype_t, values *C.tenon_val_t, out **C.wasm_ref_t) *C.tenon_error_t {
			return C.tenon_struct_new(s.ptr, ty, values, C.size_t(len(fields)), out)
		})
	if err != nil {
		return nil, err
	}
	return newStruct(s, ref), nil
}

// NewDefaultStruct makes a structure whose fields are zero or null. Refused if one of them cannot be.
func NewDefaultStruct(s *Store, ty *RefType) (*Struct, error) {
	ref, err := s.newObject(ty, C.TENON_DEF_STRUCT, nil,
		func(ty *C.tenon_deftype_t, _ *C.tenon_val_t, out **C.wasm_ref_t) *C.tenon_error_t {
			return C.tenon_struct_new_default(s.ptr, ty, out)
		})
	if err != nil {
		return nil, err
	}
	return newStruct(s, ref), nil
}

// NewArray makes an array of the type that references of type ty point to, of so many elements that are all the same.
func NewArray(s *Store, ty *RefType, length uint32, init any) (*Array, error) {
	ref, err := s.newObject(ty, C.TENON_DEF_ARRAY, []any{init},
		func(ty *C.tenon_deftype_t, value *C.tenon_val_t, out **C.wasm_ref_t) *C.tenon_error_t {
			return C.tenon_array_new(s.ptr, ty, value, C.uint32_t(length), out)
		})
	if err != nil {
		return nil, err
	}
	return newArray(s, ref), nil
}

// NewDefaultArray makes an array of so many elements that are zero or null. Refused if they cannot be.
func NewDefaultArray(s *Store, ty *RefType, length uint32) (*Array, error) {
	ref, err := s.newObject(ty, C.TENON_DEF_ARRAY, nil,
		func(ty *C.tenon_deftype_t, _ *C.tenon_val_t, out **C.wasm_ref_t) *C.tenon_error_t {
			return C.tenon_array_new(s.ptr, ty, nil, C.uint32_t(length), out)
		})
	if err != nil {
		return nil, err
	}
	return newArray(s, ref), nil
}

// NewArrayOf makes an array of these elements.
func NewArrayOf(s *Store, ty *RefType, elements ...any) (*Array, error) {
	ref, err := s.newObject(ty, C.TENON_DEF_ARRAY, elements,
		func(ty *C.tenon_deftype_t, values *C.tenon_val_t, out **C.wasm_ref_t) *C.tenon_error_t {
			return C.tenon_array_new_fixed(s.ptr, ty, values, C.size_t(len(elements)), out)
		})
	if err != nil {
		return nil, err
	}
	return newArray(s, ref), nil
}

// inUse runs something with the object's pointer.
func (o *heapObject) inUse(do func(ptr *C.wasm_ref_t) error) error {
	before, err := o.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(o)
	defer o.store.leave(before)
	ptr := o.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	return do((*C.wasm_ref_t)(unsafe.Pointer(ptr)))
}

// get is what the library reads.
func (o *heapObject) get(read func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t) (value any, err error) {
	err = o.inUse(func(ptr *C.wasm_ref_t) error {
		c := newVals(1)
		defer c.free()
		if err := takeError(read(ptr, c.val(0))); err != nil {
			return err
		}
		value = c.take(o.store, 0, Kind(c.val(0).kind))
		return nil
	})
	return
}

// set has the library write a Go value, as one of a field.
func (o *heapObject) set(field uint32, value any, write func(ptr *C.wasm_ref_t, value *C.tenon_val_t) *C.tenon_error_t) error {
	return o.inUse(func(ptr *C.wasm_ref_t) error {
		if o.made == nil {
			o.made = newRefType(C.tenon_ref_type(ptr)).Fields()
		}
		if field >= uint32(len(o.made)) {
			return errorf(KindArgument, "there is no field %d in a structure of %d", field, len(o.made))
		}
		c := newVals(1)
		defer c.free()
		if err := c.put(o.store, 0, o.made[field].Type, value); err != nil {
			return at(err, "the value")
		}
		return takeError(write(ptr, c.val(0)))
	})
}

func (o *heapObject) refType() (ty *RefType, err error) {
	err = o.inUse(func(ptr *C.wasm_ref_t) error { ty = newRefType(C.tenon_ref_type(ptr)); return nil })
	return
}

func (o *Struct) reference() (*Store, *ref) {
	if o == nil {
		return nil, nil
	}
	return o.store, o.ref
}

// Close gives up the reference.
func (o *Struct) Close() { o.drop() }

// Same says whether both are references to the same structure (ref.eq).
func (o *Struct) Same(other *Struct) bool { return same(o.ref, other.ref) }

// Type is the structure's type, as that of references to it.
func (o *Struct) Type() (*RefType, error) { return o.refType() }

// Len is how many fields the structure has.
func (o *Struct) Len() (length int, err error) {
	err = o.inUse(func(ptr *C.wasm_ref_t) error { length = int(C.tenon_struct_field_count(ptr)); return nil })
	return
}

// Get is the value of a field, as a Go value; of a packed one with zeros above.
func (o *Struct) Get(field uint32) (any, error) {
	return o.get(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_struct_get(ptr, C.size_t(field), out)
	})
}

// GetSigned is Get, but takes a packed field as a signed number.
func (o *Struct) GetSigned(field uint32) (any, error) {
	return o.get(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_struct_get_s(ptr, C.size_t(field), out)
	})
}

// Set replaces the value of a field by a Go value of its type; of a packed one by its lowest bits.
func (o *Struct) Set(field uint32, value any) error {
	return o.set(field, value, func(ptr *C.wasm_ref_t, value *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_struct_set(ptr, C.size_t(field), value)
	})
}

func (a *Array) reference() (*Store, *ref) {
	if a == nil {
		return nil, nil
	}
	return a.store, a.ref
}

// Close gives up the reference.
func (a *Array) Close() { a.drop() }

// Same says whether both are references to the same array (ref.eq).
func (a *Array) Same(other *Array) bool { return same(a.ref, other.ref) }

// Type is the array's type, as that of references to it.
func (a *Array) Type() (*RefType, error) { return a.refType() }

// Len is how many elements the array has.
func (a *Array) Len() (length uint32, err error) {
	err = a.inUse(func(ptr *C.wasm_ref_t) error { length = uint32(C.tenon_array_len(ptr)); return nil })
	return
}

// Get is the value of an element, as a Go value; of a packed one with zeros above.
func (a *Array) Get(index uint32) (any, error) {
	return a.get(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_get(ptr, C.uint32_t(index), out)
	})
}

// GetSigned is Get, but takes a packed element as a signed number.
func (a *Array) GetSigned(index uint32) (any, error) {
	return a.get(func(ptr *C.wasm_ref_t, out *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_get_s(ptr, C.uint32_t(index), out)
	})
}

// Set replaces the value of an element by a Go value of its type; of a packed one by its lowest bits.
func (a *Array) Set(index uint32, value any) error {
	return a.set(0, value, func(ptr *C.wasm_ref_t, value *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_set(ptr, C.uint32_t(index), value)
	})
}

// Fill replaces count elements from start on by a Go value: all of them, or none.
func (a *Array) Fill(start uint32, value any, count uint32) error {
	return a.set(0, value, func(ptr *C.wasm_ref_t, value *C.tenon_val_t) *C.tenon_error_t {
		return C.tenon_array_fill(ptr, C.uint32_t(start), value, C.uint32_t(count))
	})
}

// CopyFrom copies count elements of an array of the same store, which may be this one: all of them, or none.
func (a *Array) CopyFrom(start uint32, from *Array, fromStart, count uint32) error {
	return a.inUse(func(ptr *C.wasm_ref_t) error {
		source, err := a.store.newRef(AnyRef, from)
		if err != nil {
			return at(err, "the array that is copied")
		}
		defer C.wasm_ref_delete(source)
		return takeError(C.tenon_array_copy(ptr, C.uint32_t(start), source, C.uint32_t(fromStart), C.uint32_t(count)))
	})
}

// asked makes a reference of a Go value and C's type of a reference type, for something that looks at both.
func (s *Store) asked(value any, ty ValType, do func(ref *C.wasm_ref_t, ty *C.wasm_valtype_t) error) error {
	if ty == nil || ty.Kind() <= V128 {
		return errorf(KindArgument, "%v is no reference type", ty)
	}
	before, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(before)
	place := ExternRef
	if _, ok := value.(referrer); ok {
		place = AnyRef
	}
	ref, err := s.newRef(place, value)
	if err != nil {
		return at(err, "the value")
	}
	defer C.wasm_ref_delete(ref)
	c := ty.c()
	defer C.wasm_valtype_delete(c)
	return do(ref, c)
}

// Test says whether a Go value, as a reference, is of a reference type (ref.test). nil is the null reference.
func (s *Store) Test(value any, ty ValType) (is bool, err error) {
	err = s.asked(value, ty, func(ref *C.wasm_ref_t, ty *C.wasm_valtype_t) error {
		is = bool(C.tenon_ref_test(ref, ty))
		return nil
	})
	return
}

// Cast is the Go value of a reference to the same as another, and an error if that is not of a reference type (ref.cast).
func (s *Store) Cast(value any, ty ValType) (cast any, err error) {
	err = s.asked(value, ty, func(ref *C.wasm_ref_t, ty *C.wasm_valtype_t) error {
		var out *C.wasm_ref_t
		if err := takeError(C.tenon_ref_cast(ref, ty, &out)); err != nil {
			return err
		}
		cast = s.takeRef(out)
		return nil
	})
	return
}
