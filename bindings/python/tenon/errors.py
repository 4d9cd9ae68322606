"""The exceptions of the package."""

import enum
from typing import List, NamedTuple, Optional, Union

__all__ = ["TenonError", "ClosedError", "StoreError", "LinkError", "CompileError", "LimitError", "StoreLimitError", "Trap", "TrapCode", "Frame"]


class TenonError(Exception):
    """Anything that the engine refuses or reports."""


class ClosedError(TenonError, ValueError):
    """An object was used after it, or its store, was closed."""


class StoreError(TenonError, ValueError):
    """An object was used with a store that it does not belong to, or a store on two threads at once."""


class CompileError(TenonError, ValueError):
    """The bytes or the text are not a valid module, or use what the configuration does not offer.

    `offset` is where in the bytes the failure lies, `line` and `column` where in the text, from 1; None where there is no such place.
    """

    def __init__(self, message: str = "", offset: Optional[int] = None, line: Optional[int] = None, column: Optional[int] = None):
        super().__init__(message)
        self.offset = offset
        self.line = line
        self.column = column


class LinkError(TenonError):
    """An import is missing or has another type; the message names it."""


class LimitError(TenonError, MemoryError):
    """A limit was reached, or memory has run out."""


class StoreLimitError(LimitError):
    """A limit of the store was reached, or the function given to `Store.on_growth` refused."""


class TrapCode(enum.IntEnum):
    """Why a trap happened."""

    HOST = 0
    UNREACHABLE = 1
    INTEGER_DIVIDE_BY_ZERO = 2
    INTEGER_OVERFLOW = 3
    INVALID_CONVERSION_TO_INTEGER = 4
    OUT_OF_BOUNDS_MEMORY_ACCESS = 5
    OUT_OF_BOUNDS_TABLE_ACCESS = 6
    UNDEFINED_ELEMENT = 7
    UNINITIALIZED_ELEMENT = 8
    INDIRECT_CALL_TYPE_MISMATCH = 9
    CALL_STACK_EXHAUSTED = 10
    NULL_REFERENCE = 11
    CAST_FAILURE = 12
    OUT_OF_BOUNDS_ARRAY_ACCESS = 13
    UNALIGNED_ATOMIC = 14
    ATOMIC_WAIT_NON_SHARED = 15
    UNCAUGHT_EXCEPTION = 16
    ALLOCATION_FAILURE = 17
    OUT_OF_FUEL = 18
    INTERRUPT = 19
    COMPILATION_FAILURE = 20


class Frame(NamedTuple):
    """A function that was running when a trap happened."""

    func_index: int
    func_name: Optional[str]
    module_name: Optional[str]
    func_offset: int
    module_offset: int


class Trap(TenonError):
    """WebAssembly code trapped. A host function may raise one, too."""

    def __init__(self, message: str = "", code: int = TrapCode.HOST, frames: Optional[List[Frame]] = None):
        super().__init__(message)
        self.message = message
        self.code: Union[TrapCode, int]
        try:
            self.code = TrapCode(code)
        except ValueError:
            self.code = code
        self.frames = list(frames or ())


def error_of_kind(kind: int, message: str) -> TenonError:
    """The exception for an error of the library."""
    if kind in (2, 3, 4, 12, 13, 15):
        return CompileError(message)
    if kind == 5:
        return LinkError(message)
    if kind == 6:
        return Trap(message)
    if kind == 11:
        return Trap(message, TrapCode.CALL_STACK_EXHAUSTED)
    if kind == 16:
        return StoreLimitError(message)
    if kind in (7, 8):
        return LimitError(message)
    if kind in (9, 10):
        return StoreError(message)
    return TenonError(message)
