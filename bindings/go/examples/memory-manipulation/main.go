// Modules as text, and one instance importing from another by name.
package main

import (
	"fmt"
	"log"
	"os"

	"tenon.dev/go/tenon"
)

// Imports from the registered instance and uses what it got.
const user = `(module
  (import "extern" "memory" (memory 1))
  (import "extern" "mem_size" (func $size (result i32)))
  (import "extern" "get_at" (func $get (param i32) (result i32)))
  (import "extern" "set_at" (func $set (param i32 i32)))
  (func (export "size") (result i32) call $size)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "write") (param i32 i32) (call $set (local.get 0) (local.get 1)))
  (func (export "read") (param i32) (result i32) (call $get (local.get 0))))`

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
	linker := tenon.NewLinker(store)
	// NewModule takes either format. An error in a text has line and column.
	instantiate := func(code []byte) (*tenon.Instance, error) {
		module, err := tenon.NewModule(engine, code)
		if err != nil {
			return nil, err
		}
		return linker.Instantiate(module)
	}

	// The first module, from a file of text, registered as "extern".
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	owner, err := instantiate(text)
	if err != nil {
		return err
	}
	if err := linker.DefineInstance("extern", owner); err != nil {
		return err
	}
	fmt.Printf("Registered \"extern\" with %d exports\n", len(owner.Exports()))
	memory, err := owner.Memory("memory")
	if err != nil {
		return err
	}

	// The second module, which imports from it.
	guest, err := instantiate([]byte(user))
	if err != nil {
		return err
	}
	call := func(name string, args ...any) (int32, error) {
		f, err := guest.Func(name)
		if err != nil {
			return 0, err
		}
		results, err := f.Call(args...)
		if err != nil || len(results) == 0 {
			return 0, err
		}
		return results[0].(int32), nil
	}

	// Three views of one memory: the owner's export, the user's functions, the host's reads.
	size := func(unit string) error {
		pages, err := memory.Pages()
		if err != nil {
			return err
		}
		seen, err := call("size")
		if err != nil {
			return err
		}
		fmt.Printf("Size: %d %s, %d for the importing module\n", pages, unit, seen)
		return nil
	}
	if err := size("page"); err != nil {
		return err
	}
	bytes, err := memory.Size()
	if err != nil {
		return err
	}
	fmt.Printf("Data size: %d bytes\n", bytes)

	// The importing module grows what it imported; memory.grow returns the size before.
	before, err := call("grow", int32(2))
	if err != nil {
		return err
	}
	fmt.Printf("Grown by 2 from %d\n", before)
	if err := size("pages"); err != nil {
		return err
	}

	// Two values: one in the first page, one in the last four bytes of the second.
	cells := []struct{ address, value int32 }{{0x2220, 0xFEFEFFE}, {0x20000 - 4, 0xFEA09}}
	for _, cell := range cells {
		if _, err := call("write", cell.address, cell.value); err != nil {
			return err
		}
	}
	for _, cell := range cells {
		guest, err := call("read", cell.address)
		if err != nil {
			return err
		}
		host, err := tenon.Load[int32](memory, uint64(cell.address))
		if err != nil {
			return err
		}
		fmt.Printf("Value at 0x%x: %d, host reads %d\n", cell.address, guest, host)
	}
	return nil
}
