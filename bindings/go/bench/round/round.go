// Package round is the part of the benchmark that both engines share. Each is a process of its own, since both libraries define the
// functions of wasm.h: for each line that it reads, it runs a round and prints the nanoseconds that each row took.
package round

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"time"
)

// Rows are what is measured.
var Rows = [...]string{"call", "callback", "read a text", "new instance"}

// Text is the module: add is called by Go, loop calls the host as often as it is told.
const Text = `(module
  (import "host" "f" (func $f (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "a text of 23 characters")
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "loop") (param $n i32) (result i32)
    (loop $again
      (drop (call $f (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $n)))`

const calls, instances = 20000, 200

// A World does what is measured.
type World struct {
	// Add and Loop call those of the module.
	Add  func(a, b int32) int32
	Loop func(n int32)
	// Read is a text of the memory.
	Read func(address, size int) string
	// New makes a store, a host function and an instance, and calls add once.
	New func(a, b int32) int32
}

// Must ends the process where there is an error.
func Must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// Serve runs rounds for as long as it is asked to.
func (w *World) Serve() {
	expect := func(ok bool) {
		if !ok {
			log.Fatal("a wrong result")
		}
	}
	each := func(do func(int32)) func(int) {
		return func(count int) {
			for i := range int32(count) {
				do(i)
			}
		}
	}
	rows := [len(Rows)]func(count int){
		each(func(i int32) { expect(w.Add(i, 1) == i+1) }),
		func(count int) { w.Loop(int32(count)) },
		each(func(int32) { expect(w.Read(8, 23) == "a text of 23 characters") }),
		each(func(i int32) { expect(w.New(i, 1) == i+1) }),
	}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		for row, run := range rows {
			count := calls
			if row == len(rows)-1 {
				count = instances
			}
			begin := time.Now()
			run(count)
			fmt.Println(float64(time.Since(begin).Nanoseconds()) / float64(count))
		}
	}
}
