package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Tag tells exceptions apart and says what they carry.
type Tag struct {
	*ref
	store *Store
	ty    TagType
}

func newTag(s *Store, ptr *C.wasm_tag_t) *Tag {
	ty := C.wasm_tag_type(ptr)
	t := &Tag{store: s, ty: tagType(ty)}
	C.wasm_tagtype_delete(ty)
	t.ref = own(s, t, unsafe.Pointer(ptr))
	return t
}

// NewTag makes a tag, which differs from all others.
func NewTag(s *Store, params ...ValType) (*Tag, error) {
	ty := TagType{params}
	if err := (FuncType{Params: params}).check(); err != nil {
		return nil, err
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	c := ty.c()
	defer C.wasm_tagtype_delete(c)
	var out *C.wasm_tag_t
	if err := takeError(C.tenon_tag_new(s.ptr, c, &out)); err != nil {
		return nil, err
	}
	return newTag(s, out), nil
}

func (t *Tag) extern() (*Store, *ref) { return t.store, t.ref }

// Type is the tag's type.
func (t *Tag) Type() TagType { return t.ty }

// Same says whether both are references to the same tag.
func (t *Tag) Same(other *Tag) bool { return same(t.ref, other.ref) }

// Close gives up the reference to the tag. Instances that use it go on.
func (t *Tag) Close() { t.drop() }

// same says whether two references, neither of which is closed, are to the same object.
func same(a, b *ref) bool {
	a.home.mu.Lock()
	defer a.home.mu.Unlock()
	p, q := a.ptr.Load(), b.ptr.Load()
	return a.home == b.home && p != nil && q != nil && bool(C.wasm_ref_same((*C.wasm_ref_t)(unsafe.Pointer(p)), (*C.wasm_ref_t)(unsafe.Pointer(q))))
}

// An Exception is a tag with values. It is an error: a host function throws it by returning it, and where WebAssembly code does not
// catch one, errors.As finds it in what the caller gets.
type Exception struct {
	*ref
	store *Store
	tag   *Tag
	args  []any
}

// newException takes the C object over. The store is in use.
func newException(s *Store, ptr *C.tenon_exception_t) *Exception {
	e := &Exception{store: s, tag: newTag(s, C.tenon_exception_tag(ptr))}
	types := e.tag.ty.Params
	raw := C.calloc(C.size_t(len(types)+1), rawSize)
	defer C.free(raw)
	if takeError(C.tenon_exception_args_raw(ptr, (*C.tenon_raw_t)(raw))) == nil {
		e.args = make([]any, len(types))
		for i, ty := range types {
			e.args[i] = s.take(unsafe.Add(raw, i*rawSize), ty)
		}
	}
	e.ref = own(s, e, unsafe.Pointer(ptr))
	return e
}

// NewException makes an exception, with Go values of the types of the tag. Nothing is thrown by that.
func NewException(tag *Tag, args ...any) (*Exception, error) {
	s, types := tag.store, tag.ty.Params
	if len(args) != len(types) {
		return nil, errorf(KindArgument, "exception of a tag of type %v made of %d values", typeList(types), len(args))
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(tag)
	defer s.leave(before)
	ptr := tag.ptr.Load()
	if ptr == nil {
		return nil, ErrClosed
	}
	raw := C.calloc(C.size_t(len(types)+1), rawSize)
	defer C.free(raw)
	defer func() {
		for i, ty := range types {
			if ty.Kind() > V128 {
				C.wasm_ref_delete(*(**C.wasm_ref_t)(unsafe.Add(raw, i*rawSize)))
			}
		}
	}()
	for i, arg := range args {
		if err := s.put(unsafe.Add(raw, i*rawSize), types[i], arg); err != nil {
			return nil, at(err, "value %d", i)
		}
	}
	var out *C.tenon_exception_t
	if err := takeError(C.tenon_exception_new_raw(s.ptr, (*C.wasm_tag_t)(unsafe.Pointer(ptr)), (*C.tenon_raw_t)(raw), &out)); err != nil {
		return nil, err
	}
	return newException(s, out), nil
}

func (e *Exception) reference() (*Store, *ref) {
	if e == nil {
		return nil, nil
	}
	return e.store, e.ref
}

// Error says which values the exception carries.
func (e *Exception) Error() string { return "wasm exception" + typeList(e.tag.ty.Params) }

// Tag is the exception's tag.
func (e *Exception) Tag() *Tag { return e.tag }

// Args are the values that it carries.
func (e *Exception) Args() []any { return append([]any(nil), e.args...) }

// Same says whether both are references to the same exception.
func (e *Exception) Same(other *Exception) bool { return same(e.ref, other.ref) }

// Close gives up the reference to the exception.
func (e *Exception) Close() { e.drop() }

// trap is what throws the exception in the WebAssembly code that called a host function of the store, or 0 where that cannot be.
func (e *Exception) trap(s *Store) C.uintptr_t {
	ptr := e.ptr.Load()
	if e.store != s || ptr == nil {
		return 0
	}
	trap := C.tenon_trap_from_exception((*C.tenon_exception_t)(unsafe.Pointer(ptr)))
	runtime.KeepAlive(e)
	return C.uintptr_t(uintptr(unsafe.Pointer(trap)))
}
