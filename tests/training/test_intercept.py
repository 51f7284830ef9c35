"""The mean error on training pairs is 0 after each epoch, and training never hears of it."""

import numpy as np
import pytest
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.graph.parts import Part
from igmc.loading.batch import Batch
from igmc.loading.loader import Loader
from igmc.loading.source import LiveSource
from igmc.loading.support_dropout import SupportDropout
from igmc.models.igmc import IGMC
from igmc.models.twin import PyGTwin
from igmc.ratings.table import Pairs
from igmc.training import intercept, loop
from igmc.training.ensemble import predict
from igmc.training.folder import RunFolder
from igmc.training.intercept import set_intercept, training_sample
from tests.graph.graphs import all_pairs, random_graph
from tests.training.small import CPU, make_loaders, train_small

EVERY = {"selection": "fixed", "epochs": 3, "ensemble_every": 1, "ensemble_size": 3}
NETWORK = ModelConfig(layers=(8, 8), mlp_width=8, norm="relation")


def mean_error(model, loader):
    return float(np.mean(predict(model, loader, CPU) - loader.source.pairs.rating, dtype=np.float64))


def training_pairs():
    return Loader(make_loaders("fixed")[0].source, 256)


def every_pair() -> LiveSource:
    """All pairs of a graph of 20 users and 15 items, half of which are rated there."""
    graph = random_graph(20, 15, 3, 0.5, seed=4)
    users, items = all_pairs(graph)
    part = Part("", graph, Pairs(users, items, np.zeros(len(users), np.float32)))
    return LiveSource(part, ExtractConfig(), seed=1)


def test_known_answer():
    """A network of zeros says 0 of every pair, so the offset is the mean rating."""
    model, training = IGMC(NETWORK, n_levels=5), make_loaders("fixed")[0]
    torch.nn.init.zeros_(model.lin2.weight)
    torch.nn.init.zeros_(model.lin2.bias)
    mean = float(np.mean(training.source.pairs.rating, dtype=np.float64))
    assert set_intercept(model, training, CPU) == pytest.approx(mean, rel=1e-6)
    assert predict(model, training_pairs(), CPU) == pytest.approx(mean, rel=1e-6)


def test_every_checkpoint_has_a_mean_error_of_0_and_says_by_how_much_it_was_moved(tmp_path):
    model, history = train_small(tmp_path, learning_rate=0.05, **EVERY)
    assert abs(mean_error(model, training_pairs())) < 1e-5, "as the last epoch was saved"
    for record in history:
        state = RunFolder(tmp_path).load_epoch(record["epoch"])
        model.load_state_dict(state["model"])
        assert abs(mean_error(model, training_pairs())) < 1e-5
        model.lin2.bias.data.copy_(state["training"]["intercept"])
        assert abs(record["offset"]) > 1e-3
        assert mean_error(model, training_pairs()) == pytest.approx(-record["offset"], abs=1e-5)


def test_training_goes_on_as_if_no_intercept_had_been_set(tmp_path, monkeypatch):
    train_small(tmp_path / "set", **EVERY)
    with monkeypatch.context() as patch:
        patch.setattr(loop, "set_intercept", lambda *_: 0.0)
        train_small(tmp_path / "not set", **EVERY)
    for epoch in (1, 2, 3):
        moved, plain = (RunFolder(tmp_path / name).load_epoch(epoch) for name in ("set", "not set"))
        assert not torch.equal(moved["model"]["lin2.bias"], plain["model"]["lin2.bias"])
        moved["model"]["lin2.bias"] = moved["training"]["intercept"]
        assert all(torch.equal(tensor, moved["model"][name]) for name, tensor in plain["model"].items())
        steps, others = (one["optimizer"]["state"] for one in (moved, plain))
        assert all(torch.equal(value, others[k][name]) for k in steps for name, value in steps[k].items())


def test_the_backends_and_the_twin_agree_on_the_offset():
    training, offsets, answers = make_loaders("fixed")[0], [], []
    for backend in ("fused", "torch"):
        model = IGMC(NETWORK, n_levels=5, backend=backend)
        offsets.append(set_intercept(model, training, CPU))
        answers.append(predict(model, training_pairs(), CPU))
    assert offsets[0] == pytest.approx(offsets[1], abs=1e-5)
    answers.append(predict(PyGTwin(model), training_pairs(), CPU))
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-4)
    np.testing.assert_allclose(answers[0], answers[2], atol=1e-4)


def test_no_pair_of_the_sample_has_its_own_edge():
    for batch in training_sample(Loader(every_pair(), 8, seed=1, shuffle=True)).epoch(0):
        cut = batch.subgraphs
        for pair in range(len(batch)):
            first = int(cut.edge_ptr[pair])
            own = int(cut.degree[int(cut.user_ptr[pair])])  # ratings of the target user, who comes first
            assert 0 not in cut.edge_item[first : first + own], "item 0 is the target"


def test_the_sample_is_bounded_drawn_by_the_seed_and_as_it_is_scored(monkeypatch):
    monkeypatch.setattr(intercept, "LEAST_SAMPLE", 10)
    monkeypatch.setattr(intercept, "MOST", 40)
    graph, config = random_graph(40, 30, 3, 0.5, seed=4), ExtractConfig(max_nodes_per_hop=4)
    users, items = all_pairs(graph)
    rating = np.arange(len(users), dtype=np.float32)

    def drawn(pairs, seed=1):
        part = Part("", graph, Pairs(users[:pairs], items[:pairs], rating[:pairs]))
        hidden = LiveSource(part, config, seed=1, support_dropout=SupportDropout(1.0, "both", most=1))
        return training_sample(Loader(hidden, 8, seed=seed, shuffle=True))

    assert [len(drawn(pairs).source.pairs) for pairs in (6, 100, 600, 1200)] == [6, 10, 30, 40]
    first, again, other = (drawn(600, seed).source.pairs.rating for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)
    sample = drawn(600).source
    rows = sample.pairs.rating.astype(int)
    plain = LiveSource(Part("", graph, Pairs(users, items, rating)), config, seed=1)
    for name, array in plain.fetch(rows, 0).arrays().items():
        np.testing.assert_array_equal(array, getattr(sample.fetch(np.arange(30), 0), name), err_msg=name)


def test_side_features_come_along():
    graph = random_graph(20, 15, 3, 0.5, seed=4)
    users, items = all_pairs(graph)
    source = LiveSource(
        Part("", graph, Pairs(users, items, np.zeros(300, np.float32))), ExtractConfig(), seed=1
    )
    side = np.arange(20, dtype=np.float32)[:, None], np.arange(15, dtype=np.float32)[:, None]
    sample = Loader(source, 8, seed=1, side=side).sample(20, 7)
    batches: list[Batch] = list(sample.epoch(0))
    assert [len(batch) for batch in batches] == [7, 7, 6]
    found = np.concatenate([batch.side.numpy() for batch in batches])
    np.testing.assert_array_equal(
        found, np.stack([sample.source.pairs.user, sample.source.pairs.item], axis=1)
    )
