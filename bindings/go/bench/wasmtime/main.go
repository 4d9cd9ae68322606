// Command wasmtime is the other side of the benchmark.
package main

import (
	"github.com/bytecodealliance/wasmtime-go/v39"
	"tenon.dev/go/bench/round"
)

func main() {
	engine := wasmtime.NewEngine()
	module := round.Must(wasmtime.NewModule(engine, round.Must(wasmtime.Wat2Wasm(round.Text))))
	world := func() (*wasmtime.Store, *wasmtime.Instance) {
		store := wasmtime.NewStore(engine)
		host := wasmtime.WrapFunc(store, func(n int32) int32 { return n })
		return store, round.Must(wasmtime.NewInstance(store, module, []wasmtime.AsExtern{host}))
	}
	store, instance := world()
	add, loop := instance.GetFunc(store, "add"), instance.GetFunc(store, "loop")
	memory := instance.GetExport(store, "memory").Memory()
	(&round.World{
		Add:  func(a, b int32) int32 { return round.Must(add.Call(store, a, b)).(int32) },
		Loop: func(n int32) { round.Must(loop.Call(store, n)) },
		Read: func(address, size int) string { return string(memory.UnsafeData(store)[address:][:size]) },
		New: func(a, b int32) int32 {
			store, instance := world()
			defer store.Close()
			return round.Must(instance.GetFunc(store, "add").Call(store, a, b)).(int32)
		},
	}).Serve()
}
