"""Who answers whom."""

from dataclasses import replace

import pytest

from igmc.config import ServeConfig
from igmc.errors import ConfigError
from igmc.experiments import read_answers
from igmc.experiments.answers import AnswerLog
from igmc.ratings import IdTable, RatingScale
from igmc.web.experiment import Arm, Experiment
from igmc.web.schemas import Asker, Rating
from igmc.web.service import Service
from tests.inference.small import GRAPH, make_scorer, predictor_of

LIMITS = ServeConfig()


@pytest.fixture(scope="module")
def small():
    return predictor_of(GRAPH, make_scorer())


@pytest.fixture(scope="module")
def experiment(small):
    return Experiment([Arm(name, Service(small, LIMITS)) for name in "AB"], [50])


def arm_of(experiment, visitor=None, **asked):
    return experiment.choice(Asker(**asked), visitor).arm.name


def test_a_user_keeps_the_arm_whatever_else_is_sent(experiment):
    seen = {user: arm_of(experiment, user_id=user) for user in range(20)}
    assert set(seen.values()) == {"A", "B"}
    for user, arm in seen.items():
        rated = [Rating(item_id=1, rating=5.0)]
        assert arm_of(experiment, f"visitor {user}", user_id=user, ratings=rated) == arm


def test_a_visitor_has_the_arm_of_the_user_with_the_same_id(experiment):
    for user in range(20):
        choice = experiment.choice(Asker(ratings=[]), str(user))
        assert choice.user == user
        assert choice.arm.name == arm_of(experiment, user_id=user)
    assert experiment.choice(Asker(), "01").user == "01"


def test_without_an_id_the_ratings_decide(experiment):
    def arm(*rated):
        return arm_of(experiment, ratings=[Rating(item_id=item, rating=value) for item, value in rated])

    assert {arm((item, 5.0)) for item in range(15)} == {"A", "B"}
    assert all(arm((item, 5.0), (14, 1.0)) == arm((14, 1.0), (item, 5.0)) for item in range(14))
    assert experiment.choice(Asker(ratings=[]), None).user is None


def test_large_numbers_are_one_id_as_texts_and_as_numbers(small, tmp_path):
    big = 2**60
    users, items = (IdTable((*range(n - 1), big)) for n in (20, 15))
    service = Service(replace(small, users=users, items=items), LIMITS)
    with AnswerLog(tmp_path / "log") as log:
        experiment = Experiment([Arm("A", service)], log=log)
        for choice in (
            experiment.choice(Asker(user_id=str(big)), None),
            experiment.choice(Asker(), str(big)),
        ):
            assert choice.user == big
        experiment.record(choice, "list", [(str(big), 4.0), (3, 2.5)])
    (found,) = read_answers([tmp_path / "log"]).answers
    assert (found.user, found.items, found.position) == (big, ((big, 4.0), (3, 2.5)), None)


def test_runs_on_other_scales_are_refused_and_missing_items_are_told(small, caplog):
    first = Arm("A", Service(small, LIMITS))
    other = replace(small, scale=RatingScale.fit([1.0, 2.0, 10.0]))
    with pytest.raises(ConfigError, match="run B predicts ratings on a different scale from run A"):
        Experiment([first, Arm("B", Service(other, LIMITS))])
    with pytest.raises(ConfigError, match="run shadow predicts"):
        Experiment([first], shadow=Arm("shadow", Service(other, LIMITS)))
    assert not caplog.text
    other = replace(small, items=IdTable(tuple(range(3, 18))))
    Experiment([first, Arm("B", Service(other, LIMITS))])
    assert "run B does not know 3 of the 15 items of run A" in caplog.text


def test_a_run_without_ratings_is_served_alone(clicks, tmp_path):
    alone = Arm("A", Service(clicks, LIMITS))
    assert Experiment([alone]).arms == (alone,)
    with pytest.raises(ConfigError, match="compared by predicted ratings, and a run predicts none"):
        Experiment([alone, Arm("B", Service(clicks, LIMITS))], [50])
    with (
        AnswerLog(tmp_path / "answers.jsonl") as log,
        pytest.raises(ConfigError, match="without --answer-log"),
    ):
        Experiment([alone], log=log)
