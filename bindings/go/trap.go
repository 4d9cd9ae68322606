package tenon

// #include "shim.h"
import "C"

import (
	"fmt"
	"strings"
	"unsafe"
)

// A TrapCode is the reason of a trap, with the numbers of tenon.h.
type TrapCode uint8

// The reasons of traps.
const (
	TrapHost TrapCode = iota
	TrapUnreachable
	TrapIntegerDivideByZero
	TrapIntegerOverflow
	TrapInvalidConversionToInteger
	TrapOutOfBoundsMemoryAccess
	TrapOutOfBoundsTableAccess
	TrapUndefinedElement
	TrapUninitializedElement
	TrapIndirectCallTypeMismatch
	TrapCallStackExhausted
	TrapNullReference
	TrapCastFailure
	TrapOutOfBoundsArrayAccess
	TrapUnalignedAtomic
	TrapAtomicWaitNonShared
	TrapUncaughtException
	TrapAllocationFailure
	TrapOutOfFuel
	TrapInterrupt
	TrapCompilationFailure
)

// A Frame is a function that was running when a trap happened.
type Frame struct {
	// FuncName and ModuleName are empty where the module does not tell them.
	FuncName, ModuleName string
	// FuncIndex is the function's index in its module, imported functions counted.
	FuncIndex uint32
	// FuncOffset and ModuleOffset are where the instruction stands: from the beginning of the body, and of the module.
	FuncOffset, ModuleOffset uint64
}

// A Trap is the error of a call that did not return. errors.As finds it, and the *Exception that was not caught if it is about one.
type Trap struct {
	// Code is the reason.
	Code TrapCode
	// Message is for people.
	Message string
	// Frames are the functions that were running, the innermost first.
	Frames []Frame
	cause  error
}

// Error is the message, and a line for each frame.
func (t *Trap) Error() string {
	var b strings.Builder
	b.WriteString("wasm trap: " + t.Message)
	for i, f := range t.Frames {
		name := f.FuncName
		if name == "" {
			name = fmt.Sprintf("func[%d]", f.FuncIndex)
		}
		fmt.Fprintf(&b, "\n  %d: %s at 0x%x", i, name, f.ModuleOffset)
	}
	return b.String()
}

// Unwrap is the error that a host function returned, or the *Exception that nothing caught, if that was the reason.
func (t *Trap) Unwrap() error { return t.cause }

// thrown is what a host function ended with: a panic, or an error.
type thrown struct {
	trap    uintptr
	panics  bool
	value   any
	failure error
}

// trap makes an error of a trap and deletes it. If the trap stands for a panic, it goes on here.
func (s *Store) trap(number C.uintptr_t) error {
	p := (*C.wasm_trap_t)(pointer(uintptr(number)))
	defer C.wasm_trap_delete(p)
	t := &Trap{Code: TrapCode(C.tenon_trap_code(p))}
	var message C.wasm_message_t
	C.wasm_trap_message(p, &message)
	t.Message = strings.TrimSuffix(takeBytes(&message), "\x00")
	var frames C.wasm_frame_vec_t
	C.wasm_trap_trace(p, &frames)
	for _, f := range unsafe.Slice(frames.data, int(frames.size)) {
		frame := Frame{FuncIndex: uint32(C.wasm_frame_func_index(f)), FuncOffset: uint64(C.wasm_frame_func_offset(f)),
			ModuleOffset: uint64(C.wasm_frame_module_offset(f))}
		var name C.wasm_name_t
		if C.tenon_frame_func_name(f, &name) {
			frame.FuncName = takeBytes(&name)
		}
		if C.tenon_frame_module_name(f, &name) {
			frame.ModuleName = takeBytes(&name)
		}
		t.Frames = append(t.Frames, frame)
	}
	C.wasm_frame_vec_delete(&frames)
	if exception := C.tenon_trap_exception(p); exception != nil {
		t.cause = newException(s, exception)
	}
	if thrown := s.thrown; thrown != nil {
		s.thrown = nil
		if thrown.trap == uintptr(unsafe.Pointer(p)) {
			if thrown.panics {
				panic(thrown.value)
			}
			t.cause = thrown.failure
		}
	}
	return t
}

// takeBytes is the text of a vector, which it deletes.
func takeBytes(v *C.wasm_byte_vec_t) string {
	text := C.GoStringN(v.data, C.int(v.size))
	C.wasm_byte_vec_delete(v)
	return text
}
