package tenon

// #include "shim.h"
import "C"

import (
	"sync/atomic"
	"time"
	"unsafe"
)

// A SharedMemory belongs to no store: any goroutine may use it, and stores of the same engine obtain it as a Memory of theirs.
// A closed one has no bytes and no pages; what stores have obtained stays.
type SharedMemory struct {
	*held[*C.tenon_shared_memory_t]
	engine *Engine
}

func newSharedMemory(engine *Engine, ptr *C.tenon_shared_memory_t) *SharedMemory {
	m := &SharedMemory{engine: engine}
	m.held = hold(m, ptr, func(ptr *C.tenon_shared_memory_t) { C.tenon_shared_memory_delete(ptr) })
	return m
}

// NewSharedMemory makes a shared memory. The type must be that of one, with a maximum.
func NewSharedMemory(engine *Engine, ty MemoryType) (*SharedMemory, error) {
	c, err := ty.c()
	if err != nil {
		return nil, err
	}
	defer C.wasm_memorytype_delete(c)
	var out *C.tenon_shared_memory_t
	err = engine.use(func(engine *C.wasm_engine_t) error { return takeError(C.tenon_shared_memory_new(engine, c, &out)) })
	if err != nil {
		return nil, err
	}
	return newSharedMemory(engine, out), nil
}

// Share is the shared memory that a store's memory is. Refused if its type is not that of one.
func (m *Memory) Share() (shared *SharedMemory, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		out := C.tenon_memory_share(ptr)
		if out == nil {
			return errorf(KindArgument, "the memory is not shared")
		}
		shared = newSharedMemory(m.store.engine, out)
		return nil
	})
	return
}

// Obtain makes a memory of a store from the shared one, to be imported by its instances.
func (m *SharedMemory) Obtain(s *Store) (*Memory, error) {
	if s.engine != m.engine {
		return nil, errorf(KindStore, "the shared memory was made with another engine than the store's")
	}
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	var ptr *C.wasm_memory_t
	err = m.use(func(shared *C.tenon_shared_memory_t) error { ptr = C.tenon_memory_obtain(s.ptr, shared); return nil })
	if err != nil {
		return nil, err
	}
	if ptr == nil {
		return nil, errorf(KindMemory, "the shared memory could not be obtained")
	}
	return newMemory(s, ptr), nil
}

// Type is the memory's type; the least size is that of now.
func (m *SharedMemory) Type() (ty MemoryType) {
	m.use(func(ptr *C.tenon_shared_memory_t) error {
		c := C.tenon_shared_memory_type(ptr)
		ty = memoryType(c)
		C.wasm_memorytype_delete(c)
		return nil
	})
	return
}

// Same says whether both are references to the same shared memory. One that is closed is the same as nothing.
func (m *SharedMemory) Same(other *SharedMemory) (same bool) {
	if m == other {
		return m.Type() != MemoryType{}
	}
	m.use(func(ptr *C.tenon_shared_memory_t) error {
		return other.use(func(its *C.tenon_shared_memory_t) error {
			same = bool(C.tenon_shared_memory_same(ptr, its))
			return nil
		})
	})
	return
}

// Pages is the size in pages; it may be more by the time that the caller looks at it, but never less.
func (m *SharedMemory) Pages() (pages uint64) {
	m.use(func(ptr *C.tenon_shared_memory_t) error { pages = uint64(C.tenon_shared_memory_size(ptr)); return nil })
	return
}

// Grow adds pages, filled with zeros, and returns how many there were.
func (m *SharedMemory) Grow(pages uint64) (old uint64, err error) {
	err = m.use(func(ptr *C.tenon_shared_memory_t) error {
		var n C.uint64_t
		err := takeError(C.tenon_shared_memory_grow(ptr, C.uint64_t(pages), &n))
		old = uint64(n)
		return err
	})
	return
}

// Bytes are the memory's bytes, which never move: all that there are now. They must not be used after Close, nor when nothing refers to
// the shared memory any more. Others write meanwhile: whoever does not synchronize with them uses Uint32, Uint64, or AtomicLoad and its
// siblings.
func (m *SharedMemory) Bytes() (bytes []byte) {
	m.use(func(ptr *C.tenon_shared_memory_t) error {
		size := int(C.tenon_shared_memory_data_size(ptr))
		bytes = unsafe.Slice((*byte)(unsafe.Pointer(C.tenon_shared_memory_data(ptr))), size)
		return nil
	})
	return
}

// place is where an integer of some bytes lies, at an address that is a multiple of them.
func (m *SharedMemory) place(address, size uint64) (unsafe.Pointer, error) {
	bytes := m.Bytes()
	if address%size != 0 {
		return nil, errorf(KindArgument, "address %d is no multiple of %d", address, size)
	}
	if have := uint64(len(bytes)); address >= have || size > have-address {
		return nil, errorf(KindArgument, "%d bytes at address %d are outside of the memory", size, address)
	}
	return unsafe.Pointer(&bytes[address]), nil
}

// Uint32 is the integer at an address, a multiple of 4, for atomic operations: those of WebAssembly work on it, too. It must not be
// used when nothing refers to the shared memory any more.
func (m *SharedMemory) Uint32(address uint64) (*atomic.Uint32, error) {
	p, err := m.place(address, 4)
	return (*atomic.Uint32)(p), err
}

// Uint64 is Uint32 for 64 bits: the address is a multiple of 8.
func (m *SharedMemory) Uint64(address uint64) (*atomic.Uint64, error) {
	p, err := m.place(address, 8)
	return (*atomic.Uint64)(p), err
}

// A Wait says how a wait ended, with the numbers of tenon.h.
type Wait uint8

// How waits end.
const (
	WaitNotified Wait = iota
	WaitNotEqual
	WaitTimedOut
)

// wait runs a wait with a reference of its own, since Close must not wait for it.
func (m *SharedMemory) wait(do func(ptr *C.tenon_shared_memory_t, result *C.uint8_t) *C.tenon_error_t) (Wait, error) {
	var ptr *C.tenon_shared_memory_t
	err := m.use(func(held *C.tenon_shared_memory_t) error { ptr = C.tenon_shared_memory_copy(held); return nil })
	if err != nil {
		return 0, err
	}
	defer C.tenon_shared_memory_delete(ptr)
	var result C.uint8_t
	err = takeError(do(ptr, &result))
	return Wait(result), err
}

// Wait32 waits at an address, a multiple of 4, if the expected integer is there, until WebAssembly code or Notify wakes it. A negative
// timeout stands for none. A goroutine that waits takes up a thread of the system.
func (m *SharedMemory) Wait32(address uint64, expected uint32, timeout time.Duration) (Wait, error) {
	return m.wait(func(ptr *C.tenon_shared_memory_t, result *C.uint8_t) *C.tenon_error_t {
		return C.tenon_shared_memory_wait32(ptr, C.uint64_t(address), C.uint32_t(expected), C.int64_t(timeout), result)
	})
}

// Wait64 is Wait32 for 64 bits: the address is a multiple of 8.
func (m *SharedMemory) Wait64(address uint64, expected uint64, timeout time.Duration) (Wait, error) {
	return m.wait(func(ptr *C.tenon_shared_memory_t, result *C.uint8_t) *C.tenon_error_t {
		return C.tenon_shared_memory_wait64(ptr, C.uint64_t(address), C.uint64_t(expected), C.int64_t(timeout), result)
	})
}

// Notify wakes up to count waits at an address, a multiple of 4, and returns how many.
func (m *SharedMemory) Notify(address uint64, count uint32) (woken uint32, err error) {
	err = m.use(func(ptr *C.tenon_shared_memory_t) error {
		var n C.uint32_t
		err := takeError(C.tenon_shared_memory_notify(ptr, C.uint64_t(address), C.uint32_t(count), &n))
		woken = uint32(n)
		return err
	})
	return
}
