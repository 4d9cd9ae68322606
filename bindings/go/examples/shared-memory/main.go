// Two goroutines, each with a store and an instance of its own, and one shared memory between them. The guests pass messages through it
// with atomic instructions, and wait for each other without burning time.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"

	"tenon.dev/go/tenon"
)

const messages int32 = 1000

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
	code, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	module, err := tenon.NewModule(engine, code)
	if err != nil {
		return err
	}
	// One page, and never more. It belongs to no store.
	memory, err := tenon.NewSharedMemory(engine, tenon.MemoryType{Limits: tenon.Limits{Min: 1, Max: 1, HasMax: true}, Shared: true})
	if err != nil {
		return err
	}

	var sum int32
	ended := make(chan error)
	go func() { _, err := side(engine, module, memory, "send"); ended <- err }()
	go func() {
		results, err := side(engine, module, memory, "receive")
		if err == nil {
			sum = results[0].(int32)
		}
		ended <- err
	}()
	if err := errors.Join(<-ended, <-ended); err != nil {
		return err
	}
	sent, err := memory.Uint32(0)
	if err != nil {
		return err
	}
	received, err := memory.Uint32(4)
	if err != nil {
		return err
	}
	fmt.Printf("%d sent, %d received, their sum is %d\n", sent.Load(), received.Load(), sum)
	return nil
}

// side is one side of the conversation.
func side(engine *tenon.Engine, module *tenon.Module, shared *tenon.SharedMemory, name string) ([]any, error) {
	store, err := tenon.NewStore(engine)
	if err != nil {
		return nil, err
	}
	defer store.Close()
	memory, err := shared.Obtain(store)
	if err != nil {
		return nil, err
	}
	instance, err := tenon.NewInstance(store, module, memory)
	if err != nil {
		return nil, err
	}
	function, err := instance.Func(name)
	if err != nil {
		return nil, err
	}
	return function.Call(messages)
}
