// Strings between guest and host: a pointer of the guest is an offset into its memory, and a string is an offset and a length.
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
	memory, err := instance.Memory("mem")
	if err != nil {
		return err
	}
	export, err := instance.Func("load")
	if err != nil {
		return err
	}
	// Two results are a pair.
	load, err := tenon.Bind0[tenon.Pair[uint32, uint32]](export)
	if err != nil {
		return err
	}

	pages, err := memory.Pages()
	if err != nil {
		return err
	}
	size, err := memory.Size()
	if err != nil {
		return err
	}
	fmt.Printf("Memory size: %d pages, %d bytes\n", pages, size)
	text, err := load()
	if err != nil {
		return err
	}
	offset, length := uint64(text.First), uint64(text.Second)
	fmt.Println("String offset:", offset)
	fmt.Println("String length:", length)

	// The numbers come from the guest: reading checks them, and that the bytes are UTF-8.
	contents, err := memory.ReadString(offset, length)
	if err != nil {
		return err
	}
	fmt.Printf("Memory contents: %q\n", contents)

	// The memory is the host's to write as well.
	const replacement = "Hello, Wasmer!"
	if err := memory.WriteString(offset, replacement); err != nil {
		return err
	}
	fmt.Println("New string length:", len(replacement))
	if contents, err = memory.ReadString(offset, uint64(len(replacement))); err != nil {
		return err
	}
	fmt.Printf("New memory contents: %q\n", contents)
	return nil
}
