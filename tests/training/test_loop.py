import json
import logging
import sys

import numpy as np
import pytest
import torch

from igmc.config import ModelConfig, TrainConfig
from igmc.errors import CheckpointError, TrainingError
from igmc.loading.loader import Loader
from igmc.models.igmc import IGMC
from igmc.training import folder as folder_module
from igmc.training import loop
from igmc.training.ensemble import predict
from igmc.training.folder import RunFolder
from tests.training.small import CPU, ROWS, make_loaders, train_small


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(left, right):
    return all(torch.equal(tensor, right[name]) for name, tensor in left.items())


def but_times(history):
    return [{k: v for k, v in r.items() if k not in ("seconds", "subgraphs_per_second")} for r in history]


def weights_of(folder, epoch):
    """What a checkpoint answers with."""
    return folder.load_epoch(epoch)["model"]


class KilledError(Exception):
    pass


def killed_after(monkeypatch, epochs, method="save_epoch"):
    """Make a run die once it has saved so many epochs."""
    original, count = getattr(RunFolder, method), 0

    def dying(self, *arguments):
        nonlocal count
        original(self, *arguments)
        count += 1
        if count == epochs:
            raise KilledError

    monkeypatch.setattr(RunFolder, method, dying)


def test_it_learns(tmp_path):
    constant = [(user, item, 2.0 if user % 2 else 4.0) for user, item, _ in ROWS]
    _, history = train_small(
        tmp_path, rows=constant, epochs=25, learning_rate=0.01, patience=25, norm="relation"
    )
    assert history[-1]["mse"] < 0.5 * history[0]["mse"]
    errors = [record["validation_rmse"] for record in history]
    assert min(errors) < 0.5 < errors[0], "a model that says 3 has an RMSE of 1"


def test_a_record_an_epoch(tmp_path):
    _, history = train_small(tmp_path, epochs=3)
    assert [record["epoch"] for record in history] == [1, 2, 3]
    assert [json.loads(line) for line in (tmp_path / "metrics.jsonl").open()] == history
    for record in history:
        assert list(record) == [
            *("epoch", "mse", "arr", "learning_rate", "offset", "validation_rmse", "seconds"),
            "subgraphs_per_second",
        ]
        assert all(value > 0 for name, value in record.items() if name != "offset")


def test_fixed_epochs_look_at_no_validation(tmp_path):
    _, history = train_small(tmp_path, selection="fixed", epochs=2)
    assert [record["validation_rmse"] for record in history] == [None, None]


def test_mse_and_arr_are_means_over_pairs(tmp_path, monkeypatch):
    steps = []

    class Watched(IGMC):
        def gradients(self, batch, arr_weight):
            error = (self(batch).detach() - batch.rating).square().mean().item()
            steps.append((len(batch), error, self.arr_penalty().item()))
            return super().gradients(batch, arr_weight)

    model = Watched(ModelConfig(layers=(8, 8), mlp_width=8), n_levels=5)
    _, history = train_small(tmp_path, model=model, epochs=1, batch_size=50)
    sizes, errors, penalties = np.array(steps).T
    assert sizes[-1] < sizes[0] == 50, "the last batch counts less"
    assert history[0]["mse"] == pytest.approx(np.average(errors, weights=sizes), rel=1e-6)
    assert history[0]["arr"] == pytest.approx(np.average(penalties, weights=sizes), rel=1e-6)


def test_each_epoch_draws_its_own_order_and_dropout(tmp_path, monkeypatch):
    asked = []
    original = Loader.epoch
    monkeypatch.setattr(Loader, "epoch", lambda self, epoch: asked.append(epoch) or original(self, epoch))
    train_small(tmp_path, epochs=3)
    assert asked == [1, 0, 0, 2, 0, 0, 3, 0, 0], "what is scored is the same each time"


def test_validation_rmse_is_that_of_the_weights_saved(tmp_path):
    model, history = train_small(tmp_path, epochs=2)
    validation = make_loaders()[1]
    for epoch in (1, 2):
        model.load_state_dict(RunFolder(tmp_path).load_epoch(epoch)["model"])
        error = predict(model, validation, CPU) - validation.source.pairs.rating
        assert history[epoch - 1]["validation_rmse"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)


def test_predictions_need_neither_dropout_nor_a_training_mode(tmp_path):
    model, _ = train_small(tmp_path, epochs=1)
    validation = make_loaders()[1]
    model.train()
    first = predict(model, validation, CPU)
    assert not model.training
    np.testing.assert_array_equal(predict(model, validation, CPU), first)
    assert first.shape == (59,)
    assert first.dtype == np.float32


def test_the_learning_rate_decays_in_steps(tmp_path):
    rates = {"learning_rate": 0.02, "decay_factor": 0.5, "decay_every": 2}
    _, history = train_small(tmp_path / "decay", epochs=5, **rates)
    assert [record["learning_rate"] for record in history] == [0.02, 0.02, 0.01, 0.01, 0.005]
    used = [
        RunFolder(tmp_path / "decay").load_epoch(e)["optimizer"]["param_groups"][0]["lr"]
        for e in RunFolder(tmp_path / "decay").epochs()
    ]
    assert used[-1] == 0.005


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """The weights after two epochs with a decay in between."""
    return weights(train_small(tmp_path_factory.mktemp("plain"), epochs=2, decay_every=1)[0])


@pytest.mark.parametrize(
    "setting",
    [
        {"learning_rate": 0.002},
        {"decay_every": 2},
        {"decay_factor": 0.3},
        {"arr": 0.0},
        {"arr": 0.1},
        {"batch_size": 20},
        {"selection": "fixed"},
    ],
)
def test_each_setting_changes_the_weights(tmp_path, plain, setting):
    model, _ = train_small(tmp_path, **{"epochs": 2, "decay_every": 1} | setting)
    assert not same(plain, weights(model))


def test_arr_draws_adjacent_ratings_together(tmp_path):
    free, tied = (train_small(tmp_path / str(a), arr=a, epochs=8, patience=8)[1] for a in (0.0, 1.0))
    assert free[0]["arr"] > 0, "logged, though it has no weight"
    assert tied[-1]["arr"] < 0.9 * free[-1]["arr"]


def test_one_seed_repeats_and_another_does_not(tmp_path):
    first, again, other = (
        weights(train_small(tmp_path / str(k), epochs=1, seed=seed)[0]) for k, seed in enumerate((1, 1, 2))
    )
    assert same(first, again)
    assert not same(first, other)


def test_patience_ends_training(tmp_path, monkeypatch):
    scores = iter([1.0, 0.8, 0.9, 0.8, 0.85, 0.1])
    monkeypatch.setattr(loop, "_rmse", lambda *_: next(scores))
    _, history = train_small(tmp_path, epochs=50, patience=3, ensemble_size=2)
    assert [record["validation_rmse"] for record in history] == [1.0, 0.8, 0.9, 0.8, 0.85]
    assert RunFolder(tmp_path).epochs() == [2, 4, 5], "the best two, and the last to go on from"


def test_fixed_epochs_keep_the_checkpoints_that_are_averaged(tmp_path):
    train_small(tmp_path, selection="fixed", epochs=9, ensemble_every=3, ensemble_size=2)
    assert RunFolder(tmp_path).epochs() == [6, 9]


@pytest.mark.parametrize("selection", ["fixed", "validation"])
@pytest.mark.parametrize("killed", [1, 2, 3])
def test_a_resumed_run_ends_with_the_same_bits(tmp_path, monkeypatch, selection, killed, caplog):
    settings = {
        "selection": selection,
        "epochs": 4,
        "decay_every": 2,
        "ensemble_every": 1,
        "ensemble_size": 2,
    }
    unbroken, history = train_small(tmp_path / "unbroken", **settings)
    with monkeypatch.context() as patch:
        killed_after(patch, killed)
        with pytest.raises(KilledError):
            train_small(tmp_path / "broken", **settings)
    caplog.set_level(logging.INFO)
    resumed, after = train_small(tmp_path / "broken", **settings)
    assert f"resuming after epoch {killed}" in caplog.text
    assert same(weights(unbroken), weights(resumed))
    assert but_times(after) == but_times(history)
    folders = [RunFolder(tmp_path / name) for name in ("unbroken", "broken")]
    assert folders[0].epochs() == folders[1].epochs()
    for epoch in folders[0].epochs():
        assert same(folders[0].load_epoch(epoch)["model"], folders[1].load_epoch(epoch)["model"])


def test_a_profile_tells_the_stages_and_changes_no_bit(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    expected, _ = train_small(tmp_path / "plain", epochs=2)
    assert "share of the training time" not in caplog.text
    model, _ = train_small(tmp_path / "profiled", epochs=2, profile=True)
    assert same(weights(model), expected.state_dict())
    table = caplog.text[caplog.text.index("stage  ") :].splitlines()[1:]
    shares = {line[:20].strip(): float(line.split("%")[0].split()[-1]) for line in table}
    stages = ["waiting for batches", "forward", "backward", "optimizer", "bookkeeping"]
    assert list(shares)[:5] == stages
    assert sum(shares[name] for name in stages) == pytest.approx(100.0, abs=0.3)
    assert shares["forward"] > 0
    assert list(shares)[5:] == ["extraction", "loading"]


@pytest.mark.parametrize("kept", [2, 3])
def test_a_run_of_before_intercepts_were_set_is_trained_on(tmp_path, monkeypatch, kept):
    """Its checkpoints hold the intercept that training had come to, and no other."""
    settings = {"selection": "fixed", "epochs": 3, "ensemble_every": 1, "ensemble_size": 3}
    with monkeypatch.context() as patch:
        patch.setattr(loop, "set_intercept", lambda *_: 0.0)
        train_small(tmp_path, **settings)
    folder = RunFolder(tmp_path)
    for epoch in (2, 3):
        state = folder.load_epoch(epoch)
        del state["training"]
        for record in state["history"]:
            del record["offset"]
        folder.save_epoch(epoch, state, {1, 2, 3})
    before = weights_of(folder, 3)
    if kept == 2:
        (tmp_path / "checkpoints" / "epoch-0003.ckpt").unlink()
    model, history = train_small(tmp_path, **settings)
    moved = history[-1].get("offset", 0.0)
    assert (moved != 0.0) == (kept == 2), "what is finished answers as it did"
    assert same({**before, "lin2.bias": before["lin2.bias"] + moved}, weights(model))


def test_killed_between_history_and_checkpoint(tmp_path, monkeypatch):
    unbroken, history = train_small(tmp_path / "unbroken", epochs=2)
    with monkeypatch.context() as patch:
        killed_after_history = folder_module.replace_file

        def dying(path, *chunks):
            killed_after_history(path, *chunks)
            if path.name == "metrics.jsonl" and chunks[0].count(b"\n") == 2:
                raise KilledError

        patch.setattr(folder_module, "replace_file", dying)
        with pytest.raises(KilledError):
            train_small(tmp_path / "broken", epochs=2)
    resumed, _ = train_small(tmp_path / "broken", epochs=2)
    assert same(weights(unbroken), weights(resumed))
    written = [json.loads(line) for line in (tmp_path / "broken" / "metrics.jsonl").open()]
    assert but_times(written) == but_times(history)


def test_a_finished_training_is_not_trained_on(tmp_path, monkeypatch):
    model, history = train_small(tmp_path)
    monkeypatch.setattr(loop, "_train_epoch", None)
    again, same_history = train_small(tmp_path)
    assert same(weights(model), weights(again))
    assert same_history == history


def test_a_damaged_checkpoint_is_not_resumed_from_and_its_remedy_works(tmp_path, monkeypatch):
    unbroken, _ = train_small(tmp_path / "unbroken", epochs=4, ensemble_size=3)
    train_small(tmp_path / "damaged", epochs=4, ensemble_size=3)
    folder = RunFolder(tmp_path / "damaged")
    first, *later = sorted((folder.path / "checkpoints").iterdir())[1:]
    for path in (first, *later):
        path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match=f"delete {later[-1].name} and all later ones"):
        train_small(tmp_path / "damaged", epochs=4, ensemble_size=3)
    for path in (first, *later):
        path.unlink()
    resumed, _ = train_small(tmp_path / "damaged", epochs=4, ensemble_size=3)
    assert same(weights(unbroken), weights(resumed))
    assert folder.epochs() == RunFolder(tmp_path / "unbroken").epochs()


class Diverging(IGMC):
    """A model whose answers become `value` in the third epoch, in training or when validated."""

    value, training_only, epoch = float("nan"), True, 0

    def forward(self, batch):
        out = super().forward(batch)
        self.epoch += self.training
        steps = -(-(len(ROWS) - 60) // 25)
        if self.epoch > 2 * steps and self.training == self.training_only:
            out = out * self.value
        return out


@pytest.mark.parametrize(
    ("value", "in_training"),
    [(float("nan"), True), (float("inf"), True), (1e30, True), (float("nan"), False), (float("inf"), False)],
)
def test_a_loss_that_is_not_finite_ends_training_and_spares_the_checkpoints(tmp_path, value, in_training):
    model = Diverging(ModelConfig(layers=(8, 8), mlp_width=8), n_levels=5, backend="torch")  # calls forward
    model.value, model.training_only = value, in_training
    with pytest.raises(
        TrainingError,
        match=r"not finite in epoch 3, by step \d+; got (nan|inf); .*lower --learning-rate \(now 0.001\)",
    ) as caught:
        train_small(tmp_path, model=model, epochs=5, ensemble_size=2)
    assert caught.value.exit_code == 1
    folder = RunFolder(tmp_path)
    assert folder.epochs() == [1, 2]
    assert all(torch.isfinite(t).all() for e in (1, 2) for t in folder.load_epoch(e)["model"].values())
    assert len((tmp_path / "metrics.jsonl").read_text().splitlines()) == 2


def test_a_loss_that_is_not_finite_is_noticed_before_the_epoch_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "CHECK_EVERY", 2)
    train, _ = make_loaders("fixed")
    train.source.pairs.rating.flags.writeable = True
    train.source.pairs.rating[:] = np.inf
    (tmp_path / "checkpoints").mkdir()
    model = IGMC(ModelConfig(layers=(8, 8), mlp_width=8), n_levels=5)
    with pytest.raises(TrainingError, match="the loss is not finite in epoch 1, by step 2; got nan"):
        loop.fit(model, train, None, TrainConfig(selection="fixed"), RunFolder(tmp_path), CPU, progress=False)


def test_weights_ruined_by_the_last_step_are_not_saved(tmp_path):
    model = IGMC(ModelConfig(layers=(8, 8), mlp_width=8), n_levels=5, backend="torch")  # which calls hooks
    model.lin2.bias.register_hook(lambda grad: grad * float("nan"))
    with pytest.raises(TrainingError, match="the weights are not finite in epoch 1, by step 1; got nan"):
        train_small(tmp_path, model=model, selection="fixed", epochs=2, batch_size=len(ROWS))
    assert RunFolder(tmp_path).epochs() == []


@pytest.mark.parametrize(("progress", "terminal"), [(True, True), (True, False), (False, True)])
def test_the_bar_is_on_a_terminal_or_nowhere(tmp_path, capsys, monkeypatch, progress, terminal):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    train_small(tmp_path, epochs=1, progress=progress)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert ("epoch 1" in shown.err) == (progress and terminal)
