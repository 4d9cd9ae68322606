package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unsafe"
)

// A Text says what becomes of bytes that are not UTF-8.
type Text bool

// What becomes of bytes that are not UTF-8: an error, or the character U+FFFD.
const (
	Strict Text = false
	Lossy  Text = true
)

// GrowAtLeast adds as many pages as are missing to so many, and returns how many there were.
func (m *Memory) GrowAtLeast(pages uint64) (old uint64, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		var n C.uint64_t
		err := takeError(C.tenon_memory_grow_at_least(ptr, C.uint64_t(pages), &n))
		old = uint64(n)
		return m.store.growthError(err)
	})
	return
}

// Element is the address of an element of an array: index elements of size bytes behind address. An error if the element does not lie
// inside of the memory as it is now, whatever the sum and the product may be.
func (m *Memory) Element(address, index, size uint64) (at uint64, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		var out C.uint64_t
		err := takeError(C.tenon_memory_element(ptr, C.uint64_t(address), C.uint64_t(index), C.uint64_t(size), &out))
		at = uint64(out)
		return err
	})
	return
}

// Generation is a number that changes whenever the memory grows, by the host or by WebAssembly.
func (m *Memory) Generation() (generation uint64, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error { generation = uint64(C.tenon_memory_generation(ptr)); return nil })
	return
}

// Pinned says whether the memory never moves, so that View can be used. See Config.PinnedMemories.
func (m *Memory) Pinned() bool { return m.fixed }

// Fill writes a byte to size bytes from an address on: to all of them, or to none.
func (m *Memory) Fill(address uint64, value byte, size uint64) error {
	return m.use(func(ptr *C.wasm_memory_t) error {
		return takeError(C.tenon_memory_fill(ptr, C.uint64_t(address), C.uint8_t(value), C.uint64_t(size)))
	})
}

// Discard writes zeros, and gives the system back what the bytes took up.
func (m *Memory) Discard(address, size uint64) error {
	return m.use(func(ptr *C.wasm_memory_t) error {
		return takeError(C.tenon_memory_discard(ptr, C.uint64_t(address), C.uint64_t(size)))
	})
}

// CopyFrom copies size bytes of a memory, which may be this one or of another store: all of them, or none.
func (m *Memory) CopyFrom(address uint64, from *Memory, fromAddress, size uint64) error {
	return m.use(func(to *C.wasm_memory_t) error {
		copied := func(from *C.wasm_memory_t) error {
			return takeError(C.tenon_memory_copy(to, C.uint64_t(address), from, C.uint64_t(fromAddress), C.uint64_t(size)))
		}
		if from.store != m.store {
			return from.use(copied)
		}
		// The store is entered already.
		defer runtime.KeepAlive(from)
		ptr := from.ptr.Load()
		if ptr == nil {
			return ErrClosed
		}
		return copied((*C.wasm_memory_t)(unsafe.Pointer(ptr)))
	})
}

// ReadText is the text of size bytes at an address.
func (m *Memory) ReadText(address, size uint64, text Text) (s string, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		var out C.wasm_byte_vec_t
		if err := takeError(C.tenon_memory_read_string(ptr, C.uint64_t(address), C.uint64_t(size), C.bool(text), &out)); err != nil {
			return err
		}
		s = takeBytes(&out)
		return nil
	})
	return
}

// ReadCString is the text before the first NUL, which must be among the first most bytes from an address on.
func (m *Memory) ReadCString(address, most uint64, text Text) (s string, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		var out C.wasm_byte_vec_t
		if err := takeError(C.tenon_memory_read_cstring(ptr, C.uint64_t(address), C.uint64_t(most), C.bool(text), &out)); err != nil {
			return err
		}
		s = takeBytes(&out)
		return nil
	})
	return
}

// WriteCString writes a text, which has no NUL, and a NUL: at most room bytes together, or nothing.
func (m *Memory) WriteCString(address, room uint64, text string) error {
	return m.use(func(ptr *C.wasm_memory_t) error {
		c := C.CString(text)
		defer C.free(unsafe.Pointer(c))
		return takeError(C.tenon_memory_write_cstring(ptr, C.uint64_t(address), C.uint64_t(room), c, C.size_t(len(text))))
	})
}

// A Snapshot is what a memory held at some time. Any goroutine may use it.
type Snapshot struct {
	*held[*C.tenon_memory_snapshot_t]
}

// Snapshot copies what the memory holds.
func (m *Memory) Snapshot() (snapshot *Snapshot, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		var out *C.tenon_memory_snapshot_t
		if err := takeError(C.tenon_memory_snapshot(ptr, &out)); err != nil {
			return err
		}
		snapshot = &Snapshot{}
		snapshot.held = hold(snapshot, out, func(ptr *C.tenon_memory_snapshot_t) { C.tenon_memory_snapshot_delete(ptr) })
		return nil
	})
	return
}

// Size is the number of bytes in the snapshot; 0 if it is closed.
func (s *Snapshot) Size() (size uint64) {
	s.use(func(ptr *C.tenon_memory_snapshot_t) error {
		size = uint64(C.tenon_memory_snapshot_size(ptr))
		return nil
	})
	return
}

// Restore brings back what the memory held, or another one of at least that size. What was added since becomes zero.
func (m *Memory) Restore(snapshot *Snapshot) error {
	if snapshot == nil {
		return errorf(KindArgument, "there is no snapshot")
	}
	return m.use(func(ptr *C.wasm_memory_t) error {
		return snapshot.use(func(held *C.tenon_memory_snapshot_t) error { return takeError(C.tenon_memory_restore(ptr, held)) })
	})
}

// Numbers are the count numbers at an address, which must be aligned for them, as a slice without copying. What is said of Bytes holds
// here, too: after a growth they are still of this memory, and after Close they must not be used.
func Numbers[T Scalar](v *View, address, count uint64) ([]T, error) {
	bytes, err := v.Bytes()
	if err != nil {
		return nil, err
	}
	var one T
	each, have := uint64(unsafe.Sizeof(one)), uint64(len(bytes))
	if address%each != 0 {
		return nil, errorf(KindArgument, "address %d is no multiple of the %d bytes of a number", address, each)
	}
	if address > have || count > (have-address)/each {
		return nil, errorf(KindArgument, "%d numbers of %d bytes at address %d are outside of the memory of %d bytes", count, each, address,
			have)
	}
	if count == 0 {
		return nil, nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&bytes[address])), int(count)), nil
}

// MemoryAt is the memory of an index, imported ones first, exported or not.
func (i *Instance) MemoryAt(index uint32) (*Memory, error) {
	before, err := i.store.enter()
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(i)
	defer i.store.leave(before)
	ptr := i.ptr.Load()
	if ptr == nil {
		return nil, ErrClosed
	}
	var out *C.wasm_memory_t
	if err := takeError(C.tenon_instance_memory((*C.wasm_instance_t)(unsafe.Pointer(ptr)), C.uint32_t(index), &out)); err != nil {
		return nil, err
	}
	return newMemory(i.store, out), nil
}

// ResetMemory makes the memory of an index, one that the instance defines, hold what it held before the start function ran. It keeps
// its size.
func (i *Instance) ResetMemory(index uint32) error {
	before, err := i.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(i)
	defer i.store.leave(before)
	ptr := i.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	return takeError(C.tenon_instance_reset_memory((*C.wasm_instance_t)(unsafe.Pointer(ptr)), C.uint32_t(index)))
}
