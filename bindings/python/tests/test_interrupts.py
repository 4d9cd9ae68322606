"""Ctrl-C, at any moment of a call or a callback, leaves everything as it should be."""

import random
import signal
import sys

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
