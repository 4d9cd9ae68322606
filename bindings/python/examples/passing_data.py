"""Passing text to the guest, having it changed there, and reading it back."""

import sys
from pathlib import Path

from tenon import Instance, Module, Store


def main(directory: Path) -> None:
    with Store() as store:
        exports = Instance(store, Module.from_file(store, directory / "passing-data.wat")).exports
        memory = exports.memory
        length = memory.write_string(exports.get_wasm_memory_buffer_pointer(), "Did you know")
        length = exports.add_wasm_is_cool(length)
        # The buffer may have moved: ask again.
        print(memory.read_string(exports.get_wasm_memory_buffer_pointer(), length))


main(Path(sys.argv[1]))
