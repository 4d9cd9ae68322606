package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"unicode/utf8"
	"unsafe"
)

// PageSize is the size of a page of most memories, in bytes.
const PageSize = 65536

// A Memory is a linear memory. Every access is checked. It is an io.ReaderAt and an io.WriterAt, for io.NewSectionReader and its like.
type Memory struct {
	*ref
	store *Store
	// Whether the memory never moves when it grows.
	fixed bool
}

func newMemory(s *Store, ptr *C.wasm_memory_t) *Memory {
	m := &Memory{store: s, fixed: bool(C.tenon_memory_is_pinned(ptr))}
	m.ref = own(s, m, unsafe.Pointer(ptr))
	return m
}

// NewMemory makes a memory of ordinary pages.
func NewMemory(s *Store, limits Limits) (*Memory, error) {
	return NewMemoryOf(s, MemoryType{Limits: limits})
}

// NewMemoryOf makes a memory of a type.
func NewMemoryOf(s *Store, ty MemoryType) (*Memory, error) {
	before, err := s.enter()
	if err != nil {
		return nil, err
	}
	defer s.leave(before)
	c, err := ty.c()
	if err != nil {
		return nil, err
	}
	defer C.wasm_memorytype_delete(c)
	var out *C.wasm_memory_t
	if err := takeError(C.tenon_memory_new(s.ptr, c, &out)); err != nil {
		return nil, s.growthError(err)
	}
	return newMemory(s, out), nil
}

func (m *Memory) extern() (*Store, *ref) { return m.store, m.ref }

// Close gives up the reference to the memory. Instances that use it go on.
func (m *Memory) Close() { m.drop() }

// use runs something with the memory's pointer.
func (m *Memory) use(do func(ptr *C.wasm_memory_t) error) error {
	before, err := m.store.enter()
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(m)
	defer m.store.leave(before)
	ptr := m.ptr.Load()
	if ptr == nil {
		return ErrClosed
	}
	return do((*C.wasm_memory_t)(unsafe.Pointer(ptr)))
}

// Type is the memory's type; the least size is that of now.
func (m *Memory) Type() (ty MemoryType, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		c := C.wasm_memory_type(ptr)
		ty = memoryType(c)
		C.wasm_memorytype_delete(c)
		return nil
	})
	return
}

// Pages is the size in pages.
func (m *Memory) Pages() (pages uint64, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error { pages = uint64(C.tenon_memory_size(ptr)); return nil })
	return
}

// Size is the size in bytes.
func (m *Memory) Size() (size uint64, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error { size = uint64(C.wasm_memory_data_size(ptr)); return nil })
	return
}

// Grow adds pages, filled with zeros, and returns how many there were.
func (m *Memory) Grow(pages uint64) (old uint64, err error) {
	err = m.use(func(ptr *C.wasm_memory_t) error {
		var n C.uint64_t
		err := takeError(C.tenon_memory_grow(ptr, C.uint64_t(pages), &n))
		old = uint64(n)
		return m.store.growthError(err)
	})
	return
}

// copy moves bytes between the memory and the host.
func (m *Memory) copy(address uint64, p unsafe.Pointer, size int, write bool) error {
	before, err := m.store.enter()
	if err != nil {
		return err
	}
	ptr := uintptr(unsafe.Pointer(m.ptr.Load()))
	if ptr == 0 {
		m.store.leave(before)
		return ErrClosed
	}
	var ok C.bool
	if write {
		ok = C.tenon_go_memory_write(C.uintptr_t(ptr), C.uint64_t(address), p, C.size_t(size))
	} else {
		ok = C.tenon_go_memory_read(C.uintptr_t(ptr), C.uint64_t(address), p, C.size_t(size))
	}
	m.store.leave(before)
	runtime.KeepAlive(m)
	if !ok {
		return errorf(KindArgument, "%d bytes at address %d are outside of the memory", size, address)
	}
	return nil
}

// Read fills p with the bytes at an address.
func (m *Memory) Read(address uint64, p []byte) error {
	return m.copy(address, unsafe.Pointer(unsafe.SliceData(p)), len(p), false)
}

// Write writes p at an address: all of it, or nothing.
func (m *Memory) Write(address uint64, p []byte) error {
	return m.copy(address, unsafe.Pointer(unsafe.SliceData(p)), len(p), true)
}

// ReadString is the text of size bytes at an address, which must be UTF-8.
func (m *Memory) ReadString(address, size uint64) (string, error) {
	p, err := m.ReadBytes(address, size)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(p) {
		return "", errorf(KindArgument, "the %d bytes at address %d are not UTF-8", size, address)
	}
	return string(p), nil
}

// WriteString writes the bytes of a text at an address.
func (m *Memory) WriteString(address uint64, text string) error {
	return m.copy(address, unsafe.Pointer(unsafe.StringData(text)), len(text), true)
}

// A Scalar is a number, or a vector of 16 bytes, that a memory can hold, little-endian.
type Scalar interface {
	Integer | float32 | float64 | Vector
}

// Load is the number at an address, which need not be aligned.
func Load[T Scalar](m *Memory, address uint64) (value T, err error) {
	err = m.copy(address, unsafe.Pointer(&value), int(unsafe.Sizeof(value)), false)
	return
}

// StoreAt writes a number at an address, which need not be aligned.
func StoreAt[T Scalar](m *Memory, address uint64, value T) error {
	return m.copy(address, unsafe.Pointer(&value), int(unsafe.Sizeof(value)), true)
}

// A View gives the bytes of a memory without copying. It keeps the memory, though not its store, from going away.
type View struct {
	*ref
	memory *Memory
}

// View makes a view. It is refused for a memory that may move when it grows (see Pinned), since a slice of it could not be told:
// one whose engine has a MemoryReservation below 4 GiB, or one with 64-bit addresses, unless its maximum is small enough. Those of
// an engine with PinnedMemories never move.
func (m *Memory) View() (*View, error) {
	if !m.fixed {
		return nil, errorf(KindUnsupported, "no view of this memory: it may move when it grows; use Read and Write")
	}
	v := &View{memory: m}
	err := m.use(func(ptr *C.wasm_memory_t) error {
		v.ref = &ref{home: m.store.home}
		v.ref.ptr.Store((*object)(unsafe.Pointer(C.wasm_memory_copy(ptr))))
		runtime.AddCleanup(v, (*ref).drop, v.ref)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return v, nil
}

// Bytes are the memory's bytes: all that there are now. A slice from before a growth is still of this memory, but shorter.
// Slices must not be used after Close, nor when nothing refers to the view any more.
func (v *View) Bytes() (bytes []byte, err error) {
	before, err := v.memory.store.enter()
	if err != nil {
		return nil, err
	}
	defer runtime.KeepAlive(v)
	defer v.memory.store.leave(before)
	ptr := (*C.wasm_memory_t)(unsafe.Pointer(v.ptr.Load()))
	if ptr == nil {
		return nil, ErrClosed
	}
	return unsafe.Slice((*byte)(unsafe.Pointer(C.wasm_memory_data(ptr))), int(C.wasm_memory_data_size(ptr))), nil
}

// Close gives up the view. Its slices must not be used any more.
func (v *View) Close() { v.drop() }
