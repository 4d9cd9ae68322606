package tenon

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// hostFunc is a closure that reads its arguments from an array of C's and writes its results to another, or the same.
type hostFunc func(args, results unsafe.Pointer) error

// NewFunc makes a function of a Go closure that gets its arguments as Go values and returns as many results as the type has;
// the package says which values these are. An error becomes a trap, whose Unwrap is that error, except that an *Exception is thrown;
// a panic goes on, with its value, where WebAssembly was called. The closure lives as long as the function. Host1 and its siblings
// are faster and typed.
func NewFunc(s *Store, ty FuncType, fn func(args []any) ([]any, error)) (*Func, error) {
	if err := ty.check(); err != nil {
		return nil, err
	}
	call := func(args []any) ([]any, error) {
		results, err := fn(args)
		if err == nil && len(results) != len(ty.Results) {
			err = errorf(KindArgument, "host function of type %v returned %d results", ty, len(results))
		}
		return results, err
	}
	if ty.plain() {
		return newHost(s, ty, func(values, _ unsafe.Pointer) error {
			args := make([]any, len(ty.Params))
			for i, param := range ty.Params {
				args[i] = s.take(unsafe.Add(values, i*rawSize), param)
			}
			results, err := call(args)
			for i := 0; err == nil && i < len(results); i++ {
				if err = s.put(unsafe.Add(values, i*rawSize), ty.Results[i], results[i]); err != nil {
					err = at(err, "result %d of a host function", i)
				}
			}
			return err
		})
	}
	return newHost(s, ty, func(in, out unsafe.Pointer) error {
		from, to := vals{in, len(ty.Params)}, vals{out, len(ty.Results)}
		args := make([]any, from.count)
		for i, param := range ty.Params {
			// The arguments are lent.
			var val C.tenon_val_t
			C.tenon_val_copy(&val, from.val(i))
			args[i] = s.take(unsafe.Pointer(&val.of), param)
		}
		results, err := call(args)
		if err != nil {
			return err
		}
		for i, result := range results {
			if err := to.put(s, i, ty.Results[i], result); err != nil {
				vals{out, i}.drop()
				return at(err, "result %d of a host function", i)
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
	plain := ty.plain()
	var c *C.wasm_functype_t
	if plain {
		kinds := make([]byte, 0, 16)
		for _, ty := range ty.Params {
			kinds = append(kinds, byte(ty.Kind()))
		}
		for _, ty := range ty.Results {
			kinds = append(kinds, byte(ty.Kind()))
		}
		c = C.tenon_go_functype((*C.uint8_t)(unsafe.SliceData(kinds)), C.size_t(len(ty.Params)), C.size_t(len(ty.Results)))
	} else {
		c = ty.c()
	}
	place := s.keepHost(fn)
	number := C.uintptr_t(s.keep(place))
	var out *C.wasm_func_t
	if err := takeError(C.tenon_go_func_new(s.ptr, c, C.bool(plain), s.use.c(), C.uint32_t(s.place), C.uint32_t(place), number,
		&out)); err != nil {
		tenonGoRelease(number)
		return nil, err
	}
	return typedFunc(s, out, ty), nil
}

// hostPlace is an index of a store's hosts.
type hostPlace uint32

// keepHost puts a closure where tenonGoCall finds it.
func (s *Store) keepHost(fn hostFunc) hostPlace {
	s.values.Lock()
	defer s.values.Unlock()
	if n := len(s.freeHosts); n > 0 {
		place := s.freeHosts[n-1]
		s.freeHosts = s.freeHosts[:n-1]
		s.hosts[place] = fn
		return place
	}
	s.hosts = append(s.hosts, fn)
	return hostPlace(len(s.hosts) - 1)
}

// tenonGoCall is where all calls of host functions arrive: the function at an index of the store at a place. What it returns is
// a trap, or 0.
//
//export tenonGoCall
func tenonGoCall(place, index C.uint32_t, args, results unsafe.Pointer) (trap C.uintptr_t) {
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
	err := s.hosts[index](args, results)
	finished = true
	s.use.shim(inUse)
	if err != nil {
		return s.fail(err)
	}
	return 0
}

// fail makes the trap for an error.
func (s *Store) fail(err error) C.uintptr_t {
	if exception := (*Exception)(nil); errors.As(err, &exception) {
		if trap := exception.trap(s); trap != 0 {
			return trap
		}
	}
	message := err.Error()
	if inner := (*Trap)(nil); errors.As(err, &inner) {
		message = inner.Message
	}
	return s.throw(&thrown{failure: err}, message)
}

func (s *Store) throw(t *thrown, message string) C.uintptr_t {
	text := C.CString(message)
	defer C.free(unsafe.Pointer(text))
	trap := C.tenon_go_trap_new(C.uintptr_t(uintptr(unsafe.Pointer(s.ptr))), text, C.size_t(len(message)))
	t.trap = uintptr(trap)
	s.thrown = t
	return trap
}
