package tenon

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
)

// A Limit names what a store may have so much of, with the numbers of tenon.h.
type Limit uint8

// What a store can have limits for.
const (
	// LimitMemoryBytes are the bytes of all memories.
	LimitMemoryBytes Limit = iota
	// LimitTableElements are the elements of all tables.
	LimitTableElements
	// LimitMemories is the number of memories.
	LimitMemories
	// LimitTables is the number of tables.
	LimitTables
	// LimitInstances is the number of instances.
	LimitInstances
	// LimitHeapBytes are the bytes of structures and arrays; those that nobody reaches count until they are collected, which happens
	// before anything is refused.
	LimitHeapBytes
)

// NoLimit stands for no limit, and for no maximum.
const NoLimit = math.MaxUint64

// SetLimit sets how much of something the store may have. What would exceed it is an *Error of KindStoreLimit, after what nobody
// reaches was reclaimed; a growth that WebAssembly asks for gives -1, or traps after SetGrowthTraps. What there is stays.
func (s *Store) SetLimit(limit Limit, most uint64) error {
	before, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(before)
	return takeError(C.tenon_store_set_limit(s.ptr, C.tenon_limit_t(limit), C.uint64_t(most)))
}

// Limit is how much of something the store may have; NoLimit if there is none.
func (s *Store) Limit(limit Limit) (most uint64, err error) {
	before, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave(before)
	return uint64(C.tenon_store_limit(s.ptr, C.tenon_limit_t(limit))), nil
}

// Usage is how much of something the store has.
func (s *Store) Usage(limit Limit) (used uint64, err error) {
	before, err := s.enter()
	if err != nil {
		return 0, err
	}
	defer s.leave(before)
	return uint64(C.tenon_store_usage(s.ptr, C.tenon_limit_t(limit))), nil
}

// SetGrowthTraps says whether memory.grow and table.grow trap, with TrapAllocationFailure and the reason, where a limit, the function
// given to OnGrowth or the system refuses. Off at first: they give -1.
func (s *Store) SetGrowthTraps(on bool) error {
	before, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(before)
	return takeError(C.tenon_store_set_growth_traps(s.ptr, C.bool(on)))
}

// ErrRefused is what a function given to OnGrowth returns to refuse without a trap.
var ErrRefused = errors.New("tenon: growth refused")

// A Growth is that of a memory or table, or its making: it grows from nothing then.
type Growth struct {
	// Memory is what grows, if that is a memory; nil as long as it is only being made.
	Memory *Memory
	// Table is what grows, if that is a table; nil as long as it is only being made.
	Table *Table
	// Kind is ExternMemory or ExternTable.
	Kind ExternKind
	// Moved says whether what it holds is at another address now. Only told afterwards.
	Moved bool
	// OldSize and NewSize are pages or elements.
	OldSize, NewSize uint64
	// Maximum is what the type allows, or NoLimit.
	Maximum uint64
}

// observer is who has a say in the growth of a store.
type observer struct {
	before func(Growth) error
	after  func(Growth)
}

// OnGrowth has before asked before each growth of a memory or table, whoever asks for it, and before one is made. ErrRefused refuses:
// WebAssembly gets -1. Another error becomes a trap whose Unwrap is that error, and a panic goes on where WebAssembly, or the
// growth, was called. after is told after each growth; it must not panic. Both may be nil, and both may use the store, but as
// long as they run nothing else in it can grow or be made.
func (s *Store) OnGrowth(before func(Growth) error, after func(Growth)) error {
	held, err := s.enter()
	if err != nil {
		return err
	}
	defer s.leave(held)
	if err := takeError(C.tenon_go_on_growth(s.ptr, s.use.c(), C.uint32_t(s.place), before != nil, after != nil)); err != nil {
		return err
	}
	s.observer = observer{before, after}
	return nil
}

func (s *Store) growth(c *C.tenon_growth_t) Growth {
	g := Growth{Kind: ExternKind(c.kind), Moved: bool(c.moved), OldSize: uint64(c.old_size), NewSize: uint64(c.new_size),
		Maximum: uint64(c.maximum)}
	if memory := C.wasm_extern_as_memory_const(c.item); memory != nil {
		g.Memory = newMemory(s, C.wasm_memory_copy(memory))
	}
	if table := C.wasm_extern_as_table_const(c.item); table != nil {
		g.Table = newTable(s, C.wasm_table_copy(table))
	}
	return g
}

// What tenonGoBefore returns; anything else is a trap.
const (
	growthRefused = 0
	growthAllowed = 1
)

// tenonGoBefore is where the question arrives whether something of the store at a place may grow.
//
//export tenonGoBefore
func tenonGoBefore(place C.uint32_t, c *C.tenon_growth_t) (answer C.uintptr_t) {
	s := (*stores.table.Load())[place].store.Value()
	s.use.shim(inHost)
	finished := false
	defer func() {
		if finished {
			return
		}
		if value := recover(); value != nil {
			s.use.shim(inUse)
			answer = s.throw(&thrown{panics: true, value: value}, fmt.Sprintf("panic before a growth: %v", value))
			return
		}
		// runtime.Goexit: the frames of C are never gone back to.
		s.use.Store(abandoned)
	}()
	err := s.observer.before(s.growth(c))
	finished = true
	s.use.shim(inUse)
	switch {
	case err == nil:
		return growthAllowed
	case errors.Is(err, ErrRefused):
		return growthRefused
	}
	return s.fail(err)
}

// tenonGoAfter is where it is told that something of the store at a place has grown.
//
//export tenonGoAfter
func tenonGoAfter(place C.uint32_t, c *C.tenon_growth_t) {
	s := (*stores.table.Load())[place].store.Value()
	s.use.shim(inHost)
	defer s.use.shim(inUse)
	s.observer.after(s.growth(c))
}

// growthError is the error of a growth that the host asked for, and for which before made a trap.
func (s *Store) growthError(err error) error {
	thrown := s.thrown
	if e := (*Error)(nil); thrown == nil || !errors.As(err, &e) || e.Kind != KindTrap {
		return err
	}
	s.thrown = nil
	if thrown.panics {
		panic(thrown.value)
	}
	return &Trap{Code: TrapHost, Message: err.Error(), cause: thrown.failure}
}
