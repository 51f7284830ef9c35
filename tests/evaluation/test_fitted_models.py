"""A model is trained once for all that it is asked, and anew where it learns from anything else."""

import logging

import pytest

from igmc.errors import ConfigError, TrainingError
from igmc.evaluation import fitted_models
from igmc.evaluation.fitted_models import FittedModels
from igmc.evaluation.harness import evaluate
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.load import load_dataset
from igmc.recommenders.biases import Biases
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData


@pytest.fixture(scope="module")
def demo():
    return load_dataset("demo")


def place(folder, demo, model="biases", protocol="unseen_users:k=5", seed=1):
    way = make_protocol(protocol)
    recommender = ModelSpec.parse(model).make(demo.name, seed)
    return FittedModels(folder).place(recommender, way.draw(demo, seed), way).name


def test_the_place_is_that_of_all_that_determines_the_model_and_of_nothing_else(tmp_path, demo):
    usual = place(tmp_path, demo)
    for same in ({"protocol": "unseen_users:k=0"}, {"protocol": "unseen_users:k=5,reveal=first"}):
        assert place(tmp_path, demo, **same) == usual
    for other in (
        {"seed": 2},
        {"model": "biases:damping=3"},
        {"protocol": "unseen_users:k=5,refit=false"},
        {"protocol": "unseen_users:k=5,share=0.3"},
        {"protocol": "unseen_users:k=5,levels=2"},
    ):
        assert place(tmp_path, demo, **other) != usual


@pytest.mark.parametrize(
    "model", ["igmc", "igmc:train.selection=validation", "igmc:train.protocol=validated"]
)
def test_models_are_found_under_the_name_that_they_have_been_stored_under(tmp_path, monkeypatch, demo, model):
    monkeypatch.setattr(fitted_models, "__version__", "0.2.0.dev0")
    assert place(tmp_path, demo, model) == "igmc-85207e0ccc698d75"


def test_what_training_took_decides_what_is_kept(tmp_path, demo, monkeypatch):
    monkeypatch.setattr(fitted_models, "KEEP_AFTER", 5.0)
    way = make_protocol("random_80_20")
    split = way.draw(demo, 1)
    trained = []

    def training(**seconds):
        def train():
            trained.append(seconds)
            return make_recommender("biases").fit(TrainingData.from_split(split)), seconds

        return train

    models = FittedModels(tmp_path)
    models.fitted(make_recommender("biases"), split, way, training(choose=2.0, fit=3.0))
    assert list(tmp_path.iterdir()) == []
    first, _ = models.fitted(make_recommender("biases"), split, way, training(choose=2.0, fit=3.5))
    again, seconds = models.fitted(make_recommender("biases"), split, way, training(fit=9.0))
    assert trained == [{"choose": 2.0, "fit": 3.0}, {"choose": 2.0, "fit": 3.5}]
    assert seconds == {"choose": 2.0, "fit": 3.5}
    asked = split.pairs(split.test)
    assert again.predict(asked.user, asked.item).tolist() == first.predict(asked.user, asked.item).tolist()


def test_all_models_are_kept_if_asked_also_those_of_cells_that_are_done(tmp_path, monkeypatch):
    given = {"models": ["biases", "mf:epochs=1"], "datasets": "demo", "rankings": False, "out": tmp_path}
    protocols = ["random_80_20", "unseen_users:k=5"]
    before = evaluate(protocols=protocols, **given)
    assert list((tmp_path / "models").iterdir()) == []
    after = evaluate(protocols=protocols, keep_models=True, **given)
    assert [one.metrics for one in after.evaluations] == [one.metrics for one in before.evaluations]
    kept = sorted(path.name.split("-")[0] for path in (tmp_path / "models").glob("*.model"))
    assert kept == ["biases", "biases", "mf", "mf"]
    monkeypatch.setattr(Biases, "_fit", lambda *given: pytest.fail("it is there"))
    evaluate(protocols=protocols, keep_models=True, **given)
    with pytest.raises(ConfigError, match="models are kept in the folder of the report"):
        evaluate("biases", "demo", keep_models=True)


def test_what_is_damaged_or_half_written_is_trained_anew(tmp_path, demo, monkeypatch, caplog):
    monkeypatch.setattr(fitted_models, "KEEP_AFTER", -1.0)
    way = make_protocol("random_80_20")
    split = way.draw(demo, 1)
    model = make_recommender("biases").fit(TrainingData.from_split(split))
    models = FittedModels(tmp_path)
    place = models.place(model, split, way)
    models.write(place, model, {"fit": 1.0})
    whole = place.with_suffix(".model").read_bytes()
    with caplog.at_level(logging.WARNING):
        place.with_suffix(".model").write_bytes(whole[:-1])
        assert models.read(place) is None
    assert "is damaged and trained again" in caplog.text
    place.with_suffix(".model").write_bytes(whole)
    assert models.read(place)[1] == {"fit": 1.0}
    place.with_suffix(".json").write_text("{")
    assert models.read(place) is None
    place.with_suffix(".json").unlink()
    assert models.read(place) is None


def test_a_training_that_fails_leaves_nothing(tmp_path, demo):
    def fails():
        raise TrainingError("the loss is not finite")

    way = make_protocol("random_80_20")
    with pytest.raises(TrainingError, match="the loss is not finite"):
        FittedModels(tmp_path).fitted(make_recommender("biases"), way.draw(demo, 1), way, fails)
    assert list(tmp_path.iterdir()) == []


def test_what_took_long_to_train_is_trained_once_for_all_it_is_asked(tmp_path, monkeypatch):
    trained = []
    real = Biases._fit
    monkeypatch.setattr(fitted_models, "KEEP_AFTER", -1.0)
    monkeypatch.setattr(Biases, "_fit", lambda self, *given: trained.append(self) or real(self, *given))
    protocols = ["unseen_users:k=0", "unseen_users:k=5"]
    alone = [evaluate(["biases"], ["demo"], protocols=[way], ks=[5]).evaluations[0] for way in protocols]
    once = len(trained) // 2
    shared = evaluate(["biases"], ["demo"], protocols=protocols, ks=[5], out=tmp_path).evaluations
    assert len(trained) == 3 * once
    for one, other in zip(alone, shared, strict=True):
        assert one.metrics == other.metrics
        assert one.settings == other.settings
    assert shared[0].metrics != shared[1].metrics
    evaluate(["biases"], ["demo"], protocols=["unseen_users:k=2"], ks=[5], out=tmp_path)
    assert len(trained) == 3 * once
    for change in (
        {"seeds": [2]},
        {"protocols": ["unseen_users:refit=false"]},
        {"protocols": ["random_80_20"]},
    ):
        before = len(trained)
        evaluate(
            ["biases"], ["demo"], **{"protocols": ["unseen_users:k=2"], "ks": [5], "out": tmp_path, **change}
        )
        assert len(trained) > before, change
    damaged = sorted((tmp_path / "models").glob("*.model"))
    assert len(damaged) == 4
    for path in damaged:
        path.write_bytes(b"damaged")
    again = evaluate(["biases"], ["demo"], protocols=["unseen_users:k=1"], ks=[5], out=tmp_path)
    assert not again.failures


def test_what_is_trained_quickly_is_not_kept(tmp_path):
    evaluate(["biases"], ["demo"], protocols=["random_80_20"], ks=[5], out=tmp_path)
    assert not list((tmp_path / "models").iterdir())
