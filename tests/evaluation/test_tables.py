"""Tables of evaluated models: the best first, with what says how sure the figure is."""

import pytest

from igmc.evaluation.tables import Group, markdown, panels, table
from igmc.plots import Estimate
from tests.evaluation.evaluations import make_evaluation


def group(label, *figures, metric="rmse", **more):
    """A model's figures, a seed each."""
    made = [make_evaluation(label, seed=n, metrics={metric: v}, **more) for n, v in enumerate(figures, 1)]
    return Group("demo", "random_80_20", label, tuple(made))


def lines(text):
    return [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("|")]


def test_a_table_is_markdown():
    assert markdown(["a", "b"], [["1", "2"]]) == "| a | b |\n| --- | --- |\n| 1 | 2 |"


def test_a_line_names_the_split_and_the_sizes_of_its_parts():
    head = table([group("a", 1.0, 1.1)], ["rmse"]).splitlines()[0]
    assert head == "**demo, random_80_20** (seed 1, 2; ratings: 1,200 train, 30 test)"


@pytest.mark.parametrize(
    ("metric", "best"), [("rmse", 1.0), ("user_mae", 1.0), ("popularity_share@5", 1.0), ("ndcg@5", 3.0)]
)
def test_the_best_model_comes_first_and_those_without_the_metric_last(metric, best):
    groups = [group("none", 0.1, metric="other"), *(group(f"{v}", v, metric=metric) for v in (2.0, 1.0, 3.0))]
    found = [line[0] for line in lines(table(groups, [metric, "other"]))[2:]]
    assert found[0] == str(best)
    assert found[-1] == "none"


def test_figures_are_means_over_seeds_or_have_their_interval():
    seeds = group("seeds", 1.0, 2.0)
    alone = group("alone", 1.75, intervals={"rmse": (1.5, 2.0)})
    bare = group("bare", 3.0, retrained=True)
    absent = group("absent", 1.0, metric="ndcg@5")
    found = {
        line[0]: line[1:] for line in lines(table([seeds, alone, bare, absent], ["rmse", "ndcg@5", "f1@5"]))
    }
    assert found["model"] == ["rmse", "ndcg@5", "training", "scoring"], "without what nobody has"
    assert found["seeds"][0] == "1.5000 ± 0.7071"
    assert found["alone"][0] == "1.7500 [1.5000, 2.0000]"
    assert found["bare*"][0] == "3.0000"
    assert found["absent"][:2] == ["-", "1.0000"]


def test_a_mean_error_has_its_sign_and_the_nearest_to_0_comes_first():
    groups = [group("high", 0.25, metric="mean_error"), group("low", -0.1, -0.3, metric="mean_error")]
    groups.append(group("near", -0.0625, metric="mean_error"))
    found = [line[:2] for line in lines(table(groups, ["mean_error"]))[2:]]
    assert found == [["near", "-0.0625"], ["low", "-0.2000 ± 0.1414"], ["high", "+0.2500"]]
    [panel] = panels(groups, ["mean_error"])
    assert [one.label for one in panel.estimates] == ["near", "low", "high"]
    assert panel.metric == "MEAN ERROR (0 is best)"


def test_seconds_are_those_of_training_and_of_scoring_in_the_mean():
    one = group("a", 1.0, 1.0, seconds={"choose": 1.0, "fit": 2.0, "fold_in": 4.0, "rate": 8.0, "rank": 16.0})
    assert lines(table([one], ["rmse"]))[2][2:] == ["7.0 s", "24.0 s"]
    assert one.seconds("fit", "missing") == 2.0


def test_a_panel_shows_means_and_their_spread_the_best_first():
    groups = [group("worse", 3.0), group("better", 1.0, 2.0), group("none", 1.0, metric="ndcg@5")]
    errors, ranks, *more = panels(groups, ["rmse", "mae", "ndcg@5"])
    assert not more
    assert errors.estimates == [
        Estimate("better", 1.5, pytest.approx(1.5 - 0.5**0.5), pytest.approx(1.5 + 0.5**0.5)),
        Estimate("worse", 3.0, None, None),
    ]
    assert [one.label for one in ranks.estimates] == ["none"]
    assert "lower is better" in errors.metric
    assert "NDCG@5 (higher is better)" in ranks.metric
