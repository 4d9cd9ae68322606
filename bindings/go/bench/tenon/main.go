// Command tenon is our side of the benchmark.
package main

import (
	"tenon.dev/go/bench/round"
	"tenon.dev/go/tenon"
)

func main() {
	engine := round.Must(tenon.NewEngine(nil))
	module := round.Must(tenon.NewModule(engine, []byte(round.Text)))
	world := func() (*tenon.Store, *tenon.Instance) {
		store := round.Must(tenon.NewStore(engine))
		host := round.Must(tenon.Host1(store, func(n int32) (int32, error) { return n, nil }))
		return store, round.Must(tenon.NewInstance(store, module, host))
	}
	adder := func(instance *tenon.Instance) func(a, b int32) (int32, error) {
		return round.Must(tenon.Bind2[int32, int32, int32](round.Must(instance.Func("add"))))
	}
	_, instance := world()
	add, memory := adder(instance), round.Must(instance.Memory("memory"))
	loop := round.Must(tenon.Bind1[int32, int32](round.Must(instance.Func("loop"))))
	(&round.World{
		Add:  func(a, b int32) int32 { return round.Must(add(a, b)) },
		Loop: func(n int32) { round.Must(loop(n)) },
		Read: func(address, size int) string { return round.Must(memory.ReadString(uint64(address), uint64(size))) },
		New: func(a, b int32) int32 {
			store, instance := world()
			defer store.Close()
			return round.Must(adder(instance)(a, b))
		},
	}).Serve()
}
