package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Table is a table of references. Get, Set and Grow are for those of functions; Value, SetValue and GrowValues take the Go values
// of any element type. nil is the null reference.
type Table struct {
	*ref
	store   *Store
	element ValType
}

func newTable(s *Store, ptr *C.wasm_table_t) *Table {
	ty := C.wasm_table_type(ptr)
	defer C.wasm_tabletype_delete(ty)
	t := &Table{store: s, element: valType(C.wasm_tabletype_element(ty))}
	t.ref = own(s, t, unsafe.Pointer(ptr))
	return t
}

// NewTable makes a table of functions, all of them null.
func NewTable(s *Store, limits Limits) (*Table, error) {
	return NewTableOf(s, TableType{Element: FuncRef, Limits: limits}, nil)
}

// NewTableOf makes a table of a type, whose elements are all the same.
func NewTableOf(s *Store, ty TableType, init any) (*Table, error) {
	if ty.Element == nil {
		return nil, errorf(KindArgument, "the type of the elements is nil")
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	c, err := ty.c()
	if err != nil {
		return nil, err
	}
	defer C.wasm_tabletype_delete(c)
	ref, err := s.newRef(ty.Element, init)
	if err != nil {
		return nil, at(err, "the value")
	}
	defer C.wasm_ref_delete(ref)
	var out *C.wasm_table_t
	if err := takeError(C.tenon_table_new(s.ptr, c, ref, &out)); err != nil {
		return nil, s.growthError(err)
	}
	return newTable(s, out), nil
}

func (t *Table) extern() (*Store, *ref) { return t.store, t.ref }

// Same says whether both are references to the same table.
func (t *Table) Same(other *Table) bool { return same(t.ref, other.ref) }

// Close gives up the reference to the table. Instances that use it go on.
func (t *Table) Close() { t.drop() }

// use runs something with the table's pointer.
func (t *Table) use(do func(ptr *C.wasm_table_t) error) error {
	before, err := t.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(t)
	defer t.store.leave(before)
	ptr := t.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	return do((*C.wasm_table_t)(unsafe.Pointer(ptr)))
}

// useWith is use with a Go value as an element.
func (t *Table) useWith(value any, do func(ptr *C.wasm_table_t, element *C.wasm_ref_t) error) error {
	return t.use(func(ptr *C.wasm_table_t) error {
		element, err := t.store.newRef(t.element, value)
		if err != nil {
			return at(err, "the value")
		}
		defer C.wasm_ref_delete(element)
		return do(ptr, element)
	})
}

// Type is the table's type; the least size is that of now.
func (t *Table) Type() (ty TableType, err error) {
	err = t.use(func(ptr *C.wasm_table_t) error {
		c := C.wasm_table_type(ptr)
		ty = tableType(c)
		C.wasm_tabletype_delete(c)
		return nil
	})
	return
}

// Size is the number of elements.
func (t *Table) Size() (size uint64, err error) {
	err = t.use(func(ptr *C.wasm_table_t) error { size = uint64(C.tenon_table_size(ptr)); return nil })
	return
}

// Value is the element at an index.
func (t *Table) Value(index uint64) (value any, err error) {
	err = t.use(func(ptr *C.wasm_table_t) error {
		var out *C.wasm_ref_t
		if err := takeError(C.tenon_table_get(ptr, C.uint64_t(index), &out)); err != nil {
			return err
		}
		value = t.store.takeRef(out)
		return nil
	})
	return
}

// SetValue replaces the element at an index.
func (t *Table) SetValue(index uint64, value any) error {
	return t.useWith(value, func(ptr *C.wasm_table_t, element *C.wasm_ref_t) error {
		return takeError(C.tenon_table_set(ptr, C.uint64_t(index), element))
	})
}

// GrowValues adds elements, all the same, and returns how many there were.
func (t *Table) GrowValues(delta uint64, init any) (old uint64, err error) {
	err = t.useWith(init, func(ptr *C.wasm_table_t, element *C.wasm_ref_t) error {
		var n C.uint64_t
		err := takeError(C.tenon_table_grow(ptr, C.uint64_t(delta), element, &n))
		old = uint64(n)
		return t.store.growthError(err)
	})
	return
}

// Get is the function at an index, or nil.
func (t *Table) Get(index uint64) (*Func, error) {
	if t.element.Kind() != FuncRef {
		return nil, errorf(KindArgument, "a table of type %v has no functions: use Value", t.element)
	}
	value, err := t.Value(index)
	f, _ := value.(*Func)
	return f, err
}

// Set replaces the function at an index.
func (t *Table) Set(index uint64, f *Func) error { return t.SetValue(index, f) }

// Grow adds elements and returns how many there were.
func (t *Table) Grow(delta uint64, init *Func) (old uint64, err error) {
	return t.GrowValues(delta, init)
}
