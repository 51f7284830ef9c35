import itertools
import math

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ir_measures import AP, RR, P, R, Success, nDCG
from scipy import sparse

from igmc.errors import ConfigError, DataError
from igmc.evaluation.metrics.catalogue import catalogue_metrics
from igmc.evaluation.metrics.ranking import evaluate_ranking, ranking_metrics, rated_ndcg
from tests.evaluation.metrics.tables import drawn, table

GAINS = {rating: 2**rating - 1 for rating in range(1, 6)}
SEEDS = st.integers(0, 2**32 - 1)


def independent(scores, seen, relevant, k):
    """The measures of each user by trec_eval, which orders equal scores by falling document name."""
    n = scores.shape[1]

    def name(item):
        return f"{n - 1 - item:06d}"

    run = [
        ir_measures.ScoredDoc(str(u), name(i), float(scores[u, i]))
        for u in range(len(scores))
        for i in range(n)
        if not seen[u, i]
    ]
    qrels = [
        ir_measures.Qrel(str(u), name(i), int(relevant[u, i]))
        for u, i in zip(*relevant.nonzero(), strict=True)
    ]
    measures = {
        f"precision@{k}": P @ k,
        f"recall@{k}": R @ k,
        f"hit_rate@{k}": Success @ k,
        f"mrr@{k}": RR,
        f"map@{k}": AP @ k,
        f"ndcg@{k}": nDCG(gains=dict.fromkeys(GAINS, 1)) @ k,
        f"ndcg_exp@{k}": nDCG(gains=GAINS) @ k,
    }
    found = {
        (one.measure, int(one.query_id)): one.value
        for one in ir_measures.iter_calc(list(measures.values()), qrels, run)
    }
    sizes = np.diff(relevant.indptr)
    users = np.flatnonzero(sizes)
    result = {label: np.array([found[measure, u] for u in users]) for label, measure in measures.items()}
    result[f"mrr@{k}"] *= result[f"mrr@{k}"] >= 1 / k - 1e-9  # its own cutoff orders ties in another way
    result[f"map@{k}"] *= sizes[users] / np.minimum(sizes[users], k)  # trec_eval divides by |R| instead
    p, r = result[f"precision@{k}"], result[f"recall@{k}"]
    result[f"f1@{k}"] = np.divide(2 * p * r, p + r, out=np.zeros_like(p), where=p + r > 0)
    return users, result


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.sampled_from([0, 1, 2]), st.integers(1, 12))
def test_all_measures_equal_those_of_an_independent_library(seed, levels, k):
    scores, seen, relevant = drawn(seed, levels=levels)
    result = evaluate_ranking(lambda users: scores[users], seen, relevant, [k])
    users, expected = independent(scores, seen.toarray(), relevant, k)
    assert result.users.tolist() == users.tolist()
    beside = {f"intra_list_similarity@{k}", f"serendipity@{k}"}
    assert result.per_user.keys() == expected.keys() | beside
    for name, values in expected.items():
        np.testing.assert_allclose(result.per_user[name], values, atol=1e-9, err_msg=name)


def test_known_answers():
    # The list is 7, 3, 9, 4; relevant are 3 (rated 2), 4 (rated 1) and 5 (rated 3), which is not listed.
    relevant = table({0: {3: 2, 4: 1, 5: 3}}, (1, 10))
    found = ranking_metrics([[7, 3, 9, 4]], relevant, [1, 2, 4])
    log3, log5 = math.log2(3), math.log2(5)
    expected = {
        "precision@1": 0, "precision@2": 1 / 2, "precision@4": 2 / 4,
        "recall@1": 0, "recall@2": 1 / 3, "recall@4": 2 / 3,
        "f1@1": 0, "f1@2": 2 / 5, "f1@4": 4 / 7,
        "hit_rate@1": 0, "hit_rate@2": 1, "hit_rate@4": 1,
        "mrr@1": 0, "mrr@2": 1 / 2, "mrr@4": 1 / 2,
        "map@1": 0, "map@2": 1 / 2 / 2, "map@4": (1 / 2 + 2 / 4) / 3,
        "ndcg@1": 0, "ndcg@2": (1 / log3) / (1 + 1 / log3),
        "ndcg@4": (1 / log3 + 1 / log5) / (1.5 + 1 / log3),
        "ndcg_exp@1": 0, "ndcg_exp@2": (3 / log3) / (7 + 3 / log3),
        "ndcg_exp@4": (3 / log3 + 1 / log5) / (7 + 3 / log3 + 1 / 2),
    }  # fmt: skip
    assert {name: values.item() for name, values in found.items()} == pytest.approx(expected)


def test_a_perfect_list_has_one_in_all_but_what_its_length_forbids():
    relevant = table({0: {4: 5, 2: 3, 7: 1}}, (1, 9))
    found = {
        name: values.item() for name, values in ranking_metrics([[4, 2, 7, 0]], relevant, [2, 4]).items()
    }
    for k in (2, 4):
        assert all(found[f"{name}@{k}"] == 1 for name in ("hit_rate", "mrr", "map", "ndcg", "ndcg_exp"))
    assert (found["precision@2"], found["recall@2"]) == (1, pytest.approx(2 / 3))
    assert (found["precision@4"], found["recall@4"]) == (3 / 4, 1)


def test_an_ended_list_has_no_hits_beyond_its_end():
    # -1 must not be read as the last item, nor as the last one of the user before.
    relevant = table({0: {3: 1}, 1: {0: 1, 3: 1}}, (2, 4))
    found = ranking_metrics([[3, -1, -1], [0, -1, -1]], relevant, [3])
    assert found["recall@3"].tolist() == [1, 0.5]
    assert found["precision@3"].tolist() == pytest.approx([1 / 3, 1 / 3])


def test_measures_need_not_reach_the_end_of_the_list_and_lengths_may_repeat():
    relevant = table({0: {1: 1}}, (1, 5))
    found = ranking_metrics([[0, 1, 2, 3]], relevant, [2, 1, 2])
    assert found["recall@1"].tolist() == [0]
    assert found["recall@2"].tolist() == [1]
    assert len(found) == 16


@pytest.mark.parametrize("block", [1, 4, 5, 1000])
def test_blocks_change_nothing_and_bound_what_is_scored_at_once(block):
    scores, seen, relevant = drawn(7, levels=2, users=23, items=15)
    relevant = sparse.csr_array(relevant.toarray() * (np.arange(23) % 3 > 0)[:, None])
    asked = []

    def block_scores(users):
        asked.append(users)
        return scores[users]

    whole = evaluate_ranking(lambda users: scores[users], seen, relevant, [3, 10])
    parts = evaluate_ranking(block_scores, seen, relevant, [10, 3], block=block)
    assert max(len(users) for users in asked) <= block
    assert np.concatenate(asked).tolist() == whole.users.tolist() == parts.users.tolist()
    assert set(whole.users.tolist()) == {u for u in range(23) if u % 3 and relevant[[u]].nnz}
    for name, values in whole.per_user.items():
        assert np.array_equal(parts.per_user[name], values)
    assert parts.catalogue == whole.catalogue
    assert parts.means()["ndcg@3"] == pytest.approx(np.mean(whole.per_user["ndcg@3"]))


def test_popularity_is_counted_in_all_seen_pairs():
    seen = table({0: {0: 5}, 1: {0: 3, 1: 1}, 2: {0: 0, 1: 4, 2: 2}}, (4, 5))
    result = evaluate_ranking(lambda users: [[5, 4, 3, 2, 1]], seen, table({3: {4: 1}}, (4, 5)), [2])
    assert result.users.tolist() == [3]
    assert result.catalogue == catalogue_metrics([[0, 1]], [3, 2, 1, 0, 0], [2])


# Ranking of rated test items


def expected_rated(ratings, predicted, k):
    """Mean over all orders of equal predictions."""

    def dcg(order):
        return sum((2 ** ratings[i] - 1) / math.log2(j + 2) for j, i in enumerate(order[:k]))

    orders = [
        order
        for order in itertools.permutations(range(len(ratings)))
        if all(predicted[a] >= predicted[b] for a, b in itertools.pairwise(order))
    ]
    return np.mean([dcg(o) for o in orders]) / dcg(sorted(range(len(ratings)), key=lambda i: -ratings[i]))


@given(
    st.lists(st.tuples(st.sampled_from([0, 0.5, 1, 3, 5]), st.integers(0, 2)), min_size=2, max_size=5),
    st.integers(1, 6),
)
def test_equal_predictions_count_as_the_mean_over_their_orders(rows, k):
    ratings, predicted = zip(*rows, strict=True)
    if not any(ratings):
        return
    result = rated_ndcg([3] * len(rows), ratings, predicted, [k])
    assert result.per_user[f"rated_ndcg@{k}"].item() == pytest.approx(expected_rated(ratings, predicted, k))
    assert result.per_user["rated_ndcg"].item() == pytest.approx(expected_rated(ratings, predicted, None))


@given(SEEDS, st.integers(1, 8))
def test_rated_ndcg_equals_that_of_an_independent_library(seed, k):
    generator = np.random.default_rng(seed)
    user = generator.permutation(np.repeat(np.arange(5), [1, 2, 3, 7, 12]))
    rating, predicted = generator.integers(1, 6, 25), generator.permutation(25) / 8
    pairs = [(str(u), str(i)) for i, u in enumerate(user)]
    qrels = [ir_measures.Qrel(*pair, int(r)) for pair, r in zip(pairs, rating, strict=True)]
    run = [ir_measures.ScoredDoc(*pair, p) for pair, p in zip(pairs, predicted, strict=True)]
    measured = ir_measures.iter_calc([nDCG(gains=GAINS) @ k], qrels, run)
    found = {int(one.query_id): one.value for one in measured}
    result = rated_ndcg(user, rating, predicted, [k])
    assert result.users.tolist() == [1, 2, 3, 4], "one item alone is always in order"
    np.testing.assert_allclose(result.per_user[f"rated_ndcg@{k}"], [found[u] for u in range(1, 5)], atol=1e-9)


def test_rated_ndcg_by_hand_and_whom_it_leaves_out():
    result = rated_ndcg([9, 2, 9, 4, 4, 7, 7], [1, 5, 3, 2, 2, 0, 0], [4, 1, 2, 1, 3, 1, 2], [1, 3])
    assert result.users.tolist() == [4, 9]
    log3 = math.log2(3)
    assert result.per_user["rated_ndcg@1"].tolist() == pytest.approx([1, 1 / 7])
    assert result.per_user["rated_ndcg@3"].tolist() == pytest.approx([1, (1 + 7 / log3) / (7 + 1 / log3)])
    assert result.means()["rated_ndcg"] == result.means()["rated_ndcg@3"]
    assert result.per_user["rated_ndcg_linear@1"].tolist() == pytest.approx([1, 1 / 3])
    assert result.per_user["rated_ndcg_linear"].tolist() == pytest.approx(
        [1, (1 + 3 / log3) / (3 + 1 / log3)]
    )


def test_many_levels_keep_their_gains():
    result = rated_ndcg([0, 0, 0], [100, 99, 1], [1, 3, 2], [3])
    expected = (1 + 2 / 2) / (2 + 1 / math.log2(3))  # in units of 2^99, the rest being nothing
    assert result.per_user["rated_ndcg@3"].item() == pytest.approx(expected)


# What is refused


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    scores = np.ones((2, 3), np.float32)
    scores[1, 2] = bad
    with pytest.raises(DataError, match="a score is not a finite number"):
        evaluate_ranking(
            lambda users: scores[users], sparse.csr_array((2, 3)), table({1: {0: 1}}, (2, 3)), [1]
        )


@pytest.mark.parametrize(("ks", "got"), [([0, 1], "0"), ([4], "4"), ([-1], "-1"), ([1.5], "1.5")])
def test_lengths_out_of_range_are_refused(ks, got):
    message = rf"length K of a list is out of range; got {got}; allowed: whole numbers in 1..3"
    relevant = table({0: {1: 1}}, (1, 3))
    with pytest.raises(ConfigError, match=message):
        evaluate_ranking(lambda users: np.ones((1, 3)), sparse.csr_array((1, 3)), relevant, ks)
    with pytest.raises(ConfigError, match=message):
        ranking_metrics([[0, 1, 2]], relevant, ks)
    with pytest.raises(ConfigError, match=message):
        catalogue_metrics([[0, 1, 2]], [1, 1, 1], ks)


def test_other_bad_settings_are_refused():
    relevant, seen = table({0: {1: 1}}, (1, 3)), sparse.csr_array((1, 3))
    with pytest.raises(ConfigError, match=r"no length K of a list is given; .*numbers in 1\.\.3"):
        evaluate_ranking(lambda users: np.ones((1, 3)), seen, relevant, [])
    with pytest.raises(ConfigError, match="block of users is too small; got 0; allowed: at least 1"):
        evaluate_ranking(lambda users: np.ones((1, 3)), seen, relevant, [1], block=0)
    with pytest.raises(ConfigError, match=r"length K of a list is out of range; got 0; .* numbers from 1"):
        rated_ndcg([0, 0], [1, 2], [1, 2], [0])


def test_pairs_that_cannot_be_ranked_are_refused():
    def scores(users):
        return np.ones((len(users), 3))

    seen = table({0: {1: 4}}, (2, 3))
    with pytest.raises(DataError, match=r"differ in shape; got \(2, 4\); allowed: \(2, 3\)"):
        evaluate_ranking(scores, seen, table({1: {1: 1}}, (2, 4)), [1])
    with pytest.raises(DataError, match="a pair is both seen and relevant; hint: take the train"):
        evaluate_ranking(scores, seen, table({0: {1: 1}}, (2, 3)), [1])
    with pytest.raises(DataError, match="no user has a relevant item to rank; hint: lower the rating"):
        evaluate_ranking(scores, seen, sparse.csr_array((2, 3)), [1])
    with pytest.raises(DataError, match="relevant pairs are not a sparse table; got 'ndarray'"):
        evaluate_ranking(scores, seen, np.ones((2, 3)), [1])


@pytest.mark.parametrize("bad", [0, -1, 1001, np.nan, 1e-300])
def test_relevant_items_without_a_gain_are_refused(bad):
    with pytest.raises(DataError, match=r"no gain 2\^r - 1; got .*; allowed: above 0, at most 1000"):
        ranking_metrics([[0, 1]], table({0: {0: 1.0, 1: bad}}, (1, 2)), [1])


def test_the_highest_rating_has_a_gain():
    found = ranking_metrics([[1, 0]], table({0: {0: 1.0, 1: 1000.0}}, (1, 2)), [1])
    assert found["ndcg_exp@1"].tolist() == [1.0]


def test_lists_that_are_no_lists_are_refused():
    relevant = table({0: {0: 1}, 1: {1: 1}}, (2, 3))
    with pytest.raises(DataError, match="the number of lists is wrong; got 1; allowed: 2"):
        ranking_metrics([[0]], relevant, [1])
    with pytest.raises(DataError, match="no relevant items; got 'row 1'; hint: leave that user out"):
        ranking_metrics([[0], [0]], table({0: {0: 1}}, (2, 3)), [1])
    with pytest.raises(DataError, match=r"an item of a list is out of range; got 3; allowed: -1\.\.2"):
        ranking_metrics([[0], [3]], relevant, [1])
    with pytest.raises(DataError, match="out of range; got -2"):
        catalogue_metrics([[-2]], [1, 1], [1])
    with pytest.raises(DataError, match=r"a table of items; got 'float64 \(1, 1\)'; allowed: int \[U, L\]"):
        catalogue_metrics([[0.0]], [1, 1], [1])
    with pytest.raises(DataError, match="no user gets any recommendation"):
        catalogue_metrics([[-1]], [1, 1], [1])
    for counts in ([-1, 1], [0.5, 1], [[1, 1]], []):
        with pytest.raises(DataError, match="numbers of ratings by item must be a list of whole numbers"):
            catalogue_metrics([[0]], counts, [1])


def test_rated_pairs_that_cannot_be_ranked_are_refused():
    with pytest.raises(DataError, match="users, ratings and predictions differ in shape"):
        rated_ndcg([0, 0], [1, 2], [1, 2, 3], [1])
    with pytest.raises(DataError, match="users are not a list of dense indices"):
        rated_ndcg([-1, 0], [1, 2], [1, 2], [1])
    with pytest.raises(DataError, match="a prediction is not a finite number"):
        rated_ndcg([0, 0], [1, 2], [1, np.nan], [1])
    for bad in (-1, 1001, np.nan):
        with pytest.raises(DataError, match=r"a rating has no gain 2\^r - 1; .*allowed: 0\.\.1000; .*levels"):
            rated_ndcg([0, 0], [1, bad], [1, 2], [1])
    for user, rating in (([], []), ([0, 1], [1, 1]), ([0, 0], [0, 0])):
        with pytest.raises(DataError, match="no user has two rated test items to rank"):
            rated_ndcg(user, rating, rating, [1])
