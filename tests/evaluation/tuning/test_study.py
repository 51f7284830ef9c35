"""A study sees validation ratings only, resumes where it stopped, and writes files that commands take."""

import dataclasses
import json
import logging
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy as np
import optuna
import pytest
import torch

from igmc.config import Config, DataConfig, RunConfig, knob
from igmc.errors import ConfigError, DataError, MissingExtraError, TrainingError
from igmc.evaluation.metrics.ranking import ranking_metrics
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols.registry import make_protocol
from igmc.evaluation.tuning import search
from igmc.evaluation.tuning import study as tuning
from igmc.evaluation.tuning.runner import Runner
from igmc.evaluation.tuning.study import tune
from igmc.evaluation.validation import RANKINGS, validation_figure
from igmc.ratings.split import make_split
from igmc.recommenders.base import Recommender
from igmc.recommenders.registry import RECOMMENDERS, make_recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import TrainingData
from igmc.recommenders.validation_ndcg import validation_ndcg
from igmc.tracking import Callback
from tests.evaluation.datasets import make_dataset

SMALL_IGMC = "igmc:extract.max_nodes_per_hop=5,model.layers=[8,8],model.mlp_width=8,train.epochs=3"


@pytest.fixture(autouse=True)
def dataset(monkeypatch):
    """All data sets are this one."""
    data = make_dataset(3, users=40, items=25)
    monkeypatch.setattr(tuning, "load_dataset", lambda *arguments, **options: data)
    return data


@dataclasses.dataclass(frozen=True)
class StairsConfig(Config):
    height: float = knob(5.0, "of its predictions", low=0.0)
    epochs: int = knob(8, "that it takes")
    fails: bool = knob(False, "whether it does")
    mark: str = knob("", "file that is made by the fit that kills its process")


class Stairs(Recommender):
    """Predicts its height, and says so after each epoch."""

    name = "stairs"
    config_class = StairsConfig

    def search_space(self):
        return {"height": Range(0.0, 10.0)}

    def _fit(self, data, monitor):
        if self.config.fails:
            raise TrainingError("it fails")
        if self.config.mark and self.config.height > 5 and not Path(self.config.mark).exists():
            Path(self.config.mark).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        for epoch in range(1, self.config.epochs + 1):
            self.history.append({"epoch": float(epoch), "loss": 1.0, "validation_rmse": self.config.height})
            if monitor is not None:
                monitor(self.history[-1])

    def _predict(self, user, item):
        return np.full(len(user), self.config.height, np.float32)


@pytest.fixture
def stairs(monkeypatch):
    monkeypatch.setitem(RECOMMENDERS, "stairs", f"{__name__}:Stairs")


def outcome(result):
    return [(trial.state, trial.value, trial.settings, trial.error) for trial in result.trials]


def part(dataset, protocol="random_80_20", seed=1):
    return TrainingData.from_split(make_protocol(protocol).draw(dataset, seed), dataset)


def test_the_figure_is_the_error_on_the_validation_part(dataset):
    result = tune("item_mean", "x", trials=8)
    data = part(dataset)
    for trial in result.trials:
        model = make_recommender("item_mean", trial.settings).fit(data)
        error = model.predict(data.validation.user, data.validation.item) - data.validation.rating
        assert trial.value == pytest.approx(np.sqrt(np.mean(error.astype(np.float64) ** 2)))
    assert result.best.value == min(trial.value for trial in result.trials)
    assert result.ranked()[0] == result.best
    assert result.settings == {"damping": result.best.settings["damping"]}
    assert result.trials[0].settings == {"damping": 0.0}, "the first trial has the usual settings"


def test_models_that_only_rank_are_compared_by_ndcg_where_more_is_better(dataset):
    result = tune("ease", "x", trials=5)
    assert (result.metric, result.less_is_better) == ("ndcg@20", False)
    data = part(dataset)
    for trial in result.trials:
        model = make_recommender("ease", trial.settings).fit(data)
        assert trial.value == pytest.approx(validation_ndcg(model.scores, data, 20))
    assert result.best.value == max(trial.value for trial in result.trials)


def test_another_metric_can_be_named(dataset):
    result = tune("item_mean", "x", trials=2, metric="mae")
    data = part(dataset)
    model = make_recommender("item_mean", result.trials[0].settings).fit(data)
    error = model.predict(data.validation.user, data.validation.item) - data.validation.rating
    assert result.trials[0].value == pytest.approx(np.abs(error).mean())
    ranked = tune("item_mean", "x", trials=2, metric="recall@5")
    assert ranked.trials[0].value == validation_figure(model, data, "recall@5")
    assert not ranked.less_is_better


def test_the_names_of_rankings_are_those_that_are_measured(dataset):
    relevant = part(dataset).matrix()[:1]
    measured = ranking_metrics(np.zeros((1, 1), np.int32), relevant, [1])
    assert {f"{name}@1" for name in RANKINGS} == set(measured)


@pytest.mark.parametrize(("model", "metric"), [("item_knn", "rmse"), ("ease", "ndcg@5"), ("mf", "rmse")])
def test_test_ratings_cannot_matter(dataset, monkeypatch, tmp_path, model, metric):
    name = f"{model}:burn_in=2,draws=2" if model == "mf" else model
    folder = tmp_path if model == "ease" else None
    clean = tune(name, "x", trials=4, metric=metric, out=folder)
    poisoned = dataset.table.rating.copy()
    test = make_protocol("random_80_20").draw(dataset, 1).test
    poisoned[test] = 6 - poisoned[test]
    assert not np.array_equal(poisoned, dataset.table.rating)
    table = dataclasses.replace(dataset.table, rating=poisoned)
    monkeypatch.setattr(tuning, "load_dataset", lambda *a, **k: dataclasses.replace(dataset, table=table))
    assert outcome(tune(name, "x", trials=4, metric=metric)) == outcome(clean)
    if folder is not None:
        again = tune(name, "x", trials=4, metric=metric, out=folder)
        assert outcome(again) == outcome(clean), "it is taken for the same study"


def test_validation_ratings_do_matter(dataset, monkeypatch):
    clean = tune("item_mean", "x", trials=1)
    changed = dataset.table.rating.copy()
    rows = make_protocol("random_80_20").draw(dataset, 1).validation
    changed[rows] = 6 - changed[rows]
    table = dataclasses.replace(dataset.table, rating=changed)
    monkeypatch.setattr(tuning, "load_dataset", lambda *a, **k: dataclasses.replace(dataset, table=table))
    assert outcome(tune("item_mean", "x", trials=1)) != outcome(clean)


def test_equal_seeds_make_equal_studies_and_others_others():
    first, again, other = (tune("item_mean", "x", trials=12, seed=seed) for seed in (1, 1, 2))
    assert outcome(first) == outcome(again)
    assert [t.settings for t in first.trials[1:]] != [t.settings for t in other.trials[1:]]
    assert len({trial.settings["damping"] for trial in first.trials}) == 12, "no settings are tried twice"


def test_a_study_that_was_interrupted_ends_as_if_it_was_not(monkeypatch, tmp_path):
    whole = tune("item_mean", "x", trials=13)
    for stop, interruption in ((1, KeyboardInterrupt), (3, SystemExit), (9, KeyboardInterrupt)):
        calls = []

        def dying(*arguments, calls=calls, stop=stop, interruption=interruption):
            calls.append(1)
            if len(calls) == stop:
                raise interruption
            return validation_figure(*arguments)

        monkeypatch.setattr(search, "validation_figure", dying)
        with pytest.raises(interruption):
            tune("item_mean", "x", trials=13, out=tmp_path)
    monkeypatch.undo()
    monkeypatch.setattr(tuning, "load_dataset", lambda *a, **k: make_dataset(3, users=40, items=25))
    assert (tmp_path / "best.json").exists(), "what was best by then"
    assert outcome(tune("item_mean", "x", trials=13, out=tmp_path)) == outcome(whole)


def test_a_study_does_not_depend_on_how_many_work_nor_on_one_that_is_killed(stairs, dataset, tmp_path):
    given = {"dataset": dataset, "trials": 30, "parallel": 3, "space": {"fails": OneOf((True, False))}}
    alone = tune("stairs", **given, workers=1)
    assert {trial.state for trial in alone.trials} == {"complete", "pruned", "failed"}
    assert outcome(alone) != outcome(tune("stairs", **given | {"parallel": 1}))
    mark = tmp_path / "killed"
    shared = tune(f"stairs:mark={mark}", **given, workers=2, out=tmp_path / "study")
    assert mark.exists()
    assert outcome(shared) == outcome(alone)
    assert (shared.best.number, shared.parallel) == (alone.best.number, 3)
    assert outcome(tune(f"stairs:mark={mark}", **given, out=tmp_path / "study")) == outcome(alone)


def test_workers_resume_what_others_left(dataset, monkeypatch, tmp_path):
    given = {"dataset": dataset, "trials": 12, "parallel": 4}
    whole = tune("item_mean", **given, workers=1)
    real, ends = Runner._end, []

    def interrupted(self, trial, of):
        real(self, trial, of)
        ends.append(trial.user_attrs["n"])
        if len(ends) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(Runner, "_end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        tune("item_mean", **given, workers=2, out=tmp_path)
    again = tune("item_mean", **given, workers=1, out=tmp_path)
    assert outcome(again) == outcome(whole)
    assert len(ends) == 12, "none is made twice"


def test_workers_that_read_other_ratings_are_refused(dataset, monkeypatch):
    monkeypatch.setattr(search, "load_dataset", lambda *_, **__: dataset)
    way = make_protocol("random_80_20")
    ours = search.digest_of(part(dataset))
    assert search.digest_of(search.training_data("x", None, None, way, 1, ours)) == ours
    with pytest.raises(DataError, match=r"a worker reads other ratings of random than the command did"):
        search.training_data("x", None, None, way, 2, ours)


def test_a_trial_knows_those_that_have_ended_for_certain(dataset):
    usual = make_recommender("item_mean", {})
    asked = search.Search(usual, "rmse", {"damping": Range(0.0, 1.0)}, True, 1, parallel=3, place="")
    runner = Runner(asked, part(dataset), {}, None, None)
    missing = runner._missing(6, None, workers=2)
    begun = [next(missing) for _ in range(3)]
    assert begun == [(0, []), (1, []), None], "two at once"
    ends = [asked.trial(n, [], part(dataset), []) for n in range(3)]
    runner._end(ends[1], 6)
    assert next(missing) == (2, [])
    runner._end(ends[2], 6)
    assert next(missing) is None, "3 waits for 0, though a worker is free"
    runner._end(ends[0], 6)
    assert next(missing) == (3, [ends[0]])
    assert next(missing) == (4, ends[:2])


def test_trials_are_counted_in_all(tmp_path):
    first = tune("item_mean", "x", trials=3, out=tmp_path)
    assert outcome(tune("item_mean", "x", trials=3, out=tmp_path)) == outcome(first)
    more = tune("item_mean", "x", trials=5, out=tmp_path)
    assert outcome(more)[:3] == outcome(first)
    assert len(more.trials) == 5


def test_no_trial_begins_when_the_time_is_over():
    assert len(tune("item_mean", "x", trials=50, timeout=0.0).trials) == 1


def test_what_is_given_is_not_searched_and_what_is_named_is():
    space = tune("item_knn:shrinkage=7,damping=3", "x", trials=1).space
    assert list(space) == ["similarity", "neighbours", "caution"]
    named = tune("item_knn", "x", trials=3, space={"neighbours": OneOf((3, 4)), "kept": Range(5, 6)})
    assert (named.space["neighbours"], named.space["kept"]) == ("3,4", "5:6")
    assert {t.settings["neighbours"] for t in named.trials} <= {3, 4}
    assert {t.settings["kept"] for t in named.trials} <= {5, 6}
    inner = tune(SMALL_IGMC, "x", trials=1, space={"train.arr": OneOf((0.0,))}, protocol="random_80_20")
    assert "model.layers" not in inner.space
    assert inner.trials[0].settings["train.arr"] == 0.0


def test_bad_trials_are_pruned_unless_told_otherwise(stairs):
    pruned = tune("stairs", "x", trials=20)
    states = [trial.state for trial in pruned.trials]
    assert states[:5] == ["complete"] * 5
    assert "pruned" in states
    median = np.median([trial.settings["height"] for trial in pruned.trials[:5]])
    for trial in pruned.trials[5:10]:
        if trial.settings["height"] > max(t.settings["height"] for t in pruned.trials[:5]):
            assert trial.state == "pruned"
        if trial.settings["height"] < min(median, pruned.best.settings["height"]):
            assert trial.state == "complete"
    assert all((trial.value is None) == (trial.state == "pruned") for trial in pruned.trials)
    kept = tune("stairs", "x", trials=20, prune=False)
    assert {trial.state for trial in kept.trials} == {"complete"}


def test_pruning_leaves_a_training_of_igmc_cleanly(dataset, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    threads = torch.get_num_threads()
    seen = []

    def monitor(record):
        seen.append(record["epoch"])
        if len(seen) == 2:
            raise optuna.TrialPruned

    model = ModelSpec.parse(SMALL_IGMC).make("x", 1)
    with pytest.raises(optuna.TrialPruned):
        model.fit(part(dataset), monitor=monitor)
    assert seen == [1, 2]
    assert not list(tmp_path.iterdir()), "its checkpoints are gone"
    assert torch.get_num_threads() == threads
    model.fit(part(dataset), monitor=None)
    assert len(model.history) == 3


def test_settings_that_fail_end_their_trial_and_not_the_study(stairs, caplog):
    with caplog.at_level(logging.INFO, "igmc"):
        result = tune("stairs", "x", trials=8, space={"fails": OneOf((True, False))})
    failed = [trial for trial in result.trials if trial.settings["fails"]]
    assert 0 < len(failed) < 8
    assert {(t.state, t.value, t.error) for t in failed} == {("failed", None, "it fails")}
    assert "failed: it fails" in caplog.text
    with pytest.raises(TrainingError, match=r"no trial finished; got 'it fails'"):
        tune("stairs:fails=true", "x", trials=2)


def test_igmc_evaluate_takes_the_best_settings(tmp_path):
    result = tune("item_knn", "x", trials=3, out=tmp_path)
    model = ModelSpec.parse(f"item_knn@{tmp_path / 'best.json'}")
    assert model.make("x", 1).config.to_dict() == result.settings
    assert not (tmp_path / "train.json").exists()
    json.dumps(result.to_dict(), allow_nan=False)


@pytest.mark.parametrize("protocol", ["random_80_20:validation_ratio=0.2", "thinned:keep_ratio=0.5"])
def test_igmc_train_takes_the_best_settings_of_igmc_on_the_same_split(dataset, tmp_path, protocol):
    tune(SMALL_IGMC, "x", trials=1, out=tmp_path, protocol=protocol, seed=4)
    config = RunConfig.from_dict(json.loads((tmp_path / "train.json").read_text()))
    again = make_split(dataset, config.data, config.seed)
    split = make_protocol(protocol).draw(dataset, 4)
    for name in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(again, name), getattr(split, name))
    chosen = ModelSpec.parse(f"igmc@{tmp_path / 'best.json'}").make("x", 4).config
    assert (config.model, config.train, config.extract) == (chosen.model, chosen.train, chosen.extract)
    assert config.data.dataset == "x"


def test_there_is_no_file_for_igmc_train_where_it_would_split_otherwise(tmp_path, caplog):
    tune(SMALL_IGMC, "x", trials=1, out=tmp_path, protocol="leave_last_out")
    assert "no train.json: igmc-train knows no split like that of leave_last_out" in caplog.text
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.json", "study.db"]


def test_each_trial_has_its_curves(stairs, tmp_path):
    tune("stairs", "x", trials=2, track=tmp_path / "tb")
    assert sorted(path.name for path in (tmp_path / "tb").iterdir()) == ["trial-0000", "trial-0001"]


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("global_mean", {}, r"global_mean has no settings to tune"),
        ("item_mean", {"space": {"dampig": Range(0, 1)}}, r"no setting of this name to search.*mean damping"),
        ("item_mean:damping=1", {}, r"nothing to search for item_mean; hint: .*--space"),
        (
            "item_mean",
            {"protocol": "random_80_20:validation_ratio=0"},
            r"random_80_20:validation_ratio=0.0 leaves no validation part to tune on",
        ),
        ("item_mean", {"metric": "ndcg"}, r"cannot tune by this metric; got 'ndcg'.*rmse.*ndcg@K"),
        ("item_mean", {"metric": "coverage@5"}, r"cannot tune by this metric"),
        ("item_mean", {"metric": "ndcg@100"}, r"100"),
        ("ease", {"metric": "rmse"}, r"ease only ranks, and has no rmse; allowed: precision@K"),
        (
            "item_mean",
            {"metric": "ndcg@5", "protocol": "unseen_items"},
            r"is for ratings, not for rankings",
        ),
        ("item_mean", {"trials": 0}, r"the number of trials is too small; got 0"),
        ("item_mean", {"parallel": 0}, r"the number of trials that may run at once is too small; got 0"),
        ("item_mean", {"workers": 0}, r"the number of workers is too small; got 0"),
        ("item_mean", {"workers": 2}, r"more workers than trials .*got 2; allowed: up to 1; .*--parallel 2"),
        ("item_mean", {"executor": "dask"}, r"unknown executor; got 'dask'"),
        (
            "item_mean",
            {"parallel": 2, "workers": 2, "callbacks": [Callback()]},
            r"callbacks of your own are called in one process only; .*workers=1",
        ),
        ("nosuch", {}, r"unknown recommender"),
    ],
)
def test_what_cannot_be_tuned(tmp_path, model, options, message):
    with pytest.raises(ConfigError, match=message):
        tune(model, "x", **{"trials": 1, "out": tmp_path / "out", **options})
    assert not (tmp_path / "out").exists(), "nothing was begun"


def test_a_folder_of_another_study_is_refused(tmp_path):
    given = {"model": "item_mean", "dataset": "x", "trials": 1, "out": tmp_path}
    tune(**given)
    for changes, message in (
        ({"metric": "mae"}, r"metric \('rmse' there, 'mae' now\)"),
        ({"seed": 2}, r"seed \(1 there, 2 now\)"),
        ({"space": {"damping": Range(0.0, 2.0)}}, r"space \({'damping': '0:25'} there"),
        ({"parallel": 2}, r"parallel \(None there, 2 now\)"),
        ({"model": "user_mean"}, r"model \('item_mean' there, 'user_mean' now\)"),
        ({"protocol": "stratified_75_25"}, r"protocol .*ratings"),
    ):
        with pytest.raises(ConfigError, match=rf"holds another study: .*{message}.*--out"):
            tune(**given | changes)
    assert len(tune(**given).trials) == 1


def test_a_study_is_known_by_the_names_that_settings_have_been_stored_under(dataset, tmp_path):
    tune(SMALL_IGMC, "x", trials=1, out=tmp_path)
    study = optuna.load_study(study_name="igmc", storage=f"sqlite:///{tmp_path / 'study.db'}")
    assert study.user_attrs["identity"]["settings"]["train"]["protocol"] == "validated"
    best = json.loads((tmp_path / "best.json").read_text())
    assert best["train"]["selection"] == "validation"


def test_a_study_that_cannot_be_read_is_said(tmp_path):
    (tmp_path / "study.db").write_text("no database at all, but long enough to be read as one" * 9)
    with pytest.raises(DataError, match=r"cannot read the study .*study.db.*another folder with --out"):
        tune("item_mean", DataConfig("x"), trials=1, out=tmp_path)


def test_without_optuna_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(MissingExtraError, match=r"tuning needs Optuna; .* pip install 'igmc\[tune\]'"):
        tune("item_mean", "x")
