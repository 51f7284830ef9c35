"""Timing of the stages of a training step."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

import torch

__all__ = ["Stopwatch", "shares"]


class Stopwatch:
    """Adds up the seconds of stages that follow one another.

    Args:
        device: waited for at each lap, since a GPU works on behind Python's back; None does not measure.

    Attributes:
        seconds: of each stage.
        laps: how often each stage ended.
    """

    def __init__(self, device: torch.device | None) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.laps: Counter[str] = Counter()
        self._device, self._last = device, time.perf_counter()

    @property
    def on(self) -> bool:
        """Whether anything is measured."""
        return self._device is not None

    def start(self) -> None:
        """Begin a stage; what went before is not counted."""
        self._last = time.perf_counter()

    def lap(self, stage: str) -> None:
        """End a stage, and begin the next."""
        if self._device is None:
            return
        if self._device.type == "cuda":
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        self.seconds[stage] += now - self._last
        self.laps[stage] += 1
        self._last = now

    def divided(self, whole: str, part: str, rest: str) -> dict[str, float]:
        """The seconds of all stages, `whole` as two: the stage `part`, timed alone on a sample, and the rest.

        What the sample took is not counted.
        """
        total, sample = self.seconds.get(whole, 0.0), self.seconds.get(part, 0.0)
        estimate = min(total, sample * self.laps[whole] / max(1, self.laps[part]))
        divided: dict[str, float] = {}
        for name, seconds in self.seconds.items():
            if name != part:
                divided |= {part: estimate, rest: total - estimate} if name == whole else {name: seconds}
        return divided


def shares(step: Mapping[str, float], background: Mapping[str, float]) -> str:
    """A table of the stages of the training thread, and of what a thread beside it prepared meanwhile.

    >>> print(shares({"forward": 3.0, "backward": 1.0}, {"extraction": 2.0}))
    stage                  seconds   share of the training time
    forward                    3.0   75.0 %
    backward                   1.0   25.0 %
    extraction                 2.0   50.0 %, in the background
    """
    total = sum(step.values()) or 1.0
    lines = ["stage                  seconds   share of the training time"]
    for name, seconds in step.items():
        lines.append(f"{name:20s} {seconds:9.1f}   {seconds / total:.1%}".replace("%", " %"))
    for name, seconds in background.items():
        lines.append(
            f"{name:20s} {seconds:9.1f}   {seconds / total:.1%}, in the background".replace("%", " %")
        )
    return "\n".join(lines)
