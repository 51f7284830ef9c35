"""What MLflow holds of a training, in a real store."""

from importlib.util import find_spec

import pytest

from igmc.errors import IgmcError
from igmc.tracking import MLflow, TrackedTraining, callbacks_for

# It is not imported here, where every process that collects tests would wait for it.
pytestmark = pytest.mark.skipif(find_spec("mlflow") is None, reason="needs the extra mlflow")


@pytest.fixture
def uri(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")  # made in no time, unlike a database
    return (tmp_path / "store").as_uri()


def runs(uri):
    from mlflow.tracking import MlflowClient

    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("igmc")
    found = client.search_runs([experiment.experiment_id])
    return client, {run.data.tags["mlflow.runName"]: run for run in found}


def test_settings_curves_and_final_figures(uri):
    settings = {"seed": 1, "train": {"epochs": 2, "note": "x" * 9_000}}
    settings |= {f"knob{i}": i for i in range(150)}  # more than MLflow takes in one call
    with TrackedTraining(callbacks_for(f"mlflow:{uri}"), "demo/mf", settings) as tracked:
        tracked.monitor({"epoch": 1, "mse": 1.0, "validation_rmse": None, "seconds": 2.0})
        tracked.monitor({"epoch": 2, "mse": 0.5, "validation_rmse": 0.9, "seconds": 2.0})
        tracked.finish({"test_ndcg@20": 0.25})
    client, found = runs(uri)
    run = found["demo/mf"]
    assert run.info.status == "FINISHED"
    assert {key: run.data.params[key] for key in ("seed", "train.epochs", "knob149")} == {
        **{"seed": "1", "train.epochs": "2", "knob149": "149"}
    }
    history = client.get_metric_history(run.info.run_id, "train/mse")
    assert [(one.step, one.value) for one in history] == [(1, 1.0), (2, 0.5)]
    assert run.data.metrics == {
        **{"train/mse": 0.5, "validation/rmse": 0.9, "speed/seconds": 2.0, "test/ndcg_at_20": 0.25}
    }


def test_a_training_that_fails_is_marked_so(uri):
    with pytest.raises(ZeroDivisionError), TrackedTraining([MLflow(uri)], "bad", {}):
        raise ZeroDivisionError
    assert runs(uri)[1]["bad"].info.status == "FAILED"


def test_a_store_that_mlflow_refuses():
    with pytest.raises(IgmcError, match=r"MLflow cannot use its tracking store.*got 'nope://x'"):
        MLflow("nope://x")
