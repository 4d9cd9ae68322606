package tenon

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// hostFunc is a closure that reads its arguments from slots and writes its results there.
type hostFunc func(values unsafe.Pointer) error

// NewFunc makes a function of a Go closure that gets its arguments as Go numbers (int32, int64, float32, float64) and returns
// as many results as the type has. An error becomes a trap, whose Unwrap is that error; a panic goes on, with its value, where
// WebAssembly was called. The closure lives as long as the store. Host1 and its siblings are faster and typed.
func NewFunc(s *Store, ty FuncType, fn func(args []any) ([]any, error)) (*Func, error) {
	if err := ty.numbers(); err != nil {
		return nil, err
	}
	return newHost(s, ty, func(values unsafe.Pointer) error {
		args := make([]any, len(ty.Params))
		for i, kind := range ty.Params {
			args[i] = get(unsafe.Add(values, i*rawSize), kind)
		}
		results, err := fn(args)
		if err != nil {
			return err
		}
		if len(results) != len(ty.Results) {
			return errorf(KindArgument, "host function of type %v returned %d results", ty, len(results))
		}
		for i, kind := range ty.Results {
			if !put(unsafe.Add(values, i*rawSize), kind, results[i]) {
				return errorf(KindArgument, "result %d of a host function is of Go's type %T, where %v is expected", i, results[i], kind)
			}
		}
		return nil
	})
}

func newHost(s *Store, ty FuncType, fn hostFunc) (*Func, error) {
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	c := ty.c()
	defer C.wasm_functype_delete(c)
	var out *C.wasm_func_t
	if err := takeError(C.tenon_go_func_new(s.ptr, c, s.use.c(), C.uint32_t(s.place), C.uint32_t(len(s.hosts)), &out)); err != nil {
		return nil, err
	}
	s.hosts = append(s.hosts, fn)
	return newFunc(s, out), nil
}

// tenonGoCall is where all calls of host functions arrive: the function at an index of the store at a place. What it returns is
// a trap, or 0.
//
//export tenonGoCall
func tenonGoCall(place, index C.uint32_t, values *C.tenon_raw_t) (trap C.uintptr_t) {
	s := (*stores.table.Load())[place].store.Value()
	s.use.shim(inHost)
	finished := false
	defer func() {
		if finished {
			return
		}
		if value := recover(); value != nil {
			s.use.shim(inUse)
			trap = s.throw(&thrown{panics: true, value: value}, fmt.Sprintf("panic in a host function: %v", value))
			return
		}
		// runtime.Goexit: the frames of WebAssembly are never gone back to.
		s.use.Store(abandoned)
	}()
	err := s.hosts[index](unsafe.Pointer(values))
	finished = true
	s.use.shim(inUse)
	if err != nil {
		message := err.Error()
		if inner := (*Trap)(nil); errors.As(err, &inner) {
			message = inner.Message
		}
		return s.throw(&thrown{failure: err}, message)
	}
	return 0
}

func (s *Store) throw(t *thrown, message string) C.uintptr_t {
	text := C.CString(message)
	defer C.free(unsafe.Pointer(text))
	trap := C.tenon_go_trap_new(C.uintptr_t(uintptr(unsafe.Pointer(s.ptr))), text, C.size_t(len(message)))
	t.trap = uintptr(trap)
	s.thrown = t
	return trap
}
