import itertools
import math

import numpy as np
import pytest
from scipy import sparse

from igmc.evaluation.metrics.catalogue import catalogue_metrics, list_metrics


def test_catalogue_known_answers():
    counts = [9, 0, 3, 4, 0, 0, 0, 0, 0, 8]  # the 2 most rated of 10 are 0 and 9; p = (c + 1) / 34
    top = [[0, 1], [0, 9], [2, -1]]
    found = catalogue_metrics(top, counts, [1, 2])
    bits = {item: -math.log2((counts[item] + 1) / 34) for item in (0, 1, 2, 9)}
    assert found == pytest.approx(
        {
            "coverage@1": 2 / 10,
            "coverage@2": 4 / 10,
            "novelty@1": (2 * bits[0] + bits[2]) / 3,
            "novelty@2": (2 * bits[0] + bits[1] + bits[9] + bits[2]) / 5,
            "popularity_share@1": 2 / 3,
            "popularity_share@2": 3 / 5,
            "mean_popularity@1": (9 + 9 + 3) / 3,
            "mean_popularity@2": (9 + 0 + 9 + 8 + 3) / 5,
            "gini@1": differences([2, 0, 1, 0, 0, 0, 0, 0, 0, 0]),
            "gini@2": differences([2, 1, 1, 0, 0, 0, 0, 0, 0, 1]),
        }
    )


def differences(times):
    """The Gini coefficient as it is defined: the mean difference of two, by twice the mean."""
    pairs = [abs(a - b) for a, b in itertools.product(times, times)]
    return np.mean(pairs) / (2 * np.mean(times))


def test_gini_is_0_where_all_are_shown_equally_and_largest_where_one_is():
    assert catalogue_metrics([[0], [1], [2], [3]], [1] * 4, [1])["gini@1"] == 0
    assert catalogue_metrics([[2], [2]], [1] * 4, [1])["gini@1"] == pytest.approx(1 - 1 / 4)


def test_popular_items_are_a_fifth_rounded_up_and_ties_go_to_lower_indices():
    assert catalogue_metrics([[0], [1], [2], [3]], [1] * 11, [1])["popularity_share@1"] == 3 / 4
    assert catalogue_metrics([[0], [1], [2], [3]], [1] * 10, [1])["popularity_share@1"] == 2 / 4


def test_similarity_is_the_mean_cosine_of_the_pairs_in_a_list():
    rng = np.random.default_rng(0)
    dense = rng.random((12, 7)) < 0.5
    dense[:, 6] = False  # an item that nobody has rated
    seen = sparse.csr_array(dense.astype(np.float32) * 3)
    top = np.array([[0, 3, 5], [6, 2, -1], [4, -1, -1]], np.int32)
    nobody = sparse.csr_array((3, 7))
    found = list_metrics(top, seen, np.arange(3, dtype=np.int32), nobody, [1, 2, 3])

    def cosine(i, j):
        a, b = dense[:, i].astype(float), dense[:, j].astype(float)
        return a @ b / max(np.sqrt((a @ a) * (b @ b)), 1e-12)

    three = np.mean([cosine(0, 3), cosine(0, 5), cosine(3, 5)])
    assert found["intra_list_similarity@3"] == pytest.approx([three, 0, 0])
    assert found["intra_list_similarity@2"] == pytest.approx([cosine(0, 3), 0, 0])
    assert found["intra_list_similarity@1"] == pytest.approx([0, 0, 0])


def test_a_hit_is_a_surprise_if_the_most_rated_unseen_items_do_not_hold_it():
    # Numbers of ratings: 4, 3, 2, 1, 0. User 0 has seen the most rated one, so 1 and 2 are the usual list.
    dense = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0]], np.float32)
    seen, users = sparse.csr_array(dense), np.array([0, 1], np.int32)
    relevant = sparse.csr_array(np.array([[0, 1, 0, 1, 0], [0, 0, 0, 1, 1]], np.float32))
    found = list_metrics([[3, 1], [3, 4]], seen, users, relevant, [1, 2])
    assert found["serendipity@1"].tolist() == [1, 1]
    assert found["serendipity@2"].tolist() == [1 / 2, 1 / 2]  # 1 is usual for user 0, and 3 for user 1
