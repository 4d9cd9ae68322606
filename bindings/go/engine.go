package tenon

/*
#cgo pkg-config: tenon
#cgo noescape tenon_go_memory_read
#cgo nocallback tenon_go_memory_read
#cgo noescape tenon_go_memory_write
#cgo nocallback tenon_go_memory_write
#include "shim.h"
*/
import "C"

// An Optimization is how much time the compiler takes for better code, with the numbers of tenon.h.
type Optimization uint8

// How much time the compiler takes.
const (
	// OptimizeSpeed is as much as makes the code fast.
	OptimizeSpeed Optimization = iota
	// OptimizeLittle has registers chosen well, but nothing else improved.
	OptimizeLittle
	// OptimizeNone is as little as can be.
	OptimizeNone
)

// A Config is the configuration of an engine. The zero value is the default one.
type Config struct {
	// NoSignals has every check compiled as code, and leaves the process's signal handlers alone.
	NoSignals bool
	// Eager compiles all functions when a module is made.
	Eager bool
	// Optimization is how well functions are compiled.
	Optimization Optimization
	// These refuse modules that use the features.
	NoSIMD, NoRelaxedSIMD, NoReferenceTypes, NoMultiMemory, NoMemory64, NoCustomPageSizes, NoWideArithmetic bool
	NoThreads, NoExceptions, NoTailCalls, NoFunctionReferences, NoGC                                        bool
	// LegacyExceptions allows the exceptions of before WebAssembly 3.0, too.
	LegacyExceptions bool
	// GCHeapLimit is the most that the structures and arrays of a store may take, in bytes; 0 stands for the default, 1 GiB.
	GCHeapLimit uint64
	// MemoryReservation is the address space for each memory in bytes; 0 stands for the default, 4 GiB. See DenseMemories for none.
	MemoryReservation uint64
	// MemoryGuard is the inaccessible address space behind each reservation, in bytes; 0 stands for the default, 64 MiB.
	MemoryGuard uint64
	// DenseMemories has memories take up no more address space than they have bytes: for tens of thousands of small ones at the same
	// time. Accesses are checked in code then, and memories may move when they grow.
	DenseMemories bool
	// PinnedMemories has every memory made so that it never moves when it grows; one for which that cannot be promised is refused.
	PinnedMemories bool
	// PooledMemories is how many memories that are no longer used the engine keeps for others; 0 stands for the default, 128, and a
	// negative number for none.
	PooledMemories int
	// PooledBytes is how much each of these may take up; 0 stands for the default, 256 KiB, and a negative number for nothing.
	PooledBytes int
	// Memories makes the memories; nil stands for the engine itself.
	Memories MemoryCreator
	// MaxStack is the most stack that WebAssembly code may use, in bytes; 0 stands for the default, 1 MiB.
	MaxStack uint64
	// CollectAlways looks for unreachable objects whenever one is made: slow, for tests.
	CollectAlways bool
}

// An Engine holds what its stores share. Any goroutine may use it. Stores and modules that were made with it outlive its Close.
type Engine struct {
	*held[*C.wasm_engine_t]
}

// NewEngine makes an engine; nil stands for the default configuration.
func NewEngine(config *Config) (*Engine, error) {
	if config == nil {
		config = &Config{}
	}
	c, err := config.c()
	if err != nil {
		return nil, err
	}
	var ptr *C.wasm_engine_t
	if err := takeError(C.tenon_engine_new(c, &ptr)); err != nil {
		return nil, err
	}
	e := &Engine{}
	e.held = hold(e, ptr, func(ptr *C.wasm_engine_t) { C.wasm_engine_delete(ptr) })
	return e, nil
}

// c makes the C configuration, which the caller owns.
func (config *Config) c() (*C.wasm_config_t, error) {
	if config.Optimization > OptimizeNone {
		return nil, errorf(KindArgument, "there is no optimization %d", config.Optimization)
	}
	c := C.wasm_config_new()
	// In the order of the table in shim.c.
	for i, on := range []bool{!config.NoSignals, config.Eager, !config.NoSIMD, !config.NoRelaxedSIMD, !config.NoReferenceTypes,
		!config.NoMultiMemory, !config.NoMemory64, !config.NoCustomPageSizes, !config.NoWideArithmetic, !config.NoThreads,
		!config.NoExceptions, !config.NoTailCalls, !config.NoFunctionReferences, config.LegacyExceptions, config.CollectAlways,
		!config.NoGC, config.PinnedMemories} {
		C.tenon_go_config_switch(c, C.int(i), C.bool(on))
	}
	C.tenon_config_set_optimization(c, C.tenon_optimization_t(config.Optimization))
	if config.GCHeapLimit != 0 {
		C.tenon_config_set_gc_heap_limit(c, C.uint64_t(config.GCHeapLimit))
	}
	if config.MemoryReservation != 0 {
		C.tenon_config_set_memory_reservation(c, C.uint64_t(config.MemoryReservation))
	}
	if config.MemoryGuard != 0 {
		C.tenon_config_set_memory_guard(c, C.uint64_t(config.MemoryGuard))
	}
	if config.DenseMemories {
		C.tenon_config_set_dense_memories(c, true)
	}
	if config.PooledMemories != 0 {
		C.tenon_config_set_pooled_memories(c, C.size_t(max(config.PooledMemories, 0)))
	}
	if config.PooledBytes != 0 {
		C.tenon_config_set_pooled_bytes(c, C.size_t(max(config.PooledBytes, 0)))
	}
	if config.MaxStack != 0 {
		C.tenon_config_set_max_stack(c, C.size_t(config.MaxStack))
	}
	if config.Memories != nil {
		if err := setCreator(c, config.Memories); err != nil {
			C.wasm_config_delete(c)
			return nil, err
		}
	}
	return c, nil
}

// Trim gives the memories that the engine keeps for others back to the system, now. What is in use stays.
func (e *Engine) Trim() error {
	return e.use(func(ptr *C.wasm_engine_t) error { C.tenon_engine_trim(ptr); return nil })
}

// Version is the version of the library.
func Version() string { return C.GoString(C.tenon_version()) }

// BuildInfo is what the library was built from and for, in a line for people.
func BuildInfo() string { return C.GoString(C.tenon_build_info()) }
