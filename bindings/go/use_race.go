//go:build race

package tenon

// #include "shim.h"
import "C"

import "sync/atomic"

// use says who uses a store. The race detector sees neither C's stores nor what lies in C's memory: under it, Go does all.
type use struct{ *atomic.Uint32 }

func newUse(*home) use { return use{new(atomic.Uint32)} }

// c tells the shim that there is nothing for it.
func (u use) c() C.uintptr_t { return 0 }

// shim does what the shim does otherwise.
func (u use) shim(state uint32) { u.Store(state) }
