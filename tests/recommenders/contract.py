"""What every recommender must do. A test class of a recommender inherits it and says what is special."""

import dataclasses

import numpy as np
import pytest

from igmc.errors import CheckpointError, ConfigError, DataError
from igmc.recommenders.registry import RECOMMENDERS, load_recommender, make_recommender
from tests.recommenders.boards import checkerboard, liked_board, ratings


class RecommenderContract:
    """Subclass as ``class TestX(RecommenderContract)``; pytest runs it from there.

    Attributes:
        name: in the registry.
        settings: under which it learns the board in a moment.
        changes: for each setting another value, which must change what is predicted, or a pair (other
            settings that this needs, value), or None if a test of its own shows it.
        quick: settings under which a change shows in less time than learning the board takes.
        random: whether the seed matters.
        learns: whether it can learn who agrees with whom; means cannot.
    """

    name: str
    settings: dict = {}
    changes: dict = {}
    quick: dict = {}
    random = False
    learns = True

    def make(self, seed=1, **settings):
        return make_recommender(self.name, {**self.settings, **settings}, seed=seed)

    def board(self):
        """The data of most tests, and the ratings asked on it."""
        return checkerboard()

    @pytest.fixture(scope="class")
    @classmethod
    def fitted(cls):
        """A model that tests only read, the board and what is asked: fitted once for all."""
        contract = cls()
        data, asked = contract.board()
        return contract.make().fit(data), data, asked

    def test_it_is_registered_under_its_name(self):
        assert self.make().name == self.name
        assert self.name in RECOMMENDERS

    def test_equal_seeds_give_equal_models_and_others_others(self, fitted):
        model, data, _ = fitted
        everyone = np.arange(data.n_users)
        first = self.make(**self.quick).fit(data) if self.quick else model
        first = first.scores(everyone)
        np.testing.assert_array_equal(first, self.make(**self.quick).fit(data).scores(everyone))
        other = self.make(seed=2, **self.quick).fit(data).scores(everyone)
        assert np.array_equal(first, other) != self.random

    def test_fitting_again_forgets_the_first_time(self, fitted):
        model, data, _ = fitted
        everyone = np.arange(data.n_users)
        other = dataclasses.replace(data, train=data.validation, validation=data.train)
        again = self.make(**self.quick).fit(other).fit(data)
        expected = self.make(**self.quick).fit(data) if self.quick else model
        np.testing.assert_array_equal(expected.scores(everyone), again.scores(everyone))

    def test_it_learns_a_checkerboard(self, fitted):
        model, _, asked = fitted
        if model.ranks_only:
            pytest.skip("its scores are no ratings")
        likes = model.predict(asked.user, asked.item) > 3
        share = np.mean(likes == (asked.rating > 3))
        if self.learns:
            assert share > 0.95
        else:
            assert share < 0.75, "the board has no means to learn"

    def test_it_ranks_what_was_left_out_first(self):
        model = self.make()
        if not self.learns or not model.ranks_only:
            pytest.skip("it learns from the ratings given")
        data, left = liked_board()
        scores = model.fit(data).scores(np.arange(len(left)))
        for user, liked in enumerate(left):
            others = np.arange(1 - user % 2, scores.shape[1] - 1, 2)
            if len(liked):
                assert scores[user, liked].min() > scores[user, others].max(), f"user {user}"

    def test_scores_are_predictions_of_all_items(self, fitted):
        model, data, _ = fitted
        users = np.array([3, 0, data.n_users - 1])
        scores = model.scores(users)
        assert scores.shape == (3, data.n_items)
        assert scores.dtype == np.float32
        items = np.arange(data.n_items)
        for row, user in zip(scores, users, strict=True):
            np.testing.assert_allclose(
                row, model.predict(np.full(len(items), user), items), rtol=1e-4, atol=1e-5
            )
        assert model.scores([]).shape == (0, data.n_items)

    def test_a_saved_model_comes_back(self, fitted, tmp_path):
        model, data, _ = fitted
        model.save(tmp_path / "model.ckpt")
        for loaded in (load_recommender(tmp_path / "model.ckpt"), type(model).load(tmp_path / "model.ckpt")):
            everyone = np.arange(data.n_users)
            np.testing.assert_array_equal(loaded.scores(everyone), model.scores(everyone))
            assert loaded.config == model.config
            assert loaded.history == model.history

    def test_a_model_of_another_version_is_refused(self, fitted, tmp_path, monkeypatch):
        model, _, _ = fitted
        model.save(tmp_path / "model.ckpt")
        monkeypatch.setattr(type(model), "fitted", (*model.fitted, "new"))
        with pytest.raises(CheckpointError, match=r"another version of igmc; .*fit the model"):
            type(model).load(tmp_path / "model.ckpt")

    def test_users_and_items_of_whom_nothing_is_known_get_a_finite_answer(self, fitted):
        model, data, _ = fitted
        stranger, unseen = data.n_users - 1, data.n_items - 1
        answers = model.predict([stranger, stranger, 0], [0, unseen, unseen])
        assert np.isfinite(answers).all()
        if not model.ranks_only:
            assert np.all((answers > 0) & (answers < 6))

    def test_what_it_was_given_is_left_as_it_was(self):
        data, _ = self.board()
        before = [a.copy() for part in (data.train, data.validation) for a in dataclasses.astuple(part)]
        self.make().fit(data)
        after = [a for part in (data.train, data.validation) for a in dataclasses.astuple(part)]
        for old, new in zip(before, after, strict=True):
            np.testing.assert_array_equal(old, new)

    def test_a_refit_takes_the_validation_ratings_in(self, fitted):
        model, data, asked = fitted
        again = model.refit(data)
        direct = self.make(**_settings_of(model.chosen_config())).fit(data.merged())
        np.testing.assert_array_equal(
            again.predict(asked.user, asked.item), direct.predict(asked.user, asked.item)
        )

    def test_every_setting_changes_what_it_should(self, fitted):
        model, data, _ = fitted
        names = {field.name for field in dataclasses.fields(model.config_class)}
        assert names == set(self.changes), "each setting needs a value in `changes`"
        everyone = np.arange(data.n_users)
        plain = self.make(**self.quick).fit(data) if self.quick else model
        for name, value in self.changes.items():
            if value is None:
                continue
            needed, value = value if isinstance(value, tuple) and isinstance(value[0], dict) else ({}, value)
            settings = {**self.quick, **needed}
            before = self.make(**settings).fit(data) if needed else plain
            after = self.make(**{**settings, name: value}).fit(data)
            assert not np.array_equal(before.scores(everyone), after.scores(everyone)), name

    def test_ratings_of_a_new_user_count_at_once_if_it_is_inductive(self, fitted):
        model, data, _ = fitted
        stranger = data.n_users - 1
        items = np.arange(0, data.n_items - 1)
        shown = items[: len(items) // 2]
        support = ratings(np.full(len(shown), stranger), shown, np.where(shown % 2 == 0, 5, 1))
        if not model.inductive:
            with pytest.raises(ConfigError, match=r"cannot take new ratings without training again"):
                model.fold_in(support)
            return
        before = model.scores(np.arange(data.n_users))
        folded = model.fold_in(support)
        np.testing.assert_array_equal(model.scores(np.arange(data.n_users)), before, "the old model changed")
        if self.learns and not model.ranks_only:
            asked = items[len(shown) :]
            likes = folded.predict(np.full(len(asked), stranger), asked) > 3
            assert np.mean(likes == (asked % 2 == 0)) > 0.95

    def test_a_model_that_is_not_fitted_says_so(self):
        with pytest.raises(DataError, match=r"has not been fitted; hint: call fit first"):
            self.make().predict([0], [0])

    @pytest.mark.parametrize(("user", "item"), [([99], [0]), ([0], [99]), ([-1], [0])])
    def test_indices_out_of_range_are_refused(self, fitted, user, item):
        with pytest.raises(DataError, match=r"index is out of range"):
            fitted[0].predict(user, item)


def _settings_of(config):
    return config.to_dict()


class NewUserRankingContract:
    """What a model that ranks must do with the first ratings of new users; mixed into its test class."""

    new_user_settings: dict = {}

    @pytest.mark.parametrize("odd", [0, 1])
    def test_likes_of_a_new_user_come_first(self, odd):
        data, _ = liked_board()
        stranger, shown = data.n_users - 1, np.arange(odd, 10, 2)
        support = ratings(np.full(len(shown), stranger), shown, np.full(len(shown), 5.0))
        folded = make_recommender(self.name, self.new_user_settings).fit(data).fold_in(support)
        scores = folded.scores([stranger])[0]
        liked, others = scores[10 + odd : 16 : 2], scores[1 - odd : 16 : 2]
        # BPR takes some of what is liked but not yet shown for disliked, so it is not always perfect.
        assert np.mean(liked[:, None] > others) > 0.9


class NewItemRankingContract:
    """The same for a new item and its first ratings."""

    new_item_settings: dict = {}

    def test_a_new_item_comes_first_for_those_whose_likes_it_shares(self):
        data, _ = liked_board()
        item, fans = data.n_items - 1, np.arange(0, 16, 2)
        support = ratings(fans, np.full(len(fans), item), np.full(len(fans), 5.0))
        folded = make_recommender(self.name, self.new_item_settings).fit(data).fold_in(support)
        scores = folded.predict(np.arange(16, 24), np.full(8, item))
        assert scores[::2].min() > scores[1::2].max()
