"""Vectors: values of 128 bits as arguments and results, in both directions. In Python they are 16 bytes."""

import struct
import sys
from pathlib import Path

from tenon import Instance, Module, Store


def vector(*lanes: float) -> bytes:
    return struct.pack("<4f", *lanes)


def show(name: str, value: bytes) -> None:
    print(f"{name}:", *[f"{lane:g}" for lane in struct.unpack("<4f", value)])


def trace(value: bytes) -> bytes:
    """Gives back the lanes in reverse."""
    show("  the host sees", value)
    return vector(*reversed(struct.unpack("<4f", value)))


def main(directory: Path) -> None:
    with Store() as store:
        exports = Instance(store, Module.from_file(store, directory / "vectors.wat"), [trace]).exports
        scaled = exports.scale(vector(1, 2, 3, 4), vector(0.5, 1, 2, 10))
        show("scaled, in reverse", scaled)
        print(f"their sum: {exports.sum(scaled):g}")


main(Path(sys.argv[1]))
