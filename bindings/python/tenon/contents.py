"""What a memory holds, beyond bytes and numbers: parts filled, copied, saved and brought back, texts ended by a NUL."""

from ._handle import SharedHandle, check
from ._native import ffi, lib

__all__ = ["Snapshot"]

# Of the elements of views: Python's names, and their bytes.
ELEMENTS = {"i8": ("b", 1), "u8": ("B", 1), "i16": ("h", 2), "u16": ("H", 2), "i32": ("i", 4), "u32": ("I", 4), "i64": ("q", 8),
            "u64": ("Q", 8), "f32": ("f", 4), "f64": ("d", 8)}


class Snapshot(SharedHandle):
    """What a memory held at some time. Any thread may use it, with any memory that is large enough."""

    __slots__ = ()

    @classmethod
    def _of(cls, ptr):
        self = cls.__new__(cls)
        self._own(ptr, lib.tenon_memory_snapshot_delete)
        return self

    def __len__(self) -> int:
        """The number of bytes."""
        return lib.tenon_memory_snapshot_size(self._live())


def inside(memory, *numbers):
    """The memory's pointer, and numbers that are offsets and lengths: IndexError for those that can be neither."""
    ptr = memory._live()
    for number in numbers:
        if not isinstance(number, int):
            raise TypeError(f"offsets and lengths are numbers, not {number!r}")
        if not 0 <= number < 1 << 64:
            raise IndexError(f"{number} is outside the memory of {len(memory)} bytes")
    return ptr


def checked(error):
    """Raises what the library reports about a part of a memory: an IndexError, if it lies outside."""
    if error == ffi.NULL:
        return
    message = ffi.string(lib.tenon_error_message(error)).decode("utf-8", "replace")
    if lib.tenon_error_kind(error) == 1 and "outside of the memory" in message:
        lib.tenon_error_delete(error)
        raise IndexError(message)
    check(error)


class Contents:
    """What a Memory can do with what it holds."""

    __slots__ = ()

    @property
    def generation(self) -> int:
        """A number that changes whenever the memory grows, by the host or by WebAssembly code."""
        return lib.tenon_memory_generation(self._live())

    @property
    def pinned(self) -> bool:
        """Whether the memory never moves, so that it has views. `Config(pinned_memories=True)` promises it of all."""
        return lib.tenon_memory_is_pinned(self._live())

    def grow_at_least(self, pages: int) -> int:
        """Adds as many pages as are missing to so many; answers how many there were."""
        old = ffi.new("uint64_t *")
        self._store._grown(lib.tenon_memory_grow_at_least(self._live(), pages, old))
        return old[0]

    def element(self, offset: int, index: int, size: int) -> int:
        """The offset of an element of an array: `index` elements of `size` bytes behind `offset`. IndexError if it does not lie inside."""
        out = ffi.new("uint64_t *")
        checked(lib.tenon_memory_element(inside(self, offset, index, size), offset, index, size, out))
        return out[0]

    def fill(self, offset: int, value: int, length: int) -> None:
        """Writes a byte to all of a part."""
        checked(lib.tenon_memory_fill(inside(self, offset, length), offset, value, length))

    def copy_from(self, offset: int, source, source_offset: int, length: int) -> None:
        """Copies a part of a memory, which may be this one, to here."""
        if not isinstance(source, Contents):
            raise TypeError(f"a Memory is expected, not {source!r}")
        to, source_ptr = inside(self, offset, length), inside(source, source_offset)
        checked(lib.tenon_memory_copy(to, offset, source_ptr, source_offset, length))

    def discard(self, offset: int, length: int) -> None:
        """Writes zeros to all of a part, and gives the system back what it took up."""
        checked(lib.tenon_memory_discard(inside(self, offset, length), offset, length))

    def read_cstring(self, offset: int, most: int, errors: str = "strict") -> str:
        """The text before the first NUL, which must be among the first `most` bytes. `errors` is that of bytes.decode."""
        length = ffi.new("uint64_t *")
        checked(lib.tenon_memory_cstring_length(inside(self, offset, most), offset, most, length))
        return self.read(offset, length[0]).decode("utf-8", errors)

    def write_cstring(self, offset: int, room: int, string: str) -> int:
        """Writes a text and a NUL, of at most `room` bytes together; answers how many bytes that were."""
        data = string.encode("utf-8")
        checked(lib.tenon_memory_write_cstring(inside(self, offset, room), offset, room, ffi.from_buffer(data), len(data)))
        return len(data) + 1

    def snapshot(self) -> Snapshot:
        """A copy of all that the memory holds."""
        out = ffi.new("tenon_memory_snapshot_t **")
        check(lib.tenon_memory_snapshot(self._live(), out))
        return Snapshot._of(out[0])

    def restore(self, snapshot: Snapshot) -> None:
        """Brings back what the memory held, or another one. What was added since becomes zero."""
        if not isinstance(snapshot, Snapshot):
            raise TypeError(f"a Snapshot is expected, not {snapshot!r}")
        check(lib.tenon_memory_restore(self._live(), snapshot._live()))


def elements(view, kind, offset, count):
    """A part of the view of a whole memory, as numbers of a kind."""
    try:
        form, size = ELEMENTS[kind]
    except (KeyError, TypeError):
        raise TypeError(f"there is no kind {kind!r}; there are {', '.join(ELEMENTS)}") from None
    have = len(view)
    if not isinstance(offset, int) or not (count is None or isinstance(count, int)):
        raise TypeError(f"offset and count are numbers, not {offset!r} and {count!r}")
    if offset % size:
        raise ValueError(f"offset {offset} is no multiple of the {size} bytes of {kind}")
    if count is None and 0 <= offset <= have:
        count = (have - offset) // size
    if offset < 0 or count is None or count < 0 or offset + count * size > have:
        raise IndexError(f"{count} numbers of {size} bytes at {offset} are outside the memory of {have} bytes")
    return view[offset:offset + count * size].cast(form)
