package tenon

// #include "shim.h"
import "C"

import (
	"unsafe"
)

// Values are count elements of the array from start on, as Go values; packed ones with zeros above.
func (a *Array) Values(start, count uint32) (values []any, err error) {
	err = a.part(start, uint64(count), func(ptr *C.wasm_ref_t) error {
		c := newVals(1)
		defer c.free()
		values = make([]any, count)
		for i := range values {
			if err := takeError(C.tenon_array_get(ptr, C.uint32_t(start)+C.uint32_t(i), c.val(0))); err != nil {
				return err
			}
			values[i] = c.take(a.store, 0, Kind(c.val(0).kind))
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return values, nil
}

// SetValues replaces elements from start on by Go values of their type.
func (a *Array) SetValues(start uint32, values ...any) error {
	return a.part(start, uint64(len(values)), func(ptr *C.wasm_ref_t) error {
		c := newVals(len(values))
		defer c.free()
		element := a.made[0].Type
		for i, value := range values {
			if err := c.put(a.store, i, element, value); err != nil {
				return at(err, "value %d", i)
			}
		}
		for i := range values {
			if err := takeError(C.tenon_array_set(ptr, C.uint32_t(start)+C.uint32_t(i), c.val(i))); err != nil {
				return err
			}
		}
		return nil
	})
}

// ReadArray fills to with elements of an array, from start on, which are numbers of T's size and kind: bytes of an array of i8, and
// so on.
func ReadArray[T Scalar](a *Array, start uint32, to []T) error {
	return numbers(a, start, to, func(ptr *C.wasm_ref_t, _ C.wasm_valkind_t, size C.size_t) *C.tenon_error_t {
		return C.tenon_go_array_read(ptr, C.uint32_t(start), C.uint32_t(len(to)), size, unsafe.Pointer(&to[0]))
	})
}

// WriteArray replaces elements of an array, from start on, by numbers of their size and kind.
func WriteArray[T Scalar](a *Array, start uint32, from []T) error {
	return numbers(a, start, from, func(ptr *C.wasm_ref_t, kind C.wasm_valkind_t, size C.size_t) *C.tenon_error_t {
		return C.tenon_go_array_write(ptr, C.uint32_t(start), C.uint32_t(len(from)), size, kind, unsafe.Pointer(&from[0]))
	})
}

func numbers[T Scalar](a *Array, start uint32, slice []T,
	move func(ptr *C.wasm_ref_t, kind C.wasm_valkind_t, size C.size_t) *C.tenon_error_t) error {
	return a.part(start, uint64(len(slice)), func(ptr *C.wasm_ref_t) error {
		var one T
		want, element := storedAs(one), a.made[0]
		if element.Type != ValType(want.Type) || element.Packed != want.Packed {
			return errorf(KindArgument, "the elements are of type %v, packed in %d bits: they are no %T", element.Type, element.Packed, one)
		}
		if len(slice) == 0 {
			return nil
		}
		return takeError(move(ptr, C.wasm_valkind_t(want.Type.Kind()), C.size_t(unsafe.Sizeof(one))))
	})
}

// storedAs is the field that keeps numbers of a Go type.
func storedAs(one any) Field {
	switch one.(type) {
	case int8, uint8:
		return Field{Type: I32, Packed: 8}
	case int16, uint16:
		return Field{Type: I32, Packed: 16}
	case int32, uint32:
		return Field{Type: I32}
	case int64, uint64:
		return Field{Type: I64}
	case float32:
		return Field{Type: F32}
	case float64:
		return Field{Type: F64}
	}
	return Field{Type: V128}
}

// part runs something with the array's pointer, if it has count elements from start on.
func (a *Array) part(start uint32, count uint64, do func(ptr *C.wasm_ref_t) error) error {
	return a.inUse(func(ptr *C.wasm_ref_t) error {
		if a.made == nil {
			a.made = newRefType(C.tenon_ref_type(ptr)).Fields()
		}
		if have := uint32(C.tenon_array_len(ptr)); start > have || count > uint64(have-start) {
			return errorf(KindArgument, "there are no %d elements from %d on in an array of %d", count, start, have)
		}
		return do(ptr)
	})
}
