"""Strings between guest and host: an offset and a length."""

import sys
from pathlib import Path

from tenon import Instance, Module, Store


def main(directory: Path) -> None:
    with Store() as store:
        exports = Instance(store, Module.from_file(store, directory / "memory-pointers.wat")).exports
        memory = exports.mem
        print(f"Memory size: {memory.pages} pages, {len(memory)} bytes")

        # Several results come as a tuple.
        offset, length = exports.load()
        print(f"String offset: {offset}")
        print(f"String length: {length}")
        print(f'Memory contents: "{memory.read_string(offset, length)}"')

        length = memory.write_string(offset, "Hello, Wasmer!")
        print(f"New string length: {length}")
        print(f'New memory contents: "{memory.read_string(offset, length)}"')


main(Path(sys.argv[1]))
