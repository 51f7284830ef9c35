"""Signals that hit where Python ignores exceptions still end the command; others see nothing of it."""

import gc
import os
import signal
import sys
import time
import weakref

import pytest

from igmc.cli.signals import TERMINATED, heard


class Node:
    """Something that can be weakly referenced."""


def hit_in_a_callback(number: int) -> None:
    """Be hit by a signal in the callback of a weak reference, and go on."""
    node = Node()
    reference = weakref.ref(node, lambda _: (os.kill(os.getpid(), number), time.sleep(0.01)))
    del node
    gc.collect()
    assert reference() is None
    time.sleep(5)
    raise AssertionError("it was lost")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_in_a_callback_is_not_lost(number):
    with pytest.raises((SystemExit, KeyboardInterrupt)) as caught, heard():
        hit_in_a_callback(number)
    assert isinstance(caught.value, KeyboardInterrupt) == (number == signal.SIGINT)
    assert getattr(caught.value, "code", TERMINATED) == TERMINATED


def test_one_that_hits_twice_in_callbacks_is_raised_at_last():
    def again(_):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.05)

    def hit():
        for _ in range(3):
            node = Node()
            reference = weakref.ref(node, again)
            del node
            assert reference() is None
        time.sleep(5)

    with pytest.raises(SystemExit), heard():
        hit()


def test_all_is_as_before_afterwards_and_other_errors_are_told_as_ever(capsys):
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM), sys.unraisablehook
    told = []
    sys.unraisablehook = told.append
    try:
        with heard():
            node = Node()
            reference = weakref.ref(node, lambda _: 1 / 0)
            del node
        assert reference() is None
    finally:
        sys.unraisablehook = before[2]
    assert isinstance(told[0].exc_value, ZeroDivisionError)
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before[:2]
