// Command wasmtime is the other side of the benchmark.
package main

import (
	"github.com/bytecodealliance/wasmtime-go/v39"
	"tenon.dev/go/bench/round"
)

func main() {
	engine := wasmtime.NewEngine()
	store := wasmtime.NewStore(engine)
	module := round.Must(wasmtime.NewModule(engine, round.Must(wasmtime.Wat2Wasm(round.Text))))
	host := wasmtime.WrapFunc(store, func(n int32) int32 { return n })
	instance := round.Must(wasmtime.NewInstance(store, module, []wasmtime.AsExtern{host}))
	add, loop := instance.GetFunc(store, "add"), instance.GetFunc(store, "loop")
	round.Serve(func(a, b int32) int32 { return round.Must(add.Call(store, a, b)).(int32) },
		func(n int32) { round.Must(loop.Call(store, n)) })
}
