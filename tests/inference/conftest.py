"""Runs that the tests of answers share: a finished one, and a view of its data."""

import pytest

from igmc.config import RunConfig
from igmc.inference.predictor import Predictor
from igmc.run import train

SETTINGS = {
    "data": {"dataset": "demo"},
    "extract": {"max_nodes_per_hop": 20},
    "model": {"layers": [8, 8], "mlp_width": 8},
    "train": {"epochs": 3, "ensemble_size": 2, "batch_size": 200, "learning_rate": 0.01},
    "live": True,
}


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory):
    """The folder of a finished run on the demo, three short epochs long."""
    folder = tmp_path_factory.mktemp("inference") / "run"
    train(RunConfig.from_dict(SETTINGS), out=folder, device="cpu", progress=False)
    return folder


@pytest.fixture(scope="session")
def predictor(demo_run):
    return Predictor.from_run(demo_run, device="cpu")
