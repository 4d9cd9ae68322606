package tenon

// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
)

// ErrClosed is the error of every use of what was closed.
var ErrClosed = errors.New("tenon: closed")

// ErrInUse says that another goroutine is using the store.
var ErrInUse = errors.New("tenon: the store is in use on another goroutine")

// ErrAbandoned says that a host function ended its goroutine (runtime.Goexit) while WebAssembly waited for it: the store
// cannot be used any more.
var ErrAbandoned = errors.New("tenon: the store was abandoned: a host function ended its goroutine")

// An ErrorKind says what kind of failure an Error is.
type ErrorKind uint8

// The kinds of failure, with the numbers of tenon.h.
const (
	KindArgument ErrorKind = iota + 1
	KindMalformed
	KindInvalid
	KindUnsupported
	KindLink
	KindTrap
	KindLimit
	KindMemory
	KindStore
	KindThread
	KindStackExhausted
	KindDamaged
	KindIncompatible
	KindInternal
	KindText
	// KindStoreLimit is a limit of the store, or that the function given to OnGrowth refuses.
	KindStoreLimit
)

// An Error is a failure that is no trap.
type Error struct {
	// Kind is the kind of failure.
	Kind ErrorKind
	// Message is for people.
	Message string
	// Offset is where in a module's bytes or text the failure lies, or -1.
	Offset int64
	// Line and Column are where in a module's text it lies, from 1, or 0.
	Line, Column int
}

// Error is the message.
func (e *Error) Error() string { return "tenon: " + e.Message }

func errorf(kind ErrorKind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Offset: -1}
}

// takeError turns an error of the library into one of Go's, and deletes it.
func takeError(e *C.tenon_error_t) error {
	if e == nil {
		return nil
	}
	defer C.tenon_error_delete(e)
	err := &Error{Kind: ErrorKind(C.tenon_error_kind(e)), Message: C.GoString(C.tenon_error_message(e)), Offset: -1}
	var offset C.uint64_t
	if C.tenon_error_offset(e, &offset) {
		err.Offset = int64(offset)
	}
	var line, column C.uint32_t
	if C.tenon_error_line(e, &line, &column) {
		err.Line, err.Column = int(line), int(column)
	}
	return err
}
