"""Linear memory in three parts: text, numbers, growth."""

import sys
from pathlib import Path

from tenon import Instance, LimitError, Memory, MemoryType, Module, Store


def show_text(store: Store, directory: Path) -> None:
    """A text that the module brings along."""
    exports = Instance(store, Module.from_file(store, directory / "linear-memory.wat")).exports
    data = exports.memory.read(*exports.text())
    print("Bytes:", data.hex(" "))
    text = data.decode("utf-8")
    print(f"{len(data)} bytes, {len(text)} characters: {text}")


def share_numbers(store: Store, directory: Path) -> None:
    """A memory that the host creates, and the guest grows."""
    memory = Memory(store, MemoryType(1, 10))
    module = Module.from_file(store, directory / "linear-memory-sum.wat")
    exports = Instance(store, module, {"js": {"mem": memory}}).exports

    # The view is no copy: what is written to it is in the memory.
    numbers = memory.view().cast("I")
    numbers[0], numbers[1] = 7, 4
    print(f"{numbers[0]} + {numbers[1]} = {exports.sum(2)}")

    before = exports.grow(2)
    print(f"Grown from {before} to {memory.pages} pages")
    # The old view is good still, but as long as it was: the new pages need a new one.
    print(f"After growth: {numbers[0]} and {numbers[1]}")
    numbers = memory.view().cast("I")
    first_new = before * memory.page_size // 4
    print(f"New number at {first_new * 4:#x}: {numbers[first_new]}", end="")
    numbers[first_new] = 5
    print(f", then {numbers[first_new]}")

    guest = exports.grow(8)
    try:
        memory.grow(8)
        host = "true"
    except LimitError:
        host = "false"
    print(f"Growing beyond the maximum: guest {guest}, host {host}, still {memory.pages} pages")


with Store() as store:
    show_text(store, Path(sys.argv[1]))
    share_numbers(store, Path(sys.argv[1]))
