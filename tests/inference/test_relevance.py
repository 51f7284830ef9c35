import dataclasses
import shutil

import numpy as np
import pytest
import torch

from igmc.config import RankerConfig
from igmc.errors import CheckpointError
from igmc.inference import relevance
from igmc.inference.predictor import Predictor
from igmc.inference.relevance import (
    RANKER_FILE,
    RunRelevance,
    blended,
    chosen_weight,
    floor,
    standardized,
)
from igmc.ratings import RatingScale, Split


@pytest.fixture(scope="module")
def own_run(demo_run, tmp_path_factory):
    """A copy of the run whose ranker is trained; not to be written to."""
    folder = tmp_path_factory.mktemp("ranked") / "run"
    shutil.copytree(demo_run, folder, ignore=shutil.ignore_patterns(RANKER_FILE))
    one = Predictor.from_run(folder, device="cpu")
    assert not one.relevance.made
    first = one.relevance.get(one.scorer)
    assert one.relevance.made
    later = Predictor.from_run(folder, device="cpu")
    answers = [found.of_user(one.graph, 3, one.scale.values) for found in (first, later.relevance.get(None))]
    np.testing.assert_array_equal(*answers)
    return folder


@pytest.fixture(scope="module")
def ranked(own_run):
    return Predictor.from_run(own_run, device="cpu")


def test_it_is_kept_in_the_run_and_read_from_there(own_run, ranked, monkeypatch):
    monkeypatch.setattr(relevance, "fit_ranker", lambda *_, **__: pytest.fail("trained again"))
    found = ranked.relevance.get(ranked.scorer)
    assert (own_run / RANKER_FILE).exists()
    assert found.weight in relevance.WEIGHTS
    assert ranked.relevance.get(ranked.scorer) is found


def test_a_ranker_of_other_ratings_is_refused(own_run, tmp_path):
    shutil.copytree(own_run, tmp_path / "run")
    other = Predictor.from_run(tmp_path / "run", device="cpu").relevance
    split = other._split
    other._split = dataclasses.replace(split, train=split.train[:-1])
    with pytest.raises(CheckpointError, match="trained on other ratings; hint: delete it"):
        other.get(None)


def test_a_run_folder_that_cannot_be_written_still_gets_lists(own_run, tmp_path, monkeypatch):
    from igmc.errors import WriteError

    def full(*_):
        raise WriteError("no space")

    shutil.copytree(own_run, tmp_path / "run")
    (tmp_path / "run" / RANKER_FILE).unlink()
    monkeypatch.setattr(relevance, "save_checkpoint", full)
    monkeypatch.setattr(relevance, "RankerConfig", Quick)
    one = Predictor.from_run(tmp_path / "run", device="cpu")
    assert one.relevance.get(one.scorer).ranker.n_items == one.graph.n_items
    assert not (tmp_path / "run" / RANKER_FILE).exists()


class Quick(RankerConfig):
    """The least to learn from."""

    def __init__(self, **given):
        super().__init__(**{"folds": 1, "epochs": 1, "members": 1} | given)


def test_items_that_came_later_stand_behind_all_others(ranked):
    found = ranked.relevance.get(ranked.scorer)
    view = ranked.with_user({"f001": 5, "a new film": 4})
    scores = found.of_user(view.graph, view.user, ranked.scale.values)
    assert len(scores) == view.graph.n_items == ranked.graph.n_items + 1
    assert scores[-1] < scores[:-1].min()


def test_the_ratings_of_a_known_user_count_as_those_of_a_newcomer_with_them(ranked):
    """But for the user's own row among the neighbours."""
    found = ranked.relevance.get(ranked.scorer)
    item, level = ranked.graph.by_user.row(3)
    ids = ranked.items.decode(item)
    same = dict(zip(ids, ranked.scale.values[level].tolist(), strict=True))
    view = ranked.with_user(same)
    newcomer = found.of_user(view.graph, view.user, ranked.scale.values)
    known = found.of_user(ranked.graph, 3, ranked.scale.values)
    assert np.corrcoef(newcomer, known)[0, 1] > 0.9
    other = ranked.with_user({ids[0]: 1})
    assert not np.allclose(found.of_user(other.graph, other.user, ranked.scale.values), newcomer)


UNRATED = 3.01


class Oracle:
    """Predicts what was given."""

    def __init__(self, split: Split) -> None:
        self.rating = np.full((len(split.table.users), len(split.table.items)), UNRATED)
        self.rating[split.table.user, split.table.item] = split.table.rating

    def score(self, graph, user, item):
        return self.rating[user, item][None]


class Contrary(Oracle):
    """Predicts a little less for what was rated."""

    def __init__(self, split: Split) -> None:
        super().__init__(split)
        self.rating = np.where(self.rating == UNRATED, 3.5, 3.4)


def test_the_weight_follows_validation(ranked):
    found, split = ranked.relevance.get(ranked.scorer), ranked.relevance._split
    ranker = found.ranker.on(relevance.rating_matrix(split, split.train))
    assert chosen_weight(ranker, split, Oracle(split)) > 0
    assert chosen_weight(ranker, split, Contrary(split)) == 0


@pytest.mark.parametrize(("selection", "learns"), [("validation", False), ("fixed", True)])
def test_what_the_weight_is_chosen_on_is_not_learned(ranked, tmp_path, monkeypatch, selection, learns):
    monkeypatch.setattr(relevance, "RankerConfig", Quick)
    split, found = ranked.relevance._split, []
    few = dataclasses.replace(split, validation=split.validation[::2])  # others are not there at all
    for number, one in enumerate((split, few)):
        folder = tmp_path / str(number)
        folder.mkdir()
        found.append(RunRelevance(folder, one, selection, 1).get(Oracle(one)))
    weights = [found[k].ranker.networks[0].state_dict().values() for k in (0, 1)]
    assert all(torch.equal(*pair) for pair in zip(*weights, strict=True)) != learns
    known = [one.ranker.forms.seen.nnz for one in found]
    assert known[0] > known[1], "for any user for a list is known by all ratings"
    assert all(one.weight == relevance.USUAL_WEIGHT for one in found) or not learns


def test_standardized_values():
    assert standardized(np.array([1.0, 3.0])).tolist() == [-1, 1]
    assert standardized(np.array([[2.0, 2.0]])).tolist() == [[0, 0]]


def test_what_is_predicted_well_below_the_users_mean_comes_last_in_a_blend():
    scale = RatingScale.fit([1.0, 2.0, 3.0, 4.0, 5.0])
    lowest = floor([0, 45], [0, 90], 3.0, scale)
    assert lowest.tolist() == [2.5, pytest.approx(105 / 50 - 0.5)]
    relevance, predicted = np.array([9.0, 5.0, 1.0]), np.array([1.0, 2.4, 4.0])
    assert np.argsort(-blended(relevance, predicted, 0.0, lowest[0])).tolist() == [2, 0, 1]
    assert np.argsort(-blended(relevance, predicted, 0.0, lowest[1])).tolist() == [1, 2, 0]
    assert np.argsort(-blended(relevance, predicted, 5.0, 0.0)).tolist() == [2, 1, 0]
