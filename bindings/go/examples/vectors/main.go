// Vectors: values of 128 bits as arguments and results, in both directions. In Go they are tenon.Vector, an array of 16 bytes.
package main

import (
	"bytes"
	"encoding/binary"
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

func vector(lanes ...float32) (v tenon.Vector) {
	var b bytes.Buffer
	binary.Write(&b, binary.LittleEndian, lanes)
	copy(v[:], b.Bytes())
	return v
}

func lanes(v tenon.Vector) []float32 {
	lanes := make([]float32, 4)
	binary.Read(bytes.NewReader(v[:]), binary.LittleEndian, lanes)
	return lanes
}

func print(name string, v tenon.Vector) {
	l := lanes(v)
	fmt.Printf("%s: %g %g %g %g\n", name, l[0], l[1], l[2], l[3])
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
	// The host function has the type that the module asks for, and gives back the lanes in reverse.
	trace, err := tenon.NewFunc(store, module.Imports()[0].Type.(tenon.FuncType), func(args []any) ([]any, error) {
		v := args[0].(tenon.Vector)
		print("  the host sees", v)
		l := lanes(v)
		return []any{vector(l[3], l[2], l[1], l[0])}, nil
	})
	if err != nil {
		return err
	}
	instance, err := tenon.NewInstance(store, module, trace)
	if err != nil {
		return err
	}
	scale, err := instance.Func("scale")
	if err != nil {
		return err
	}
	sum, err := instance.Func("sum")
	if err != nil {
		return err
	}
	scaled, err := scale.Call(vector(1, 2, 3, 4), vector(0.5, 1, 2, 10))
	if err != nil {
		return err
	}
	print("scaled, in reverse", scaled[0].(tenon.Vector))
	results, err := sum.Call(scaled[0])
	if err != nil {
		return err
	}
	fmt.Printf("their sum: %g\n", results[0])
	return nil
}
