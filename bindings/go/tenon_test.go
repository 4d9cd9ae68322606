package tenon_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tenon.dev/go/tenon"
)

// must is for what cannot fail in a test.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func newStore(t testing.TB, config *tenon.Config) *tenon.Store {
	t.Helper()
	s := must(tenon.NewStore(must(tenon.NewEngine(config))))
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, tenon.ErrAbandoned) {
			t.Error(err)
		}
	})
	return s
}

func instance(t testing.TB, engine *tenon.Engine, s *tenon.Store, text string, imports ...tenon.Extern) *tenon.Instance {
	t.Helper()
	m, err := tenon.NewModule(engine, []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	i, err := tenon.NewInstance(s, m, imports...)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// world is a store with an instance in it.
func world(t testing.TB, text string, imports func(s *tenon.Store) []tenon.Extern) (*tenon.Store, *tenon.Instance) {
	t.Helper()
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	t.Cleanup(func() { s.Close() })
	var given []tenon.Extern
	if imports != nil {
		given = imports(s)
	}
	return s, instance(t, engine, s, text, given...)
}

// refused expects an *Error of a kind whose message has a part.
func refused(t testing.TB, err error, kind tenon.ErrorKind, part string) {
	t.Helper()
	var e *tenon.Error
	if !errors.As(err, &e) || e.Kind != kind || !strings.Contains(e.Message, part) {
		t.Errorf("got %#v, want kind %d with %q", err, kind, part)
	}
}

const numbers = `(module
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "i64") (param i64) (result i64) (local.get 0))
  (func (export "f32") (param f32) (result f32) (f32.neg (local.get 0)))
  (func (export "f64") (param f64) (result f64) (f64.neg (local.get 0)))
  (func (export "swap") (param i32 f64) (result f64 i32) (local.get 1) (local.get 0))
  (func (export "pair") (result i32 i32) (i32.const 7) (i32.const 9))
  (func (export "nothing"))
  (func (export "four") (param i32 i64 f32 f64) (result f64)
    (f64.add (f64.add (f64.convert_i32_s (local.get 0)) (f64.convert_i64_s (local.get 1)))
      (f64.add (f64.promote_f32 (local.get 2)) (local.get 3))))
  (func (export "three") (param i32 i32 i32) (result i32) (i32.sub (i32.sub (local.get 0) (local.get 1)) (local.get 2)))
  (func (export "vector") (param v128)))`

func TestNumbers(t *testing.T) {
	_, i := world(t, numbers, nil)
	if got := must(must(tenon.Bind2[int32, uint32, int32](must(i.Func("add"))))(-3, 5)); got != 2 {
		t.Error(got)
	}
	if got := must(must(tenon.Bind1[uint64, uint64](must(i.Func("i64"))))(math.MaxUint64 - 1)); got != math.MaxUint64-1 {
		t.Error(got)
	}
	if got := must(must(tenon.Bind1[float32, float32](must(i.Func("f32"))))(1.5)); got != -1.5 {
		t.Error(got)
	}
	if got := must(must(tenon.Bind1[float64, float64](must(i.Func("f64"))))(0.1)); got != -0.1 {
		t.Error(got)
	}
	if got := must(must(tenon.Bind2[int32, float64, tenon.Pair[float64, int32]](must(i.Func("swap"))))(4, 0.25)); got.First != 0.25 || got.Second != 4 {
		t.Error(got)
	}
	if got := must(must(tenon.Bind0[tenon.Pair[int32, uint32]](must(i.Func("pair"))))()); got.First != 7 || got.Second != 9 {
		t.Error(got)
	}
	if _, err := must(tenon.Bind0[tenon.None](must(i.Func("nothing"))))(); err != nil {
		t.Error(err)
	}
	if got := must(must(tenon.Bind4[int32, int64, float32, float64, float64](must(i.Func("four"))))(1, 2, 0.5, 0.25)); got != 3.75 {
		t.Error(got)
	}
	if got := must(must(tenon.Bind3[int32, int32, int32, int32](must(i.Func("three"))))(10, 3, 2)); got != 5 {
		t.Error(got)
	}
	got := must(must(i.Func("swap")).Call(int32(8), 2.5))
	if len(got) != 2 || got[0] != 2.5 || got[1] != int32(8) {
		t.Error(got)
	}
}

func TestWrongCalls(t *testing.T) {
	_, i := world(t, numbers, nil)
	add := must(i.Func("add"))
	_, err := add.Call(int32(1))
	refused(t, err, tenon.KindArgument, "called with 1 arguments")
	_, err = add.Call(int32(1), 2)
	refused(t, err, tenon.KindArgument, "argument 1 is of Go's type int, where i32 is expected")
	_, err = add.Call(int32(1), nil)
	refused(t, err, tenon.KindArgument, "argument 1")
	_, err = tenon.Bind1[int32, int32](add)
	refused(t, err, tenon.KindArgument, "has type (i32, i32) -> (i32), not (i32) -> (i32)")
	_, err = tenon.Bind2[int32, int32, string](add)
	refused(t, err, tenon.KindArgument, "string is no result")
	_, err = must(i.Func("vector")).Call(int32(1))
	refused(t, err, tenon.KindArgument, "argument 0 is of Go's type int32, where v128 is expected")
	_, err = i.Func("absent")
	refused(t, err, tenon.KindArgument, `no export "absent"`)
	_, err = i.Memory("add")
	refused(t, err, tenon.KindArgument, `"add" is no memory`)
	// The store is as it was.
	if got := must(add.Call(int32(1), int32(2))); got[0] != int32(3) {
		t.Error(got)
	}
}

const calling = `(module $calling
  (import "host" "f" (func $f (param i32) (result i32)))
  (func $inner (param i32) (result i32) (call $f (local.get 0)))
  (func (export "outer") (param i32) (result i32) (i32.add (i32.const 1) (call $inner (local.get 0)))))`

func TestHostFunctions(t *testing.T) {
	calls := 0
	_, i := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) { calls++; return n * 10, nil }))}
	})
	outer := must(tenon.Bind1[int32, int32](must(i.Func("outer"))))
	if got := must(outer(4)); got != 41 || calls != 1 {
		t.Error(got, calls)
	}
}

func TestUntypedHostFunctions(t *testing.T) {
	ty := tenon.FuncType{Params: []tenon.ValType{tenon.I32}, Results: []tenon.ValType{tenon.I32}}
	var answer []any
	_, i := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.NewFunc(s, ty, func(args []any) ([]any, error) { return answer, nil }))}
	})
	outer := must(i.Func("outer"))
	answer = []any{int32(7)}
	if got := must(outer.Call(int32(0))); got[0] != int32(8) {
		t.Error(got)
	}
	answer = nil
	_, err := outer.Call(int32(0))
	refused(t, err, tenon.KindArgument, "returned 0 results")
	answer = []any{"text"}
	_, err = outer.Call(int32(0))
	refused(t, err, tenon.KindArgument, "Go's type string, where i32 is expected")
}

func TestErrorsOfHostFunctions(t *testing.T) {
	reason := errors.New("out of paper")
	_, i := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) { return 0, reason }))}
	})
	_, err := must(i.Func("outer")).Call(int32(0))
	var trap *tenon.Trap
	if !errors.As(err, &trap) || !errors.Is(err, reason) || trap.Code != tenon.TrapHost || trap.Message != "out of paper" {
		t.Fatal(err)
	}
	if len(trap.Frames) != 2 || trap.Frames[0].FuncName != "inner" || trap.Frames[0].FuncIndex != 1 || trap.Frames[1].FuncIndex != 2 {
		t.Error(trap.Frames)
	}
}

func TestPanicsOfHostFunctions(t *testing.T) {
	type value struct{ n int }
	thrown := &value{5}
	var again func(int32) (int32, error)
	_, i := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) {
			if n == 0 {
				panic(thrown)
			}
			return again(n - 1)
		}))}
	})
	outer := must(tenon.Bind1[int32, int32](must(i.Func("outer"))))
	again = outer
	for range 1000 {
		func() {
			defer func() {
				if got := recover(); got != thrown {
					t.Fatal(got)
				}
			}()
			outer(3)
			t.Fatal("returned")
		}()
	}
	// A nil dereference in a callback is a panic of Go's, and arrives as one.
	defer func() {
		if err, ok := recover().(runtime.Error); !ok || !strings.Contains(err.Error(), "nil pointer") {
			t.Error(err)
		}
	}()
	again = func(int32) (int32, error) { var p *value; return int32(p.n), nil }
	outer(1)
	t.Error("returned")
}

func TestGoexitInHostFunction(t *testing.T) {
	s, i := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) { runtime.Goexit(); return 0, nil }))}
	})
	var wait sync.WaitGroup
	wait.Add(1)
	go func() {
		defer wait.Done()
		must(i.Func("outer")).Call(int32(0))
	}()
	wait.Wait()
	if _, err := must(i.Func("outer")).Call(int32(0)); !errors.Is(err, tenon.ErrAbandoned) {
		t.Error(err)
	}
	if err := s.Close(); !errors.Is(err, tenon.ErrAbandoned) {
		t.Error(err)
	}
}

func TestTrapsAndSignals(t *testing.T) {
	_, i := world(t, `(module (memory 1)
	  (func $load (export "load") (param i32) (result i32) (i32.load (local.get 0)))
	  (func (export "div") (param i32) (result i32) (i32.div_s (i32.const 1) (local.get 0)))
	  (func $down (export "down") (call $down)))`, nil)
	for range 100 {
		_, err := must(i.Func("load")).Call(int32(-8))
		var trap *tenon.Trap
		if !errors.As(err, &trap) || trap.Code != tenon.TrapOutOfBoundsMemoryAccess || trap.Frames[0].FuncName != "load" || trap.Frames[0].ModuleOffset == 0 {
			t.Fatal(err)
		}
		if _, err = must(i.Func("div")).Call(int32(0)); !errors.As(err, &trap) || trap.Code != tenon.TrapIntegerDivideByZero {
			t.Fatal(err)
		}
		if _, err = must(i.Func("down")).Call(); !errors.As(err, &trap) || trap.Code != tenon.TrapCallStackExhausted {
			t.Fatal(err)
		}
		func() {
			defer func() {
				if err, ok := recover().(runtime.Error); !ok || !strings.Contains(err.Error(), "nil pointer") {
					t.Fatal(err)
				}
			}()
			var p *tenon.Frame
			_ = p.FuncIndex
			t.Fatal("no panic")
		}()
	}
}

func TestStartTrap(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	m := must(tenon.NewModule(engine, []byte(`(module (func $go unreachable) (start $go))`)))
	var trap *tenon.Trap
	if _, err := tenon.NewInstance(s, m); !errors.As(err, &trap) || trap.Code != tenon.TrapUnreachable {
		t.Error(err)
	}
}

func TestModulesAndImports(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s, other := must(tenon.NewStore(engine)), must(tenon.NewStore(engine))
	defer s.Close()
	defer other.Close()
	_, err := tenon.NewModule(engine, []byte("(module (func (result i32)))x"))
	refused(t, err, tenon.KindText, "")
	_, err = tenon.NewModule(engine, []byte("(module (func (result i32)))"))
	refused(t, err, tenon.KindInvalid, "")
	_, err = tenon.NewModule(engine, []byte("\x00asm\x01"))
	refused(t, err, tenon.KindMalformed, "")
	m := must(tenon.NewModule(engine, []byte(calling)))
	_, err = tenon.NewInstance(s, m)
	refused(t, err, tenon.KindLink, `import "host" "f" (func) is missing`)
	_, err = tenon.NewLinker(s).Instantiate(m)
	refused(t, err, tenon.KindLink, `import "host" "f" (func) is not defined`)
	f := must(tenon.Host1(other, func(n int32) (int32, error) { return n, nil }))
	_, err = tenon.NewInstance(s, m, f)
	refused(t, err, tenon.KindStore, `"host" "f" is of another store`)
	refused(t, tenon.NewLinker(s).Define("host", "f", f), tenon.KindStore, "another store")
	_, err = tenon.NewInstance(s, m, must(tenon.Host0(s, func() (tenon.None, error) { return tenon.None{}, nil })))
	refused(t, err, tenon.KindLink, "host")
	_, err = tenon.NewInstance(s, m, must(tenon.NewMemory(s, tenon.Limits{Min: 1})))
	refused(t, err, tenon.KindLink, "host")
	_, err = tenon.NewInstance(newStore(t, nil), m)
	refused(t, err, tenon.KindStore, "another engine")
}

func TestMemory(t *testing.T) {
	s := newStore(t, nil)
	m := must(tenon.NewMemory(s, tenon.Limits{Min: 1, Max: 3, HasMax: true}))
	refused(t, m.Write(65530, []byte("1234567")), tenon.KindArgument, "7 bytes at address 65530")
	refused(t, m.Read(math.MaxUint64, make([]byte, 2)), tenon.KindArgument, "outside")
	if b := make([]byte, 6); m.Read(65530, b) != nil || string(b) != "\x00\x00\x00\x00\x00\x00" {
		t.Error("a write that was refused wrote something")
	}
	if err := m.WriteString(10, "xịn"); err != nil || must(m.ReadString(10, 5)) != "xịn" {
		t.Error(err)
	}
	_, err := m.ReadString(10, 2)
	refused(t, err, tenon.KindArgument, "not UTF-8")
	_, err = m.ReadString(0, 1<<40)
	refused(t, err, tenon.KindArgument, "outside")
	if err := tenon.StoreAt(m, 65533, uint32(1)); err == nil {
		t.Error("stored beyond the end")
	}
	if err := tenon.StoreAt(m, 3, 0.1); err != nil || must(tenon.Load[float64](m, 3)) != 0.1 {
		t.Error(err)
	}
	v := must(m.View())
	before := must(v.Bytes())
	if must(m.Grow(2)) != 1 || len(must(v.Bytes())) != 3*tenon.PageSize || len(before) != tenon.PageSize {
		t.Error("the view is not renewed")
	}
	before[0] = 77
	if must(tenon.Load[uint32](m, 0))&0xff != 77 {
		t.Error("the old slice is stale")
	}
	_, err = m.Grow(1)
	refused(t, err, tenon.KindLimit, "")
	s.Close()
	// The view has kept the memory.
	if before[0] != 77 {
		t.Error("the memory went away below the view")
	}
	if _, err := v.Bytes(); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
	v.Close()
}

func TestMovingMemory(t *testing.T) {
	s := newStore(t, &tenon.Config{MemoryReservation: 1 << 20})
	m := must(tenon.NewMemory(s, tenon.Limits{Min: 1}))
	_, err := m.View()
	refused(t, err, tenon.KindUnsupported, "may move")
	m.WriteString(0, "here")
	must(m.Grow(100))
	if must(m.ReadString(0, 4)) != "here" {
		t.Error("lost while moving")
	}
	if _, err := must(tenon.NewMemory(s, tenon.Limits{Min: 1, Max: 16, HasMax: true})).View(); err != nil {
		t.Error(err)
	}
}

func TestGlobalsAndTables(t *testing.T) {
	s, i := world(t, `(module (global (export "g") (mut i64) (i64.const 5)) (table (export "t") 2 funcref)
	  (table (export "e") 1 externref)
	  (type $f (func (result i32)))
	  (func (export "call") (param i32) (result i32) (call_indirect (type $f) (local.get 0))))`, nil)
	g := must(i.Global("g"))
	if must(g.Get()) != int64(5) || g.Set(int64(6)) != nil || must(g.Get()) != int64(6) {
		t.Error("global")
	}
	refused(t, g.Set(int32(6)), tenon.KindArgument, "the value is of Go's type int32, where i64 is expected")
	c := must(tenon.NewGlobal(s, float32(0.5), false))
	if must(c.Get()) != float32(0.5) || c.Set(float32(1)) == nil {
		t.Error("constant")
	}
	table := must(i.Table("t"))
	f := must(tenon.Host0(s, func() (int32, error) { return 42, nil }))
	if must(table.Get(0)) != nil || table.Set(1, f) != nil || must(table.Grow(2, f)) != 2 || must(table.Size()) != 4 {
		t.Error("table")
	}
	if must(must(i.Func("call")).Call(int32(3)))[0] != int32(42) || must(must(table.Get(1)).Call())[0] != int32(42) {
		t.Error("call through the table")
	}
	if table.Set(4, f) == nil {
		t.Error("set outside of the table")
	}
	_, err := must(i.Table("e")).Get(0)
	refused(t, err, tenon.KindArgument, "a table of type externref has no functions")
	refused(t, table.Set(0, must(tenon.Host0(newStore(t, nil), func() (int32, error) { return 0, nil }))), tenon.KindStore, "another store")
}

func TestClosed(t *testing.T) {
	s, i := world(t, numbers, nil)
	add := must(i.Func("add"))
	call := must(tenon.Bind2[int32, int32, int32](add))
	add.Close()
	add.Close()
	if _, err := call(1, 2); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
	nothing := must(i.Func("nothing"))
	memory := must(tenon.NewMemory(s, tenon.Limits{Min: 1}))
	if s.Close() != nil || s.Close() != nil {
		t.Error("closing")
	}
	if _, err := nothing.Call(); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
	if _, err := memory.Size(); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
	if _, err := tenon.NewMemory(s, tenon.Limits{}); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
	nothing.Close()
	i.Close()
}

// A second goroutine is refused while WebAssembly runs, or a host function; afterwards it may use the store.
func TestGoroutines(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	s, i := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) { entered <- true; <-leave; return n, nil }))}
	})
	outer := must(i.Func("outer"))
	done := make(chan error)
	go func() { _, err := outer.Call(int32(1)); done <- err }()
	<-entered
	if err := s.Close(); !errors.Is(err, tenon.ErrInUse) {
		t.Error(err)
	}
	if _, err := outer.Call(int32(1)); err == nil {
		t.Error("two goroutines at once")
	}
	leave <- true
	if err := <-done; err != nil {
		t.Error(err)
	}
	for range 20 {
		go func() { runtime.LockOSThread(); _, err := outer.Call(int32(1)); done <- err }()
		<-entered
		leave <- true
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
}

// Stores, closures that refer to their own store, and everything else go by themselves, while other goroutines are busy.
func TestCollection(t *testing.T) {
	engine := must(tenon.NewEngine(&tenon.Config{CollectAlways: true}))
	module := must(tenon.NewModule(engine, []byte(calling)))
	var wait sync.WaitGroup
	var gone, made int64
	var mu sync.Mutex
	for range 4 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for range 50 {
				s := must(tenon.NewStore(engine))
				memory := must(tenon.NewMemory(s, tenon.Limits{Min: 1}))
				f := must(tenon.Host1(s, func(n int32) (int32, error) { return n + 1, tenon.StoreAt(memory, 0, n) }))
				i := must(tenon.NewInstance(s, module, f))
				for n := range 20 {
					if got := must(must(i.Func("outer")).Call(int32(n))); got[0] != int32(n+2) {
						t.Error(got)
					}
					must(tenon.NewMemory(s, tenon.Limits{}))
				}
				runtime.AddCleanup(s, func(int) { mu.Lock(); gone++; mu.Unlock() }, 0)
				mu.Lock()
				made++
				mu.Unlock()
				runtime.GC()
			}
		}()
	}
	wait.Wait()
	for range 100 {
		runtime.GC()
		time.Sleep(time.Millisecond)
		mu.Lock()
		done := gone == made
		mu.Unlock()
		if done {
			return
		}
	}
	t.Errorf("%d of %d stores went away", gone, made)
}

// Calls and callbacks of numbers allocate nothing.
func TestAllocations(t *testing.T) {
	_, i := world(t, numbers, nil)
	add := must(tenon.Bind2[int32, int32, int32](must(i.Func("add"))))
	pair := must(tenon.Bind0[tenon.Pair[int32, uint32]](must(i.Func("pair"))))
	_, back := world(t, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) { return n, nil }))}
	})
	outer := must(tenon.Bind1[int32, int32](must(back.Func("outer"))))
	for name, call := range map[string]func(){"call": func() { add(1, 2) }, "pair": func() { pair() }, "callback": func() { outer(1) }} {
		if n := testing.AllocsPerRun(1000, call); n != 0 {
			t.Errorf("%v allocations in a %s", n, name)
		}
	}
}
