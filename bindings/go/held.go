package tenon

import (
	"runtime"
	"sync"
)

// held is an object of the library that any goroutine may use until it is closed. P is a pointer of C's.
type held[P comparable] struct {
	mu  sync.RWMutex
	ptr P
	// What gives the object back.
	delete func(P)
}

// hold takes an object over for its holder: it goes when the holder is closed or collected.
func hold[P comparable, H any](holder *H, ptr P, delete func(P)) *held[P] {
	h := &held[P]{ptr: ptr, delete: delete}
	runtime.AddCleanup(holder, (*held[P]).Close, h)
	return h
}

// use runs something with the object's pointer, which stays good meanwhile. It must not wait for others: Close waits for it.
func (h *held[P]) use(do func(ptr P) error) error {
	var none P
	h.mu.RLock()
	defer h.mu.RUnlock()
	if h.ptr == none {
		return ErrClosed
	}
	return do(h.ptr)
}

// Close gives the object up; afterwards it answers ErrClosed. What was made with it stays usable. Closing twice does nothing.
func (h *held[P]) Close() {
	var none P
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ptr != none {
		h.delete(h.ptr)
		h.ptr = none
	}
}
