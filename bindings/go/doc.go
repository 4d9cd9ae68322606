// Package tenon runs WebAssembly with the Tenon engine.
//
// An [Engine] holds what is shared: configuration, compilers, pooled memory. A [Module] is compiled code, which any goroutine may
// use. A [Store] is where instances, functions, memories, tables and globals live. One goroutine at a time may use a store, on
// whichever system thread it runs; a second one gets [ErrInUse].
//
// What is not used any more is reclaimed by Go's collector, on any goroutine. Close does it at once; afterwards the object
// answers [ErrClosed].
//
// A failure is an [*Error], a trap a [*Trap] with its frames: errors.As tells. An error that a host function returns can be found
// with errors.Is and errors.As in what its caller gets, and a panic goes on there with the same value. A nil dereference in Go
// panics as always, although the engine finds some traps by signals.
//
// Only numbers travel between Go and WebAssembly; functions whose types have vectors or references are refused with a message.
// Functions can also be put in tables.
package tenon
