package tenon_test

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"tenon.dev/go/tenon"
)

const answering = `(module (memory (export "m") 1) (func (export "f") (result i32) (i32.const 42)))`

func TestSettings(t *testing.T) {
	for name, config := range map[string]tenon.Config{
		"dense":     {DenseMemories: true},
		"no pool":   {PooledMemories: -1, PooledBytes: -1},
		"a pool":    {PooledMemories: 3, PooledBytes: 1 << 16},
		"sizes":     {MemoryReservation: 1 << 20, MemoryGuard: 1 << 16, MaxStack: 1 << 18, GCHeapLimit: 1 << 20},
		"little":    {Optimization: tenon.OptimizeLittle},
		"unchanged": {Optimization: tenon.OptimizeNone, Eager: true},
	} {
		t.Run(name, func(t *testing.T) {
			engine := must(tenon.NewEngine(&config))
			defer engine.Close()
			s := must(tenon.NewStore(engine))
			defer s.Close()
			i := instance(t, engine, s, answering)
			if got := must(must(i.Func("f")).Call())[0]; got != int32(42) {
				t.Errorf("got %v", got)
			}
			if pinned := must(i.Memory("m")).Pinned(); pinned == (config.DenseMemories || config.MemoryReservation != 0) {
				t.Errorf("pinned: %v", pinned)
			}
		})
	}
	_, err := tenon.NewEngine(&tenon.Config{Optimization: 9})
	refused(t, err, tenon.KindArgument, "no optimization 9")
	s := newStore(t, &tenon.Config{GCHeapLimit: 1 << 20})
	array := must(tenon.NewArrayType(tenon.Field{Type: tenon.I64}))
	_, err = tenon.NewDefaultArray(s, array, 1<<20)
	if err == nil {
		t.Error("an array of 8 MiB fits into a heap of 1 MiB")
	}
}

func TestTrim(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	instance(t, engine, s, answering)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := engine.Trim(); err != nil {
		t.Fatal(err)
	}
	engine.Close()
	if err := engine.Trim(); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

// What was made with an engine or a module outlives it.
func TestClosedEnginesAndModules(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	module := must(tenon.NewModule(engine, []byte(answering)))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	engine.Close()
	engine.Close()
	i := must(tenon.NewInstance(s, module))
	module.Close()
	module.Close()
	if got := must(must(i.Func("f")).Call())[0]; got != int32(42) {
		t.Errorf("got %v", got)
	}
	for name, err := range map[string]error{
		"NewStore":        second(tenon.NewStore(engine)),
		"NewModule":       second(tenon.NewModule(engine, []byte(answering))),
		"NewInstance":     second(tenon.NewInstance(s, module)),
		"Serialize":       second(module.Serialize()),
		"NewSharedMemory": second(tenon.NewSharedMemory(engine, sharedType)),
		"ValidateModule":  tenon.ValidateModule(engine, must(tenon.Wat2Wasm(answering))),
	} {
		if !errors.Is(err, tenon.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(module.Exports()) != 2 {
		t.Error("a closed module does not tell its exports")
	}
}

// start runs something on a goroutine that a group waits for.
func start(all *sync.WaitGroup, do func()) {
	all.Add(1)
	go func() {
		defer all.Done()
		do()
	}()
}

func second[T any](_ T, err error) error { return err }

// Closing an object while others use it is no mistake of theirs.
func TestCloseWhileInUse(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	shared := must(tenon.NewSharedMemory(engine, sharedType))
	module := must(tenon.NewModule(engine, []byte(answering)))
	var all sync.WaitGroup
	for range 4 {
		start(&all, func() {
			for range 200 {
				s, err := tenon.NewStore(engine)
				if err != nil {
					if !errors.Is(err, tenon.ErrClosed) {
						t.Error(err)
					}
					return
				}
				if _, err := tenon.NewInstance(s, module); err != nil && !errors.Is(err, tenon.ErrClosed) {
					t.Error(err)
				}
				if _, err := shared.Obtain(s); err != nil && !errors.Is(err, tenon.ErrClosed) {
					t.Error(err)
				}
				s.Close()
			}
		})
	}
	start(&all, func() { module.Close() })
	start(&all, func() { shared.Close() })
	time.Sleep(time.Millisecond)
	engine.Close()
	all.Wait()
}

func TestValidateModule(t *testing.T) {
	engine := must(tenon.NewEngine(&tenon.Config{NoSIMD: true}))
	if err := tenon.ValidateModule(engine, must(tenon.Wat2Wasm(answering))); err != nil {
		t.Error(err)
	}
	refused(t, tenon.ValidateModule(engine, []byte("no module")), tenon.KindMalformed, "")
	refused(t, tenon.ValidateModule(engine, nil), tenon.KindMalformed, "")
	refused(t, tenon.ValidateModule(engine, must(tenon.Wat2Wasm(`(module (func (result i32)))`))), tenon.KindInvalid, "")
	refused(t, tenon.ValidateModule(engine, must(tenon.Wat2Wasm(`(module (func (param v128)))`))), tenon.KindUnsupported, "SIMD")
}

func TestModuleFiles(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	path := filepath.Join(t.TempDir(), "module.tenon")
	if err := os.WriteFile(path, must(must(tenon.NewModule(engine, []byte(answering))).Serialize()), 0o600); err != nil {
		t.Fatal(err)
	}
	module := must(tenon.DeserializeModuleFile(engine, path))
	// It may be replaced, or deleted, meanwhile.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s := newStore(t, nil)
	if _, err := tenon.NewInstance(s, module); err == nil {
		t.Error("a module was used with another engine")
	}
	mine := must(tenon.NewStore(engine))
	defer mine.Close()
	if got := must(must(must(tenon.NewInstance(mine, module)).Func("f")).Call())[0]; got != int32(42) {
		t.Errorf("got %v", got)
	}
	_, err := tenon.DeserializeModuleFile(engine, path)
	if err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	_, err = tenon.DeserializeModuleFile(engine, "a\x00b")
	refused(t, err, tenon.KindArgument, "NUL")
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = tenon.DeserializeModuleFile(engine, path)
	refused(t, err, tenon.KindDamaged, "")
}

func TestGCStatistics(t *testing.T) {
	s := newStore(t, nil)
	if got := must(s.GCStatistics()); got != (tenon.GCStatistics{}) {
		t.Errorf("without objects: %+v", got)
	}
	ty := must(tenon.NewArrayType(tenon.Field{Type: tenon.I64}))
	array := must(tenon.NewDefaultArray(s, ty, 1000))
	if err := s.GC(); err != nil {
		t.Fatal(err)
	}
	got := must(s.GCStatistics())
	if got.Collections == 0 || got.Survived < 8000 || got.Used < 8000 || got.Capacity < got.Used {
		t.Errorf("%+v", got)
	}
	array.Close()
	if err := s.GC(); err != nil {
		t.Fatal(err)
	}
	if after := must(s.GCStatistics()); after.Survived >= 8000 {
		t.Errorf("%+v", after)
	}
	s.Close()
	if _, err := s.GCStatistics(); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestLimitOfTheHeap(t *testing.T) {
	s := newStore(t, nil)
	if err := s.SetLimit(tenon.LimitHeapBytes, 100_000); err != nil {
		t.Fatal(err)
	}
	ty := must(tenon.NewArrayType(tenon.Field{Type: tenon.I64}))
	kept := must(tenon.NewDefaultArray(s, ty, 1000))
	for range 100 {
		must(tenon.NewDefaultArray(s, ty, 1000)).Close()
	}
	if used := must(s.Usage(tenon.LimitHeapBytes)); used < 8000 || used > 100_000 {
		t.Errorf("%d bytes in use", used)
	}
	_, err := tenon.NewDefaultArray(s, ty, 20_000)
	refused(t, err, tenon.KindStoreLimit, "")
	if length := must(kept.Len()); length != 1000 {
		t.Errorf("%d elements", length)
	}
}

func TestBuildInfo(t *testing.T) {
	if info := tenon.BuildInfo(); !strings.Contains(info, tenon.Version()) || !strings.Contains(info, runtime.GOOS) {
		t.Errorf("%q", info)
	}
}
