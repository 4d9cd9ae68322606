"""Modules as text, and one instance importing from another by name."""

import sys
from pathlib import Path

from tenon import Linker, Module, Store

USER = """(module
  (import "extern" "memory" (memory 1))
  (import "extern" "mem_size" (func $size (result i32)))
  (import "extern" "get_at" (func $get (param i32) (result i32)))
  (import "extern" "set_at" (func $set (param i32 i32)))
  (func (export "size") (result i32) call $size)
  (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
  (func (export "write") (param i32 i32) (call $set (local.get 0) (local.get 1)))
  (func (export "read") (param i32) (result i32) (call $get (local.get 0))))"""


def main(directory: Path) -> None:
    with Store() as store, Linker(store) as linker:
        owner = linker.instantiate(Module.from_file(store, directory / "memory-manipulation.wat"))
        linker.define_instance("extern", owner)
        print(f'Registered "extern" with {len(owner.exports)} exports')

        memory = owner.exports.memory
        user = linker.instantiate(Module(store, USER)).exports
        print(f"Size: {memory.pages} page, {user.size()} for the importing module")
        print(f"Data size: {len(memory)} bytes")

        print(f"Grown by 2 from {user.grow(2)}")
        print(f"Size: {memory.pages} pages, {user.size()} for the importing module")

        # One value in the first page, one in the last four bytes of the second.
        cells = {0x2220: 0xFEFEFFE, 0x20000 - 4: 0xFEA09}
        for address, value in cells.items():
            user.write(address, value)
        for address in cells:
            print(f"Value at {address:#x}: {user.read(address)}, host reads {memory.load('i32', address)}")


main(Path(sys.argv[1]))
