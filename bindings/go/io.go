package tenon

// #include "shim.h"
import "C"

import (
	"io"
	"unsafe"
)

// ReadBytes is a copy of size bytes at an address.
func (m *Memory) ReadBytes(address, size uint64) ([]byte, error) {
	have, err := m.Size()
	if err != nil {
		return nil, err
	}
	if address > have || size > have-address {
		return nil, errorf(KindArgument, "%d bytes at address %d are outside of the memory", size, address)
	}
	p := make([]byte, size)
	return p, m.Read(address, p)
}

// ReadAt is that of io.ReaderAt: fewer bytes than p has room for come with io.EOF.
func (m *Memory) ReadAt(p []byte, offset int64) (n int, err error) {
	if offset < 0 {
		return 0, errorf(KindArgument, "the offset %d is negative", offset)
	}
	have, err := m.Size()
	if err != nil {
		return 0, err
	}
	if uint64(offset) >= have {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	if rest := have - uint64(offset); uint64(len(p)) > rest {
		p, err = p[:rest], io.EOF
	}
	if failed := m.Read(uint64(offset), p); failed != nil {
		return 0, failed
	}
	return len(p), err
}

// WriteAt is that of io.WriterAt: all of p is written, or nothing. A memory does not grow by that.
func (m *Memory) WriteAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, errorf(KindArgument, "the offset %d is negative", offset)
	}
	if err := m.Write(uint64(offset), p); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Borrow has do work on the memory's bytes themselves, also of one that may move when it grows. The store is in use meanwhile, so that
// nothing can: do gets ErrInUse from it. The bytes must not be used afterwards.
func (m *Memory) Borrow(do func(bytes []byte) error) error {
	return m.use(func(ptr *C.wasm_memory_t) error {
		size := int(C.wasm_memory_data_size(ptr))
		if size == 0 {
			return do(nil)
		}
		return do(unsafe.Slice((*byte)(unsafe.Pointer(C.wasm_memory_data(ptr))), size))
	})
}
