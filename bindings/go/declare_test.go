package tenon_test

import (
	"errors"
	"math"
	"testing"

	"tenon.dev/go/tenon"
)

const listGroup = `(module
  (rec (type $list (sub (struct (field i32) (field (mut (ref null $list))) (field (ref null $others)))))
       (type $others (array (mut (ref null $list)))))
  (func (export "sum") (param $l (ref null $list)) (result i32) (local $s i32)
    (loop $again
      (if (ref.is_null (local.get $l)) (then (return (local.get $s))))
      (local.set $s (i32.add (local.get $s) (struct.get $list 0 (local.get $l))))
      (local.set $l (struct.get $list 1 (local.get $l)))
      (br $again))
    (unreachable))
  (func (export "first") (param (ref $list)) (result i32) (struct.get $list 0 (local.get 0))))`

func TestDeclaredTypes(t *testing.T) {
	s, i := world(t, listGroup, nil)
	list := must(tenon.RefInGroup(true, 0, tenon.DefStruct))
	others := must(tenon.RefInGroup(true, 1, tenon.DefArray))
	types := must(tenon.DeclareTypes(
		tenon.TypeDecl{Kind: tenon.DefStruct, Open: true,
			Fields: []tenon.Field{{Type: tenon.I32}, {Type: list, Mutable: true}, {Type: others}}},
		tenon.TypeDecl{Kind: tenon.DefArray, Fields: []tenon.Field{{Type: list, Mutable: true}}}))
	sum, first := must(i.Func("sum")), must(i.Func("first"))
	// They are the types of the module.
	if !tenon.Matches(types[0], sum.Type().Params[0]) || !tenon.Same(types[0], first.Type().Params[0]) {
		t.Error("the module has other types")
	}
	longer := must(tenon.DeclareTypes(tenon.TypeDecl{Kind: tenon.DefStruct, Super: types[0], Fields: []tenon.Field{{Type: tenon.I32},
		{Type: sum.Type().Params[0], Mutable: true}, {Type: types[0].Fields()[2].Type}, {Type: tenon.F64}}}))[0]
	if super := longer.Super(); !tenon.Same(super, types[0]) || types[0].Super() != nil || !longer.Final() || types[0].Final() {
		t.Errorf("supertype %v", super)
	}
	if kind, ok := longer.Def(); kind != tenon.DefStruct || !ok {
		t.Errorf("defines %v", kind)
	}
	if _, ok := must(tenon.NewRefType(true, tenon.HeapStruct)).Def(); ok {
		t.Error("(ref struct) has a definition")
	}
	end := must(tenon.NewStruct(s, types[0], int32(2), nil, must(tenon.NewArrayOf(s, types[1], nil))))
	head := must(tenon.NewStruct(s, longer, int32(40), end, nil, 0.5))
	if got := must(sum.Call(head))[0]; got != int32(42) {
		t.Errorf("got %v", got)
	}
	for name, decl := range map[string]tenon.TypeDecl{
		"below a final type":   {Kind: tenon.DefStruct, Super: longer},
		"without a field":      {Kind: tenon.DefArray},
		"of a nil type":        {Kind: tenon.DefStruct, Fields: []tenon.Field{{}}},
		"of a nil parameter":   {Kind: tenon.DefFunc, Func: tenon.FuncType{Params: []tenon.ValType{nil}}},
		"of an unknown kind":   {Kind: 9},
		"below what is no def": {Kind: tenon.DefStruct, Super: must(tenon.NewRefType(true, tenon.HeapAny))},
		"fewer fields":         {Kind: tenon.DefStruct, Super: types[0]},
	} {
		if _, err := tenon.DeclareTypes(decl); !errorOfKind(err, tenon.KindArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := tenon.RefInGroup(true, 0, 9); err == nil {
		t.Error("a reference to a kind 9")
	}
	if made := must(tenon.DeclareTypes()); len(made) != 0 {
		t.Error("types of nothing")
	}
}

func errorOfKind(err error, kind tenon.ErrorKind) bool {
	var e *tenon.Error
	return errors.As(err, &e) && e.Kind == kind
}

func TestUnsignedI31(t *testing.T) {
	for signed, want := range map[tenon.I31]uint32{0: 0, 5: 5, -1: math.MaxInt32, -1 << 30: 1 << 30} {
		if got := signed.Unsigned(); got != want {
			t.Errorf("%d: %d", signed, got)
		}
	}
}

func moved[T tenon.Scalar](t *testing.T, s *tenon.Store, element tenon.Field, values ...T) {
	t.Helper()
	element.Mutable = true
	array := must(tenon.NewDefaultArray(s, must(tenon.NewArrayType(element)), 5))
	if err := tenon.WriteArray(array, 1, values); err != nil {
		t.Fatal(err)
	}
	got := make([]T, len(values))
	if err := tenon.ReadArray(array, 1, got); err != nil {
		t.Fatal(err)
	}
	for n := range values {
		if got[n] != values[n] {
			t.Errorf("got %v, want %v", got, values)
		}
	}
	refused(t, tenon.WriteArray(array, 5, values), tenon.KindArgument, "in an array of 5")
	refused(t, tenon.ReadArray(array, math.MaxUint32, got), tenon.KindArgument, "in an array of 5")
	if err := tenon.ReadArray(array, 5, got[:0]); err != nil {
		t.Error(err)
	}
}

func TestNumbersOfArrays(t *testing.T) {
	s := newStore(t, nil)
	moved[int8](t, s, tenon.Field{Type: tenon.I32, Packed: 8}, -1, 127)
	moved[uint8](t, s, tenon.Field{Type: tenon.I32, Packed: 8}, 255, 1)
	moved[int16](t, s, tenon.Field{Type: tenon.I32, Packed: 16}, -1, 300)
	moved[uint16](t, s, tenon.Field{Type: tenon.I32, Packed: 16}, 65535, 300)
	moved[int32](t, s, tenon.Field{Type: tenon.I32}, -1, 1<<30)
	moved[uint64](t, s, tenon.Field{Type: tenon.I64}, math.MaxUint64, 1)
	moved[float32](t, s, tenon.Field{Type: tenon.F32}, -0.5, float32(math.Inf(1)))
	moved[float64](t, s, tenon.Field{Type: tenon.F64}, -0.5, 1e300)
	moved(t, s, tenon.Field{Type: tenon.V128}, tenon.Vector{1, 15: 2})
	words := must(tenon.NewArrayOf(s, must(tenon.NewArrayType(tenon.Field{Type: tenon.I32})), int32(1), int32(2)))
	refused(t, tenon.ReadArray(words, 0, make([]byte, 1)), tenon.KindArgument, "they are no uint8")
	refused(t, tenon.WriteArray(words, 0, []int32{1}), tenon.KindArgument, "constant")
	words.Close()
	if err := tenon.ReadArray(words, 0, make([]int32, 1)); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestValuesOfArrays(t *testing.T) {
	s := newStore(t, nil)
	ty := must(tenon.NewArrayType(tenon.Field{Type: tenon.ExternRef, Mutable: true}))
	array := must(tenon.NewDefaultArray(s, ty, 4))
	if err := array.SetValues(1, "a", 5); err != nil {
		t.Fatal(err)
	}
	if got := must(array.Values(0, 4)); got[0] != nil || got[1] != "a" || got[2] != 5 || got[3] != nil {
		t.Errorf("got %v", got)
	}
	_, err := array.Values(2, 3)
	refused(t, err, tenon.KindArgument, "in an array of 4")
	refused(t, array.SetValues(4, "x"), tenon.KindArgument, "in an array of 4")
	numbers := must(tenon.NewDefaultArray(s, must(tenon.NewArrayType(tenon.Field{Type: tenon.I32, Mutable: true})), 2))
	refused(t, numbers.SetValues(0, int32(1), "x"), tenon.KindArgument, "value 1 is of Go's type string")
	if got := must(numbers.Values(0, 2)); got[0] != int32(0) {
		t.Error("some values were set")
	}
}
