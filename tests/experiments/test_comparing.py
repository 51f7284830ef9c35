"""Arms side by side: figures by hand, and intervals that tell a difference from luck."""

import numpy as np
import pytest

from igmc.experiments.answers import SHADOW, Answers
from igmc.experiments.comparing import compare_arms
from tests.experiments.small import ANSWERS, ENTRIES, SHADOWS, answer, fill, rate


def test_few_users_have_figures_without_intervals(tmp_path):
    store = fill(tmp_path / "a.db", *ENTRIES)
    found = compare_arms(Answers(sorted([*ANSWERS, *SHADOWS]), 2, 0), store).to_dict()
    expected = {"users": 1, "answers": 4, "lists": 3, "listed": 4, "converted": 1, "rated": 1}
    assert found["counts"]["A"] == expected
    values = {name: one["value"] for name, one in found["figures"]["A"].items()}
    assert values == {"hit_rate": 1, "conversion": 0.25, "mean_rating": 4, "rmse": 0.5}
    assert found["figures"]["B"]["rmse"] == {"value": 1.0, "low": None, "high": None}
    assert found["differences"]["B"]["conversion"] == {"value": 0.25, "low": None, "high": None}
    assert set(found["differences"]) == {"B"}
    assert found["shadow"]["users"] == found["shadow"]["rated"] == 2
    assert found["shadow"]["overlap"]["value"] == pytest.approx(1 / 3)
    assert found["shadow"]["rmse_difference"]["value"] == pytest.approx(0.625**0.5 - 1)
    assert found["left_out"]["lines that cannot be read"] == 2
    assert "lines that occur twice" not in found["left_out"]


def test_a_log_without_answers_has_no_arms(tmp_path):
    store = fill(tmp_path / "a.db", *ENTRIES)
    found = compare_arms(Answers([], 0, 0), store)
    assert found.counts == found.figures == found.differences == found.left_out == found.shadow == {}


def simulated(path, *, worse, users=120):
    """Two arms: each user gets a list of four; in B each item is rated less often and predicted worse."""
    draw = np.random.default_rng(2)
    answers, drafts = [], []
    for user in range(users):
        arm = "AB"[user % 2]
        bad = worse and arm == "B"
        scores = draw.uniform(2, 4, 4).round(4).tolist()
        answers.append(answer(user, arm, user, 0, list(enumerate(scores))))
        answers.append(
            answer(user, SHADOW, user, 0, [], scored=[(k, one + 0.8) for k, one in enumerate(scores)])
        )
        for item in range(4):
            if draw.random() < (0.2 if bad else 0.6):
                rating = scores[item] + draw.normal(0, 1.5 if bad else 0.3)
                drafts.append(rate(user, item, rating))
    return Answers(sorted(answers), 0, 0), fill(path, *drafts)


def test_a_difference_is_told_from_luck(tmp_path):
    same = compare_arms(*simulated(tmp_path / "a.db", worse=False))
    for one in same.differences["B"].values():
        assert one.low < 0 < one.high
    other = compare_arms(*simulated(tmp_path / "b.db", worse=True))
    conversion, rmse = other.differences["B"]["conversion"], other.differences["B"]["rmse"]
    assert -0.6 < conversion.low < -0.4 < conversion.high < -0.2
    assert 0.6 < rmse.low < 1.2 < rmse.high < 1.8
    expected = other.figures["B"]["rmse"].value - other.figures["A"]["rmse"].value
    assert rmse.value == pytest.approx(expected)
    assert other.figures["A"]["conversion"].low < 0.6 < other.figures["A"]["conversion"].high
    assert other.shadow["overlap"].value == 0
    assert 0.1 < other.shadow["rmse_difference"].low < other.shadow["rmse_difference"].high < 0.8
