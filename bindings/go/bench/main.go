// Command bench compares what calls and the like cost with wasmtime-go: medians over interleaved rounds of the two programs that it
// is given. It is a module of its own, so that the package depends on nothing. Called by `make bench`.
package main

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"slices"

	"tenon.dev/go/bench/round"
)

const rounds = 31

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: bench TENON WASMTIME")
	}
	var ask [2]io.Writer
	var answers [2]*bufio.Reader
	for i, program := range os.Args[1:] {
		command := exec.Command(program)
		command.Stderr = os.Stderr
		in, err := command.StdinPipe()
		if err != nil {
			log.Fatal(err)
		}
		out, err := command.StdoutPipe()
		if err != nil {
			log.Fatal(err)
		}
		if err := command.Start(); err != nil {
			log.Fatal(err)
		}
		defer command.Wait()
		defer in.Close()
		ask[i], answers[i] = in, bufio.NewReader(out)
	}
	// By row and program.
	var times [len(round.Rows)][2][]float64
	for range rounds {
		for i := range ask {
			fmt.Fprintln(ask[i])
			for row := range times {
				var taken float64
				if _, err := fmt.Fscan(answers[i], &taken); err != nil {
					log.Fatalf("%s: %v", os.Args[1+i], err)
				}
				times[row][i] = append(times[row][i], taken)
			}
		}
	}
	for row, name := range round.Rows {
		for i := range ask {
			slices.Sort(times[row][i])
		}
		ours, theirs := times[row][0][rounds/2], times[row][1][rounds/2]
		fmt.Printf("Go %-12s tenon %7.1f ns, wasmtime-go %7.1f ns, ratio %.3f\n", name, ours, theirs, ours/theirs)
	}
}
