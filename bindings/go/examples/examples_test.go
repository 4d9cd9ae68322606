// Package examples holds the five memory programs, and three about what is beyond numbers; this test runs each and compares what it prints with what the C program prints.
package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestExamples(t *testing.T) {
	const c = "../../../c-examples/"
	programs := map[string][]string{
		"memory":              {"memory.wat"},
		"memory-pointers":     {"memory-pointers.wat"},
		"passing-data":        {"passing-data.wat"},
		"memory-manipulation": {"memory-manipulation.wat"},
		"linear-memory":       {"linear-memory.wat", "linear-memory-sum.wat"},
		"exceptions":          {"exceptions.wat"},
		"shared-memory":       {"shared-memory.wat"},
		"vectors":             {"vectors.wat"},
	}
	directory := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", directory, "./...").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, files := range programs {
		t.Run(name, func(t *testing.T) {
			expected, err := os.ReadFile(c + name + ".expected")
			if err != nil {
				t.Fatal(err)
			}
			for i := range files {
				files[i] = c + files[i]
			}
			out, err := exec.Command(filepath.Join(directory, name), files...).CombinedOutput()
			if err != nil || string(out) != string(expected) {
				t.Errorf("%v\ngot:\n%s\nwant:\n%s", err, out, expected)
			}
		})
	}
}
