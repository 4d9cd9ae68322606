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

import "runtime"

// A Config is the configuration of an engine. The zero value is the default one.
type Config struct {
	// NoSignals has every check compiled as code, and leaves the process's signal handlers alone.
	NoSignals bool
	// Eager compiles all functions when a module is made.
	Eager bool
	// These refuse modules that use the features.
	NoSIMD, NoRelaxedSIMD, NoReferenceTypes, NoMultiMemory, NoMemory64, NoCustomPageSizes, NoWideArithmetic bool
	NoThreads, NoExceptions, NoTailCalls, NoFunctionReferences                                              bool
	// LegacyExceptions allows the exceptions of before WebAssembly 3.0, too.
	LegacyExceptions bool
	// MemoryReservation is the address space for each memory in bytes; 0 stands for the default, 4 GiB.
	MemoryReservation uint64
	// PinnedMemories has every memory made so that it never moves when it grows; one for which that cannot be promised is refused.
	PinnedMemories bool
	// MaxStack is the most stack that WebAssembly code may use, in bytes; 0 stands for the default, 1 MiB.
	MaxStack uint64
	// CollectAlways looks for unreachable objects whenever one is made: slow, for tests.
	CollectAlways bool
}

// An Engine holds what its stores share. Any goroutine may use it.
type Engine struct {
	ptr *C.wasm_engine_t
}

// NewEngine makes an engine; nil stands for the default configuration.
func NewEngine(config *Config) (*Engine, error) {
	if config == nil {
		config = &Config{}
	}
	c := C.wasm_config_new()
	// In the order of the table in shim.c.
	for i, on := range []bool{!config.NoSignals, config.Eager, !config.NoSIMD, !config.NoRelaxedSIMD, !config.NoReferenceTypes,
		!config.NoMultiMemory, !config.NoMemory64, !config.NoCustomPageSizes, !config.NoWideArithmetic, !config.NoThreads,
		!config.NoExceptions, !config.NoTailCalls, !config.NoFunctionReferences, config.LegacyExceptions, config.CollectAlways,
		config.PinnedMemories} {
		C.tenon_go_config_switch(c, C.int(i), C.bool(on))
	}
	e := &Engine{}
	if config.MemoryReservation != 0 {
		C.tenon_config_set_memory_reservation(c, C.uint64_t(config.MemoryReservation))
	}
	if config.MaxStack != 0 {
		C.tenon_config_set_max_stack(c, C.size_t(config.MaxStack))
	}
	var ptr *C.wasm_engine_t
	if err := takeError(C.tenon_engine_new(c, &ptr)); err != nil {
		return nil, err
	}
	e.ptr = ptr
	runtime.AddCleanup(e, func(ptr *C.wasm_engine_t) { C.wasm_engine_delete(ptr) }, ptr)
	return e, nil
}

// Version is the version of the library.
func Version() string { return C.GoString(C.tenon_version()) }
