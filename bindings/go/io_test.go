package tenon_test

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
	"testing/iotest"

	"tenon.dev/go/tenon"
)

var (
	_ io.ReaderAt = (*tenon.Memory)(nil)
	_ io.WriterAt = (*tenon.Memory)(nil)
)

func TestMemoryAsReaderAndWriter(t *testing.T) {
	s := newStore(t, nil)
	memory := must(tenon.NewMemory(s, tenon.Limits{Min: 1, Max: 2, HasMax: true}))
	writer := io.NewOffsetWriter(memory, 100)
	text := []byte("a text of some bytes")
	if n := must(writer.Write(text)); n != len(text) {
		t.Errorf("%d bytes written", n)
	}
	if err := iotest.TestReader(io.NewSectionReader(memory, 100, int64(len(text))), text); err != nil {
		t.Error(err)
	}
	all := must(io.ReadAll(io.NewSectionReader(memory, 0, math.MaxInt64)))
	if len(all) != tenon.PageSize || !bytes.Contains(all, text) {
		t.Errorf("%d bytes read", len(all))
	}
	p := make([]byte, 8)
	if n, err := memory.ReadAt(p, tenon.PageSize-3); n != 3 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := memory.ReadAt(nil, tenon.PageSize); n != 0 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if n, err := memory.ReadAt(p, math.MaxInt64); n != 0 || err != io.EOF {
		t.Errorf("%d bytes, %v", n, err)
	}
	_, err := memory.ReadAt(p, -1)
	refused(t, err, tenon.KindArgument, "negative")
	_, err = memory.WriteAt(p, -1)
	refused(t, err, tenon.KindArgument, "negative")
	n, err := memory.WriteAt(p, tenon.PageSize-3)
	refused(t, err, tenon.KindArgument, "outside")
	if n != 0 {
		t.Errorf("%d bytes written", n)
	}
	if got := must(memory.ReadBytes(100, 6)); string(got) != "a text" {
		t.Errorf("%q", got)
	}
	_, err = memory.ReadBytes(1, math.MaxUint64)
	refused(t, err, tenon.KindArgument, "outside")
	if at := must(memory.Element(100, 3, 8)); at != 124 {
		t.Errorf("element at %d", at)
	}
	_, err = memory.Element(100, 1<<61, 8)
	refused(t, err, tenon.KindArgument, "")
	vector := tenon.Vector{3, 15: 9}
	if err := tenon.StoreAt(memory, 50, vector); err != nil || must(tenon.Load[tenon.Vector](memory, 50)) != vector {
		t.Errorf("vector: %v", err)
	}
	memory.Close()
	if _, err := memory.ReadAt(p, 0); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}

func TestBorrow(t *testing.T) {
	s := newStore(t, &tenon.Config{DenseMemories: true})
	memory := must(tenon.NewMemory(s, tenon.Limits{Min: 1}))
	err := memory.Borrow(func(bytes []byte) error {
		copy(bytes[8:], "text")
		if len(bytes) != tenon.PageSize {
			t.Errorf("%d bytes", len(bytes))
		}
		_, err := memory.Grow(1)
		return err
	})
	if !errors.Is(err, tenon.ErrInUse) {
		t.Errorf("grown while it was borrowed: %v", err)
	}
	if text := must(memory.ReadString(8, 4)); text != "text" {
		t.Errorf("%q", text)
	}
	func() {
		defer func() { recover() }()
		memory.Borrow(func([]byte) error { panic("while borrowed") })
	}()
	if old := must(memory.Grow(1)); old != 1 {
		t.Errorf("grown from %d", old)
	}
	none := must(tenon.NewMemory(s, tenon.Limits{}))
	if err := none.Borrow(func(bytes []byte) error { return nil }); err != nil {
		t.Error(err)
	}
	none.Close()
	if err := none.Borrow(nil); !errors.Is(err, tenon.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
