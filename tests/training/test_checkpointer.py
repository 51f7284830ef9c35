import pytest
import torch

from igmc.config import ModelConfig, TrainConfig
from igmc.models.igmc import IGMC
from igmc.training.checkpointer import MemoryCheckpointer
from igmc.training.folder import RunFolder
from igmc.training.loop import fit
from tests.training.small import CPU, make_loaders, train_small


def state_of(value, history=()):
    return {"model": {"weight": torch.full((2,), float(value))}, "optimizer": {}, "history": list(history)}


def test_at_the_start_there_is_nothing_to_resume_from():
    assert MemoryCheckpointer().latest() is None


def test_what_is_saved_stays_as_it_was():
    checkpointer = MemoryCheckpointer()
    state = state_of(1, [{"epoch": 1, "mse": 0.1 + 0.2, "validation_rmse": None}])
    checkpointer.save_epoch(1, state, {1})
    state["model"]["weight"] += 1  # as the optimizer does, in place
    state["history"].append({"epoch": 2})
    for kept in (checkpointer.latest(), checkpointer.load_epoch(1)):
        assert kept["model"]["weight"].tolist() == [1, 1]
        assert kept["history"] == [{"epoch": 1, "mse": 0.1 + 0.2, "validation_rmse": None}]


def test_only_what_is_needed_is_kept():
    checkpointer = MemoryCheckpointer()
    for epoch in range(1, 6):
        checkpointer.save_epoch(epoch, state_of(epoch), {2, epoch})
    assert checkpointer.load_epoch(2)["model"]["weight"].tolist() == [2, 2]
    assert checkpointer.latest()["model"]["weight"].tolist() == [5, 5]
    with pytest.raises(KeyError):
        checkpointer.load_epoch(4)


def train_in_memory(checkpointer, epochs, **settings):
    config = TrainConfig(epochs=epochs, batch_size=25, **settings)
    model = IGMC(ModelConfig(layers=(8, 8), mlp_width=8, norm="relation"), n_levels=5, seed=1)
    history = fit(model, *make_loaders(), config, checkpointer, CPU, progress=False)
    return model, history


def test_a_training_in_memory_has_the_bits_of_one_on_disk_resumed_or_not(tmp_path):
    settings = {"patience": 9, "ensemble_size": 2}
    on_disk, _ = train_small(tmp_path, epochs=4, **settings)
    folder = RunFolder(tmp_path)
    checkpointer = MemoryCheckpointer()
    train_in_memory(checkpointer, 2, **settings)
    model, history = train_in_memory(checkpointer, 4, **settings)
    assert [record["epoch"] for record in history] == [1, 2, 3, 4]
    pairs = [(on_disk.state_dict(), model.state_dict())]
    pairs += [(folder.load_epoch(e)["model"], checkpointer.load_epoch(e)["model"]) for e in folder.epochs()]
    assert len(pairs) > 2
    for left, right in pairs:
        assert left.keys() == right.keys()
        assert all(torch.equal(tensor, right[name]) for name, tensor in left.items())
