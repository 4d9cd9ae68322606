package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Func is a function: an export of an instance, or a Go closure.
type Func struct {
	*ref
	store *Store
	ty    FuncType
}

func newFunc(s *Store, ptr *C.wasm_func_t) *Func {
	ty := C.wasm_func_type(ptr)
	f := &Func{store: s, ty: funcType(ty)}
	C.wasm_functype_delete(ty)
	f.ref = own(s, f, unsafe.Pointer(ptr))
	return f
}

// Type is the function's type.
func (f *Func) Type() FuncType { return f.ty }

// Close gives up the reference to the function. Instances that use it go on.
func (f *Func) Close() { f.drop() }

func (f *Func) extern() (*Store, *ref) { return f.store, f.ref }

// Call calls the function with Go numbers of the types of its parameters. The results are of type int32, int64, float32
// and float64. Bind1 and its siblings make calls that are faster and typed.
func (f *Func) Call(args ...any) ([]any, error) {
	if err := f.ty.numbers(); err != nil {
		return nil, err
	}
	if len(args) != len(f.ty.Params) {
		return nil, errorf(KindArgument, "function of type %v called with %d arguments", f.ty, len(args))
	}
	c, err := f.begin(max(len(args), len(f.ty.Results)))
	if err != nil {
		return nil, err
	}
	defer c.end()
	for i, arg := range args {
		if !put(c.at(i), f.ty.Params[i], arg) {
			return nil, errorf(KindArgument, "argument %d is of Go's type %T, where %v is expected", i, arg, f.ty.Params[i])
		}
	}
	if err := c.call(); err != nil {
		return nil, err
	}
	results := make([]any, len(f.ty.Results))
	for i, kind := range f.ty.Results {
		results[i] = get(c.at(i), kind)
	}
	return results, nil
}

// activation is a call on its way: what it holds of the store.
type activation struct {
	f      *Func
	ptr    *object
	values unsafe.Pointer
	count  int
	before uint32
}

func (f *Func) begin(count int) (c activation, err error) {
	s := f.store
	before, err := s.enter()
	if err != nil {
		return c, err
	}
	ptr := f.ptr.Load()
	if ptr == nil {
		s.leave(before)
		return c, ErrClosed
	}
	values, err := s.reserve(count)
	if err != nil {
		s.leave(before)
		return c, err
	}
	return activation{f: f, ptr: ptr, values: values, count: count, before: before}, nil
}

func (c *activation) at(i int) unsafe.Pointer { return unsafe.Add(c.values, i*rawSize) }

func (c *activation) call() error {
	s := c.f.store
	trap := C.tenon_go_call(C.uintptr_t(uintptr(unsafe.Pointer(c.ptr))), C.uintptr_t(uintptr(c.values)))
	if trap != 0 {
		return s.trap(trap)
	}
	return nil
}

// end is deferred or called once after the results were read.
func (c *activation) end() {
	c.f.store.top -= c.count
	// A host function that ended its goroutine has left its mark, which stays.
	c.f.store.use.CompareAndSwap(inUse, c.before)
	runtime.KeepAlive(c.f)
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
