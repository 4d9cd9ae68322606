package tenon_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"tenon.dev/go/tenon"
)

// Values of every type go from Go through the guest to a host function and back.
func TestValuesOfEveryType(t *testing.T) {
	object := &struct{ n int }{5}
	vector := tenon.Vector{1, 2, 3, 15: 255}
	for _, test := range []struct {
		ty    tenon.ValType
		value any
	}{
		{tenon.I32, int32(-1)}, {tenon.I64, int64(-1)}, {tenon.F32, float32(0.5)}, {tenon.F64, 0.5}, {tenon.V128, vector},
		{tenon.ExternRef, object}, {tenon.ExternRef, "text"}, {tenon.ExternRef, nil}, {tenon.FuncRef, nil}, {tenon.ExnRef, nil},
	} {
		t.Run(fmt.Sprintf("%v %v", test.ty, test.value), func(t *testing.T) {
			var seen any
			_, i := world(t, fmt.Sprintf(`(module (import "h" "f" (func $f (param i32 %[1]v) (result %[1]v i32)))
			  (func (export "run") (param i32 %[1]v) (result %[1]v i32) (call $f (local.get 0) (local.get 1))))`, test.ty),
				func(s *tenon.Store) []tenon.Extern {
					ty := tenon.FuncType{Params: []tenon.ValType{tenon.I32, test.ty}, Results: []tenon.ValType{test.ty, tenon.I32}}
					return []tenon.Extern{must(tenon.NewFunc(s, ty, func(args []any) ([]any, error) {
						seen = args[1]
						return []any{args[1], args[0]}, nil
					}))}
				})
			run := must(i.Func("run"))
			for range 3 {
				results := must(run.Call(int32(7), test.value))
				runtime.GC()
				if results[0] != test.value || results[1] != int32(7) || seen != test.value {
					t.Error(results, seen)
				}
			}
		})
	}
}

const passing = `(module (import "h" "f" (func $f (param funcref externref) (result funcref externref)))
  (func (export "run") (param funcref externref) (result funcref externref) (call $f (local.get 0) (local.get 1)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1))))`

var passingType = tenon.FuncType{Params: []tenon.ValType{tenon.FuncRef, tenon.ExternRef},
	Results: []tenon.ValType{tenon.FuncRef, tenon.ExternRef}}

func TestFunctionsAsValues(t *testing.T) {
	var answer []any
	s, i := world(t, passing, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.NewFunc(s, passingType, func(args []any) ([]any, error) {
			if answer == nil {
				return args, nil
			}
			return answer, nil
		}))}
	})
	run, add := must(i.Func("run")), must(i.Func("add"))
	if got := must(must(run.Call(add, nil))[0].(*tenon.Func).Call(int32(20), int32(22))); got[0] != int32(42) {
		t.Error(got)
	}
	if got := must(run.Call(nil, add)); got[1] != add {
		t.Error("a function as an externref is not itself", got)
	}
	_, err := run.Call("add", nil)
	refused(t, err, tenon.KindArgument, "argument 0 is of Go's type string, where funcref is expected")
	_, err = run.Call(must(tenon.Host0(newStore(t, nil), func() (int32, error) { return 0, nil })), nil)
	refused(t, err, tenon.KindStore, "argument 0 is of another store")
	closed := must(tenon.Host0(s, func() (int32, error) { return 0, nil }))
	closed.Close()
	if _, err = run.Call(closed, nil); !errors.Is(err, tenon.ErrClosed) || !strings.Contains(err.Error(), "argument 0") {
		t.Error(err)
	}
	// The first result is given up again where the second one is wrong.
	foreign := must(tenon.Host0(newStore(t, nil), func() (int32, error) { return 0, nil }))
	two := must(tenon.NewFunc(s, tenon.FuncType{Results: []tenon.ValType{tenon.FuncRef, tenon.FuncRef}},
		func([]any) ([]any, error) { return []any{add, foreign}, nil }))
	_, err = two.Call()
	refused(t, err, tenon.KindStore, "result 1 of a host function is of another store")
	answer = []any{int32(1), nil}
	_, err = run.Call(nil, nil)
	refused(t, err, tenon.KindArgument, "result 0 of a host function is of Go's type int32")
}

// What WebAssembly refers to lives as long as the reference, and a store that only its own values refer to goes.
func TestCollectionOfValues(t *testing.T) {
	gone := make(chan string, 2)
	s := must(tenon.NewStore(must(tenon.NewEngine(nil))))
	g := must(tenon.NewGlobalOf(s, tenon.GlobalType{Content: tenon.ExternRef, Mutable: true}, nil))
	func() {
		value := &struct{ s *tenon.Store }{s}
		runtime.AddCleanup(value, func(string) { gone <- "value" }, "")
		if err := g.Set(value); err != nil {
			t.Fatal(err)
		}
	}()
	runtime.GC()
	if must(g.Get()).(*struct{ s *tenon.Store }).s != s || len(gone) != 0 {
		t.Error("the value did not stay")
	}
	if err := g.Set(nil); err != nil {
		t.Fatal(err)
	}
	s.GC()
	wait := func(what string) {
		for range 200 {
			runtime.GC()
			select {
			case got := <-gone:
				if got != what {
					t.Errorf("%s went, not %s", got, what)
				}
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
		t.Errorf("the %s did not go", what)
	}
	wait("value")
	if err := g.Set(&struct{ s *tenon.Store }{s}); err != nil {
		t.Fatal(err)
	}
	runtime.AddCleanup(s, func(string) { gone <- "store" }, "")
	runtime.KeepAlive(g)
	s, g = nil, nil
	wait("store")
}

// A closure goes when no function of WebAssembly refers to it any more, though the store goes on, and its place is taken again.
func TestCollectionOfClosures(t *testing.T) {
	s := newStore(t, nil)
	gone := make(chan int, 100)
	for n := range 50 {
		big := &struct{ n int }{n}
		runtime.AddCleanup(big, func(n int) { gone <- n }, n)
		f := must(tenon.Host0(s, func() (int32, error) { return int32(big.n), nil }))
		if got := must(f.Call()); got[0] != int32(n) {
			t.Fatal(got)
		}
		f.Close()
	}
	for went, waits := 0, 0; went < 49; waits++ {
		if waits == 200 {
			t.Fatalf("%d of 50 closures went", went)
		}
		if err := s.GC(); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
		for ; len(gone) > 0; went++ {
			<-gone
		}
	}
	if got := must(must(tenon.Host0(s, func() (int32, error) { return 77, nil })).Call()); got[0] != int32(77) {
		t.Error(got)
	}
}

const throwing = `(module (import "h" "t" (tag $t (param i32 externref))) (import "h" "f" (func $f (param i32)))
  (tag $mine (export "mine") (param i64 v128))
  (func (export "catch") (param i32) (result i32 externref)
    (block $caught (result i32 externref)
      (try_table (catch $t $caught) (call $f (local.get 0)))
      (i32.const -1) (ref.null extern)))
  (func (export "pass") (param i32) (call $f (local.get 0)))
  (func (export "throw") (param i64) (throw $mine (local.get 0) (i64x2.splat (local.get 0))))
  (func (export "ref") (param i64) (result exnref)
    (block $caught (result exnref)
      (try_table (catch_all_ref $caught) (throw $mine (local.get 0) (i64x2.splat (local.get 0))))
      unreachable))
  (func (export "again") (param exnref) (throw_ref (local.get 0))))`

func TestExceptions(t *testing.T) {
	var tag *tenon.Tag
	var thrown *tenon.Exception
	_, i := world(t, throwing, func(s *tenon.Store) []tenon.Extern {
		tag = must(tenon.NewTag(s, tenon.I32, tenon.ExternRef))
		return []tenon.Extern{tag, must(tenon.Host1(s, func(n int32) (tenon.None, error) {
			if n == 0 {
				return tenon.None{}, nil
			}
			var err error
			if thrown, err = tenon.NewException(tag, n, t); err != nil {
				return tenon.None{}, err
			}
			return tenon.None{}, fmt.Errorf("wrapped: %w", thrown)
		}))}
	})
	// The host throws, the guest catches.
	if got := must(must(i.Func("catch")).Call(int32(5))); got[0] != int32(5) || got[1] != t {
		t.Error(got)
	}
	if got := must(must(i.Func("catch")).Call(int32(0))); got[0] != int32(-1) || got[1] != nil {
		t.Error(got)
	}
	// The host throws and nobody catches.
	_, err := must(i.Func("pass")).Call(int32(6))
	var exception *tenon.Exception
	var trap *tenon.Trap
	if !errors.As(err, &exception) || !errors.As(err, &trap) || trap.Code != tenon.TrapUncaughtException {
		t.Fatal(err)
	}
	if !exception.Same(thrown) || !exception.Tag().Same(tag) || exception.Args()[0] != int32(6) || exception.Args()[1] != t {
		t.Error(exception.Args())
	}
	// The guest throws, the host looks.
	mine := must(i.Tag("mine"))
	_, err = must(i.Func("throw")).Call(int64(7))
	if !errors.As(err, &exception) || !exception.Tag().Same(mine) || exception.Tag().Same(tag) || exception.Same(thrown) {
		t.Fatal(err)
	}
	if args := exception.Args(); args[0] != int64(7) || args[1] != (tenon.Vector{0: 7, 8: 7}) {
		t.Error(args)
	}
	// As a value, and thrown again.
	exception = must(must(i.Func("ref")).Call(int64(8)))[0].(*tenon.Exception)
	_, err = must(i.Func("again")).Call(exception)
	var again *tenon.Exception
	if !errors.As(err, &again) || !again.Same(exception) || again.Args()[0] != int64(8) {
		t.Error(err)
	}
	if _, err = must(i.Func("again")).Call(nil); !errors.As(err, &trap) || trap.Code != tenon.TrapNullReference {
		t.Error(err)
	}
	_, err = tenon.NewException(tag, int32(1))
	refused(t, err, tenon.KindArgument, "type (i32, externref) made of 1 values")
	_, err = tenon.NewException(tag, int64(1), nil)
	refused(t, err, tenon.KindArgument, "value 0 is of Go's type int64, where i32 is expected")
	_, err = tenon.NewTag(newStore(t, nil), nil)
	refused(t, err, tenon.KindArgument, "nil")
	exception.Close()
	if _, err = must(i.Func("again")).Call(exception); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
}

func TestTypes(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	t.Cleanup(func() { s.Close() })
	m := must(tenon.NewModule(engine, []byte(`(module (type $f (func (param i32) (result i64)))
	  (import "h" "f" (func (param (ref null $f)) (result (ref func))))
	  (import "h" "m" (memory i64 1 2))
	  (table (export "t") i64 3 9 externref)
	  (global (export "g") (mut v128) (v128.const i64x2 1 2))
	  (tag (export "e") (param f32)))`)))
	f := m.Imports()[0].Type.(tenon.FuncType)
	param := f.Params[0].(*tenon.RefType)
	inner, ok := param.Func()
	if f.String() != "((ref null $type)) -> ((ref func))" || !param.Nullable() || param.Heap() != tenon.HeapDefined ||
		param.Kind() != tenon.FuncRef || !ok || inner.String() != "(i32) -> (i64)" {
		t.Error(f, inner)
	}
	if !tenon.Matches(param, tenon.FuncRef) || tenon.Matches(tenon.FuncRef, param) || tenon.Matches(param, tenon.ExternRef) {
		t.Error("matches")
	}
	own := must(tenon.NewFuncRefType(true, inner))
	if !tenon.Matches(own, param) || !tenon.Matches(param, own) || must(tenon.NewRefType(false, tenon.HeapExn)).Nullable() {
		t.Error("types of the host's own")
	}
	_, err := tenon.NewRefType(true, tenon.HeapDefined)
	refused(t, err, tenon.KindArgument, "$type")
	if got := m.Imports()[1].Type.(tenon.MemoryType); got != (tenon.MemoryType{Limits: tenon.Limits{Min: 1, Max: 2, HasMax: true}, Is64: true, PageSize: 65536}) {
		t.Error(got)
	}
	if got := m.Exports()[0].Type.(tenon.TableType); got != (tenon.TableType{Element: tenon.ExternRef, Limits: tenon.Limits{Min: 3, Max: 9, HasMax: true}, Is64: true}) {
		t.Error(got)
	}
	if got := m.Exports()[1].Type.(tenon.GlobalType); got != (tenon.GlobalType{Content: tenon.V128, Mutable: true}) {
		t.Error(got)
	}
	if got := m.Exports()[2].Type.(tenon.TagType); len(got.Params) != 1 || got.Params[0] != tenon.F32 {
		t.Error(got)
	}
	// What a module imports can be made of what it says.
	var back any
	host := must(tenon.NewFunc(s, f, func(args []any) ([]any, error) { return []any{back}, nil }))
	memory := must(tenon.NewMemoryOf(s, m.Imports()[1].Type.(tenon.MemoryType)))
	i := must(tenon.NewInstance(s, m, host, memory))
	right := must(tenon.Host1(s, func(n int32) (int64, error) { return int64(n), nil }))
	back = right
	if got := must(host.Call(right))[0].(*tenon.Func); must(got.Call(int32(3)))[0] != int64(3) {
		t.Error(got)
	}
	wrong := must(tenon.Host1(s, func(n int32) (int32, error) { return n, nil }))
	if _, err := host.Call(wrong); err == nil {
		t.Error("a function of another type was taken")
	}
	back = nil
	if _, err := host.Call(right); err == nil {
		t.Error("null was taken for (ref func)")
	}
	// Tables and globals of other types than functions and numbers.
	table := must(i.Table("t"))
	if must(table.GrowValues(2, "five")) != 3 || must(table.Value(4)) != "five" || must(table.Value(0)) != nil || table.SetValue(0, 3.5) != nil ||
		must(table.Value(0)) != 3.5 || must(table.Type()).Min != 5 {
		t.Error("table")
	}
	if _, err := table.Value(5); err == nil {
		t.Error("read outside of the table")
	}
	g := must(i.Global("g"))
	if must(g.Get()) != (tenon.Vector{0: 1, 8: 2}) || g.Set(tenon.Vector{9}) != nil || must(g.Get()) != (tenon.Vector{9}) {
		t.Error("global")
	}
	_, err = tenon.NewTableOf(s, tenon.TableType{Element: tenon.I32}, nil)
	if err == nil {
		t.Error("a table of numbers was made")
	}
	_, err = tenon.NewGlobalOf(s, tenon.GlobalType{}, nil)
	refused(t, err, tenon.KindArgument, "nil")
}

func TestMemoriesOfEveryType(t *testing.T) {
	s := newStore(t, nil)
	bytes := must(tenon.NewMemoryOf(s, tenon.MemoryType{Limits: tenon.Limits{Min: 3, Max: 9, HasMax: true}, PageSize: 1}))
	if must(bytes.Size()) != 3 || must(bytes.Grow(2)) != 3 || bytes.Write(4, []byte{7}) != nil || bytes.Write(5, []byte{7}) == nil {
		t.Error("a memory of single bytes")
	}
	wide := must(tenon.NewMemoryOf(s, tenon.MemoryType{Limits: tenon.Limits{Min: 1 << 17}, Is64: true}))
	if must(wide.Size()) != 1<<33 || tenon.StoreAt(wide, 1<<33-8, uint64(77)) != nil || must(tenon.Load[uint64](wide, 1<<33-8)) != 77 ||
		!must(wide.Type()).Is64 {
		t.Error("a memory of 8 GiB")
	}
	_, err := tenon.NewMemoryOf(s, tenon.MemoryType{PageSize: 4096})
	refused(t, err, tenon.KindArgument, "not 4096")
	_, err = tenon.NewMemoryOf(s, tenon.MemoryType{Shared: true})
	if err == nil {
		t.Error("a shared memory without a maximum was made")
	}
}

func TestSerialization(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	data := must(must(tenon.NewModule(engine, []byte(numbers))).Serialize())
	other := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(other))
	defer s.Close()
	i := must(tenon.NewInstance(s, must(tenon.DeserializeModule(other, data))))
	if got := must(must(i.Func("add")).Call(int32(1), int32(2))); got[0] != int32(3) {
		t.Error(got)
	}
	data[len(data)/2] ^= 1
	_, err := tenon.DeserializeModule(other, data)
	refused(t, err, tenon.KindDamaged, "")
}
