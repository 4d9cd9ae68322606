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
// Values are Go values, the same in both directions:
//
//	i32, i64, f32, f64    int32, int64, float32, float64; uint32 and uint64 are taken, too
//	v128                  Vector
//	externref             anything, the same one on the way back; nil is null
//	funcref               *Func
//	exnref                *Exception
//	anyref                *Struct, *Array or I31
//	other references      *Ref, which can be passed on
//
// Typed functions, Bind1 and Host1 and their siblings, have numbers only, and are much faster. An exception of WebAssembly is an error
// in Go: errors.As finds an *Exception that nothing caught, and a host function throws the one that it returns. A [SharedMemory]
// belongs to no store, and may be used on all goroutines.
package tenon
