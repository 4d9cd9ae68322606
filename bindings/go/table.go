package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Table is a table. Those of functions can be read and written; nil is the null reference.
type Table struct {
	*ref
	store *Store
	kind  Kind
}

func newTable(s *Store, ptr *C.wasm_table_t) *Table {
	ty := C.wasm_table_type(ptr)
	defer C.wasm_tabletype_delete(ty)
	t := &Table{store: s, kind: Kind(C.tenon_go_valkind(C.wasm_tabletype_element(ty)))}
	t.ref = own(s, t, unsafe.Pointer(ptr))
	return t
}

// NewTable makes a table of functions, all of them null.
func NewTable(s *Store, limits Limits) (*Table, error) {
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	var ty *C.wasm_tabletype_t
	if err := takeError(C.tenon_tabletype_new(C.wasm_valtype_new(C.WASM_FUNCREF), C.uint64_t(limits.Min), C.bool(limits.HasMax),
		C.uint64_t(limits.Max), false, &ty)); err != nil {
		return nil, err
	}
	defer C.wasm_tabletype_delete(ty)
	var out *C.wasm_table_t
	if err := takeError(C.tenon_table_new(s.ptr, ty, nil, &out)); err != nil {
		return nil, err
	}
	return newTable(s, out), nil
}

func (t *Table) extern() (*Store, *ref) { return t.store, t.ref }

// Close gives up the reference to the table. Instances that use it go on.
func (t *Table) Close() { t.drop() }

// use runs something with the table's pointer and that of an element, which may be nil.
func (t *Table) use(element *Func, do func(ptr *C.wasm_table_t, element *C.wasm_ref_t) error) error {
	if t.kind != FuncRef {
		return errorf(KindUnsupported, "table of type %v: its elements cannot be passed between Go and WebAssembly", t.kind)
	}
	before, err := t.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(element)
	defer runtime.KeepAlive(t)
	defer t.store.leave(before)
	ptr := t.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	var ref *C.wasm_ref_t
	if element != nil {
		if element.store != t.store {
			return errorf(KindStore, "the function is of another store than the table")
		}
		if ref = (*C.wasm_ref_t)(unsafe.Pointer(element.ptr.Load())); ref == nil {
			return ErrClosed
		}
	}
	return do((*C.wasm_table_t)(unsafe.Pointer(ptr)), ref)
}

// Size is the number of elements.
func (t *Table) Size() (size uint64, err error) {
	err = t.use(nil, func(ptr *C.wasm_table_t, _ *C.wasm_ref_t) error { size = uint64(C.tenon_table_size(ptr)); return nil })
	return
}

// Get is the function at an index, or nil.
func (t *Table) Get(index uint64) (f *Func, err error) {
	err = t.use(nil, func(ptr *C.wasm_table_t, _ *C.wasm_ref_t) error {
		var out *C.wasm_ref_t
		if err := takeError(C.tenon_table_get(ptr, C.uint64_t(index), &out)); err != nil {
			return err
		}
		if out != nil {
			f = newFunc(t.store, C.wasm_ref_as_func(out))
		}
		return nil
	})
	return
}

// Set replaces the function at an index.
func (t *Table) Set(index uint64, f *Func) error {
	return t.use(f, func(ptr *C.wasm_table_t, ref *C.wasm_ref_t) error {
		return takeError(C.tenon_table_set(ptr, C.uint64_t(index), ref))
	})
}

// Grow adds elements and returns how many there were.
func (t *Table) Grow(delta uint64, init *Func) (old uint64, err error) {
	err = t.use(init, func(ptr *C.wasm_table_t, ref *C.wasm_ref_t) error {
		var n C.uint64_t
		err := takeError(C.tenon_table_grow(ptr, C.uint64_t(delta), ref, &n))
		old = uint64(n)
		return err
	})
	return
}
