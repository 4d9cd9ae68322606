package tenon_test

import (
	"errors"
	"math"
	"runtime"
	"strings"
	"testing"

	"tenon.dev/go/tenon"
)

const guest = `(module
  (memory (export "memory") 1 10)
  (memory 2 2)
  (table (export "table") 1 10 funcref)
  (data (i32.const 8) "text")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "grow_table") (param i32) (result i32) (table.grow (ref.null func) (local.get 0))))`

// grower is the exported function of this name.
func grower(t *testing.T, i *tenon.Instance, name string) func(int32) int32 {
	t.Helper()
	f := must(tenon.Bind1[int32, int32](must(i.Func(name))))
	return func(n int32) int32 { return must(f(n)) }
}

func TestLimits(t *testing.T) {
	s, i := world(t, guest, nil)
	memory, grow := must(i.Memory("memory")), grower(t, i, "grow")
	if used := must(s.Usage(tenon.LimitMemoryBytes)); used != 3*tenon.PageSize {
		t.Errorf("%d bytes in use", used)
	}
	if most := must(s.Limit(tenon.LimitMemories)); most != tenon.NoLimit {
		t.Errorf("limit %d", most)
	}
	if err := s.SetLimit(tenon.LimitMemoryBytes, 4*tenon.PageSize); err != nil {
		t.Fatal(err)
	}
	_, err := memory.Grow(2)
	refused(t, err, tenon.KindStoreLimit, "the store may have 262144 bytes of memory")
	_, err = memory.Grow(20)
	refused(t, err, tenon.KindLimit, "cannot grow by 20")
	if a, b := grow(2), grow(1); a != -1 || b != 1 {
		t.Errorf("grown: %d, %d", a, b)
	}
	_, err = tenon.NewMemory(s, tenon.Limits{Min: 1})
	refused(t, err, tenon.KindStoreLimit, "the store may have")
	if err := s.SetGrowthTraps(true); err != nil {
		t.Fatal(err)
	}
	var trap *tenon.Trap
	if _, err := must(i.Func("grow")).Call(int32(1)); !errors.As(err, &trap) || trap.Code != tenon.TrapAllocationFailure {
		t.Errorf("got %v", err)
	}
	refused(t, s.SetLimit(99, 0), tenon.KindArgument, "99 is no kind of limit")
}

func TestGrowthIsAskedForAndTold(t *testing.T) {
	engine := must(tenon.NewEngine(nil))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	i := instance(t, engine, s, guest)
	memory, grow, growTable := must(i.Memory("memory")), grower(t, i, "grow"), grower(t, i, "grow_table")
	seven := errors.New("never seven")
	var asked, told []tenon.Growth
	before := func(g tenon.Growth) error {
		asked = append(asked, g)
		switch g.NewSize {
		case 7:
			return seven
		case 8:
			panic("eight")
		case 5:
			return tenon.ErrRefused
		}
		if g.Memory != nil {
			if pages := must(g.Memory.Pages()); pages != g.OldSize {
				t.Errorf("%d pages, %d told", pages, g.OldSize)
			}
			_, err := g.Memory.Grow(1)
			refused(t, err, tenon.KindStoreLimit, "within a callback about a growth")
		}
		return nil
	}
	if err := s.OnGrowth(before, func(g tenon.Growth) { told = append(told, g) }); err != nil {
		t.Fatal(err)
	}
	if grow(2) != 1 || growTable(1) != 1 || len(asked) != 2 || len(told) != 2 {
		t.Fatalf("asked %v, told %v", asked, told)
	}
	if g := told[0]; g.Kind != tenon.ExternMemory || g.OldSize != 1 || g.NewSize != 3 || g.Maximum != 10 || g.Table != nil {
		t.Errorf("told %+v", g)
	}
	if g := told[1]; g.Kind != tenon.ExternTable || g.NewSize != 2 || g.Table == nil || g.Memory != nil {
		t.Errorf("told %+v", g)
	}
	if grow(2) != -1 || grow(0) != 3 || len(told) != 2 {
		t.Error("not refused")
	}
	_, err := memory.Grow(2)
	refused(t, err, tenon.KindStoreLimit, "the host refuses it")
	for _, grown := range []func() error{
		func() error { _, err := must(i.Func("grow")).Call(int32(4)); return err },
		func() error { _, err := memory.Grow(4); return err },
		func() error { _, err := memory.GrowAtLeast(7); return err },
		func() error { _, err := tenon.NewMemory(s, tenon.Limits{Min: 7}); return err },
		func() error {
			_, err := tenon.NewInstance(s, must(tenon.NewModule(engine, []byte("(module (memory 7))"))))
			return err
		},
	} {
		if err := grown(); !errors.Is(err, seven) || !strings.Contains(err.Error(), "never seven") {
			t.Errorf("got %v", err)
		}
	}
	for _, grown := range []func(){func() { grow(5) }, func() { memory.Grow(5) }} {
		func() {
			defer func() {
				if value := recover(); value != "eight" {
					t.Errorf("recovered %v", value)
				}
			}()
			grown()
			t.Error("no panic")
		}()
	}
	if len(told) != 2 || must(memory.Pages()) != 3 {
		t.Error("grown although refused")
	}
	must(tenon.NewMemory(s, tenon.Limits{Min: 1}))
	if g := asked[len(asked)-1]; g.Memory != nil || g.Kind != tenon.ExternMemory || g.Maximum != tenon.NoLimit {
		t.Errorf("asked %+v", g)
	}
	if err := s.OnGrowth(nil, nil); err != nil || grow(4) != 3 || len(told) != 2 {
		t.Errorf("still watched, %v", err)
	}
}

func TestContents(t *testing.T) {
	s := newStore(t, nil)
	memory, other := must(tenon.NewMemory(s, tenon.Limits{Min: 1, Max: 3, HasMax: true})), must(tenon.NewMemory(newStore(t, nil), tenon.Limits{Min: 1}))
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	generation := must(memory.Generation())
	if old := must(memory.GrowAtLeast(1)); old != 1 || must(memory.Generation()) != generation {
		t.Error("grown")
	}
	if old := must(memory.GrowAtLeast(2)); old != 1 || must(memory.Generation()) == generation {
		t.Error("not grown")
	}
	check(memory.Fill(0, 7, 2*tenon.PageSize))
	check(other.CopyFrom(1, memory, 65536, 3))
	check(memory.CopyFrom(2, memory, 0, 4))
	if n := must(tenon.Load[uint32](other, 0)); n != 0x07070700 {
		t.Errorf("copied %x", n)
	}
	snapshot := must(memory.Snapshot())
	check(memory.Discard(65536, 65535))
	if a, b := must(tenon.Load[byte](memory, 131071)), must(tenon.Load[byte](memory, 131070)); a != 7 || b != 0 {
		t.Errorf("discarded: %d %d", a, b)
	}
	check(memory.Restore(snapshot))
	if must(tenon.Load[byte](memory, 131070)) != 7 || snapshot.Size() != 131072 {
		t.Error("not restored")
	}
	refused(t, other.Restore(snapshot), tenon.KindArgument, "grow it first")
	refused(t, memory.Restore(nil), tenon.KindArgument, "no snapshot")
	for _, address := range []uint64{131072, 1 << 32, math.MaxUint64} {
		refused(t, memory.Fill(address, 1, 1), tenon.KindArgument, "outside")
		refused(t, memory.Discard(1, address), tenon.KindArgument, "outside")
		refused(t, memory.CopyFrom(0, other, address, 1), tenon.KindArgument, "outside")
	}
	check(memory.Fill(131072, 1, 0))

	check(memory.WriteCString(100, 7, "grüß"))
	if text := must(memory.ReadCString(100, 7, tenon.Strict)); text != "grüß" {
		t.Errorf("read %q", text)
	}
	_, err := memory.ReadText(100, 3, tenon.Strict)
	refused(t, err, tenon.KindArgument, "are not UTF-8: see offset 102")
	if text := must(memory.ReadText(100, 3, tenon.Lossy)); text != "gr\ufffd" {
		t.Errorf("read %q", text)
	}
	_, err = memory.ReadCString(100, 6, tenon.Lossy)
	refused(t, err, tenon.KindArgument, "no NUL")
	refused(t, memory.WriteCString(100, 3, "abc"), tenon.KindArgument, "room for 3")
	refused(t, memory.WriteCString(100, 9, "a\x00c"), tenon.KindArgument, "has a NUL")
	memory.Close()
	for _, err := range []error{memory.Fill(0, 0, 1), memory.Restore(snapshot), other.CopyFrom(0, memory, 0, 1), memory.CopyFrom(0, other, 0, 1)} {
		if !errors.Is(err, tenon.ErrClosed) {
			t.Errorf("got %v", err)
		}
	}
	snapshot = nil
	runtime.GC()
}

func TestViewsOfNumbers(t *testing.T) {
	s := newStore(t, nil)
	memory := must(tenon.NewMemory(s, tenon.Limits{Min: 1, Max: 3, HasMax: true}))
	view := must(memory.View())
	numbers := must(tenon.Numbers[uint16](view, 4, 3))
	numbers[2] = 500
	if must(tenon.Load[uint16](memory, 8)) != 500 || len(numbers) != 3 {
		t.Error("not seen")
	}
	must(memory.Grow(1))
	numbers[1] = 7
	if must(tenon.Load[uint16](memory, 6)) != 7 || len(must(tenon.Numbers[float64](view, 65536, 8192))) != 8192 {
		t.Error("not seen after growth")
	}
	_, err := tenon.Numbers[uint32](view, 2, 1)
	refused(t, err, tenon.KindArgument, "no multiple of the 4 bytes")
	_, err = tenon.Numbers[float64](view, 0, 16385)
	refused(t, err, tenon.KindArgument, "outside")
	_, err = tenon.Numbers[int64](view, 8, math.MaxUint64/8+1)
	refused(t, err, tenon.KindArgument, "outside")
	if none := must(tenon.Numbers[int32](view, 131072, 0)); none != nil {
		t.Error("not none")
	}
	view.Close()
	if _, err := tenon.Numbers[int32](view, 0, 1); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestMemoriesByIndex(t *testing.T) {
	s, i := world(t, guest, nil)
	first, second := must(i.MemoryAt(0)), must(i.MemoryAt(1))
	if must(first.Pages()) != 1 || must(second.Pages()) != 2 {
		t.Error("other memories")
	}
	_, err := i.MemoryAt(2)
	refused(t, err, tenon.KindArgument, "there is no memory 2")
	if err := first.Fill(0, 0xff, 65536); err != nil {
		t.Fatal(err)
	}
	if err := i.ResetMemory(0); err != nil {
		t.Fatal(err)
	}
	if must(first.ReadCString(8, 9, tenon.Strict)) != "text" || must(tenon.Load[uint64](first, 0)) != 0 {
		t.Error("not reset")
	}
	refused(t, i.ResetMemory(2), tenon.KindArgument, "memory 2 is not one that the instance defines")
	s.Close()
	if err := i.ResetMemory(0); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestPinnedMemories(t *testing.T) {
	wide := tenon.MemoryType{Limits: tenon.Limits{Min: 1, Max: 100, HasMax: true}, Is64: true}
	for _, config := range []*tenon.Config{{MemoryReservation: 1 << 20}, {MemoryReservation: 1 << 20, PinnedMemories: true}} {
		memory := must(tenon.NewMemoryOf(newStore(t, config), wide))
		_, err := memory.View()
		if memory.Pinned() != config.PinnedMemories || (err == nil) != config.PinnedMemories {
			t.Errorf("%+v: pinned %v, %v", config, memory.Pinned(), err)
		}
	}
	s := newStore(t, &tenon.Config{PinnedMemories: true})
	view := must(must(tenon.NewMemoryOf(s, wide)).View())
	bytes := must(view.Bytes())
	bytes[5] = 1
	wide.HasMax = false
	_, err := tenon.NewMemoryOf(s, wide)
	refused(t, err, tenon.KindUnsupported, "cannot be pinned without a maximum")
}
