package tenon_test

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"tenon.dev/go/tenon"
)

const exporting = `(module (memory (export "m") 1) (table (export "t") 1 funcref) (global (export "g") i64 (i64.const 7)) (tag (export "e"))
  (func (export "f") (result i32) (i32.const 42)) (func (export "r") (param externref) (result externref) (local.get 0)))`

// Exports are made when they are asked for, and are the same whenever that is.
func TestExports(t *testing.T) {
	_, i := world(t, exporting, nil)
	f := must(i.Func("f"))
	if f != must(i.Func("f")) || i.Exports()["f"] != tenon.Extern(f) || len(i.Exports()) != 6 {
		t.Error("an export is not itself")
	}
	if got := must(must(i.Func("r")).Call("text"))[0]; got != "text" {
		t.Errorf("got %v", got)
	}
	if _, ok := i.Exports()["e"].(*tenon.Tag); !ok || must(must(i.Global("g")).Get()) != int64(7) || must(must(i.Table("t")).Size()) != 1 {
		t.Error("exports of other kinds")
	}
	_, err := i.Memory("f")
	refused(t, err, tenon.KindArgument, `the export "f" is no memory`)
	_, err = i.Memory("x")
	refused(t, err, tenon.KindArgument, `no export "x"`)
}

func TestExportsOfWhatIsClosed(t *testing.T) {
	s, i := world(t, exporting, nil)
	f := must(i.Func("f"))
	i.Close()
	if got := must(f.Call())[0]; got != int32(42) {
		t.Errorf("got %v", got)
	}
	if f != must(i.Func("f")) {
		t.Error("what was taken out has gone")
	}
	if _, err := i.Memory("m"); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if i.Exports() != nil {
		t.Error("a closed instance has exports")
	}
	if err := tenon.NewLinker(s).DefineInstance("i", i); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
	s, i = world(t, exporting, nil)
	s.Close()
	if _, err := i.Func("f"); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// A function out of an instance that nobody has any more works, and the rest goes.
func TestExportsOfWhatIsForgotten(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	module := must(tenon.NewModule(engine, []byte(exporting)))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	var functions []*tenon.Func
	for n := range 200 {
		i := must(tenon.NewInstance(s, module))
		if n%50 == 0 {
			functions = append(functions, must(i.Func("f")))
		}
	}
	for range 20 {
		runtime.GC()
		if err := s.GC(); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range functions {
		if got := must(f.Call())[0]; got != int32(42) {
			t.Errorf("got %v", got)
		}
	}
	if left := must(s.Usage(tenon.LimitInstances)); left > 100 {
		t.Errorf("%d instances are left", left)
	}
	runtime.KeepAlive(functions)
}

func TestExportsOnGoroutines(t *testing.T) {
	var text strings.Builder
	text.WriteString("(module")
	for n := range 100 {
		fmt.Fprintf(&text, `(func (export "f%d") (result i32) (i32.const %d))`, n, n)
	}
	_, i := world(t, text.String()+")", nil)
	var all sync.WaitGroup
	for range 4 {
		start(&all, func() {
			for n := range 100 {
				f, err := i.Func(fmt.Sprint("f", n))
				for errors.Is(err, tenon.ErrInUse) {
					f, err = i.Func(fmt.Sprint("f", n))
				}
				if err != nil || len(f.Type().Results) != 1 {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	for n := range 100 {
		if got := must(must(i.Func(fmt.Sprint("f", n))).Call())[0]; got != int32(n) {
			t.Errorf("f%d: %v", n, got)
		}
	}
}
