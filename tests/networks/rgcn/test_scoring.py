"""An answer depends on the pair and the graph: not on what is asked beside it, on threads, or on haste."""

import itertools
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.errors import DataError
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.serving import ServingGraph
from igmc.loading.batch import Batch
from igmc.models.igmc import IGMC
from igmc.networks.rgcn import scoring
from igmc.networks.rgcn.scoring import Scorer
from tests.graph.graphs import all_pairs, random_graph

CPU = torch.device("cpu")
GRAPH = random_graph(30, 25, 5, 0.4, seed=1)
EXTRACT = ExtractConfig(max_nodes_per_hop=8)
MODELS = [IGMC(ModelConfig(layers=(8, 8)), n_levels=5, seed=seed).eval() for seed in (1, 2)]


def make_scorer(models=MODELS, extract=EXTRACT, **options):
    return Scorer(models, extract, **{"seed": 3, "device": CPU} | options)


def pairs(count=400):
    users, items = all_pairs(GRAPH)
    rows = np.random.default_rng(0).permutation(len(users))[:count]
    return users[rows].astype(np.int32), items[rows].astype(np.int32)


def answers(model, users, items, extract=EXTRACT, sample=0):
    """What a model says of the pairs, by way of nothing but the kernel and the model."""
    cut = extract_subgraphs(GRAPH, users, items, extract, seed=3, epoch=sample)
    with torch.inference_mode():
        return model(Batch.from_subgraphs(cut, np.zeros(len(users), np.float32))).numpy()


def test_each_model_reads_a_sample_of_its_own():
    users, items = pairs()
    scorer = make_scorer([*MODELS, MODELS[0]])
    scores = scorer.score(GRAPH, users, items)
    for k, model in enumerate(scorer.models):
        # Here torch has all its threads, which may add up in another order.
        np.testing.assert_allclose(scores[k], answers(model, users, items, sample=k), rtol=1e-5, atol=1e-6)
        assert np.array_equal(scorer.only(k).score(GRAPH, users, items), scores[k : k + 1])
    assert not np.allclose(scores[0], scores[2])  # the same model
    assert not np.array_equal(make_scorer(seed=4).score(GRAPH, users, items), scores[:2])


@pytest.mark.parametrize(
    ("settings", "samples"),
    [
        ({"max_nodes_per_hop": None}, 1),
        ({"max_nodes_per_hop": 30}, 1),  # more than there are
        ({"max_nodes_per_hop": 8}, 2),
        ({"max_nodes_per_hop": 8, "hops": 2}, 2),
        ({"max_nodes_per_hop": None, "sample_ratio": 0.5}, 2),
    ],
)
def test_what_is_no_sample_is_cut_once_for_all_models(settings, samples):
    users, items = pairs(50)
    extract = ExtractConfig(**settings)
    scorer = Scorer(MODELS, extract, seed=3, device=CPU)
    cut = scorer.cut(GRAPH, users, items)
    assert len(cut) == samples
    other = extract_subgraphs(GRAPH, users, items, extract, seed=3, epoch=1)
    assert np.array_equal(cut[0].user_id, other.user_id) == (samples == 1)
    assert np.array_equal(cut[-1].user_id, other.user_id)


def test_a_subgraph_that_is_cut_out_already_is_read_by_all_models():
    users, items = pairs(50)
    first, second = make_scorer().cut(GRAPH, users, items)
    scores = make_scorer().read([first[:20], first[20:]])
    assert np.array_equal(scores[0], make_scorer().score(GRAPH, users, items)[0])
    np.testing.assert_allclose(scores[1], answers(MODELS[1], users, items), rtol=1e-5, atol=1e-6)
    assert not np.allclose(make_scorer().read([second])[1], scores[1])


@pytest.mark.parametrize("cap", [8, 13])  # below it are few of the pairs alone, or more than half of them
def test_neither_company_nor_order_nor_threads_change_a_bit(cap):
    users, items = pairs()
    extract = ExtractConfig(max_nodes_per_hop=cap)
    scorer = make_scorer(extract=extract)
    whole = make_scorer(extract=extract, threads=2).score(GRAPH, users, items)
    for threads in (1, 3):
        assert np.array_equal(make_scorer(extract=extract, threads=threads).score(GRAPH, users, items), whole)
    order = np.random.default_rng(1).permutation(len(users))
    assert np.array_equal(scorer.score(GRAPH, users[order], items[order]), whole[:, order])
    rows = [slice(0, 1), slice(5, 7), slice(100, 333), *(slice(k, k + 1) for k in range(20, 60))]
    for row in rows:
        assert np.array_equal(scorer.score(GRAPH, users[row], items[row]), whole[:, row])


def test_scorers_side_by_side_leave_their_callers_the_threads_of_torch():
    asked = pairs(200)
    expected = make_scorer().score(GRAPH, *asked)

    def ask(k):
        before = torch.get_num_threads()
        all_of_them.wait(30)  # none comes to torch while another's scorer starts a thread
        scores = make_scorer(threads=1 + k % 3).score(GRAPH, *asked)
        return scores, before == torch.get_num_threads()

    all_of_them, before = threading.Barrier(8), torch.get_num_threads()
    with ThreadPoolExecutor(8) as callers:
        found = list(callers.map(ask, range(48)))
    assert all(np.array_equal(scores, expected) and same for scores, same in found)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("method", ["score", "read", "gradients"])
@pytest.mark.parametrize("shared", [True, False])
def test_two_threads_are_answered_at_the_same_time_with_the_bits_of_one(monkeypatch, method, shared):
    halves = [tuple(side[rows] for side in pairs(300)) for rows in (slice(150), slice(150, None))]
    first = make_scorer(threads=1)
    scorers = [first, first if shared else make_scorer(threads=1)]

    def ask(k):
        if method == "score":
            return scorers[k].score(GRAPH, *halves[k])
        cut = scorers[k].cut(GRAPH, *halves[k])[0]
        return scorers[k].read([cut]) if method == "read" else scorers[k].gradients(cut)

    alone = [ask(k) for k in range(2)]
    both, forward, counts = threading.Barrier(2), IGMC.forward, []

    def meet(self, *args):
        both.wait(30)  # for a model that is asked by the other thread
        counts.append(torch.get_num_threads())
        return forward(self, *args)

    monkeypatch.setattr(IGMC, "forward", meet)
    with ThreadPoolExecutor(2) as callers:
        together = list(callers.map(ask, range(2)))
    assert all(np.array_equal(*answers) for answers in zip(together, alone, strict=True))
    assert set(counts) == {1}


def test_no_piece_is_read_after_the_deadline(monkeypatch):
    users, items = pairs(300)  # three pieces
    clock, scorer = itertools.count(), make_scorer(threads=1)
    monkeypatch.setattr(scoring, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    whole, asked, forward = scorer.score(GRAPH, users, items, deadline=2), [], IGMC.forward

    def note(self, batch):
        asked.append(len(batch))
        return forward(self, batch)

    monkeypatch.setattr(IGMC, "forward", note)
    with pytest.raises(TimeoutError):
        scorer.score(GRAPH, users, items, deadline=3)
    assert asked == [100, 100], "both models, one piece"
    parts = [scorer.cut(GRAPH, users[rows], items[rows])[0] for rows in (slice(9), slice(9, 20))]
    with pytest.raises(TimeoutError):
        scorer.read(parts, deadline=5)
    assert asked == [100, 100, 9, 9]
    assert np.array_equal(scorer.read(parts, deadline=8)[0], whole[0, :20])


def test_no_pairs():
    none = np.empty(0, np.int32)
    assert make_scorer().score(GRAPH, none, none).shape == (2, 0)


def test_what_goes_wrong_in_a_thread_is_raised_here():
    with pytest.raises(DataError, match="no such user in the graph; got 99"):
        make_scorer().score(GRAPH, np.array([0] * 40 + [99], np.int32), np.zeros(41, np.int32))


def test_side_features_reach_the_model_and_newcomers_have_none():
    model = IGMC(ModelConfig(layers=(8, 8)), n_levels=5, side_width=5).eval()
    rng = np.random.default_rng(0)
    side = rng.random((30, 2), np.float32), rng.random((25, 3), np.float32)
    view = ServingGraph.of(GRAPH).with_ratings([30, 0], [0, 25], [4, 2], n_users=31, n_items=26)
    users, items = np.array([30, 30, 0, 0], np.int32), np.array([1, 25, 25, 1], np.int32)
    scores = make_scorer([model], side=side).score(view, users, items)[0]
    cut = extract_subgraphs(view, users, items, EXTRACT, seed=3)
    features = np.zeros((4, 5), np.float32)
    features[2:, :2], features[[0, 3], 2:] = side[0][0], side[1][1]
    with torch.inference_mode():
        expected = model(Batch.from_subgraphs(cut, np.zeros(4, np.float32), side=features))
    np.testing.assert_allclose(scores, expected.numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_use_the_scorer():
    script = """
import os
import signal
import numpy as np
from tests.networks.rgcn.test_scoring import GRAPH, make_scorer, pairs

scorer = make_scorer(threads=2)
right = scorer.score(GRAPH, *pairs(50))
child = os.fork()
if not child:
    signal.alarm(60)
    os._exit(0 if np.array_equal(scorer.score(GRAPH, *pairs(50)), right) else 1)
raise SystemExit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=120)
