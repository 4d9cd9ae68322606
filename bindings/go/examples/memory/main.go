// A linear memory, seen from the host and from the guest: the size of the memory in every way that there is, growth, and values
// that the guest stores and reads back.
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
	// An engine holds what is shared by everything. A store holds the objects of one guest program.
	engine, err := tenon.NewEngine(nil)
	if err != nil {
		return err
	}
	store, err := tenon.NewStore(engine)
	if err != nil {
		return err
	}
	defer store.Close()

	fmt.Println("Compiling module...")
	code, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	module, err := tenon.NewModule(engine, code)
	if err != nil {
		return err
	}
	fmt.Println("Instantiating module...")
	instance, err := tenon.NewInstance(store, module)
	if err != nil {
		return err
	}

	// Exports are looked up once, and functions bound to Go's types.
	e := exports{instance: instance}
	memSize := bind(&e, "mem_size", tenon.Bind0[int32])
	getAt := bind(&e, "get_at", tenon.Bind1[int32, int32])
	setAt := bind(&e, "set_at", tenon.Bind2[int32, int32, tenon.None])
	if e.err != nil {
		return e.err
	}
	memory, err := instance.Memory("memory")
	if err != nil {
		return err
	}

	fmt.Println("Querying memory size...")
	pages, err := memory.Pages()
	if err != nil {
		return err
	}
	size, err := memory.Size()
	if err != nil {
		return err
	}
	fmt.Println("Memory size (pages):", pages)
	fmt.Println("Memory size (pages as bytes):", pages*tenon.PageSize)
	fmt.Println("Memory size (bytes):", size)
	guest, err := memSize()
	if err != nil {
		return err
	}
	fmt.Println("Memory size (pages):", guest)

	fmt.Println("Growing memory...")
	if _, err := memory.Grow(2); err != nil {
		return err
	}
	if pages, err = memory.Pages(); err != nil {
		return err
	}
	fmt.Println("New memory size (pages):", pages)

	// Two addresses: one in the first page, one eight bytes before the end of the second.
	for _, cell := range [][2]int32{{0x2220, 0xFEFEFFE}, {0x20000 - 8, 0xFEA09}} {
		if _, err := setAt(cell[0], cell[1]); err != nil {
			return err
		}
		value, err := getAt(cell[0])
		if err != nil {
			return err
		}
		fmt.Printf("Value at 0x%x: %d\n", cell[0], value)
	}
	return nil
}

// exports keeps the first failure of several look-ups.
type exports struct {
	instance *tenon.Instance
	err      error
}

func bind[F any](e *exports, name string, how func(*tenon.Func) (F, error)) (f F) {
	if e.err != nil {
		return f
	}
	var export *tenon.Func
	if export, e.err = e.instance.Func(name); e.err == nil {
		f, e.err = how(export)
	}
	return f
}
