// Exceptions across the boundary, in both directions. A host function throws an exception by returning it as its error; what no guest
// catches is found by errors.As in the error of the call.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"

	"tenon.dev/go/tenon"
)

const balance, tooMuch int32 = 100, 7

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(path string) error {
	engine, err := tenon.NewEngine(nil)
	if err != nil {
		return err
	}
	store, err := tenon.NewStore(engine)
	if err != nil {
		return err
	}
	defer store.Close()
	code, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	module, err := tenon.NewModule(engine, code)
	if err != nil {
		return err
	}

	// A tag of the host: exceptions of it carry an i32.
	refused, err := tenon.NewTag(store, tenon.I32)
	if err != nil {
		return err
	}
	withdraw, err := tenon.Host1(store, func(amount int32) (int32, error) {
		if amount <= balance {
			return balance - amount, nil
		}
		fmt.Println("  the host throws")
		exception, err := tenon.NewException(refused, tooMuch)
		if err != nil {
			return 0, err
		}
		return 0, exception
	})
	if err != nil {
		return err
	}
	instance, err := tenon.NewInstance(store, module, refused, withdraw)
	if err != nil {
		return err
	}
	call := func(name string, amount int32) ([]any, error) {
		function, err := instance.Func(name)
		if err != nil {
			return nil, err
		}
		return function.Call(amount)
	}

	results, err := call("try_to_withdraw", 30)
	if err != nil {
		return err
	}
	fmt.Printf("nothing is thrown: %d\n", results[0])
	if results, err = call("try_to_withdraw", 300); err != nil {
		return err
	}
	fmt.Printf("the guest caught it: %d\n", results[0])

	var exception *tenon.Exception
	if _, err = call("withdraw", 300); !errors.As(err, &exception) || !exception.Tag().Same(refused) {
		return fmt.Errorf("not the host's exception: %w", err)
	}
	fmt.Printf("it came through the guest: %d\n", exception.Args()[0])

	negative, err := instance.Tag("negative")
	if err != nil {
		return err
	}
	if _, err = call("deposit", -5); !errors.As(err, &exception) || !exception.Tag().Same(negative) {
		return fmt.Errorf("not the guest's exception: %w", err)
	}
	fmt.Printf("the host caught the guest's: %d, %g\n", exception.Args()...)
	return nil
}
