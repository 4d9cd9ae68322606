package tenon_test

import (
	"errors"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"tenon.dev/go/tenon"
)

// slices makes memories of Go's own, and counts those that are there.
type slices struct {
	live, grown atomic.Int64
	// What Allocate and Grow do instead, if there is something.
	instead func(data []byte, size uint64) ([]byte, error)
}

func (c *slices) Allocate(request tenon.MemoryRequest) ([]byte, error) {
	if c.instead != nil {
		return c.instead(nil, request.Size)
	}
	size := request.Size
	if request.Pinned {
		size = request.Maximum
	}
	c.live.Add(1)
	return make([]byte, size), nil
}

func (c *slices) Grow(data []byte, size uint64) ([]byte, error) {
	if c.instead != nil {
		return c.instead(data, size)
	}
	c.grown.Add(1)
	if size <= uint64(len(data)) {
		return data, nil
	}
	return append(make([]byte, 0, size), data...)[:size], nil
}

func (c *slices) Free([]byte) { c.live.Add(-1) }

const creating = `(module (memory (export "memory") 1 9) (data (i32.const 8) "text")
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "sum") (param i32) (result i32) (i32.load8_u (local.get 0))))`

func TestMemoryCreator(t *testing.T) {
	creator := &slices{}
	func() {
		engine := must(tenon.NewEngine(&tenon.Config{Memories: creator}))
		defer engine.Close()
		s := must(tenon.NewStore(engine))
		defer s.Close()
		i := instance(t, engine, s, creating)
		memory, grow := must(i.Memory("memory")), grower(t, i, "grow")
		for range 3 {
			// Slices of Go's stay where they are, whatever is collected.
			garbage := make([]byte, 1<<20)
			runtime.GC()
			runtime.KeepAlive(garbage)
			if old := grow(1); old < 1 {
				t.Errorf("grown from %d", old)
			}
			if text := must(memory.ReadString(8, 4)); text != "text" {
				t.Errorf("text %q", text)
			}
		}
		if memory.Pinned() || creator.grown.Load() == 0 || creator.live.Load() != 1 {
			t.Errorf("pinned %v, grown %d, live %d", memory.Pinned(), creator.grown.Load(), creator.live.Load())
		}
		empty := must(tenon.NewMemory(s, tenon.Limits{}))
		if must(empty.Grow(1)) != 0 || must(empty.Size()) != tenon.PageSize {
			t.Error("a memory without bytes did not grow")
		}
		for name, instead := range map[string]func(data []byte, size uint64) ([]byte, error){
			"an error": func([]byte, uint64) ([]byte, error) { return nil, errors.New("no") },
			"a panic":  func([]byte, uint64) ([]byte, error) { panic("no") },
			"too few":  func([]byte, uint64) ([]byte, error) { return make([]byte, 16), nil },
			"nothing":  func([]byte, uint64) ([]byte, error) { return nil, nil },
			"not zero": func(data []byte, size uint64) ([]byte, error) {
				return append(append(data[:len(data):len(data)], make([]byte, size-1-uint64(len(data)))...), 1), nil
			},
		} {
			creator.instead = instead
			_, err := memory.Grow(1)
			refused(t, err, tenon.KindMemory, "creator")
			if grow(1) != -1 {
				t.Errorf("%s: grown", name)
			}
			if _, err = tenon.NewMemory(s, tenon.Limits{Min: 1}); err == nil || !strings.Contains(err.Error(), "creator") {
				t.Errorf("%s: %v", name, err)
			}
			creator.instead = nil
			if text := must(memory.ReadString(8, 4)); text != "text" {
				t.Errorf("text %q", text)
			}
		}
	}()
	// What gave wrong memories is asked to free them, too, which this count does not know of.
	if live := creator.live.Load(); live > 0 {
		t.Errorf("%d memories are left", live)
	}
}

func TestPinnedMemoryCreator(t *testing.T) {
	creator := &slices{}
	engine := must(tenon.NewEngine(&tenon.Config{Memories: creator, PinnedMemories: true}))
	s := must(tenon.NewStore(engine))
	defer s.Close()
	i := instance(t, engine, s, creating)
	memory := must(i.Memory("memory"))
	view := must(memory.View())
	before := must(view.Bytes())
	must(memory.Grow(8))
	after := must(view.Bytes())
	if &before[0] != &after[0] || len(after) != 9*tenon.PageSize {
		t.Error("the memory moved")
	}
}

func TestMemoryCreatorOnGoroutines(t *testing.T) {
	creator := &slices{}
	engine := must(tenon.NewEngine(&tenon.Config{Memories: creator}))
	module := must(tenon.NewModule(engine, []byte(creating)))
	var all sync.WaitGroup
	for range 4 {
		start(&all, func() {
			for range 20 {
				s := must(tenon.NewStore(engine))
				grow := grower(t, must(tenon.NewInstance(s, module)), "grow")
				if old := grow(2); old != 1 {
					t.Errorf("grown from %d", old)
				}
				s.Close()
			}
		})
	}
	all.Wait()
	if live := creator.live.Load(); live != 0 {
		t.Errorf("%d memories are left", live)
	}
}
