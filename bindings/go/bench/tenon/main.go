// Command tenon is our side of the benchmark.
package main

import (
	"tenon.dev/go/bench/round"
	"tenon.dev/go/tenon"
)

func main() {
	engine := round.Must(tenon.NewEngine(nil))
	store := round.Must(tenon.NewStore(engine))
	host := round.Must(tenon.Host1(store, func(n int32) (int32, error) { return n, nil }))
	instance := round.Must(tenon.NewInstance(store, round.Must(tenon.NewModule(engine, []byte(round.Text))), host))
	add := round.Must(tenon.Bind2[int32, int32, int32](round.Must(instance.Func("add"))))
	loop := round.Must(tenon.Bind1[int32, int32](round.Must(instance.Func("loop"))))
	round.Serve(func(a, b int32) int32 { return round.Must(add(a, b)) }, func(n int32) { round.Must(loop(n)) })
}
