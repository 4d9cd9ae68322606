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
