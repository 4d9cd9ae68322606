// Package round is the part of the benchmark that both engines share. Each is a process of its own, since both libraries define the
// functions of wasm.h: for each line that it reads, it runs a round and prints the nanoseconds of a call and of a callback.
package round

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"time"
)

// Text is the module: add is called by Go, loop calls the host as often as it is told.
const Text = `(module
  (import "host" "f" (func $f (param i32) (result i32)))
  (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
  (func (export "loop") (param $n i32) (result i32)
    (loop $again
      (drop (call $f (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $n)))`

const calls = 20000

// Must ends the process where there is an error.
func Must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// Serve runs rounds for as long as it is asked to.
func Serve(add func(a, b int32) int32, loop func(n int32)) {
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		begin := time.Now()
		for i := range int32(calls) {
			if add(i, 1) != i+1 {
				log.Fatal("wrong sum")
			}
		}
		call := time.Since(begin)
		begin = time.Now()
		loop(calls)
		callback := time.Since(begin)
		fmt.Println(float64(call.Nanoseconds())/calls, float64(callback.Nanoseconds())/calls)
	}
}
