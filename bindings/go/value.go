package tenon

// #include "shim.h"
import "C"

import (
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// A Number is a Go type for the numbers of WebAssembly: an i32 is an int32 or a uint32, and so on.
type Number interface {
	int32 | uint32 | int64 | uint64 | float32 | float64
}

// A Vector is a value of type v128, little-endian.
type Vector [16]byte

// A Ref is a reference to an object of WebAssembly that has no type of its own in Go. It can be passed on.
type Ref struct {
	*ref
	store *Store
}

// Close gives up the reference.
func (r *Ref) Close() { r.drop() }

func (r *Ref) reference() (*Store, *ref) {
	if r == nil {
		return nil, nil
	}
	return r.store, r.ref
}

// referrer is what is passed as the reference that it is; a nil one as null.
type referrer interface {
	reference() (*Store, *ref)
}

func kindOf[T Number]() Kind {
	var zero T
	switch any(zero).(type) {
	case int32, uint32:
		return I32
	case int64, uint64:
		return I64
	case float32:
		return F32
	}
	return F64
}

// put stores a Go value of a type into a slot; a reference there is its owner's. The store is in use.
func (s *Store) put(slot unsafe.Pointer, ty ValType, value any) error {
	kind, fits := ty.Kind(), false
	switch v := value.(type) {
	case int32:
		*(*int32)(slot), fits = v, kind == I32
	case uint32:
		*(*uint32)(slot), fits = v, kind == I32
	case int64:
		*(*int64)(slot), fits = v, kind == I64
	case uint64:
		*(*uint64)(slot), fits = v, kind == I64
	case float32:
		*(*float32)(slot), fits = v, kind == F32
	case float64:
		*(*float64)(slot), fits = v, kind == F64
	case Vector:
		if fits = kind == V128; fits {
			*(*Vector)(slot) = v
		}
	}
	if kind > V128 {
		ref, err := s.newRef(ty, value)
		*(**C.wasm_ref_t)(slot) = ref
		return err
	}
	if !fits {
		return errorf(KindArgument, "is of Go's type %T, where %v is expected", value, ty)
	}
	return nil
}

// take is the value of a type in a slot, whose reference it takes over. The store is in use.
func (s *Store) take(slot unsafe.Pointer, ty ValType) any {
	switch ty.Kind() {
	case I32:
		return *(*int32)(slot)
	case I64:
		return *(*int64)(slot)
	case F32:
		return *(*float32)(slot)
	case F64:
		return *(*float64)(slot)
	case V128:
		return *(*Vector)(slot)
	}
	return s.takeRef(*(**C.wasm_ref_t)(slot))
}

// newRef is a Go value as a reference of the caller's, for a place of a type: nil is null, anything can be an externref, and what is a
// reference itself is another one to the same thing; also as an externref, if it has no identity in Go.
func (s *Store) newRef(ty ValType, value any) (*C.wasm_ref_t, error) {
	switch v := value.(type) {
	case nil:
		return nil, nil
	case I31:
		return s.newI31(v)
	case *Ref, *Struct, *Array:
	default:
		if ty.Kind() == ExternRef {
			return s.newForeign(value)
		}
	}
	switch v := value.(type) {
	case referrer:
		store, ref := v.reference()
		if ref == nil {
			return nil, nil
		}
		if store != s {
			return nil, errorf(KindStore, "is of another store")
		}
		ptr := ref.ptr.Load()
		if ptr == nil {
			return nil, ErrClosed
		}
		return C.wasm_ref_copy((*C.wasm_ref_t)(unsafe.Pointer(ptr))), nil
	}
	return nil, errorf(KindArgument, "is of Go's type %T, where %v is expected", value, ty)
}

// takeRef is what a reference, which it takes over, refers to.
func (s *Store) takeRef(r *C.wasm_ref_t) any {
	if r == nil {
		return nil
	}
	if f := C.wasm_ref_as_func(r); f != nil {
		return newFunc(s, f)
	}
	if e := C.tenon_ref_as_exception(r); e != nil {
		return newException(s, e)
	}
	if value, ok := s.foreign(r); ok {
		C.wasm_ref_delete(r)
		return value
	}
	if value, ok := s.takeHeap(r); ok {
		return value
	}
	other := &Ref{store: s}
	other.ref = own(s, other, unsafe.Pointer(r))
	return other
}

// kept says which store a Go value or closure is in that the library refers to, by a number that is never used again. What is kept is
// in the store itself: then what refers to its own store does not keep it alive for ever.
var kept struct {
	stores sync.Map // of uint64 and weak.Pointer[Store]
	last   atomic.Uint64
}

// values are the Go values that a store's WebAssembly has references to, and hostPlaces of closures. The lock is held for nothing else:
// the library lets go of them whenever it is called.
type values struct {
	sync.Mutex
	byNumber map[uint64]any
}

// keep gives a number to what the library is to refer to.
func (s *Store) keep(value any) uint64 {
	number := kept.last.Add(1)
	s.values.Lock()
	s.values.byNumber[number] = value
	s.values.Unlock()
	kept.stores.Store(number, s.self)
	return number
}

// tenonGoRelease is called when the library refers to something no more.
//
//export tenonGoRelease
func tenonGoRelease(number C.uintptr_t) {
	found, ok := kept.stores.LoadAndDelete(uint64(number))
	if !ok {
		return
	}
	if s := found.(weak.Pointer[Store]).Value(); s != nil {
		s.values.Lock()
		defer s.values.Unlock()
		if place, ok := s.values.byNumber[uint64(number)].(hostPlace); ok {
			s.freeHosts = append(s.freeHosts, place)
			s.hosts[place] = nil
		}
		delete(s.values.byNumber, uint64(number))
	}
}

func (s *Store) newForeign(value any) (*C.wasm_ref_t, error) {
	foreign := C.wasm_foreign_new(s.ptr)
	if foreign == nil {
		return nil, errorf(KindMemory, "no memory for a reference")
	}
	C.tenon_go_set_foreign(foreign, C.uintptr_t(s.keep(value)))
	return C.wasm_foreign_as_ref(foreign), nil
}

// foreign is the Go value behind a reference, if that is what it is to.
func (s *Store) foreign(r *C.wasm_ref_t) (value any, ok bool) {
	foreign := C.wasm_ref_as_foreign(r)
	if foreign == nil {
		return nil, false
	}
	number := uint64(uintptr(C.wasm_foreign_get_host_info(foreign)))
	s.values.Lock()
	value, ok = s.values.byNumber[number]
	s.values.Unlock()
	return value, ok
}
