"""The predictions of a run are read back as its folder holds them, or refused."""

import gzip
import shutil

import numpy as np
import pandas as pd
import pytest

from igmc.errors import CheckpointError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.inference.run_predictions import RunPredictions
from igmc.ratings.split import Split


@pytest.fixture
def copied(demo_run, tmp_path):
    return shutil.copytree(demo_run, tmp_path / "run")


def test_they_are_those_of_the_file_for_the_pairs_of_the_test_part(demo_run):
    split, frame = Split.load(demo_run / "split.npz"), pd.read_csv(demo_run / "predictions.csv.gz")
    found = RunPredictions.load(demo_run, split)
    assert found.predicted.tolist() == frame.ensemble.tolist()
    assert found.true.tolist() == frame.rating.tolist()
    assert split.table.users.decode(found.user) == frame.user_id.tolist()
    assert split.table.items.decode(found.item) == frame.item_id.tolist()


def test_extremes_are_the_ends_of_the_predictions(demo_run, predictor):
    split, frame = Split.load(demo_run / "split.npz"), pd.read_csv(demo_run / "predictions.csv.gz")
    high, low = RunPredictions.load(demo_run, split).extremes(predictor.graph)
    for at, best in ((high, frame.ensemble.max()), (low, frame.ensemble.min())):
        assert frame.ensemble[at] == best
        row = frame.iloc[at]
        score = predictor.predict([int(row.user_id)], [row.item_id], clip=False).score[0]
        assert score == pytest.approx(best, abs=1e-5)


def small(predicted):
    """Predictions for three pairs, of which only the first two have ratings around them; and the graph."""
    graph = BipartiteGraph.from_ratings([0, 0, 1, 1], [0, 1, 0, 1], [0] * 4, n_users=3, n_items=2, n_levels=1)
    pairs = np.array([0, 1, 2], np.int32), np.array([0, 0, 1], np.int32)
    return RunPredictions(*pairs, np.ones(3), np.array(predicted, float)), ServingGraph.of(graph)


def test_pairs_without_a_neighbourhood_are_no_extremes():
    predictions, graph = small([2.0, 3.0, 9.0])
    assert predictions.extremes(graph) == (1, 0)
    predictions, graph = small([3.0, 3.0, 1.0])
    assert predictions.extremes(graph) == (0, 0)  # the first of equal ones
    empty = ServingGraph.of(BipartiteGraph.from_ratings([], [], [], n_users=3, n_items=2, n_levels=1))
    with pytest.raises(CheckpointError, match="no test pair of this run has a neighbourhood"):
        predictions.extremes(empty)


def test_the_worst_are_most_too_high_and_most_too_low():
    predictions, graph = small([2.0, 1.5, 9.0])
    predictions.true[:] = [4.0, 1.0, 0.0]
    assert predictions.worst(graph) == (1, 0)
    assert predictions.extremes(graph) == (0, 1)


def test_what_is_missing_damaged_or_of_another_split_is_refused(copied):
    split, path = Split.load(copied / "split.npz"), copied / "predictions.csv.gz"
    whole = path.read_bytes()
    lines = gzip.decompress(whole).decode().splitlines()

    def refused(content, message):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match=message):
            RunPredictions.load(copied, split)

    refused(whole[:1000], r"predictions\.csv\.gz cannot be read: .*delete metrics\.json")
    refused(gzip.compress(b"a,b\n1,2\n"), r"predictions\.csv\.gz cannot be read")
    turned = "\n".join([lines[0], *lines[:0:-1]])
    refused(gzip.compress(turned.encode()), r"predictions\.csv\.gz is not of the test part of this run")
    refused(gzip.compress("\n".join(lines[:-1]).encode()), "is not of the test part of this run")
    path.unlink()
    with pytest.raises(CheckpointError, match="holds no predictions: the run is unfinished"):
        RunPredictions.load(copied, split)
