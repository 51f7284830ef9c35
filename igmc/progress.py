"""What is being worked on, for whoever tells that a long work goes on where nobody sees a bar."""

from __future__ import annotations

__all__ = ["current_work", "step", "working_on"]


class _Now:
    """What was said last in this process."""

    work = ""
    step = ""


def working_on(work: str) -> None:
    """Say what is at work now, such as "mf on demo, seed 1"."""
    _Now.work, _Now.step = work, ""


def step(text: str) -> None:
    """Say how far that is, such as "epoch 7"."""
    _Now.step = text


def current_work() -> str:
    """What was said last, in a line; empty if nothing was.

    >>> working_on("mf on demo")
    >>> step("epoch 7")
    >>> current_work()
    'mf on demo, epoch 7'
    """
    return ", ".join(filter(None, (_Now.work, _Now.step)))
