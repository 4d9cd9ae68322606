package tenon_test

import (
	"sync"
	"testing"
	"time"

	"tenon.dev/go/tenon"
)

const counting = `(module (import "h" "m" (memory 1 4 shared))
  (func (export "add") (param $n i32)
    (loop $again
      (drop (i32.atomic.rmw.add (i32.const 8) (i32.const 1)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "await") (param i32) (result i32)
    (memory.atomic.wait32 (i32.const 0) (local.get 0) (i64.const -1)))
  (func (export "wake") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 100))))`

var sharedType = tenon.MemoryType{Limits: tenon.Limits{Min: 1, Max: 4, HasMax: true}, Shared: true}

// Goroutines with a store each work on one memory.
func TestSharedMemory(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	module := must(tenon.NewModule(engine, []byte(counting)))
	shared := must(tenon.NewSharedMemory(engine, sharedType))
	member := func() (*tenon.Store, *tenon.Instance) {
		s := must(tenon.NewStore(engine))
		return s, must(tenon.NewInstance(s, module, must(shared.Obtain(s))))
	}
	var wait sync.WaitGroup
	const goroutines, rounds = 4, 10000
	for range goroutines {
		wait.Add(1)
		go func() {
			defer wait.Done()
			s, i := member()
			defer s.Close()
			must(must(i.Func("add")).Call(int32(rounds)))
			must(shared.Uint32(8)).Add(rounds)
		}()
	}
	wait.Wait()
	if got := must(shared.Uint32(8)).Load(); got != 2*goroutines*rounds {
		t.Error(got)
	}
	// The guest waits and the host notifies, and the other way round.
	ended := make(chan any)
	go func() {
		s, i := member()
		defer s.Close()
		ended <- must(must(i.Func("await")).Call(int32(0)))[0]
	}()
	for must(shared.Notify(0, 1)) == 0 {
		time.Sleep(time.Millisecond)
	}
	if got := <-ended; got != int32(tenon.WaitNotified) {
		t.Error(got)
	}
	go func() { ended <- must(shared.Wait32(0, 0, -1)) }()
	s, i := member()
	defer s.Close()
	for must(must(i.Func("wake")).Call())[0] == int32(0) {
		time.Sleep(time.Millisecond)
	}
	if got := <-ended; got != tenon.WaitNotified {
		t.Error(got)
	}
	if got := must(shared.Wait32(0, 5, -1)); got != tenon.WaitNotEqual {
		t.Error(got)
	}
	if got := must(shared.Wait64(16, 0, time.Millisecond)); got != tenon.WaitTimedOut {
		t.Error(got)
	}
}

func TestSharingAndObtaining(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s, other := must(tenon.NewStore(engine)), must(tenon.NewStore(engine))
	defer other.Close()
	memory := must(tenon.NewMemoryOf(s, sharedType))
	shared := must(memory.Share())
	if memory.Write(100, []byte("shared")) != nil || must(must(shared.Obtain(other)).ReadString(100, 6)) != "shared" {
		t.Error("not the same memory")
	}
	bytes := shared.Bytes()
	if must(shared.Grow(2)) != 1 || must(memory.Pages()) != 3 || shared.Pages() != 3 || shared.Type().Min != 3 {
		t.Error("growth")
	}
	s.Close()
	if string(bytes[100:106]) != "shared" || len(shared.Bytes()) != 3*tenon.PageSize {
		t.Error("the memory moved or went")
	}
	_, err := shared.Grow(2)
	refused(t, err, tenon.KindLimit, "")
	_, err = shared.Uint32(2)
	refused(t, err, tenon.KindArgument, "no multiple of 4")
	_, err = shared.Uint64(3 * tenon.PageSize)
	refused(t, err, tenon.KindArgument, "outside")
	_, err = shared.Wait32(1<<40, 0, 0)
	refused(t, err, tenon.KindArgument, "")
	_, err = shared.Obtain(newStore(t, nil))
	refused(t, err, tenon.KindStore, "another engine")
	_, err = must(tenon.NewMemory(other, tenon.Limits{Min: 1})).Share()
	refused(t, err, tenon.KindArgument, "not shared")
	_, err = tenon.NewSharedMemory(engine, tenon.MemoryType{Limits: tenon.Limits{Min: 1}})
	refused(t, err, tenon.KindArgument, "")
}
