"""Logs in either database, and a predictor of the neighbours network, which keeps statistics of its graph."""

import numpy as np
import pandas as pd
import pytest

import igmc
from igmc.live.log import RatingLog
from tests.brief import brief


@pytest.fixture(params=["sqlite", "postgres"])
def store(request, tmp_path):
    """Where an empty log may be."""
    if request.param == "sqlite":
        yield str(tmp_path / "ratings.db")
        return
    psycopg = pytest.importorskip("psycopg")
    url = request.getfixturevalue("postgres")
    yield url
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS igmc_log, igmc_keys, igmc_head")


@pytest.fixture
def log(store):
    with RatingLog(store) as log:
        yield log


@pytest.fixture(scope="session")
def neighbours(tmp_path_factory):
    """A predictor; users are 100..139, items 500..529. It never changes."""
    folder = tmp_path_factory.mktemp("live")
    rng = np.random.default_rng(7)
    user, item = np.divmod(np.flatnonzero(rng.random(40 * 30) < 0.5), 30)
    rating = np.clip(np.round(np.linspace(1.5, 4.5, 30)[item] + rng.normal(0, 0.4, len(user))), 1, 5)
    path = folder / "ratings.csv"
    pd.DataFrame({"user": user + 100, "item": item + 500, "rating": rating}).to_csv(path, index=False)
    config = igmc.RunConfig.from_dict(
        {"data": {"dataset": str(path)}, "network": "neighbours", "neighbours": {"epochs": 1, "members": 1}}
    )
    with brief():
        report = igmc.train(config, out=folder / "run", progress=False)
    return igmc.Predictor.from_run(report.folder, device="cpu")
