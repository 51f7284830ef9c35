"""Whole runs on a file of some hundred ratings."""

import json
import logging
import math
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from igmc import run as run_module
from igmc import run_start
from igmc.config import (
    DataConfig,
    ExtractConfig,
    ModelConfig,
    RunConfig,
    TrainConfig,
    preset_settings,
    run_config,
)
from igmc.errors import CheckpointError, ConfigError, DataError, TrainingError
from igmc.evaluation.metrics.errors import rmse, score
from igmc.graph.parts import make_parts
from igmc.inference.predictor import Predictor
from igmc.loading.loader import Loader
from igmc.loading.source import LiveSource
from igmc.models.igmc import IGMC
from igmc.networks.rgcn import network as rgcn
from igmc.ratings.load import load_dataset
from igmc.ratings.side_features import side_features
from igmc.ratings.split import Split, make_split
from igmc.run import default_folder, demo_run, train
from igmc.run_references import reference_predictions
from igmc.run_report import RunReport
from igmc.training.checkpoint import load_checkpoint
from igmc.training.ensemble import predict_batches
from igmc.training.folder import RunFolder
from tests.brief import USUAL_CURVES
from tests.edits import edited
from tests.evaluation.splits import random_rows

REPO = Path(__file__).parents[1]
MODEL = ModelConfig(layers=(8, 8), mlp_width=8, norm="relation")
EXTRACT = ExtractConfig(max_nodes_per_hop=8)
ROWS = [(f"u{user}", 100 + item, rating) for user, item, rating in random_rows(7, users=30, items=20)]


def write_csv(path: Path, rows=ROWS) -> Path:
    path.write_text("user,item,rating\n" + "".join(f"{u},{i},{r:g}\n" for u, i, r in rows))
    return path


@pytest.fixture(scope="module")
def ratings(tmp_path_factory):
    return write_csv(tmp_path_factory.mktemp("data") / "ratings.csv")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def make_config(
    ratings, *, data=None, extract=EXTRACT, model=MODEL, seed=1, live=True, **settings
) -> RunConfig:
    return RunConfig(
        data=DataConfig(dataset=str(ratings), **(data or {})),
        extract=extract,
        model=model,
        train=TrainConfig(**{"epochs": 2, "ensemble_size": 2, "ensemble_every": 1} | settings),
        live=live,
        seed=seed,
    )


def run(config, out, home=None, **options) -> RunReport:
    return train(config, out=out, home=home, **{"progress": False, "device": "cpu", "workers": 2} | options)


def weights(folder):
    """All weights of the checkpoints of a run, by epoch and name."""
    return {
        (path.name, name): tensor
        for path in sorted((Path(folder) / "checkpoints").iterdir())
        for name, tensor in load_checkpoint(path)["model"].items()
    }


def same(left, right):
    return left.keys() == right.keys() and all(torch.equal(left[key], right[key]) for key in left)


def predictions(folder) -> pd.DataFrame:
    return pd.read_csv(Path(folder) / "predictions.csv.gz")


@pytest.fixture(scope="module", params=["validation", "fixed"])
def done(request, ratings, home, tmp_path_factory):
    """A finished run from the store under each selection, with its curves."""
    folder = tmp_path_factory.mktemp(request.param)
    config = make_config(ratings, selection=request.param, epochs=4, learning_rate=0.01, live=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "save_curves", USUAL_CURVES)
        return config, run(config, folder, home), folder


def test_what_a_run_leaves_behind(done):
    _, _, folder = done
    assert sorted(path.name for path in folder.iterdir()) == [
        *("checkpoints", "config.json", "curves.png", "curves.svg", "log.txt", "metrics.json"),
        *("metrics.jsonl", "predictions.csv.gz", "split.npz"),
    ]


def test_the_report_says_what_was_run(done, ratings):
    config, report, folder = done
    assert (report.dataset, report.split, report.seed) == (ratings.stem, "random", 1)
    assert report.selection == config.train.selection
    total = len(ROWS)
    assert report.test_pairs == round(0.1 * total)
    validated = report.selection == "validation"
    assert (report.validation_pairs > 0) == validated
    assert report.train_pairs + report.validation_pairs + report.test_pairs == total
    assert report.epochs == 4
    assert report.seconds > 0
    assert report.device == "cpu"
    assert report.folder == str(folder)
    assert set(report.references) == set(
        reference_predictions(make_split(load_dataset(config.data), config.data, 1))
    )


def test_the_checkpoints_that_were_scored(done):
    _, report, folder = done
    history = [json.loads(line) for line in (folder / "metrics.jsonl").open()]
    assert len(report.ensemble_epochs) == 2
    assert report.single_epoch == report.ensemble_epochs[0]
    if report.selection == "fixed":
        assert report.ensemble_epochs == (4, 3)
        assert report.validation_rmse is None
    else:
        scores = [record["validation_rmse"] for record in history]
        assert report.ensemble_epochs == tuple(np.argsort(scores, kind="stable")[:2] + 1)
        assert report.validation_rmse == min(scores)


def test_what_no_cap_thins_is_read_once_by_all_checkpoints(ratings, home, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(Loader, "epoch", lambda *args, old=Loader.epoch: asked.append(args) or old(*args))
    report = run(make_config(ratings, extract=ExtractConfig(), epochs=2), tmp_path / "run", home)
    assert len(report.ensemble_epochs) == 2
    scored = [loader for loader, _ in asked if len(loader.source.pairs) == report.test_pairs]
    assert len(scored) == 1


def test_the_report_comes_back_from_json(done):
    _, report, folder = done
    assert RunReport.from_dict(json.loads((folder / "metrics.json").read_text())) == report
    assert f"selection {report.selection}" in report.format()
    assert ("chosen on validation" in report.format()) == (report.selection == "validation")


def test_predictions_have_the_ids_of_the_file_and_give_the_reported_scores(done):
    config, report, folder = done
    frame = predictions(folder)
    assert list(frame) == ["user_id", "item_id", "rating", "single", "ensemble"]
    truth = {(user, item): rating for user, item, rating in ROWS}
    asked = list(zip(frame.user_id, frame.item_id, strict=True))
    assert len(set(asked)) == len(asked) == report.test_pairs
    assert [truth[pair] for pair in asked] == frame.rating.tolist()
    for kind in ("single", "ensemble"):
        again = score(frame[kind].to_numpy(np.float32), frame.rating, 1, 5)
        assert again == getattr(report, kind)
    split = make_split(load_dataset(config.data), config.data, config.seed)
    for name, predicted in reference_predictions(split).items():
        assert report.references[name].rmse == pytest.approx(rmse(predicted, frame.rating))


def test_predictions_are_those_of_the_checkpoints(done):
    config, report, folder = done
    part = make_parts(Split.load(folder / "split.npz"), report.selection)["test"]
    loader = Loader(LiveSource(part, config.extract, seed=config.seed), 1000)
    model = IGMC(config.model, n_levels=5)
    answers = []
    for k, epoch in enumerate(report.ensemble_epochs):
        model.load_state_dict(load_checkpoint(folder / "checkpoints" / f"epoch-{epoch:04}.ckpt")["model"])
        answers.append(predict_batches([model], loader.epoch(k), torch.device("cpu"))[0])
    np.testing.assert_allclose(predictions(folder).single, answers[0], atol=1e-5)
    np.testing.assert_allclose(predictions(folder).ensemble, np.mean(answers, axis=0), atol=1e-5)
    assert not np.allclose(answers[0], answers[1], atol=1e-3)


def test_the_split_is_kept(done):
    config, _, folder = done
    split = make_split(load_dataset(config.data), config.data, config.seed)
    assert Split.load(folder / "split.npz").digest() == split.digest()
    settings = json.loads((folder / "config.json").read_text())
    assert RunConfig.from_dict(settings["config"]) == config
    assert settings["split_digest"] == split.digest()
    assert settings["data_digest"] == split.table.digest()
    assert {"versions", "machine", "scale"} <= set(settings)


def test_the_log_has_a_line_an_epoch(done):
    _, _, folder = done
    log = (folder / "log.txt").read_text()
    assert f"run folder {folder}, device cpu" in log
    assert [f"epoch   {epoch}/4  mse " in log for epoch in (1, 2, 3, 4)] == [True] * 4
    logger = logging.getLogger("igmc")
    assert not [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]


def test_a_finished_run_is_not_done_again(done, home, monkeypatch):
    config, report, folder = done
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.name != "log.txt"}
    monkeypatch.setattr(rgcn, "fit", None)
    monkeypatch.setattr(rgcn, "predict_samples", None)
    assert run(config, folder, home) == report
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert "holds this run, finished" in (folder / "log.txt").read_text()


def test_a_finished_run_that_was_moved_reports_where_it_is(done, home, tmp_path):
    config, report, folder = done
    moved = shutil.copytree(folder, tmp_path / "moved")
    assert run(config, moved, home) == replace(report, folder=str(moved))


def test_what_a_damaged_checkpoint_of_a_finished_run_asks_for_mends_it(done, home, tmp_path):
    config, report, folder = done
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    last = sorted((damaged / "checkpoints").iterdir())[-1]
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.raises(CheckpointError, match=f"delete {last.name} and all later ones, and metrics.json"):
        Predictor.from_run(damaged)
    last.unlink()
    with pytest.raises(CheckpointError, match=r"or delete metrics\.json and run igmc-train again"):
        Predictor.from_run(damaged)
    (damaged / "metrics.json").unlink()
    assert run(config, damaged, home).ensemble == report.ensemble
    assert len(Predictor.from_run(damaged).epochs) == 2


def in_former_words(folder):
    """What a run folder of version 0.1 says: the selection was called protocol there."""
    for name in ("config.json", "metrics.json"):
        with edited(folder / name) as values:
            place = values if name == "metrics.json" else values["config"]["train"]
            place["protocol"] = {"fixed": "paper", "validation": "validated"}[place.pop("selection")]


def test_a_run_of_an_earlier_version_opens_and_goes_on(done, home, tmp_path):
    config, report, folder = done
    old = shutil.copytree(folder, tmp_path / "old")
    in_former_words(old)
    assert run(config, old, home) == replace(report, folder=str(old))
    assert Predictor.from_run(old, device="cpu").epochs == report.ensemble_epochs
    for name in ("metrics.json", "predictions.csv.gz"):
        (old / name).unlink()
    *_, kept, last = RunFolder(old).epochs()
    (old / "checkpoints" / f"epoch-{last:04d}.ckpt").unlink()
    again = run(config, old, home)
    assert f"resuming after epoch {kept}" in (old / "log.txt").read_text()
    assert (again.ensemble, again.ensemble_epochs) == (report.ensemble, report.ensemble_epochs)
    other = config.replace(
        train=config.train.replace(selection="fixed" if again.validation_rmse else "validation")
    )
    with pytest.raises(ConfigError, match=r"train\.selection \('.*' there, '.*' now\)"):
        run(other, old, home)


def test_a_damaged_report_is_refused(done, home, tmp_path):
    config, _, folder = done
    whole = (folder / "metrics.json").read_bytes()
    try:
        for content in (b"{}", whole[:-20]):
            (folder / "metrics.json").write_bytes(content)
            with pytest.raises(CheckpointError, match=r"metrics\.json"):
                run(config, folder, home)
    finally:
        (folder / "metrics.json").write_bytes(whole)


def test_a_run_that_stopped_after_training_is_only_scored_again(done, home, monkeypatch):
    config, report, folder = done
    frame = (folder / "predictions.csv.gz").read_bytes()
    for name in ("metrics.json", "predictions.csv.gz"):
        (folder / name).unlink()
    assert run(config, folder, home) == report
    assert (folder / "predictions.csv.gz").read_bytes() == frame


@pytest.mark.parametrize("selection", ["validation", "fixed"])
def test_training_never_sees_a_test_rating(ratings, tmp_path, selection):
    config = make_config(ratings, selection=selection)
    table = load_dataset(config.data).table
    split = make_split(load_dataset(config.data), config.data, config.seed)
    poisoned = list(ROWS)
    for row in split.test:
        user, item, rating = ROWS[row]
        assert (table.users.ids[table.user[row]], table.items.ids[table.item[row]]) == (user, item)
        poisoned[row] = (user, item, 6 - rating if rating != 3 else 1)
    run(config, tmp_path / "honest")
    other = make_config(write_csv(tmp_path / "poisoned.csv", poisoned), selection=selection)
    run(other, tmp_path / "cheated")
    assert same(weights(tmp_path / "honest"), weights(tmp_path / "cheated"))
    honest, cheated = predictions(tmp_path / "honest"), predictions(tmp_path / "cheated")
    assert (honest.rating != cheated.rating).all()
    pd.testing.assert_frame_equal(honest.drop(columns="rating"), cheated.drop(columns="rating"))


def test_a_seed_repeats_a_run_and_another_changes_it(ratings, tmp_path):
    for name, seed in (("one", 1), ("again", 1), ("two", 2)):
        run(make_config(ratings, seed=seed), tmp_path / name)
    assert same(weights(tmp_path / "one"), weights(tmp_path / "again"))
    assert not same(weights(tmp_path / "one"), weights(tmp_path / "two"))
    assert (tmp_path / "one" / "predictions.csv.gz").read_bytes() == (
        tmp_path / "again" / "predictions.csv.gz"
    ).read_bytes()


def test_the_seed_draws_the_initial_weights_and_the_order(ratings, tmp_path, monkeypatch):
    seeds = []

    class Halted(Exception):  # noqa: N818
        pass

    def halting(model, training, *arguments, **options):
        order = np.concatenate([batch.rating.numpy() for batch in training.epoch(1)])
        seeds.append((model.lin2.weight.detach().clone(), order))
        raise Halted

    monkeypatch.setattr(rgcn, "fit", halting)
    monkeypatch.setattr(run_start, "make_split", lambda dataset, data, _: make_split(dataset, data, 1))
    for seed in (1, 2):
        with pytest.raises(Halted):
            run(make_config(ratings, seed=seed), tmp_path / str(seed))
    (weight, order), (other_weight, other_order) = seeds
    assert not torch.equal(weight, other_weight)
    assert sorted(order) == sorted(other_order)
    assert not np.array_equal(order, other_order)


def test_a_model_is_trained_in_as_many_threads_as_there_are_workers(ratings, tmp_path, monkeypatch):
    taken, fit = [], rgcn.fit

    def note(model, *args, **options):
        taken.append(model.threads)
        return fit(model, *args, **options)

    monkeypatch.setattr(rgcn, "fit", note)
    run(make_config(ratings), tmp_path / "run", workers=1)
    assert taken == [1]


@pytest.mark.parametrize("live", [True, False])
def test_workers_and_threads_change_nothing(ratings, tmp_path, live):
    config = make_config(ratings, live=live)
    for workers in (1, 2, 3, None):
        run(config, tmp_path / str(workers), tmp_path / f"home{workers}", workers=workers)
        assert same(weights(tmp_path / "1"), weights(tmp_path / str(workers)))


def test_store_and_live_differ_by_sampling_alone(ratings, home, tmp_path):
    whole, sampled = ExtractConfig(), EXTRACT
    for name, extract in (("whole", whole), ("sampled", sampled)):
        for live in (True, False):
            run(make_config(ratings, extract=extract, live=live), tmp_path / f"{name}{live}", home)
    assert same(weights(tmp_path / "wholeTrue"), weights(tmp_path / "wholeFalse"))
    assert not same(weights(tmp_path / "sampledTrue"), weights(tmp_path / "sampledFalse"))


@pytest.mark.parametrize(
    ("limit", "said"), [(2**31, "subgraphs come from the store"), (100, "subgraphs are extracted live")]
)
def test_the_choice_of_store_or_live_goes_by_size_and_is_said(ratings, tmp_path, monkeypatch, limit, said):
    monkeypatch.setattr(rgcn, "CACHE_BYTES", limit)
    run(make_config(ratings, live=None, epochs=1), tmp_path / "run", tmp_path / "home")
    assert said in (tmp_path / "run" / "log.txt").read_text()
    assert (tmp_path / "home" / "processed").exists() == (limit > 100)
    explicit = make_config(ratings, live=limit == 100, epochs=1)
    run(explicit, tmp_path / "explicit", tmp_path / "home")
    assert said not in (tmp_path / "explicit" / "log.txt").read_text()
    assert same(weights(tmp_path / "run"), weights(tmp_path / "explicit"))


def test_side_features_reach_the_model(data_root, tmp_path):
    sizes = {}
    for side in (False, True):
        config = RunConfig(
            data=DataConfig(dataset="ml_100k", keep_ratio=0.01),
            extract=EXTRACT,
            model=MODEL.replace(side_features=side),
            train=TrainConfig(epochs=1),
            live=True,
        )
        # Scoring all 20,000 test ratings would take longer than training.
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(run_start, "make_split", few_test_ratings)
            run(config, tmp_path / str(side), data_dir=data_root)
        sizes[side] = {name: tensor.shape for (_, name), tensor in weights(tmp_path / str(side)).items()}
    users, items = side_features(load_dataset("ml_100k", data_dir=data_root))
    assert sizes[False]["lin1.weight"] == (8, 32)
    assert sizes[True]["lin1.weight"] == (8, 32 + users.shape[1] + items.shape[1])
    plain, informed = (predictions(tmp_path / str(side)).single for side in (False, True))
    assert len(plain) == 50
    assert not np.isclose(plain, informed).any()


def few_test_ratings(dataset, config, seed):
    split = make_split(dataset, config, seed)
    return Split(split.table, split.scale, split.train, split.validation, split.test[:50], split.name, seed)


def test_side_features_of_a_file_that_has_none(ratings, tmp_path):
    with pytest.raises(DataError, match="side features"):
        run(make_config(ratings, model=MODEL.replace(side_features=True)), tmp_path)


def test_nothing_to_test_on(ratings, tmp_path):
    with pytest.raises(ConfigError, match=r"the test part is empty; .*--test-ratio"):
        run(make_config(ratings, data={"test_ratio": 0.0}), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_nothing_to_validate_on(ratings, tmp_path):
    config = make_config(ratings, data={"validation_ratio": 0.0})
    with pytest.raises(
        ConfigError, match=r"needs a validation part.*--validation-ratio, or use --selection fixed"
    ):
        run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    report = run(config.replace(train=config.train.replace(selection="fixed")), tmp_path / "run")
    assert math.isfinite(report.ensemble.rmse)


def test_other_settings_data_or_device_in_the_same_folder(ratings, tmp_path):
    run(make_config(ratings), tmp_path / "run")
    with pytest.raises(ConfigError, match=r"train.arr \(0.001 there, 0.5 now\)"):
        run(make_config(ratings, arr=0.5), tmp_path / "run")
    copy = write_csv(tmp_path / "ratings.csv")
    run(make_config(copy), tmp_path / "copy")
    write_csv(copy, ROWS[:-1])
    with pytest.raises(DataError, match="a run on other ratings: its data digest differs"):
        run(make_config(copy), tmp_path / "copy")
    with pytest.raises(ConfigError, match="unknown device"):
        run(make_config(ratings), tmp_path / "run", device="tpu")


def test_a_diverging_run_leaves_no_report(ratings, tmp_path, monkeypatch):
    config = make_config(ratings, selection="fixed", learning_rate=10.0, decay_factor=1.0, epochs=3)
    real = rgcn.IGMC

    def exploding(*arguments, **options):
        model = real(*arguments, **options)
        model.backend = "torch"  # which calls hooks
        model.lin2.weight.register_hook(lambda grad: grad * float("inf"))
        return model

    monkeypatch.setattr(rgcn, "IGMC", exploding)
    with pytest.raises(TrainingError, match="not finite in epoch 1"):
        run(config, tmp_path)
    assert not (tmp_path / "metrics.json").exists()
    assert weights(tmp_path) == {}


def test_the_default_folder_is_named_after_the_run_and_its_ratings(monkeypatch, tmp_path, ratings):
    config = make_config(ratings, epochs=1)
    split = make_split(load_dataset(config.data), config.data, config.seed)
    named = default_folder(config, split)
    assert re.fullmatch(r"runs/ratings\.csv-validated-seed1-[0-9a-f]{8}", str(named))
    odd = config.replace(data=DataConfig(dataset="a b/my ratings: new.csv"))
    assert default_folder(odd, split).name.startswith("my_ratings_new.csv-")
    assert default_folder(config.replace(seed=2), split) != named
    other = make_split(load_dataset(config.data), config.data.replace(keep_ratio=0.9), config.seed)
    assert default_folder(config, other) != named
    monkeypatch.chdir(tmp_path)
    report = train(config, device="cpu", progress=False)
    assert report.folder == str(named)
    assert (tmp_path / report.folder / "metrics.json").exists()


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        ({}, "demo-validated-seed1-cd74a75e"),
        (preset_settings("demo", "rgcn"), "demo-validated-seed1-9b4f8ef4"),
        (
            {
                "extract": {"max_nodes_per_hop": 200},
                "model": {"init": "uniform"},
                "train": {"selection": "fixed", "epochs": 80},
                "live": True,
            },
            "demo-paper-seed1-662ea184",
        ),
    ],
)
def test_default_folders_are_those_of_earlier_versions(settings, name):
    config = RunConfig.from_dict(settings)
    split = make_split(load_dataset("demo"), config.data, config.seed)
    assert default_folder(config, split) == Path("runs") / name


def test_the_demo_run_is_found_by_version_and_settings(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(run_module, "train", lambda config, *, out, **more: asked.append((config, out)))
    monkeypatch.setattr(run_module, "versions", lambda: {"igmc": "0.2.0.dev0"})
    folder = demo_run(tmp_path)
    assert folder == tmp_path / "demo-run" / f"0.2.0.dev0-{run_config('demo').digest()}"
    assert asked == [(run_config("demo"), folder)]
    folder.mkdir()
    (folder / "metrics.json").touch()
    assert demo_run(tmp_path) == folder
    assert len(asked) == 1, "one that is finished is not made again"


def test_a_file_that_has_grown_makes_another_run(monkeypatch, tmp_path, ratings):
    copy = tmp_path / "ratings.csv"
    copy.write_bytes(Path(ratings).read_bytes())
    monkeypatch.chdir(tmp_path)
    config = make_config(copy, epochs=1)
    first = train(config, device="cpu", progress=False)
    with copy.open("a") as file:
        file.write(copy.read_text().splitlines()[-1].replace(",", "9,", 1) + "\n")
    assert train(config, device="cpu", progress=False).folder != first.folder


def test_features_that_are_missing_leave_no_folder_behind(tmp_path, ratings):
    config = make_config(ratings, epochs=1)
    config = config.replace(model=config.model.replace(side_features=True))
    with pytest.raises(DataError, match="features"):
        train(config, out=tmp_path / "new", device="cpu", progress=False)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("level", [logging.NOTSET, logging.ERROR])
def test_logging_is_left_as_it_was(ratings, tmp_path, monkeypatch, level):
    logger = logging.getLogger("igmc")
    monkeypatch.setattr(logger, "level", level)
    logger.manager._clear_cache()
    before = list(logger.handlers)
    run(make_config(ratings, epochs=1), tmp_path)
    assert (logger.level, logger.handlers) == (level, before)
    assert bool((tmp_path / "log.txt").read_text()) == (level == logging.NOTSET)
    logger.manager._clear_cache()


KILLED_IN_EPOCH_2 = """
import json, os, signal, sys
from pathlib import Path
from igmc import RunConfig, train
from igmc.loading.loader import Loader

epochs = Loader.epoch

def epoch(self, number):
    for step, batch in enumerate(epochs(self, number)):
        if number == 2 and step == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        yield batch

Loader.epoch = epoch
for config, home, out in json.load(sys.stdin):
    child = os.fork()
    if child == 0:
        train(RunConfig.from_dict(config), home=Path(home), out=Path(out), device="cpu")
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
CASES = {"live": (True, False), "store": (False, False), "batch norm": (True, True)}


@pytest.fixture(scope="module")
def broken(ratings, tmp_path_factory):
    """Settings, home and folder of runs that were killed, each a process of its own."""
    found = {}
    for name, (live, batch_norm) in CASES.items():
        place = tmp_path_factory.mktemp("killed")
        config = make_config(ratings, model=MODEL.replace(batch_norm=batch_norm), live=live, epochs=3)
        found[name] = config, place / "home", place / "broken"
    asked = [(config.to_dict(), str(home), str(folder)) for config, home, folder in found.values()]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_EPOCH_2],
        input=json.dumps(asked),
        text=True,
        cwd=REPO,
        capture_output=True,
    )
    assert killed.stdout.split() == ["-9"] * len(CASES), killed.stderr
    return found


@pytest.mark.parametrize("case", CASES)
def test_killed_in_epoch_2_and_run_again_ends_with_the_same_bits(broken, tmp_path, case):
    config, home, folder = broken[case]
    assert [path.name for path in (folder / "checkpoints").iterdir()] == ["epoch-0001.ckpt"]
    report = run(config, folder, home)
    assert "resuming after epoch 1" in (folder / "log.txt").read_text()
    unbroken = run(config, tmp_path / "unbroken", tmp_path / "other home")
    assert same(weights(folder), weights(tmp_path / "unbroken"))
    assert (folder / "predictions.csv.gz").read_bytes() == (
        tmp_path / "unbroken" / "predictions.csv.gz"
    ).read_bytes()
    assert report.ensemble == unbroken.ensemble
    assert report.ensemble_epochs == unbroken.ensemble_epochs


def test_support_dropout_trains_live_on_other_subgraphs_and_a_store_is_refused(ratings, home, tmp_path):
    plain = run(make_config(ratings, live=True), tmp_path / "plain", home)
    dropped = run(make_config(ratings, live=None, support_dropout=0.8), tmp_path / "dropped", home)
    assert not same(weights(plain.folder), weights(dropped.folder))
    stored = json.loads((tmp_path / "dropped" / "config.json").read_text())["config"]["train"]
    assert stored["support_dropout"] == 0.8
    with pytest.raises(ConfigError, match="support dropout needs subgraphs that are extracted in each epoch"):
        run(make_config(ratings, live=False, support_dropout=0.8), tmp_path / "store", home)
    with pytest.raises(ConfigError, match=r"other settings: train.support_dropout \(0.8 there, 0.0 now\)"):
        run(make_config(ratings, live=None), tmp_path / "dropped", home)
