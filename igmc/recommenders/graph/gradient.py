"""Training by gradient steps: what the graph recommenders have in common, whatever their layers."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.config import Config, knob
from igmc.errors import TrainingError
from igmc.recommenders.base import Monitor
from igmc.recommenders.stopping import Best
from igmc.rng import stream

__all__ = ["OBJECTIVE", "GradientConfig", "seeded", "train", "unseen_items"]

Rows = NDArray[np.int64]
TRIES = 30  # draws of an item that the user has not rated; what has been rated by then counts as unseen
OBJECTIVE = (
    "'rating' predicts ratings (squared error), 'ranking' orders items (BPR), every rating being a like"
)


@dataclass(frozen=True)
class GradientConfig(Config):
    """How a model is trained."""

    objective: str = knob("rating", OBJECTIVE, choices=("rating", "ranking"))
    learning_rate: float = knob(1e-3, "Adam's step size", low=1e-12, high=10.0)
    l2: float = knob(1e-4, "weight of the squared inputs of the nodes of a batch", low=0.0)
    batch_size: int = knob(
        8192, "ratings a step; with objective 'rating' at most an eighth of all of them", low=1
    )
    epochs: int = knob(100, "most passes over the training ratings", low=1)
    patience: int = knob(10, "epochs without a better validation figure before stopping", low=1)


def train(
    model: nn.Module,
    groups: list[dict[str, object]],
    batches: Callable[[], Iterable[Rows]],
    loss: Callable[[Rows], Tensor],
    measure: Callable[[], Mapping[str, float]] | None,
    config: GradientConfig,
    monitor: Monitor | None,
) -> tuple[list[dict[str, float]], int]:
    """Adam over batches, until the epochs are over or the validation figure gets no better.

    Args:
        model: trained in place; it ends with the weights of the best epoch, or without `measure` of the last.
        groups: its parameters, as `torch.optim.Adam` takes them.
        batches: those of an epoch, each as numbers of training ratings, int64 [B].
        loss: of a batch.
        measure: on the validation part; the first figure decides. Less is better of "validation_rmse", more
            of any other.
        config: how to train.
        monitor: called after each epoch with its record.

    Returns:
        a record for each epoch: ``epoch``, ``loss`` (the mean over its steps), ``learning_rate`` and what was
        measured; and the epoch whose weights the model has.

    Raises:
        TrainingError: if the loss is not finite.
    """
    optimizer = torch.optim.Adam(groups, lr=config.learning_rate)
    best = Best(config.patience, -1 if config.objective == "rating" else 1)
    kept: dict[str, Tensor] = {}
    history = []
    for epoch in range(1, config.epochs + 1):
        model.train()
        total, n = 0.0, 0
        for rows in batches():
            value = loss(rows)
            optimizer.zero_grad(set_to_none=True)
            value.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            total, n = total + value.item() * len(rows), n + len(rows)
        record = {"epoch": float(epoch), "loss": total / n, "learning_rate": config.learning_rate}
        if not math.isfinite(total):
            raise TrainingError(
                f"the loss is not finite in epoch {epoch}",
                got=total,
                remedy=f"lower learning_rate (now {config.learning_rate:g})",
            )
        if measure is not None:
            model.eval()
            with torch.no_grad():
                record.update(measure())
            if best.update(epoch, next(value for name, value in record.items() if "validation" in name)):
                kept = copy.deepcopy(model.state_dict())
        history.append(record)
        if monitor is not None:
            monitor(record)
        if best.stale:
            break
    if kept:
        model.load_state_dict(kept)
    model.eval()
    return history, best.epoch or len(history)


def unseen_items(user: Rows, seen: Rows, n_items: int, rng: np.random.Generator) -> Rows:
    """For each user an item drawn uniformly from those that the user has not rated, int64 [B].

    A user who has rated nearly everything may get a rated item.

    Args:
        user: int64 [B].
        seen: the pairs rated, as ``user * n_items + item``, int64, ascending.
        n_items: number of items.
        rng: of the draws.
    """
    drawn = rng.integers(n_items, size=len(user))
    for _ in range(TRIES):
        key = user * n_items + drawn
        place = np.minimum(np.searchsorted(seen, key), len(seen) - 1)
        bad = np.flatnonzero(seen[place] == key)
        if not len(bad):
            break
        drawn[bad] = rng.integers(n_items, size=len(bad))
    return drawn


@contextmanager
def seeded(seed: int, name: str) -> Iterator[None]:
    """While it lasts, torch draws weights and dropout from a stream of this seed; then as if nothing was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(stream(seed, name, "torch").integers(2**63)))
        yield
