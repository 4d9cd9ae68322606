module tenon.dev/go/bench

go 1.24

require (
	github.com/bytecodealliance/wasmtime-go/v39 v39.0.1
	tenon.dev/go/tenon v0.0.0
)

replace tenon.dev/go/tenon => ../
