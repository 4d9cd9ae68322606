package tenon_test

import (
	"testing"

	"tenon.dev/go/tenon"
)

const shop = `(module
  (type $name (array (mut i8)))
  (type $item (struct (field $name (ref $name)) (field $price i32) (field $count (mut i32)) (field $next (mut (ref null $item)))))
  (global $stock (mut (ref null $item)) (ref.null $item))
  (func (export "add") (param $item (ref $item))
    (struct.set $item $next (local.get $item) (global.get $stock))
    (global.set $stock (local.get $item)))
  (func (export "first") (result (ref null $item)) (global.get $stock)))`

// The host makes structures and arrays of a module's types, the guest keeps them, and the host reads them again.
func TestObjectsOfAModule(t *testing.T) {
	s, i := world(t, shop, nil)
	add, first := must(i.Func("add")), must(i.Func("first"))
	item, ok := add.Type().Params[0].(*tenon.RefType).Struct()
	if !ok || item.String() != "(struct (field (ref $type)) (field i32) (field (mut i32)) (field (mut (ref null $type))))" {
		t.Fatal(item)
	}
	name, ok := item.Fields()[0].Type.(*tenon.RefType).Array()
	if !ok || name.String() != "(array (mut i8))" {
		t.Fatal(name)
	}
	if _, ok := item.Fields()[0].Type.(*tenon.RefType).Struct(); ok {
		t.Error("an array type is taken for one of structures")
	}
	text := must(tenon.NewArray(s, name, int32('l'), int32('a')))
	for _, price := range []int32{2, 49} {
		must(add.Call(must(tenon.NewStruct(s, item, text, price, int32(10), nil))))
	}
	lamp := must(first.Call())[0].(*tenon.Struct)
	if must(lamp.Get(1)) != int32(49) || !lamp.Type().Same(item) || must(must(lamp.Get(3)).(*tenon.Struct).Get(1)) != int32(2) ||
		!must(lamp.Get(0)).(*tenon.Array).Same(text) {
		t.Error("not what was given")
	}
	if lamp.Set(2, int32(3)) != nil || must(must(first.Call())[0].(*tenon.Struct).Get(2)) != int32(3) || !must(first.Call())[0].(*tenon.Struct).Same(lamp) {
		t.Error("not the same structure")
	}
	refused(t, lamp.Set(1, int32(5)), tenon.KindArgument, "constant")
	refused(t, lamp.Set(2, "x"), tenon.KindArgument, "the value is of Go's type string, where i32 is expected")
	_, err := lamp.Get(4)
	refused(t, err, tenon.KindArgument, "")
	_, err = tenon.NewStruct(s, item, text, int32(1), int32(1), nil, nil)
	refused(t, err, tenon.KindArgument, "5 values for a structure of 4 fields")
	_, err = tenon.NewStruct(s, item, nil, int32(1), int32(1), nil)
	refused(t, err, tenon.KindArgument, "")
	_, err = tenon.NewStruct(s, item)
	refused(t, err, tenon.KindArgument, "")
	_, err = add.Call(must(tenon.NewStruct(newStore(t, nil), must(tenon.NewStructType()))))
	refused(t, err, tenon.KindStore, "argument 0 is of another store")
	if _, err = add.Call(must(tenon.NewStruct(s, must(tenon.NewStructType())))); err == nil {
		t.Error("a structure of another type was taken")
	}
	lamp.Close()
	if _, err = lamp.Get(0); err == nil {
		t.Error("a closed structure was read")
	}
}

func TestArrays(t *testing.T) {
	s := newStore(t, nil)
	ty := must(tenon.NewArrayType(tenon.Field{Type: tenon.I32, Mutable: true, Packing: tenon.Packed8}))
	a, b := must(tenon.NewArray(s, ty, int32(1), int32(2), int32(255))), must(tenon.NewArrayOf(s, ty, 5, int32(4)))
	if must(a.Len()) != 3 || must(a.Get(2)) != int32(255) || must(a.GetSigned(2)) != int32(-1) || !a.Type().Same(ty) {
		t.Error("an array")
	}
	if a.Set(0, int32(77)) != nil || a.Fill(1, int32(9), 2) != nil || b.Copy(0, a, 0, 2) != nil || b.Copy(1, b, 0, 2) != nil {
		t.Error("writing")
	}
	for i, want := range []int32{77, 77, 9, 4, 4} {
		if got := must(b.Get(uint32(i))); got != want {
			t.Error(i, got)
		}
	}
	refused(t, a.Fill(2, int32(1), 2), tenon.KindArgument, "")
	refused(t, a.Set(3, int32(1)), tenon.KindArgument, "")
	refused(t, b.Copy(4, a, 0, 2), tenon.KindArgument, "")
	constant := must(tenon.NewArray(s, must(tenon.NewArrayType(tenon.Field{Type: tenon.V128})), tenon.Vector{7}))
	if must(constant.Get(0)) != (tenon.Vector{7}) || constant.Set(0, tenon.Vector{}) == nil {
		t.Error("constant elements")
	}
	if b.Copy(0, constant, 0, 1) == nil {
		t.Error("copied from another type")
	}
	_, err := tenon.NewStructType(tenon.Field{})
	refused(t, err, tenon.KindArgument, "field 0 is nil")
	_, err = tenon.NewArrayType(tenon.Field{Type: tenon.F64, Packing: tenon.Packed8})
	refused(t, err, tenon.KindArgument, "")
}

func TestSmallNumbersAndAnyValues(t *testing.T) {
	_, i := world(t, `(module
	  (func (export "same") (param anyref) (result anyref) (local.get 0))
	  (func (export "number") (param i31ref) (result i32) (i31.get_s (local.get 0)))
	  (func (export "out") (param anyref) (result externref) (extern.convert_any (local.get 0)))
	  (func (export "in") (param externref) (result anyref) (any.convert_extern (local.get 0))))`, nil)
	call := func(name string, value any) any { return must(must(i.Func(name)).Call(value))[0] }
	for _, n := range []tenon.I31{0, -1, 1<<30 - 1, -1 << 30} {
		if call("same", n) != n || call("number", n) != int32(n) || call("out", n) != n || call("in", n) != n {
			t.Error(n)
		}
	}
	_, err := must(i.Func("same")).Call(tenon.I31(1 << 30))
	refused(t, err, tenon.KindArgument, "argument 0 does not fit into 31 bits")
	thing := &struct{ n int }{5}
	if call("same", thing) != thing || call("in", thing) != thing || call("out", thing) != thing {
		t.Error("not the same value")
	}
	_, err = must(i.Func("number")).Call(thing)
	refused(t, err, tenon.KindArgument, "argument 0 is of Go's type *struct")
}
