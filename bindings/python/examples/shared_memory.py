"""Two threads, each with a store and an instance of its own, and one shared memory between them."""

import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tenon import Engine, Instance, MemoryType, Module, SharedMemory, Store

MESSAGES = 1000


def main(directory: Path) -> None:
    engine = Engine()
    # One page, and never more. It belongs to no store.
    memory = SharedMemory(engine, MemoryType(1, 1, shared=True))

    def side(name: str):
        with Store(engine) as store:
            module = Module.from_file(store, directory / "shared-memory.wat")
            exports = Instance(store, module, [memory.obtain(store)]).exports
            return exports[name](MESSAGES)

    with ThreadPoolExecutor(2) as threads:
        _, total = threads.map(side, ["send", "receive"])
    # Both threads have ended: the bytes may be read without atomics.
    sent, received = struct.unpack_from("<II", memory)
    print(f"{sent} sent, {received} received, their sum is {total}")


main(Path(sys.argv[1]))
