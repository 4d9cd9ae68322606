// A text goes into a buffer of the guest, is lengthened there, and comes out again.
package main

import (
	"fmt"
	"log"
	"os"

	"tenon.dev/go/tenon"
)

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
	instance, err := tenon.NewInstance(store, module)
	if err != nil {
		return err
	}
	memory, err := instance.Memory("memory")
	if err != nil {
		return err
	}
	export, err := instance.Func("get_wasm_memory_buffer_pointer")
	if err != nil {
		return err
	}
	pointer, err := tenon.Bind0[uint32](export)
	if err != nil {
		return err
	}
	if export, err = instance.Func("add_wasm_is_cool"); err != nil {
		return err
	}
	addWasmIsCool, err := tenon.Bind1[uint32, uint32](export)
	if err != nil {
		return err
	}

	// The text goes in...
	const text = "Did you know"
	offset, err := pointer()
	if err != nil {
		return err
	}
	if err := memory.WriteString(uint64(offset), text); err != nil {
		return err
	}
	// ...is changed by the guest...
	length, err := addWasmIsCool(uint32(len(text)))
	if err != nil {
		return err
	}
	// ...and comes out, through a pointer that is fetched again: a call may have moved the buffer.
	if offset, err = pointer(); err != nil {
		return err
	}
	result, err := memory.ReadString(uint64(offset), uint64(length))
	if err != nil {
		return err
	}
	fmt.Println(result)
	return nil
}
