package tenon_test

import (
	"errors"
	"runtime"
	"testing"

	"tenon.dev/go/tenon"
)

const objects = `(module
  (type $bytes (array (mut i8)))
  (type $node (struct (field $n (mut i32)) (field $next (mut (ref null $node))) (field $any (mut externref)) (field $b (ref null $bytes))
    (field $small (mut i16)) (field $v (mut v128))))
  (import "h" "seen" (func $seen (param anyref) (result anyref)))
  (func (export "sum") (param (ref null $node)) (result i32) (local $sum i32)
    (block $end (loop $more
      (br_if $end (ref.is_null (local.get 0)))
      (local.set $sum (i32.add (local.get $sum) (struct.get $node $n (local.get 0))))
      (local.set 0 (struct.get $node $next (local.get 0)))
      (br $more)))
    (local.get $sum))
  (func (export "bytes") (param i32) (result (ref $bytes)) (array.new $bytes (i32.const 255) (local.get 0)))
  (func (export "twice") (param (ref i31)) (result i31ref)
    (ref.i31 (i32.mul (i31.get_s (local.get 0)) (i32.const 2))))
  (func (export "pass") (param anyref) (result anyref) (call $seen (local.get 0)))
  (func (export "in") (param externref) (result anyref) (any.convert_extern (local.get 0)))
  (func (export "out") (param anyref) (result externref) (extern.convert_any (local.get 0))))`

type heapWorld struct {
	s           *tenon.Store
	i           *tenon.Instance
	node, bytes *tenon.RefType
	seen        any
}

// eachHeap runs a test as usual, and with a collection at every allocation.
func eachHeap(t *testing.T, test func(t *testing.T, w *heapWorld)) {
	for name, config := range map[string]*tenon.Config{"plain": nil, "collecting": {CollectAlways: true}} {
		t.Run(name, func(t *testing.T) {
			engine := must(tenon.NewEngine(config))
			w := &heapWorld{s: must(tenon.NewStore(engine))}
			t.Cleanup(func() { w.s.Close() })
			m := must(tenon.NewModule(engine, []byte(objects)))
			host := must(tenon.NewFunc(w.s, m.Imports()[0].Type.(tenon.FuncType), func(args []any) ([]any, error) {
				w.seen = args[0]
				return args, nil
			}))
			w.i = must(tenon.NewInstance(w.s, m, host))
			w.node = must(w.i.Func("sum")).Type().Params[0].(*tenon.RefType)
			w.bytes = must(w.i.Func("bytes")).Type().Results[0].(*tenon.RefType)
			test(t, w)
		})
	}
}

func (w *heapWorld) call(name string, args ...any) any {
	return must(must(w.i.Func(name)).Call(args...))[0]
}

func (w *heapWorld) newNode(n int32, next any) *tenon.Struct {
	return must(tenon.NewStruct(w.s, w.node, n, next, nil, nil, int32(0), tenon.Vector{}))
}

func TestStruct(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		kept := &struct{ n int }{5}
		bytes := w.call("bytes", int32(3)).(*tenon.Array)
		last := w.newNode(1, nil)
		first := must(tenon.NewStruct(w.s, w.node, int32(20), last, kept, bytes, int32(-2), tenon.Vector{1, 15: 2}))
		if err := last.Set(0, int32(300)); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		w.s.GC()
		if got := w.call("sum", first); got != int32(320) {
			t.Error(got)
		}
		if got := must(first.Get(1)).(*tenon.Struct); !got.Same(last) || got.Same(first) {
			t.Error("the next node is another")
		}
		if must(first.Get(2)) != kept || must(first.Get(5)) != (tenon.Vector{1, 15: 2}) || must(first.Len()) != 6 {
			t.Error("fields")
		}
		if must(first.Get(4)) != int32(65534) || must(first.GetSigned(4)) != int32(-2) {
			t.Error("a packed field")
		}
		if !must(first.Get(3)).(*tenon.Array).Same(bytes) || must(last.Get(1)) != nil || must(last.Get(3)) != nil {
			t.Error("references in fields")
		}
		if err := first.Set(2, "text"); err != nil || must(first.Get(2)) != "text" {
			t.Error(err)
		}
		// A cycle, which goes with its last handle.
		if err := last.Set(1, first); err != nil || !must(must(last.Get(1)).(*tenon.Struct).Get(1)).(*tenon.Struct).Same(last) {
			t.Error(err)
		}
		if empty := must(tenon.NewDefaultStruct(w.s, w.node)); must(empty.Get(0)) != int32(0) || must(empty.Get(2)) != nil {
			t.Error("defaults")
		}
		if !tenon.Matches(must(first.Type()), w.node) || tenon.Matches(must(first.Type()), w.bytes) {
			t.Error("type")
		}
	})
}

func TestArray(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		a := w.call("bytes", int32(5)).(*tenon.Array)
		if must(a.Len()) != 5 || must(a.Get(4)) != int32(255) || must(a.GetSigned(4)) != int32(-1) {
			t.Error("an array of WebAssembly")
		}
		other := must(tenon.NewArrayOf(w.s, w.bytes, int32(1), int32(2), int32(3)))
		for _, err := range []error{a.Set(0, int32(7)), a.Fill(1, int32(8), 2), a.CopyFrom(3, other, 1, 2)} {
			if err != nil {
				t.Error(err)
			}
		}
		for i, want := range []int32{7, 8, 8, 2, 3} {
			if got := must(a.Get(uint32(i))); got != want {
				t.Error(i, got)
			}
		}
		if same := must(tenon.NewArray(w.s, w.bytes, 4, int32(6))); must(same.Len()) != 4 || must(same.Get(3)) != int32(6) {
			t.Error("an array of equal elements")
		}
		if zeros := must(tenon.NewDefaultArray(w.s, w.bytes, 3)); must(zeros.Len()) != 3 || must(zeros.Get(2)) != int32(0) {
			t.Error("an array of zeros")
		}
		if empty := must(tenon.NewArrayOf(w.s, w.bytes)); must(empty.Len()) != 0 {
			t.Error("an empty array")
		}
		_, err := a.Get(5)
		refused(t, err, tenon.KindArgument, "there is no element 5 in an array of 5")
		refused(t, a.CopyFrom(4, other, 0, 2), tenon.KindArgument, "there are no elements")
		refused(t, a.CopyFrom(0, nil, 0, 1), tenon.KindArgument, "")
		refused(t, a.Set(0, "text"), tenon.KindArgument, "the value is of Go's type string, where i32 is expected")
	})
}

func TestI31(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		if got := w.call("twice", tenon.I31(-21)); got != tenon.I31(-42) {
			t.Error(got)
		}
		for _, n := range []tenon.I31{0, 1<<30 - 1, -1 << 30} {
			if got := w.call("pass", n); got != n || w.seen != n {
				t.Error(got, w.seen)
			}
		}
		_, err := must(w.i.Func("twice")).Call(tenon.I31(1 << 30))
		refused(t, err, tenon.KindArgument, "argument 0 is 1073741824, which has more than 31 bits")
		if _, err = must(w.i.Func("twice")).Call(nil); err == nil {
			t.Error("null was taken for a number")
		}
	})
}

// References go through host functions, and between the hierarchies.
func TestHeapConversions(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		node := w.newNode(4, nil)
		if got := w.call("pass", node).(*tenon.Struct); !got.Same(node) || !w.seen.(*tenon.Struct).Same(node) {
			t.Error("a structure passed through")
		}
		if got := w.call("out", node).(*tenon.Struct); !got.Same(node) {
			t.Error("a structure as an externref")
		}
		if got := w.call("in", node).(*tenon.Struct); !got.Same(node) {
			t.Error("a structure from an externref")
		}
		if got := w.call("in", tenon.I31(9)); got != tenon.I31(9) {
			t.Error(got)
		}
		kept := &struct{ n int }{5}
		if got := w.call("in", kept); got != kept {
			t.Error("a Go value as an anyref", got)
		}
		var none *tenon.Struct
		if got := w.call("pass", none); got != nil || w.seen != nil {
			t.Error("a nil structure is not null", got)
		}
		g := must(tenon.NewGlobalOf(w.s, tenon.GlobalType{Content: tenon.AnyRef, Mutable: true}, node))
		w.s.GC()
		if !must(g.Get()).(*tenon.Struct).Same(node) {
			t.Error("a structure in a global")
		}
	})
}

func TestRefTest(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		of := func(nullable bool, heap tenon.HeapType) tenon.ValType { return must(tenon.NewRefType(nullable, heap)) }
		node, f := w.newNode(1, nil), must(w.i.Func("sum"))
		for _, test := range []struct {
			value any
			ty    tenon.ValType
			want  bool
		}{
			{node, of(false, tenon.HeapStruct), true}, {node, w.node, true}, {node, w.bytes, false}, {node, tenon.ExternRef, true},
			{tenon.I31(3), of(false, tenon.HeapEq), true}, {tenon.I31(3), of(false, tenon.HeapStruct), false},
			{nil, of(true, tenon.HeapStruct), true}, {nil, of(false, tenon.HeapStruct), false},
			{f, tenon.FuncRef, true}, {f, of(true, tenon.HeapI31), false}, {"text", tenon.ExternRef, true},
			{"text", of(true, tenon.HeapEq), false},
		} {
			if got := must(w.s.Test(test.value, test.ty)); got != test.want {
				t.Errorf("%v as a %v: %v", test.value, test.ty, got)
			}
			cast, err := w.s.Cast(test.value, test.ty)
			if (err == nil) != test.want {
				t.Errorf("%v cast to %v: %v", test.value, test.ty, err)
			}
			if other, ok := cast.(*tenon.Struct); ok && !other.Same(node) {
				t.Error("a cast changed the structure")
			}
		}
		_, err := w.s.Test(node, tenon.I32)
		refused(t, err, tenon.KindArgument, "i32 is no reference type")
		_, err = w.s.Cast(node, nil)
		refused(t, err, tenon.KindArgument, "is no reference type")
	})
}

// Types made in Go are those that modules have.
func TestFieldTypes(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		bytes := must(tenon.NewArrayType(tenon.Field{Type: tenon.I32, Packed: 8, Mutable: true}))
		if !tenon.Matches(bytes, w.bytes) || !tenon.Matches(w.bytes, bytes) {
			t.Error("an array type made in Go is another one")
		}
		fields := w.node.Fields()
		if len(fields) != 6 || fields[0] != (tenon.Field{Type: tenon.I32, Mutable: true}) || fields[3].Mutable || fields[4].Packed != 16 {
			t.Error(fields)
		}
		pair := must(tenon.NewStructType(tenon.Field{Type: tenon.F64}, tenon.Field{Type: bytes, Mutable: true}))
		made := must(tenon.NewStruct(w.s, pair, 2.5, must(tenon.NewArrayOf(w.s, bytes, int32(1)))))
		if must(made.Get(0)) != 2.5 || must(must(made.Get(1)).(*tenon.Array).Get(0)) != int32(1) {
			t.Error("fields")
		}
		refused(t, made.Set(0, 1.5), tenon.KindArgument, "constant")
		_, err := tenon.NewDefaultStruct(w.s, pair)
		refused(t, err, tenon.KindArgument, "")
		_, err = tenon.NewDefaultArray(w.s, must(tenon.NewArrayType(tenon.Field{Type: bytes})), 1)
		refused(t, err, tenon.KindArgument, "")
		_, err = tenon.NewStructType(tenon.Field{})
		refused(t, err, tenon.KindArgument, "the type of field 0 is nil")
		_, err = tenon.NewArrayType(tenon.Field{Type: tenon.I64, Packed: 8})
		refused(t, err, tenon.KindArgument, "")
		if tenon.Matches(must(tenon.NewStructType()), w.node) || must(tenon.NewRefType(true, tenon.HeapStruct)).Fields() != nil {
			t.Error("types without fields")
		}
	})
}

func TestWrongHeapUses(t *testing.T) {
	eachHeap(t, func(t *testing.T, w *heapWorld) {
		node, bytes := w.newNode(1, nil), w.call("bytes", int32(1)).(*tenon.Array)
		refused(t, node.Set(3, bytes), tenon.KindArgument, "the field is constant")
		refused(t, node.Set(1, bytes), tenon.KindArgument, "expected")
		refused(t, node.Set(6, int32(1)), tenon.KindArgument, "there is no field 6 in a structure of 6")
		refused(t, node.Set(0, int64(1)), tenon.KindArgument, "the value is of Go's type int64, where i32 is expected")
		_, err := node.Get(6)
		refused(t, err, tenon.KindArgument, "there is no field 6")
		_, err = tenon.NewStruct(w.s, w.node, int32(1))
		refused(t, err, tenon.KindArgument, "1 values are given for a structure of 6 fields")
		_, err = tenon.NewStruct(w.s, w.node, 1, 2, 3, 4, 5, 6, 7)
		refused(t, err, tenon.KindArgument, "7 values are given for a structure of 6 fields")
		_, err = tenon.NewStruct(w.s, w.bytes)
		refused(t, err, tenon.KindArgument, "is not the type of references to a structure")
		_, err = tenon.NewArray(w.s, w.node, 1, nil)
		refused(t, err, tenon.KindArgument, "is not the type of references to an array")
		_, err = tenon.NewStruct(w.s, nil)
		refused(t, err, tenon.KindArgument, "the type is nil")
		_, err = tenon.NewArray(w.s, must(tenon.NewRefType(true, tenon.HeapArray)), 1, nil)
		refused(t, err, tenon.KindArgument, "is not the type of references to an array")
		other := newStore(t, nil)
		foreign := must(tenon.NewDefaultStruct(other, must(tenon.NewStructType(tenon.Field{Type: tenon.I32}))))
		_, err = must(w.i.Func("pass")).Call(foreign)
		refused(t, err, tenon.KindStore, "argument 0 is of another store")
		refused(t, node.Set(2, foreign), tenon.KindStore, "the value is of another store")
		bytes.Close()
		if _, err = bytes.Len(); !errors.Is(err, tenon.ErrClosed) {
			t.Error(err)
		}
		refused(t, node.Set(1, "text"), tenon.KindArgument, "the value is of Go's type string")
	})
}
