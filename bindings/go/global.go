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
	store   *Store
	kind    Kind
	mutable bool
}

func newGlobal(s *Store, ptr *C.wasm_global_t) *Global {
	ty := C.wasm_global_type(ptr)
	defer C.wasm_globaltype_delete(ty)
	g := &Global{store: s, kind: Kind(C.tenon_go_valkind(C.wasm_globaltype_content(ty))),
		mutable: C.wasm_globaltype_mutability(ty) == C.WASM_VAR}
	g.ref = own(s, g, unsafe.Pointer(ptr))
	return g
}

// NewGlobal makes a global of a Go number.
func NewGlobal[T Number](s *Store, value T, mutable bool) (*Global, error) {
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	var val C.tenon_val_t
	val.kind = C.wasm_valkind_t(kindOf[T]())
	*(*T)(unsafe.Pointer(&val.of)) = value
	mutability := C.wasm_mutability_t(C.WASM_CONST)
	if mutable {
		mutability = C.WASM_VAR
	}
	ty := C.wasm_globaltype_new(C.wasm_valtype_new(val.kind), mutability)
	defer C.wasm_globaltype_delete(ty)
	var out *C.wasm_global_t
	if err := takeError(C.tenon_global_new_val(s.ptr, ty, &val, &out)); err != nil {
		return nil, err
	}
	return newGlobal(s, out), nil
}

func (g *Global) extern() (*Store, *ref) { return g.store, g.ref }

// Close gives up the reference to the global. Instances that use it go on.
func (g *Global) Close() { g.drop() }

// Kind is the kind of the value.
func (g *Global) Kind() Kind { return g.kind }

// Mutable says whether the global may be set.
func (g *Global) Mutable() bool { return g.mutable }

func (g *Global) use(do func(ptr *C.wasm_global_t) error) error {
	if g.kind > F64 {
		return errorf(KindUnsupported, "global of type %v: its value cannot be passed between Go and WebAssembly", g.kind)
	}
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
	return do((*C.wasm_global_t)(unsafe.Pointer(ptr)))
}

// Get is the value: an int32, int64, float32 or float64.
func (g *Global) Get() (value any, err error) {
	err = g.use(func(ptr *C.wasm_global_t) error {
		var val C.tenon_val_t
		if err := takeError(C.tenon_global_get_val(ptr, &val)); err != nil {
			return err
		}
		value = get(unsafe.Pointer(&val.of), g.kind)
		return nil
	})
	return
}

// Set replaces the value by a Go number of its kind.
func (g *Global) Set(value any) error {
	return g.use(func(ptr *C.wasm_global_t) error {
		val := C.tenon_val_t{kind: C.wasm_valkind_t(g.kind)}
		if !put(unsafe.Pointer(&val.of), g.kind, value) {
			return errorf(KindArgument, "a global of type %v set to a value of Go's type %T", g.kind, value)
		}
		return takeError(C.tenon_global_set_val(ptr, &val))
	})
}
