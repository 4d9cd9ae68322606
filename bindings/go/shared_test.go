package tenon_test

import (
	"errors"
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

func TestAtomicsOfEverySize(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	shared := must(tenon.NewSharedMemory(engine, sharedType))
	atomics[int8](t, shared, -3)
	atomics[uint8](t, shared, 253)
	atomics[int16](t, shared, -300)
	atomics[uint16](t, shared, 65000)
	atomics[int32](t, shared, -70000)
	atomics[uint32](t, shared, 1<<31)
	atomics[int64](t, shared, -1<<40)
	atomics[uint64](t, shared, 1<<63)
	_, err := tenon.AtomicLoad[uint16](shared, 1)
	refused(t, err, tenon.KindArgument, "")
	refused(t, tenon.AtomicStore[uint8](shared, tenon.PageSize, 1), tenon.KindArgument, "outside")
	_, err = tenon.AtomicModify(shared, 0, tenon.Atomic(9), uint8(1))
	refused(t, err, tenon.KindArgument, "")
	again := must(must(shared.Obtain(newStoreOf(t, engine))).Share())
	other := must(tenon.NewSharedMemory(engine, sharedType))
	if !shared.Same(again) || shared.Same(other) || !shared.Same(shared) {
		t.Error("the same is not the same")
	}
	shared.Close()
	if shared.Same(again) || shared.Same(shared) || again.Same(shared) || shared.Bytes() != nil || shared.Pages() != 0 {
		t.Error("a closed memory tells something")
	}
	if _, err := tenon.AtomicLoad[uint8](shared, 0); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
	if _, err := shared.Wait32(0, 0, -1); !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
}

func newStoreOf(t *testing.T, engine *tenon.Engine) *tenon.Store {
	s := must(tenon.NewStore(engine))
	t.Cleanup(func() { s.Close() })
	return s
}

func atomics[T tenon.Integer](t *testing.T, m *tenon.SharedMemory, value T) {
	t.Helper()
	if err := tenon.AtomicStore(m, 64, value); err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		operation tenon.Atomic
		operand   T
		after     T
	}{
		{tenon.AtomicAdd, 5, value + 5}, {tenon.AtomicSub, 5, value}, {tenon.AtomicAnd, 0x77, value & 0x77},
		{tenon.AtomicOr, 0x18, value&0x77 | 0x18}, {tenon.AtomicXor, 0x11, (value&0x77 | 0x18) ^ 0x11}, {tenon.AtomicExchange, value, value},
	}
	before := value
	for _, step := range steps {
		if old := must(tenon.AtomicModify(m, 64, step.operation, step.operand)); old != before {
			t.Errorf("%T, operation %d: %v was there, not %v", value, step.operation, old, before)
		}
		if now := must(tenon.AtomicLoad[T](m, 64)); now != step.after {
			t.Errorf("%T, operation %d: %v is there, not %v", value, step.operation, now, step.after)
		}
		before = step.after
	}
	if old := must(tenon.AtomicCompareExchange(m, 64, value+1, 0)); old != value {
		t.Errorf("%T: %v", value, old)
	}
	if old := must(tenon.AtomicCompareExchange(m, 64, value, 1)); old != value || must(tenon.AtomicLoad[T](m, 64)) != 1 {
		t.Errorf("%T: %v", value, old)
	}
}

// A wait does not keep its memory from being closed.
func TestCloseDuringWait(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	shared := must(tenon.NewSharedMemory(engine, sharedType))
	other := must(must(shared.Obtain(newStoreOf(t, engine))).Share())
	ended := make(chan error)
	wait := func(timeout time.Duration) {
		_, err := shared.Wait32(0, 0, timeout)
		ended <- err
	}
	go wait(-1)
	for must(other.Notify(0, 1)) == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	go wait(100 * time.Millisecond)
	time.Sleep(10 * time.Millisecond)
	shared.Close()
	// Where the wait begins late, the memory is closed already.
	if err := <-ended; err != nil && !errors.Is(err, tenon.ErrClosed) {
		t.Error(err)
	}
}
