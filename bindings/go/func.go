package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// A Func is a function: an export of an instance, or a Go closure.
type Func struct {
	*ref
	store *Store
	ty    FuncType
	plain bool
}

func newFunc(s *Store, ptr *C.wasm_func_t) *Func {
	ty := C.wasm_func_type(ptr)
	defer C.wasm_functype_delete(ty)
	return typedFunc(s, ptr, funcType(ty))
}

// exportedFunc is newFunc for a function that a module says to have a type. A type of references is asked for all the same: that of
// the function may be more precise.
func exportedFunc(s *Store, ptr *C.wasm_func_t, ty FuncType) *Func {
	if !ty.plain() {
		return newFunc(s, ptr)
	}
	return typedFunc(s, ptr, ty)
}

func typedFunc(s *Store, ptr *C.wasm_func_t, ty FuncType) *Func {
	f := &Func{store: s, ty: ty, plain: ty.plain()}
	f.ref = own(s, f, unsafe.Pointer(ptr))
	return f
}

// Type is the function's type.
func (f *Func) Type() FuncType { return f.ty }

// Same says whether both are references to the same function.
func (f *Func) Same(other *Func) bool { return same(f.ref, other.ref) }

// Close gives up the reference to the function. Instances that use it go on.
func (f *Func) Close() { f.drop() }

func (f *Func) extern() (*Store, *ref) { return f.store, f.ref }

func (f *Func) reference() (*Store, *ref) {
	if f == nil {
		return nil, nil
	}
	return f.store, f.ref
}

// Call calls the function with Go values of the types of its parameters; the package says which these are. Bind1 and its siblings
// make calls that are faster and typed.
func (f *Func) Call(args ...any) ([]any, error) {
	if len(args) != len(f.ty.Params) {
		return nil, errorf(KindArgument, "function of type %v called with %d arguments", f.ty, len(args))
	}
	s := f.store
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.giveBack(before)
	defer runtime.KeepAlive(f)
	ptr := f.ptr.Load()
	if ptr == nil {
		return nil, ErrClosed
	}
	if f.plain {
		return f.callPlain(ptr, args)
	}
	return f.callValues(ptr, args)
}

// callPlain calls with values that the library need not look at.
func (f *Func) callPlain(ptr *object, args []any) ([]any, error) {
	s, count := f.store, max(len(f.ty.Params), len(f.ty.Results))
	values, err := s.reserve(count)
	if err != nil {
		return nil, err
	}
	defer func() { s.top -= count }()
	for i, arg := range args {
		if err := s.put(unsafe.Add(values, i*rawSize), f.ty.Params[i], arg); err != nil {
			return nil, at(err, "argument %d", i)
		}
	}
	if trap := C.tenon_go_call(C.uintptr_t(uintptr(unsafe.Pointer(ptr))), C.uintptr_t(uintptr(values))); trap != 0 {
		return nil, s.trap(trap)
	}
	results := make([]any, len(f.ty.Results))
	for i, ty := range f.ty.Results {
		results[i] = s.take(unsafe.Add(values, i*rawSize), ty)
	}
	return results, nil
}

// callValues calls with values of any type.
func (f *Func) callValues(ptr *object, args []any) ([]any, error) {
	s := f.store
	in, out := newVals(len(args)), newVals(len(f.ty.Results))
	defer in.free()
	defer C.free(out.data)
	for i, arg := range args {
		if err := in.put(s, i, f.ty.Params[i], arg); err != nil {
			return nil, at(err, "argument %d", i)
		}
	}
	if trap := C.tenon_go_call_val(C.uintptr_t(uintptr(unsafe.Pointer(ptr))), in.data, C.size_t(in.count), out.data, C.size_t(out.count)); trap != 0 {
		return nil, s.trap(trap)
	}
	results := make([]any, out.count)
	for i, ty := range f.ty.Results {
		results[i] = out.take(s, i, ty)
	}
	return results, nil
}

// at says which value an error is about.
func at(err error, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if e, ok := err.(*Error); ok {
		return errorf(e.Kind, "%s %s", what, e.Message)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// vals is an array of tenon_val_t in C's memory, of values that it owns.
type vals struct {
	data  unsafe.Pointer
	count int
}

const valSize = C.sizeof_tenon_val_t

func newVals(count int) vals { return vals{C.calloc(C.size_t(count+1), valSize), count} }

func (v vals) val(i int) *C.tenon_val_t { return (*C.tenon_val_t)(unsafe.Add(v.data, i*valSize)) }

func (v vals) put(s *Store, i int, ty ValType, value any) error {
	val := v.val(i)
	val.kind = C.wasm_valkind_t(ty.Kind())
	return s.put(unsafe.Pointer(&val.of), ty, value)
}

// take takes a value over.
func (v vals) take(s *Store, i int, ty ValType) any {
	val := v.val(i)
	value := s.take(unsafe.Pointer(&val.of), ty)
	val.of = [16]byte{}
	return value
}

func (v vals) free() {
	v.drop()
	C.free(v.data)
}

// drop deletes the values.
func (v vals) drop() {
	for i := range v.count {
		C.tenon_val_delete(v.val(i))
	}
}

// callFew calls a function of at most four numbers that returns at most two. Nothing is deferred, for speed: where the goroutine
// ends in a host function, the store stays abandoned.
func (f *Func) callFew(a, b, c, d C.uint64_t) (out C.tenon_go_outcome_t, err error) {
	s := f.store
	before, err := s.enter()
	if err != nil {
		return out, err
	}
	ptr := f.ptr.Load()
	if ptr == nil {
		s.leave(before)
		return out, ErrClosed
	}
	out = C.tenon_go_call_few(C.uintptr_t(uintptr(unsafe.Pointer(ptr))), s.use.c(), C.uint32_t(before), a, b, c, d)
	if out.trap != 0 {
		err = s.trapAndLeave(before, out.trap)
	} else {
		s.use.shim(before)
	}
	runtime.KeepAlive(f)
	return out, err
}

// trapAndLeave is trap at the end of a use of the store, also if it panics.
func (s *Store) trapAndLeave(before uint32, trap C.uintptr_t) error {
	defer s.leave(before)
	return s.trap(trap)
}

// pointer is C's pointer that came as a number.
func pointer(n uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&n)) }
