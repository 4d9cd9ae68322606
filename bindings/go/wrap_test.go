package tenon_test

import (
	"errors"
	"strings"
	"testing"

	"tenon.dev/go/tenon"
)

const wrapping = `(module
  (import "h" "six" (func $six (param i32 i64 f32 f64 i32 i64) (result f64)))
  (import "h" "pass" (func $pass (param externref funcref v128) (result v128 funcref externref)))
  (import "h" "fail" (func $fail (param i32)))
  (func (export "six") (param i32 i64 f32 f64 i32 i64) (result f64)
    (call $six (local.get 0) (local.get 1) (local.get 2) (local.get 3) (local.get 4) (local.get 5)))
  (func (export "pass") (param externref funcref v128) (result v128 funcref externref)
    (call $pass (local.get 0) (local.get 1) (local.get 2)))
  (func (export "fail") (param i32) (call $fail (local.get 0)))
  (func (export "uncalled") (param i32)))`

func TestWrapAndBind(t *testing.T) {
	wrong := errors.New("wrong")
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	linker := tenon.NewLinker(s)
	define := func(name string, fn any) {
		if err := linker.DefineFunc("h", name, fn); err != nil {
			t.Fatal(err)
		}
	}
	define("six", func(a uint32, b uint64, c float32, d float64, e int32, f int64) (float64, error) {
		return float64(a) + float64(b) + float64(c) + d + float64(e) + float64(f), nil
	})
	define("pass", func(a any, f *tenon.Func, v tenon.Vector) (tenon.Vector, *tenon.Func, any) { return v, f, a })
	define("fail", func(n int32) error {
		if n == 1 {
			return wrong
		}
		if n == 2 {
			panic("two")
		}
		return nil
	})
	i := must(linker.Instantiate(must(tenon.NewModule(engine, []byte(wrapping)))))
	var six func(uint32, uint64, float32, float64, int32, int64) (float64, error)
	if err := must(i.Func("six")).Bind(&six); err != nil {
		t.Fatal(err)
	}
	if got := must(six(1<<31, 1<<40, 0.5, 0.25, -1, -2)); got != 1<<31+1<<40+0.75-3 {
		t.Errorf("got %v", got)
	}
	var pass func(any, *tenon.Func, tenon.Vector) (tenon.Vector, *tenon.Func, any, error)
	if err := must(i.Func("pass")).Bind(&pass); err != nil {
		t.Fatal(err)
	}
	f := must(i.Func("uncalled"))
	v, again, text, err := pass("text", f, tenon.Vector{7})
	if v != (tenon.Vector{7}) || !again.Same(f) || text != "text" || err != nil {
		t.Errorf("got %v, %v, %v, %v", v, again, text, err)
	}
	if _, none, nothing, err := pass(nil, nil, tenon.Vector{}); none != nil || nothing != nil || err != nil {
		t.Errorf("got %v, %v, %v", none, nothing, err)
	}
	var fail func(int32) error
	if err := must(i.Func("fail")).Bind(&fail); err != nil {
		t.Fatal(err)
	}
	if err := fail(1); !errors.Is(err, wrong) {
		t.Errorf("got %v", err)
	}
	func() {
		defer func() {
			if recover() != "two" {
				t.Error("no panic")
			}
		}()
		fail(2)
	}()
	if err := fail(0); err != nil {
		t.Error(err)
	}
	f.Close()
	if _, _, _, err := pass(nil, f, tenon.Vector{}); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestWrongWraps(t *testing.T) {
	s, i := world(t, `(module (func (export "f") (param i32) (result i32) (local.get 0)))`, nil)
	var nothing func()
	for name, fn := range map[string]any{"nil": nil, "no function": 5, "a nil function": nothing, "int": func(int) {}, "string": func() string { return "" },
		"variadic": func(...int32) {}, "errors": func() (error, error) { return nil, nil }, "error first": func() (error, int32) { return nil, 1 }} {
		if _, err := tenon.Wrap(s, fn); !errorOfKind(err, tenon.KindArgument) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f := must(i.Func("f"))
	var (
		noError func(int32) int32
		other   func(int64) (int32, error)
		more    func(int32, int32) (int32, error)
		unknown func(string) (int32, error)
		spread  func(...int32) (int32, error)
		null    *func(int32) (int32, error)
	)
	for _, to := range []any{nil, 5, other, &noError, &other, &more, &unknown, &spread, null, new(int)} {
		if err := f.Bind(to); !errorOfKind(err, tenon.KindArgument) {
			t.Errorf("%T: %v", to, err)
		}
	}
}

func TestMissingDefinitions(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	linker := tenon.NewLinker(s)
	if err := linker.DefineFunc("h", "fail", func(int32) {}); err != nil {
		t.Fatal(err)
	}
	module := must(tenon.NewModule(engine, []byte(wrapping)))
	if err := linker.DefineMissing(module); err != nil {
		t.Fatal(err)
	}
	i := must(linker.Instantiate(module))
	must(must(i.Func("fail")).Call(int32(1)))
	_, err := must(i.Func("six")).Call(int32(1), int64(1), float32(1), float64(1), int32(1), int64(1))
	if err == nil || !strings.Contains(err.Error(), `the import "h" "six" was called, which is not defined`) || !errorOfKind(err, tenon.KindLink) {
		t.Errorf("got %v", err)
	}
	if linker.Get("h", "six") == nil || linker.Get("h", "none") != nil {
		t.Error("what is defined")
	}
	memory := must(tenon.NewModule(engine, []byte(`(module (import "h" "m" (memory 1)))`)))
	if err := linker.DefineMissing(memory); err != nil {
		t.Fatal(err)
	}
	_, err = linker.Instantiate(memory)
	refused(t, err, tenon.KindLink, `import "h" "m" (memory) is not defined`)
}

// References to the same thing are told from others, however they came.
func TestSame(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	module := must(tenon.NewModule(engine, []byte(exporting)))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	a, b := must(tenon.NewInstance(s, module)), must(tenon.NewInstance(s, module))
	table := must(a.Table("t"))
	f := must(a.Func("f"))
	if err := table.Set(0, f); err != nil {
		t.Fatal(err)
	}
	if got := must(table.Get(0)); got == f || !got.Same(f) || got.Same(must(b.Func("f"))) {
		t.Error("functions")
	}
	if m := must(a.Memory("m")); !m.Same(must(a.MemoryAt(0))) || m.Same(must(b.Memory("m"))) {
		t.Error("memories")
	}
	if !table.Same(table) || table.Same(must(b.Table("t"))) || must(a.Global("g")).Same(must(b.Global("g"))) {
		t.Error("tables and globals")
	}
}
