"""The training loop of the graph recommenders: Adam over batches, with early stopping."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from igmc.errors import TrainingError
from igmc.recommenders.base import Monitor
from igmc.recommenders.early_stopping import EarlyStopping
from igmc.recommenders.graph.config import GraphConfig
from igmc.recommenders.graph.node_encoder import NodeEncoder
from igmc.recommenders.graph.objectives import Objective

__all__ = ["train"]


def train(
    encoder: NodeEncoder,
    objective: Objective,
    measure: Callable[[], Mapping[str, float]] | None,
    config: GraphConfig,
    monitor: Monitor | None,
) -> tuple[list[dict[str, float]], int]:
    """Adam over batches, until the epochs are over or the validation figure gets no better.

    Args:
        encoder: trained in place; it ends with the weights of the best epoch, or without `measure` of the
            last.
        objective: of that encoder: the batches of an epoch, and their losses.
        measure: on the validation part; the first figure decides. Less is better of "validation_rmse", more
            of any other.
        config: how to train.
        monitor: called after each epoch with its record.

    Returns:
        a record for each epoch: ``epoch``, ``loss`` (the mean over its ratings), ``learning_rate`` and what
        was measured; and the epoch whose weights the encoder has.

    Raises:
        TrainingError: if the loss is not finite.
    """
    groups = encoder.parameter_groups(getattr(config, "weight_decay", 0.0))
    optimizer = torch.optim.Adam(groups, lr=config.learning_rate)
    stopping = EarlyStopping(config.patience, higher_is_better=config.objective == "ranking")
    kept: dict[str, Tensor] = {}
    history = []
    for epoch in range(1, config.epochs + 1):
        encoder.train()
        total, n = 0.0, 0
        for rows in objective.batches():
            value = objective.loss(rows)
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
            encoder.eval()
            with torch.no_grad():
                record.update(measure())
            if stopping.update(epoch, next(v for name, v in record.items() if "validation" in name)):
                kept = copy.deepcopy(encoder.state_dict())
        history.append(record)
        if monitor is not None:
            monitor(record)
        if stopping.stop:
            break
    if kept:
        encoder.load_state_dict(kept)
    encoder.eval()
    return history, stopping.best_epoch or len(history)
