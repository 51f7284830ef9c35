"""The settings of the ranker."""

from __future__ import annotations

from dataclasses import dataclass

from igmc.config.base import Config, knob

__all__ = ["RankerConfig"]


@dataclass(frozen=True)
class RankerConfig(Config):
    """What the ranker learns from, and how it is trained."""

    target: str = knob(
        "rated",
        "items to put first: all that the user will rate, or those rated at least as high as the user's mean",
        choices=("rated", "liked"),
    )
    folds: int = knob(4, "times that ratings are hidden for training", low=1, high=20)
    hidden: float = knob(0.1, "fraction of each known user's ratings hidden per fold", low=0.01, high=0.5)
    newcomers: float = knob(
        0.2,
        "fraction of users per fold who act as newcomers: their ratings are hidden from the statistics, and "
        "they keep only a few",
        low=0.0,
        high=0.9,
    )
    candidates: int = knob(300, "items per user that the network scores, taken in order of promise", low=1)
    epochs: int = knob(6, "passes over the users of all folds", low=1)
    learning_rate: float = knob(4e-3, "peak learning rate of AdamW", low=1e-12, high=10.0)
    weight_decay: float = knob(1e-2, "weight decay of AdamW", low=0.0)
    members: int = knob(2, "networks to train and average", low=1, high=64)
