package tenon_test

import (
	"testing"

	"tenon.dev/go/tenon"
)

func BenchmarkBareCgoCall(b *testing.B) {
	for b.Loop() {
		tenon.BareCall()
	}
}

func BenchmarkCall(b *testing.B) {
	_, i := world(b, numbers, nil)
	add := must(tenon.Bind2[int32, int32, int32](must(i.Func("add"))))
	for b.Loop() {
		add(1, 2)
	}
}

func BenchmarkCallback(b *testing.B) {
	_, i := world(b, calling, func(s *tenon.Store) []tenon.Extern {
		return []tenon.Extern{must(tenon.Host1(s, func(n int32) (int32, error) { return n, nil }))}
	})
	outer := must(tenon.Bind1[int32, int32](must(i.Func("outer"))))
	for b.Loop() {
		outer(1)
	}
}

func BenchmarkLoad(b *testing.B) {
	m := must(tenon.NewMemory(newStore(b, nil), tenon.Limits{Min: 1}))
	for b.Loop() {
		tenon.Load[uint32](m, 8)
	}
}

// A store, a host function and an instance for each turn.
func BenchmarkFreshInstance(b *testing.B) {
	engine := must(tenon.NewEngine(nil))
	module := must(tenon.NewModule(engine, []byte(`(module (import "h" "now" (func $now (result i64)))
	  (memory (export "memory") 1) (data (i32.const 8) "text")
	  (func (export "handle") (param i32) (result i32) (drop (call $now)) (local.get 0)))`)))
	b.ReportAllocs()
	for b.Loop() {
		s := must(tenon.NewStore(engine))
		now := must(tenon.Host0(s, func() (int64, error) { return 1, nil }))
		handle := must(tenon.Bind1[int32, int32](must(must(tenon.NewInstance(s, module, now)).Func("handle"))))
		must(handle(1))
		s.Close()
	}
}

func BenchmarkReadString(b *testing.B) {
	s := newStore(b, nil)
	m := must(tenon.NewMemory(s, tenon.Limits{Min: 1}))
	if err := m.WriteString(8, "a text of some bytes"); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		must(m.ReadString(8, 20))
	}
}
