"""A linear memory, seen from the host and from the guest."""

import sys
from pathlib import Path

from tenon import Instance, Module, Store


def main(directory: Path) -> None:
    with Store() as store:
        print("Compiling module...")
        module = Module.from_file(store, directory / "memory.wat")
        print("Instantiating module...")
        exports = Instance(store, module).exports
        memory = exports.memory

        print("Querying memory size...")
        print(f"Memory size (pages): {memory.pages}")
        print(f"Memory size (pages as bytes): {memory.pages * memory.page_size}")
        print(f"Memory size (bytes): {len(memory)}")
        print(f"Memory size (pages): {exports.mem_size()}")

        print("Growing memory...")
        memory.grow(2)
        print(f"New memory size (pages): {memory.pages}")

        # One address in the first page, one eight bytes before the end of the second.
        for address, value in [(0x2220, 0xFEFEFFE), (0x20000 - 8, 0xFEA09)]:
            exports.set_at(address, value)
            print(f"Value at {address:#x}: {exports.get_at(address)}")


main(Path(sys.argv[1]))
