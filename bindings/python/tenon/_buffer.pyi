"""The extension module of buffer.c."""

class Exporter:
    """A class whose objects are buffers: those of the memoryview that their method `view` returns."""

    def __buffer__(self, flags: int, /) -> memoryview: ...
