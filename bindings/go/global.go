package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Global is a global variable.
type Global struct {
	*ref
	store *Store
	ty    GlobalType
}

func newGlobal(s *Store, ptr *C.wasm_global_t) *Global {
	ty := C.wasm_global_type(ptr)
	defer C.wasm_globaltype_delete(ty)
	g := &Global{store: s, ty: globalType(ty)}
	g.ref = own(s, g, unsafe.Pointer(ptr))
	return g
}

// NewGlobal makes a global of a Go number.
func NewGlobal[T Number](s *Store, value T, mutable bool) (*Global, error) {
	return NewGlobalOf(s, GlobalType{kindOf[T](), mutable}, value)
}

// NewGlobalOf makes a global of a type, with a Go value that fits it.
func NewGlobalOf(s *Store, ty GlobalType, value any) (*Global, error) {
	if ty.Content == nil {
		return nil, errorf(KindArgument, "the type of the content is nil")
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	c := ty.c()
	defer C.wasm_globaltype_delete(c)
	val := newVals(1)
	defer val.free()
	if err := val.put(s, 0, ty.Content, value); err != nil {
		return nil, at(err, "the value")
	}
	var out *C.wasm_global_t
	if err := takeError(C.tenon_global_new_val(s.ptr, c, val.val(0), &out)); err != nil {
		return nil, err
	}
	return newGlobal(s, out), nil
}

func (g *Global) extern() (*Store, *ref) { return g.store, g.ref }

// Same says whether both are references to the same global.
func (g *Global) Same(other *Global) bool { return same(g.ref, other.ref) }

// Close gives up the reference to the global. Instances that use it go on.
func (g *Global) Close() { g.drop() }

// Type is the global's type.
func (g *Global) Type() GlobalType { return g.ty }

// Kind is the kind of the value.
func (g *Global) Kind() Kind { return g.ty.Content.Kind() }

// Mutable says whether the global may be set.
func (g *Global) Mutable() bool { return g.ty.Mutable }

func (g *Global) use(do func(ptr *C.wasm_global_t, val vals) error) error {
	before, err := g.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(g)
	defer g.store.leave(before)
	ptr := g.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	val := newVals(1)
	defer val.free()
	return do((*C.wasm_global_t)(unsafe.Pointer(ptr)), val)
}

// Get is the value, as a Go value of the type.
func (g *Global) Get() (value any, err error) {
	err = g.use(func(ptr *C.wasm_global_t, val vals) error {
		if err := takeError(C.tenon_global_get_val(ptr, val.val(0))); err != nil {
			return err
		}
		value = val.take(g.store, 0, g.ty.Content)
		return nil
	})
	return
}

// Set replaces the value by a Go value of the type.
func (g *Global) Set(value any) error {
	return g.use(func(ptr *C.wasm_global_t, val vals) error {
		if err := val.put(g.store, 0, g.ty.Content, value); err != nil {
			return at(err, "the value")
		}
		return takeError(C.tenon_global_set_val(ptr, val.val(0)))
	})
}
