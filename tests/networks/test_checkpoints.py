"""The models of checkpoints: what was saved, and nothing else."""

import pytest
import torch

from igmc.config import ModelConfig
from igmc.errors import CheckpointError
from igmc.inference.checkpoints import open_run
from igmc.models.igmc import IGMC
from igmc.networks.checkpoints import load_models
from igmc.training.checkpoint import load_checkpoint

MODEL = ModelConfig(layers=(8, 8), mlp_width=8)


def test_the_models_are_those_of_their_epochs_and_the_pattern_is_left_alone(demo_run):
    folder, like = open_run(demo_run), IGMC(MODEL, n_levels=5, seed=7)
    before = {name: tensor.clone() for name, tensor in like.state_dict().items()}
    epochs = folder.epochs()
    models = load_models(folder, epochs, like, torch.device("cpu"))
    for epoch, model in zip(epochs, models, strict=True):
        saved = load_checkpoint(demo_run / "checkpoints" / f"epoch-{epoch:04}.ckpt")["model"]
        assert all(torch.equal(saved[name], tensor) for name, tensor in model.state_dict().items())
        assert not model.training
    assert all(torch.equal(before[name], tensor) for name, tensor in like.state_dict().items())


def test_a_checkpoint_of_another_model(demo_run):
    folder = open_run(demo_run)
    epoch = folder.epochs()[0]
    with pytest.raises(CheckpointError, match=rf"epoch {epoch} in .* does not fit this model"):
        load_models(folder, [epoch], IGMC(ModelConfig(), n_levels=5), torch.device("cpu"))
