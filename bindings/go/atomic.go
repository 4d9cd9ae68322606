package tenon

// #include "shim.h"
import "C"

import "unsafe"

// An Atomic is what a read-modify-write writes, of what was there and its operand, with the numbers of tenon.h.
type Atomic uint8

// What read-modify-writes write.
const (
	AtomicAdd Atomic = iota
	AtomicSub
	AtomicAnd
	AtomicOr
	AtomicXor
	AtomicExchange
)

// An Integer is a number that can be accessed atomically in a SharedMemory.
type Integer interface {
	int8 | uint8 | int16 | uint16 | int32 | uint32 | int64 | uint64
}

// AtomicLoad reads an integer at an address, a multiple of its size, in one order with all such accesses, WebAssembly's included. Where
// 32 or 64 bits are accessed often, SharedMemory.Uint32 and Uint64 are faster.
func AtomicLoad[T Integer](m *SharedMemory, address uint64) (value T, err error) {
	err = m.use(func(ptr *C.tenon_shared_memory_t) error {
		var out C.uint64_t
		err := takeError(C.tenon_shared_memory_atomic_load(ptr, C.uint64_t(address), sizeOf[T](), &out))
		value = T(out)
		return err
	})
	return
}

// AtomicStore writes an integer; otherwise as AtomicLoad.
func AtomicStore[T Integer](m *SharedMemory, address uint64, value T) error {
	return m.use(func(ptr *C.tenon_shared_memory_t) error {
		return takeError(C.tenon_shared_memory_atomic_store(ptr, C.uint64_t(address), sizeOf[T](), C.uint64_t(value)))
	})
}

// AtomicModify replaces an integer by what the operation makes of it and the operand, and returns what was there; otherwise as
// AtomicLoad.
func AtomicModify[T Integer](m *SharedMemory, address uint64, operation Atomic, operand T) (old T, err error) {
	err = m.use(func(ptr *C.tenon_shared_memory_t) error {
		var out C.uint64_t
		err := takeError(C.tenon_shared_memory_atomic_rmw(ptr, C.uint64_t(address), sizeOf[T](), C.tenon_atomic_t(operation),
			C.uint64_t(operand), &out))
		old = T(out)
		return err
	})
	return
}

// AtomicCompareExchange replaces an integer if it is the expected one, and returns what was there; otherwise as AtomicLoad.
func AtomicCompareExchange[T Integer](m *SharedMemory, address uint64, expected, replacement T) (old T, err error) {
	err = m.use(func(ptr *C.tenon_shared_memory_t) error {
		var out C.uint64_t
		err := takeError(C.tenon_shared_memory_atomic_cmpxchg(ptr, C.uint64_t(address), sizeOf[T](), C.uint64_t(expected),
			C.uint64_t(replacement), &out))
		old = T(out)
		return err
	})
	return
}

func sizeOf[T Integer]() C.uint8_t {
	var value T
	return C.uint8_t(unsafe.Sizeof(value))
}
