package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"runtime/cgo"
	"unsafe"
)

// A MemoryRequest is what a MemoryCreator is asked for.
type MemoryRequest struct {
	// Size is how many bytes the memory has at first, and Maximum how many it may ever have.
	Size, Maximum uint64
	// Alignment is what the address of the first byte must be a multiple of.
	Alignment uint64
	// Pinned says that the address must never change; see Config.PinnedMemories.
	Pinned bool
}

// A MemoryCreator provides the bytes of an engine's memories, shared ones included. Every access is checked in code then. Its methods
// are called on any goroutine that uses a store of the engine, several at a time for different memories, and must not use the store.
// Slices of Go's own memory are pinned until they are given back, so that make is good enough for memories of ordinary pages; others, of
// mmap or C's malloc, have to stay where they are. What they return may be longer than is asked for. A panic counts as an error, whose
// text nobody sees: the engine says that the creator refused.
type MemoryCreator interface {
	// Allocate makes a memory: at least as many bytes as the request says, all of them zero.
	Allocate(request MemoryRequest) ([]byte, error)
	// Grow makes a memory larger. What it returns holds what data held, as it was returned before, and then zeros, at least size bytes
	// together; it may lie elsewhere, unless the memory is pinned. After an error data is still in use.
	Grow(data []byte, size uint64) ([]byte, error)
	// Free takes a memory back, as it was returned last.
	Free(data []byte)
}

// created is a memory of a creator, which the library has the address of.
type created struct {
	creator MemoryCreator
	data    []byte
	// Where the bytes are, kept in place. A slice of none has a byte, too: its address must be good for something.
	pinner runtime.Pinner
}

// hold keeps the bytes in place; false if there are fewer than size.
func (m *created) hold(data []byte, size uint64, out *C.tenon_host_memory_t) bool {
	if uint64(len(data)) < size {
		return false
	}
	var pinner runtime.Pinner
	place := unsafe.SliceData(data)
	if cap(data) == 0 {
		word := new([2]uint64)
		place = (*byte)(unsafe.Pointer(word))
	}
	pinner.Pin(place)
	m.pinner.Unpin()
	m.data, m.pinner = data, pinner
	out.data = (*C.uint8_t)(unsafe.Pointer(place))
	return true
}

// setCreator gives a creator to a configuration.
func setCreator(c *C.wasm_config_t, creator MemoryCreator) error {
	handle := cgo.NewHandle(creator)
	if err := takeError(C.tenon_go_set_creator(c, C.uintptr_t(handle))); err != nil {
		handle.Delete()
		return err
	}
	return nil
}

// refusing turns a panic into a refusal: C's frames must not be skipped.
func refusing(ok *C.bool) {
	if recover() != nil {
		*ok = false
	}
}

//export tenonGoAllocate
func tenonGoAllocate(handle C.uintptr_t, request *C.tenon_memory_request_t, out *C.tenon_host_memory_t) (ok C.bool) {
	defer refusing(&ok)
	creator := cgo.Handle(handle).Value().(MemoryCreator)
	data, err := creator.Allocate(MemoryRequest{Size: uint64(request.size), Maximum: uint64(request.maximum),
		Alignment: uint64(request.alignment), Pinned: bool(request.pinned)})
	if err != nil {
		return false
	}
	m := &created{creator: creator}
	if !m.hold(data, uint64(request.size), out) {
		return false
	}
	*(*uintptr)(unsafe.Pointer(&out.handle)) = uintptr(cgo.NewHandle(m))
	return true
}

//export tenonGoGrow
func tenonGoGrow(memory *C.tenon_host_memory_t, size C.uint64_t) (ok C.bool) {
	defer refusing(&ok)
	m := cgo.Handle(uintptr(memory.handle)).Value().(*created)
	data, err := m.creator.Grow(m.data, uint64(size))
	return C.bool(err == nil && m.hold(data, uint64(size), memory))
}

//export tenonGoFree
func tenonGoFree(memory *C.tenon_host_memory_t) {
	defer func() { recover() }()
	handle := cgo.Handle(uintptr(memory.handle))
	m := handle.Value().(*created)
	handle.Delete()
	m.pinner.Unpin()
	m.creator.Free(m.data)
}

//export tenonGoForgetCreator
func tenonGoForgetCreator(handle C.uintptr_t) { cgo.Handle(handle).Delete() }
