package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"math"
	"strings"
	"unsafe"
)

// A Kind is the kind of a value.
type Kind uint8

// The kinds of values, with the numbers of wasm.h and tenon.h.
const (
	I32       Kind = 0
	I64       Kind = 1
	F32       Kind = 2
	F64       Kind = 3
	V128      Kind = 4
	ExternRef Kind = 128
	FuncRef   Kind = 129
	AnyRef    Kind = 130
	ExnRef    Kind = 131
)

// String is the name that the text format has for the kind.
func (k Kind) String() string {
	names := map[Kind]string{I32: "i32", I64: "i64", F32: "f32", F64: "f64", V128: "v128", ExternRef: "externref",
		FuncRef: "funcref", AnyRef: "anyref", ExnRef: "exnref"}
	if name, ok := names[k]; ok {
		return name
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// A FuncType is the type of a function.
type FuncType struct{ Params, Results []Kind }

// String is the type as in "(i32, i32) -> (i64)".
func (t FuncType) String() string {
	list := func(kinds []Kind) string {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.String()
		}
		return "(" + strings.Join(names, ", ") + ")"
	}
	return list(t.Params) + " -> " + list(t.Results)
}

// numbers refuses what this package has no Go value for.
func (t FuncType) numbers() error {
	for _, k := range append(append([]Kind{}, t.Params...), t.Results...) {
		if k > F64 {
			return errorf(KindUnsupported, "function of type %v: values of type %v cannot be passed between Go and WebAssembly", t, k)
		}
	}
	return nil
}

func (t FuncType) same(other FuncType) bool {
	return string(bytesOf(t.Params)) == string(bytesOf(other.Params)) && string(bytesOf(t.Results)) == string(bytesOf(other.Results))
}

func bytesOf(kinds []Kind) []byte {
	b := make([]byte, len(kinds))
	for i, k := range kinds {
		b[i] = byte(k)
	}
	return b
}

// c makes the C type, which the caller deletes.
func (t FuncType) c() *C.wasm_functype_t {
	kinds := append(bytesOf(t.Params), bytesOf(t.Results)...)
	kinds = append(kinds, 0)
	return C.tenon_go_functype((*C.uint8_t)(unsafe.Pointer(&kinds[0])), C.size_t(len(t.Params)), C.size_t(len(t.Results)))
}

func funcType(c *C.wasm_functype_t) FuncType {
	var params, results C.size_t
	p := C.tenon_go_kinds(c, &params, &results)
	if p == nil {
		panic("tenon: out of memory")
	}
	defer C.free(unsafe.Pointer(p))
	kinds := make([]Kind, int(params+results))
	for i, k := range unsafe.Slice((*uint8)(unsafe.Pointer(p)), len(kinds)) {
		kinds[i] = Kind(k)
	}
	return FuncType{kinds[:params:params], kinds[params:]}
}

// Limits are the least and the greatest size of a memory in pages, or of a table in elements.
type Limits struct {
	Min uint64
	// Max is not looked at unless HasMax.
	Max    uint64
	HasMax bool
}

// A Number is a Go type for the numbers of WebAssembly: an i32 is an int32 or a uint32, and so on.
type Number interface {
	int32 | uint32 | int64 | uint64 | float32 | float64
}

func kindOf[T Number]() Kind {
	var zero T
	switch any(zero).(type) {
	case int32, uint32:
		return I32
	case int64, uint64:
		return I64
	case float32:
		return F32
	}
	return F64
}

// put stores a Go value of the kind into a slot.
func put(slot unsafe.Pointer, kind Kind, value any) bool {
	switch v := value.(type) {
	case int32:
		*(*int32)(slot) = v
		return kind == I32
	case uint32:
		*(*uint32)(slot) = v
		return kind == I32
	case int64:
		*(*int64)(slot) = v
		return kind == I64
	case uint64:
		*(*uint64)(slot) = v
		return kind == I64
	case float32:
		*(*uint32)(slot) = math.Float32bits(v)
		return kind == F32
	case float64:
		*(*uint64)(slot) = math.Float64bits(v)
		return kind == F64
	}
	return false
}

// get is the value of the kind in a slot: int32, int64, float32 or float64.
func get(slot unsafe.Pointer, kind Kind) any {
	switch kind {
	case I32:
		return *(*int32)(slot)
	case I64:
		return *(*int64)(slot)
	case F32:
		return *(*float32)(slot)
	}
	return *(*float64)(slot)
}
