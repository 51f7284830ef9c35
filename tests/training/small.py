"""A training so small that an epoch takes a moment, with a model to match."""

from pathlib import Path

import torch

from igmc.config import ExtractConfig, ModelConfig, RunConfig, TrainConfig
from igmc.graph.parts import make_parts
from igmc.loading.loader import Loader
from igmc.loading.source import LiveSource
from igmc.models.igmc import IGMC
from igmc.training.device import on_device
from igmc.training.folder import RunFolder
from igmc.training.loop import fit
from tests.evaluation.splits import make_split, random_rows

CPU = torch.device("cpu")
ROWS = random_rows(3, users=30, items=20)


def make_loaders(selection="validation", *, rows=ROWS, seed=1, batch_size=25) -> tuple[Loader, Loader | None]:
    """Loaders of the training pairs, and of the validation pairs if the selection has any."""
    split = make_split(rows[:-60], rows[-60:-1], rows[-1:], users=30, items=20)
    parts = make_parts(split, selection)
    config = ExtractConfig(max_nodes_per_hop=8)
    train = Loader(LiveSource(parts["train"], config, seed=seed), batch_size, seed=seed, shuffle=True)
    if selection == "fixed":
        return train, None
    return train, Loader(LiveSource(parts["validation"], config, seed=seed), 256)


def train_small(
    path: Path, *, model=None, progress=False, profile=False, rows=ROWS, seed=1, norm="relation", **settings
):
    """Fit in a folder; returns the model and the history."""
    config = TrainConfig(**{"epochs": 3, "batch_size": 25} | settings)
    folder = RunFolder(path)
    with folder.claimed(RunConfig(train=config), {"data_digest": "", "split_digest": ""}):
        loaders = make_loaders(config.selection, rows=rows, seed=seed, batch_size=config.batch_size)
        if model is None:
            model = IGMC(ModelConfig(layers=(8, 8), mlp_width=8, norm=norm), n_levels=5, seed=seed)
        with on_device(CPU):
            history = fit(model, *loaders, config, folder, CPU, progress=progress, profile=profile)
    return model, history
