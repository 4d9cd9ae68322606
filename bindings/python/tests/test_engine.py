"""Engines and what belongs to them: settings, modules on several threads, files of modules, creators of memories."""

import gc
import mmap
import threading

import numpy
import pytest

import tenon

ANSWER = '(module (memory (export "m") 1 9) (data (i32.const 8) "text") (func (export "f") (result i32) (i32.const 42)) ' \
         '(func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))'


def test_settings():
    for config in [dict(optimization=tenon.Optimization.NONE), dict(optimization=1, eager=True), dict(dense_memories=True),
                   dict(pooled_memories=0, pooled_bytes=0)]:
        with tenon.Store(tenon.Engine(tenon.Config(**config))) as store:
            assert tenon.Instance(store, tenon.Module(store, ANSWER)).exports.f() == 42
    with pytest.raises(ValueError, match="9 is not a valid Optimization"):
        tenon.Config(optimization=9)
    with pytest.raises(TypeError, match="memory_creator is a MemoryCreator, not 5"):
        tenon.Config(memory_creator=5)
    assert tenon.__version__ in tenon.build_info


def test_a_module_is_for_all_stores_of_its_engine():
    engine = tenon.Engine()
    module = tenon.Module(engine, ANSWER)
    assert module.engine is engine and [export.name for export in module.exports] == ["m", "f", "grow"]
    results = []

    def work():
        for _ in range(20):
            with tenon.Store(engine) as store:
                results.append(tenon.Instance(store, module).exports.f())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [42] * 80
    store = tenon.Store(engine)
    exports = tenon.Instance(store, module).exports
    module.close()
    module.close()
    engine.trim()
    engine.close()
    assert exports.f() == 42
    for use in [lambda: tenon.Instance(store, module), module.serialize, engine.trim, lambda: tenon.Module(engine, ANSWER),
                lambda: tenon.Module(store, ANSWER)]:
        with pytest.raises(tenon.ClosedError):
            use()


def test_closing_while_others_use_it():
    engine = tenon.Engine()
    module = tenon.Module(engine, ANSWER)
    shared = tenon.SharedMemory(engine, tenon.MemoryType(1, 4, shared=True))
    wrong = []

    def work():
        while True:
            try:
                with tenon.Store(engine) as store:
                    tenon.Instance(store, module)
                    shared.obtain(store)
            except tenon.ClosedError:
                return
            except BaseException as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    waited = []
    waiter = threading.Thread(target=lambda: waited.append(shared.wait32(0, 0, 0.2)))
    waiter.start()
    for thing in [module, shared, engine]:
        thing.close()
    for thread in [*threads, waiter]:
        thread.join()
    assert not wrong


def test_files_of_modules(store, tmp_path):
    path = tmp_path / "module.tenon"
    path.write_bytes(tenon.Module(store, ANSWER).serialize())
    module = tenon.Module.deserialize_file(store.engine, path)
    path.unlink()
    assert tenon.Instance(store, module).exports.f() == 42
    with pytest.raises(tenon.TenonError, match="module.tenon"):
        tenon.Module.deserialize_file(store, path)
    path.write_bytes(b"damaged")
    with pytest.raises(tenon.CompileError):
        tenon.Module.deserialize_file(store, str(path))
    with pytest.raises(ValueError, match="NUL"):
        tenon.Module.deserialize_file(store, "a\0b")


def test_where_modules_are_wrong(store):
    with pytest.raises(tenon.CompileError) as text:
        tenon.Module(store, "(module\n  (func (wat)))")
    assert text.value.line == 2 and text.value.column > 1 and text.value.offset > 8
    with pytest.raises(tenon.CompileError) as binary:
        tenon.Module(store, tenon.wat2wasm("(module (func (result i32)))"))
    assert binary.value.offset > 8 and binary.value.line is None


def test_statistics_of_the_heap(store):
    assert store.gc_statistics() == (0, 0, 0, 0)
    array = tenon.Array.filled(store, tenon.ArrayType(tenon.Field(tenon.I64)), 1000)
    store.collect()
    told = store.gc_statistics()
    assert told.collections > 0 and told.survived >= 8000 and told.capacity >= told.used >= 8000
    array.close()
    store.collect()
    assert store.gc_statistics().survived < 8000


def test_the_limit_of_the_heap(store):
    store.set_limit(tenon.Limit.HEAP_BYTES, 100_000)
    ty = tenon.ArrayType(tenon.Field(tenon.I64))
    kept = tenon.Array.filled(store, ty, 1000)
    for _ in range(100):
        tenon.Array.filled(store, ty, 1000)
    assert 8000 <= store.usage(tenon.Limit.HEAP_BYTES) <= 100_000
    with pytest.raises(tenon.StoreLimitError):
        tenon.Array.filled(store, ty, 20_000)
    assert len(kept) == 1000


class Counting(tenon.MemoryCreator):
    """Makes memories with a function, and counts those that are there."""

    def __init__(self, make=None):
        self.make = make or super().allocate
        self.live = []
        self.requests = []

    def allocate(self, request):
        self.requests.append(request)
        buffer = self.make(request)
        self.live.append(buffer)
        return buffer

    def free(self, buffer):
        self.live = [other for other in self.live if other is not buffer]


@pytest.mark.parametrize("make", [None, lambda request: bytearray(request.size),
                                  lambda request: numpy.zeros(request.size + 65536, "u1")])
def test_memory_creators(make):
    creator = Counting(make)
    engine = tenon.Engine(tenon.Config(memory_creator=creator))
    with tenon.Store(engine) as store:
        exports = tenon.Instance(store, tenon.Module(store, ANSWER)).exports
        assert creator.requests[0] == (65536, 9 * 65536, 16, False) and len(creator.live) == 1
        for pages in range(1, 5):
            gc.collect()
            assert exports.grow(1) == pages and exports.m.read(8, 4) == b"text"
        assert len(creator.live) == 1 and not exports.m.pinned
        # The bytes are those of the buffer, which nobody can take away.
        exports.m.write(100, b"seen")
        assert bytes(memoryview(creator.live[0])[100:104]) == b"seen"
        if isinstance(creator.live[0], bytearray):
            with pytest.raises(BufferError):
                creator.live[0].append(1)
        empty = tenon.Memory(store, tenon.MemoryType(0, 2))
        assert empty.grow(1) == 0 and len(empty) == 65536
    del exports, empty
    assert creator.live == []


def test_pinned_memories_of_a_creator():
    creator = Counting()
    with tenon.Store(tenon.Engine(tenon.Config(memory_creator=creator, pinned_memories=True))) as store:
        exports = tenon.Instance(store, tenon.Module(store, ANSWER)).exports
        assert creator.requests[0].pinned and len(creator.live[0]) == 9 * 65536
        view = exports.m.view()
        exports.grow(8)
        exports.m.write(0, b"x")
        assert view[0] == ord("x") and exports.m.pinned and isinstance(creator.live[0], mmap.mmap)
        del view


def test_shared_memories_of_a_creator():
    creator = Counting()
    engine = tenon.Engine(tenon.Config(memory_creator=creator))
    shared = tenon.SharedMemory(engine, tenon.MemoryType(1, 3, shared=True))
    assert creator.requests == [(65536, 3 * 65536, 16, True)] and len(creator.live) == 1
    view = shared.view()
    assert shared.grow(2) == 1 and len(shared) == 3 * 65536
    shared.atomic_store("u8", 5, 7)
    assert view[5] == 7
    del view
    shared.close()
    assert creator.live == []


@pytest.mark.parametrize("shared", [True, False])
def test_pinned_memories_do_not_move(shared):
    creator = Counting(lambda request: bytearray(request.size))
    engine = tenon.Engine(tenon.Config(memory_creator=creator, pinned_memories=True))
    with tenon.Store(engine) as store:
        memory = tenon.Memory(store, tenon.MemoryType(1, 3, shared=shared))
        memory.write(8, b"text")
        for _ in range(3):
            with pytest.raises(tenon.LimitError, match="creator") as refused:
                memory.grow(1)
            gc.collect()
            assert "a pinned memory has a buffer of 65536 bytes" in str(refused.value.__cause__) and memory.read(8, 4) == b"text"
        del memory


def raising(request):
    raise KeyError("no more")


@pytest.mark.parametrize("make, cause", [(raising, KeyError), (lambda request: bytearray(5), ValueError), (lambda request: None, TypeError),
                                         (lambda request: bytes(request.size), BufferError),
                                         (lambda request: bytearray(b"x" * request.size), type(None))])
def test_memory_creators_that_refuse(make, cause):
    creator = Counting()
    with tenon.Store(tenon.Engine(tenon.Config(memory_creator=creator))) as store:
        exports = tenon.Instance(store, tenon.Module(store, ANSWER)).exports
        creator.make = make
        for ask in [lambda: tenon.Memory(store, tenon.MemoryType(1)), lambda: exports.m.grow(1),
                    lambda: tenon.Instance(store, tenon.Module(store, ANSWER))]:
            with pytest.raises(tenon.LimitError, match="creator") as refused:
                ask()
            assert isinstance(refused.value.__cause__, cause)
        assert exports.grow(1) == -1
        assert exports.m.read(8, 4) == b"text"
        del exports
