"""What is raised where nobody expects it: Ctrl-C at any moment of a call or a callback, and recursion that is too deep."""

import random
import signal
import sys
import threading
import time

import pytest

import tenon

TEXT = """(module (import "h" "f" (func $f (param i32) (result i32)))
  (func (export "spin") (param $n i32)
    (loop $l (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1))))))
  (func (export "back") (param $n i32) (result i32) (local $sum i32)
    (loop $l
      (local.set $sum (i32.add (local.get $sum) (call $f (local.get $n))))
      (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "trap") unreachable))"""


class Interrupt(BaseException):
    """What the handler raises: whatever it meets, nothing may swallow it."""


@pytest.fixture
def interrupt_in():
    """Has a signal come once, in so many seconds; 0 for none."""

    def interrupt(*_):
        raise Interrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_interrupts_come_out_where_the_code_was_called(store, load, interrupt_in):
    exports = load(TEXT, [lambda x: x + 1])
    moment = random.Random(1)
    interrupted = wrong = 0
    for round in range(600):
        try:
            interrupt_in(moment.uniform(0.0001, 0.0007))
            for _ in range(1000):
                exports.spin(3000)
                wrong += exports.back(40) != 860
        except Interrupt:
            interrupted += 1
    assert (wrong, interrupted) == (0, 600)
    # Nothing of a call that was ended stays behind: neither what it raised, nor that it was under way.
    with pytest.raises(tenon.Trap) as trap:
        exports.trap()
    assert trap.value.code == tenon.TrapCode.UNREACHABLE
    assert exports.back(3) == 9
    store.close()
    assert store.closed


def test_what_a_callback_raises_at_its_very_beginning_ends_the_call(load):
    """A signal may be handled before the callback's first line."""
    from tenon import func

    exports = load(TEXT, [lambda x: x])

    def trace(frame, event, _):
        if event == "call" and frame.f_code.co_name == "tenon_py_call_raw":
            sys.setprofile(None)
            raise Interrupt

    assert func.tenon_py_call_raw is not None
    sys.setprofile(trace)
    try:
        with pytest.raises(Interrupt):
            exports.back(5)
    finally:
        sys.setprofile(None)
    assert exports.back(2) == 3


# Where there is no room for the handler of what a callback could not handle, Python says so, too.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("kind", ["i32", "externref"])
def test_recursion_that_is_too_deep_is_an_error_at_whatever_depth_it_is_noticed(store, kind):
    module = tenon.Module(store, f"""(module (import "h" "f" (func $f (param {kind}) (result {kind})))
      (func (export "call") (param {kind}) (result {kind}) (call $f (local.get 0))))""")
    depth = 0

    def again(value):
        nonlocal depth
        depth += 1
        return call(value)

    call = tenon.Instance(store, module, [again]).exports.call
    limit = sys.getrecursionlimit()
    try:
        for more in range(40):
            # The innermost frame that has no room is another one each time.
            sys.setrecursionlimit(300 + more)
            depth = 0
            with pytest.raises(RecursionError):
                call(5)
            assert depth > 20
        sys.setrecursionlimit(1000000)
        with pytest.raises(tenon.Trap) as trap:
            call(5)
        assert trap.value.code == tenon.TrapCode.CALL_STACK_EXHAUSTED
    finally:
        sys.setrecursionlimit(limit)
    store.close()


def test_a_wait_is_interrupted(store, interrupt_in):
    shared = tenon.SharedMemory(store.engine, tenon.MemoryType(1, 1, shared=True))
    for timeout in [None, 1e18]:
        interrupt_in(0.01)
        with pytest.raises(Interrupt):
            shared.wait32(0, 0, timeout)
    assert shared.wait64(0, 0, 0.12) == shared.wait32(0, 0, 0) == tenon.Wait.TIMED_OUT

    # One that takes many parts is woken all the same.
    def wake():
        while shared.notify(8) == 0:
            time.sleep(0.001)

    for _ in range(3):
        waker = threading.Timer(0.11, wake)
        waker.start()
        assert shared.wait32(8, 0) == tenon.Wait.NOTIFIED
        waker.join()
