// Linear memory in three parts: a text that a module brings along, numbers in a memory that the host makes, and growth.
package main

import (
	"fmt"
	"log"
	"os"
	"unicode/utf8"

	"tenon.dev/go/tenon"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func run(textPath, sumPath string) error {
	engine, err := tenon.NewEngine(nil)
	if err != nil {
		return err
	}
	store, err := tenon.NewStore(engine)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := showText(engine, store, textPath); err != nil {
		return err
	}
	return shareNumbers(engine, store, sumPath)
}

func load(engine *tenon.Engine, store *tenon.Store, path string, imports ...tenon.Extern) (*tenon.Instance, error) {
	code, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	module, err := tenon.NewModule(engine, code)
	if err != nil {
		return nil, err
	}
	return tenon.NewInstance(store, module, imports...)
}

// Part 1: a text that the module brings along.
func showText(engine *tenon.Engine, store *tenon.Store, path string) error {
	instance, err := load(engine, store, path)
	if err != nil {
		return err
	}
	memory, err := instance.Memory("memory")
	if err != nil {
		return err
	}
	export, err := instance.Func("text")
	if err != nil {
		return err
	}
	text, err := tenon.Bind0[tenon.Pair[uint32, uint32]](export)
	if err != nil {
		return err
	}
	place, err := text()
	if err != nil {
		return err
	}
	s, err := memory.ReadString(uint64(place.First), uint64(place.Second))
	if err != nil {
		return err
	}
	fmt.Printf("Bytes: % x\n", s)
	fmt.Printf("%d bytes, %d characters: %s\n", len(s), utf8.RuneCountInString(s), s)
	return nil
}

// Parts 2 and 3: a memory that the host creates.
func shareNumbers(engine *tenon.Engine, store *tenon.Store, path string) error {
	// One page now, ten at most.
	memory, err := tenon.NewMemory(store, tenon.Limits{Min: 1, Max: 10, HasMax: true})
	if err != nil {
		return err
	}
	// The module has a single import: "js" "mem".
	instance, err := load(engine, store, path, memory)
	if err != nil {
		return err
	}
	export, err := instance.Func("sum")
	if err != nil {
		return err
	}
	sum, err := tenon.Bind1[int32, int32](export)
	if err != nil {
		return err
	}
	if export, err = instance.Func("grow"); err != nil {
		return err
	}
	grow, err := tenon.Bind1[int32, int32](export)
	if err != nil {
		return err
	}

	// Positions count 32-bit numbers. Each access checks the bounds and finds the memory where it is.
	read := func(index uint64) uint32 {
		var value uint32
		if err == nil {
			value, err = tenon.Load[uint32](memory, 4*index)
		}
		return value
	}
	write := func(index uint64, value uint32) {
		if err == nil {
			err = tenon.StoreAt(memory, 4*index, value)
		}
	}
	write(0, 7)
	write(1, 4)
	total, callErr := sum(2)
	if callErr != nil {
		return callErr
	}
	fmt.Printf("%d + %d = %d\n", read(0), read(1), total)

	before, callErr := grow(2)
	if callErr != nil {
		return callErr
	}
	pages, pagesErr := memory.Pages()
	if pagesErr != nil {
		return pagesErr
	}
	fmt.Printf("Grown from %d to %d pages\n", before, pages)
	fmt.Printf("After growth: %d and %d\n", read(0), read(1))

	// The first number of the new pages: zero until somebody writes it.
	firstNew := uint64(before) * tenon.PageSize / 4
	fmt.Printf("New number at 0x%x: %d", firstNew*4, read(firstNew))
	write(firstNew, 5)
	fmt.Printf(", then %d\n", read(firstNew))

	// Beyond the maximum there is no growth: the guest gets -1, the host an error, and nothing changes.
	guest, callErr := grow(8)
	if callErr != nil {
		return callErr
	}
	_, growErr := memory.Grow(8)
	if pages, pagesErr = memory.Pages(); pagesErr != nil {
		return pagesErr
	}
	fmt.Printf("Growing beyond the maximum: guest %d, host %t, still %d pages\n", guest, growErr == nil, pages)
	return err
}
