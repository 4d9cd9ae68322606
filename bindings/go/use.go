//go:build !race

package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// use says who uses a store. It lies in C's memory: the shim gives the store back at the end of a call and hands it to host
// functions, with plain stores where Go has only exchanges.
type use struct{ *atomic.Uint32 }

// newUse is of a home's lifetime.
func newUse(h *home) use {
	p := C.calloc(1, C.sizeof_tenon_go_use_t)
	runtime.AddCleanup(h, func(p unsafe.Pointer) { C.free(p) }, p)
	return use{(*atomic.Uint32)(p)}
}

// c is the address for the shim.
func (u use) c() C.uintptr_t { return C.uintptr_t(uintptr(unsafe.Pointer(u.Uint32))) }

// shim says what the shim has made of it already.
func (u use) shim(uint32) {}
