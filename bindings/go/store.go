package tenon

// #include "shim.h"
import "C"

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
	"weak"
)

// Who uses a store.
const (
	idle      uint32 = iota
	inUse            = C.TENON_GO_IN_USE  // a goroutine is in the library, or in WebAssembly code
	inHost           = C.TENON_GO_IN_HOST // WebAssembly code waits for a host function, which may use the store
	abandoned uint32 = iota               // a host function never came back
	closed
)

// rawSize is the size of a tenon_raw_t, and slots how many of them a store's stack of arguments has.
const (
	rawSize = 16
	slots   = 1024
)

// A Store is the home of instances and of all that they use. One goroutine at a time may use it and what lives in it;
// a second one gets ErrInUse. It may be used on any goroutine, one after the other.
//
//	Call ---> enter ---> cgo ---> WebAssembly ---> tenonGoCall: a closure
//	           inUse                                inHost  |
//	                     re-entry: inUse <---- Call <-------+
type Store struct {
	*home
	engine *Engine
	// The closures of host functions, and the places that are free among them.
	hosts     []hostFunc
	freeHosts []hostPlace
	// What the trap on its way through WebAssembly code stands for.
	thrown *thrown
	values values
	// Who has a say in growth.
	observer observer
	// The first free slot of the arguments.
	top int
}

// home is what of a store its cleanup and those of its objects know: no pointers back to the store.
type home struct {
	use  use
	ptr  *C.wasm_store_t
	args unsafe.Pointer
	// The store's place in stores.
	place uint32
	// What Go has let go of, for the next goroutine that uses the store: the engine is not asked while another one does.
	waiting atomic.Bool
	mu      sync.Mutex
	live    map[*ref]struct{}
	dead    []unsafe.Pointer
}

// object is what the library gives out pointers to, as atomic.Pointer wants it.
type object byte

// ref is a reference to an object of a store that Go owns.
type ref struct {
	ptr  atomic.Pointer[object]
	home *home
}

// stores maps a store's place, which callbacks bring along, to the store. The pointers are weak, so that closures may refer to their
// own store without keeping it alive for ever; whoever calls into a store keeps it alive.
var stores struct {
	sync.Mutex
	table atomic.Pointer[[]*slot]
	free  []uint32
}

// slot holds a store. Only the goroutine that uses the store looks.
type slot struct{ store weak.Pointer[Store] }

// takePlace gives a store its place.
func takePlace(s *Store) (place uint32) {
	stores.Lock()
	defer stores.Unlock()
	var table []*slot
	if old := stores.table.Load(); old != nil {
		table = *old
	}
	if n := len(stores.free); n > 0 {
		place = stores.free[n-1]
		stores.free = stores.free[:n-1]
	} else {
		place = uint32(len(table))
		table = append(table[:place:place], new(slot))
		stores.table.Store(&table)
	}
	table[place].store = weak.Make(s)
	return place
}

// NewStore makes a store.
func NewStore(engine *Engine) (*Store, error) {
	var ptr *C.wasm_store_t
	if err := engine.use(func(engine *C.wasm_engine_t) error { ptr = C.wasm_store_new(engine); return nil }); err != nil {
		return nil, err
	}
	if ptr == nil {
		return nil, errorf(KindMemory, "no store could be made")
	}
	h := &home{ptr: ptr, args: C.calloc(slots, rawSize), live: map[*ref]struct{}{}}
	h.use = newUse(h)
	s := &Store{home: h, engine: engine, values: values{byNumber: map[uint64]any{}}}
	h.place = takePlace(s)
	runtime.AddCleanup(s, (*home).close, h)
	return s, nil
}

// Close gives up the store and everything in it; all of that is closed afterwards. It is ErrInUse while the store is used, and
// no error to close it twice.
func (s *Store) Close() error {
	s.home.close()
	if s.use.Load() != closed {
		return s.refusal()
	}
	return nil
}

func (h *home) close() {
	if !h.use.CompareAndSwap(idle, closed) {
		return // in use, closed already, or abandoned: then the engine believes that it runs, and keeps its memory
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.live {
		if p := r.ptr.Swap(nil); p != nil {
			C.wasm_ref_delete((*C.wasm_ref_t)(unsafe.Pointer(p)))
		}
	}
	h.live = nil
	h.release()
	C.wasm_store_delete(h.ptr)
	C.free(h.args)
	stores.Lock()
	stores.free = append(stores.free, h.place)
	stores.Unlock()
}

// release deletes what is dead. The caller holds mu.
func (h *home) release() {
	for _, p := range h.dead {
		C.wasm_ref_delete((*C.wasm_ref_t)(p))
	}
	h.dead = nil
	h.waiting.Store(false)
}

// own registers a reference that the caller owns with its holder: it goes when the holder is collected or the store closes.
func own[T any](s *Store, holder *T, ptr unsafe.Pointer) *ref {
	r := &ref{home: s.home}
	r.ptr.Store((*object)(ptr))
	s.mu.Lock()
	s.live[r] = struct{}{}
	s.mu.Unlock()
	runtime.AddCleanup(holder, (*ref).drop, r)
	return r
}

// drop gives a reference up, on any goroutine: the next one that uses the store deletes it.
func (r *ref) drop() {
	h := r.home
	h.mu.Lock()
	defer h.mu.Unlock()
	if p := r.ptr.Swap(nil); p != nil {
		if h.use.Load() == closed {
			// Of a view, which outlives the store. Nobody uses the store, and mu keeps such deletions apart.
			C.wasm_ref_delete((*C.wasm_ref_t)(unsafe.Pointer(p)))
			return
		}
		delete(h.live, r)
		h.dead = append(h.dead, unsafe.Pointer(p))
		h.waiting.Store(true)
	}
}

// enter begins a use of the store; what it returns goes to leave.
func (s *Store) enter() (before uint32, err error) {
	if !s.use.CompareAndSwap(idle, inUse) {
		if !s.use.CompareAndSwap(inHost, inUse) {
			return 0, s.refusal()
		}
		before = inHost
	}
	if s.waiting.Load() {
		s.mu.Lock()
		s.release()
		s.mu.Unlock()
	}
	return before, nil
}

func (s *Store) leave(before uint32) { s.use.Store(before) }

// giveBack is leave after host functions may have run: where one ended its goroutine, the store stays abandoned.
func (s *Store) giveBack(before uint32) { s.use.CompareAndSwap(inUse, before) }

func (s *Store) refusal() error {
	switch s.use.Load() {
	case closed:
		return ErrClosed
	case abandoned:
		return ErrAbandoned
	}
	return ErrInUse
}

// reserve takes slots for the values of a call, in C's memory: no Go pointer is given away, and nothing is allocated.
func (s *Store) reserve(n int) (unsafe.Pointer, error) {
	if s.top+n > slots {
		return nil, errorf(KindLimit, "calls nested too deeply: more than %d arguments at once", slots)
	}
	p := unsafe.Add(s.args, s.top*rawSize)
	s.top += n
	return p, nil
}

// GC reclaims what cannot be reached in the store any more, now.
func (s *Store) GC() error {
	before, err := s.enter()
	if err != nil {
		return err
	}
	C.tenon_store_gc(s.ptr)
	s.leave(before)
	return nil
}

// GCStatistics are figures about the structures and arrays of a store.
type GCStatistics struct {
	// Used are the bytes of the objects that are there, reachable or not.
	Used uint64
	// Capacity are the bytes that fit before the next collection, those in use included.
	Capacity uint64
	// Survived are the bytes of the objects that the last collection found reachable.
	Survived uint64
	// Collections is how many there were so far.
	Collections uint64
}

// GCStatistics are figures about the structures and arrays of the store; zeros as long as it has had none.
func (s *Store) GCStatistics() (GCStatistics, error) {
	before, err := s.enter()
	if err != nil {
		return GCStatistics{}, err
	}
	var out C.tenon_gc_statistics_t
	C.tenon_store_gc_statistics(s.ptr, &out)
	s.leave(before)
	return GCStatistics{uint64(out.used), uint64(out.capacity), uint64(out.survived), uint64(out.collections)}, nil
}
