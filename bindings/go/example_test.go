package tenon_test

import (
	"errors"
	"fmt"
	"log"

	"tenon.dev/go/tenon"
)

// A module calls a Go closure, and Go calls the module.
func Example() {
	engine, err := tenon.NewEngine(nil)
	if err != nil {
		log.Fatal(err)
	}
	store, err := tenon.NewStore(engine)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	module, err := tenon.NewModule(engine, []byte(`(module
	  (import "host" "double" (func $double (param i32) (result i32)))
	  (func (export "quadruple") (param i32) (result i32) (call $double (call $double (local.get 0)))))`))
	if err != nil {
		log.Fatal(err)
	}
	double, err := tenon.Host1(store, func(n int32) (int32, error) { return 2 * n, nil })
	if err != nil {
		log.Fatal(err)
	}
	instance, err := tenon.NewInstance(store, module, double)
	if err != nil {
		log.Fatal(err)
	}
	export, err := instance.Func("quadruple")
	if err != nil {
		log.Fatal(err)
	}
	quadruple, err := tenon.Bind1[int32, int32](export)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quadruple(10))
	// Output: 40 <nil>
}

// A trap is an error that knows where it happened.
func ExampleTrap() {
	engine, _ := tenon.NewEngine(nil)
	store, _ := tenon.NewStore(engine)
	defer store.Close()
	module, _ := tenon.NewModule(engine, []byte(`(module (func $fail (export "fail") unreachable))`))
	instance, _ := tenon.NewInstance(store, module)
	fail, _ := instance.Func("fail")
	_, err := fail.Call()
	var trap *tenon.Trap
	if errors.As(err, &trap) {
		fmt.Println(trap.Code == tenon.TrapUnreachable, trap.Frames[0].FuncName)
	}
	// Output: true fail
}
