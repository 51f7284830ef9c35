import dataclasses

import numpy as np
import pytest

from igmc.config import DataConfig, ExtractConfig
from igmc.errors import ConfigError, DataError
from igmc.graph.parts import make_parts
from igmc.ratings.load import load_dataset
from igmc.ratings.split import Split, build_split, make_split
from igmc.store.fingerprint import fingerprint


@pytest.fixture(scope="module")
def split() -> Split:
    return make_split(load_dataset("demo"), DataConfig(dataset="demo"), seed=3)


def edges(graph) -> set[tuple[int, int, int]]:
    users = np.repeat(np.arange(graph.n_users), np.diff(graph.user_ptr))
    return set(zip(users.tolist(), graph.user_items.tolist(), graph.user_levels.tolist(), strict=True))


def rated(split, rows) -> set[tuple[int, int, int]]:
    table = split.table
    levels = split.scale.encode(table.rating[rows])
    return set(zip(table.user[rows].tolist(), table.item[rows].tolist(), levels.tolist(), strict=True))


def test_fixed_epochs_train_and_test_on_training_and_validation_ratings(split):
    parts = make_parts(split, "fixed")
    known = rated(split, split.train) | rated(split, split.validation)
    assert list(parts) == ["train", "test"]
    assert edges(parts["train"].graph) == edges(parts["test"].graph) == known
    assert len(parts["train"].pairs) == len(known)


def test_validated_shows_each_part_only_what_is_known_by_then(split):
    parts = make_parts(split, "validation")
    train, validation = rated(split, split.train), rated(split, split.validation)
    assert edges(parts["train"].graph) == edges(parts["validation"].graph) == train
    assert edges(parts["test"].graph) == train | validation
    assert len(parts["validation"].pairs) == len(validation)


@pytest.mark.parametrize("selection", ["fixed", "validation"])
def test_no_test_rating_is_in_any_graph(split, selection):
    asked = {(u, i) for u, i, _ in rated(split, split.test)}
    for part in make_parts(split, selection).values():
        assert not asked & {(u, i) for u, i, _ in edges(part.graph)}


def test_unknown_selection(split):
    with pytest.raises(ConfigError, match="unknown selection; got 'papr'; allowed: fixed, validation"):
        make_parts(split, "papr")


@pytest.fixture(scope="module")
def cold() -> tuple[Split, Split]:
    """A split of the demo without support, and the same with 40 ratings of two users as support."""
    dataset = load_dataset("demo")
    rows = np.arange(len(dataset.table))
    theirs = rows[dataset.table.user < 2]
    assert len(theirs) > 40
    others = np.setdiff1d(rows, theirs)
    known = others[: len(others) // 2], others[len(others) // 2 : -100], theirs[40:]
    return tuple(build_split(dataset, known, name="x", seed=1, support=s) for s in (None, theirs[:40]))


@pytest.mark.parametrize("selection", ["fixed", "validation"])
def test_support_is_in_the_graph_of_the_test_pairs_and_nowhere_else(cold, selection):
    without, split = cold
    parts, bare = make_parts(split, selection), make_parts(without, selection)
    shown = rated(split, split.support)
    known = rated(split, split.train) | rated(split, split.validation)
    assert edges(parts["test"].graph) == known | shown
    for name in set(parts) - {"test"}:
        assert not edges(parts[name].graph) & shown
        assert not {(u, i) for u, i, _ in shown} & set(
            zip(parts[name].pairs.user, parts[name].pairs.item, strict=True)
        )
    for name, part in parts.items():
        prints = [fingerprint(p.graph, p.pairs, ExtractConfig(), 1) for p in (part, bare[name])]
        assert (prints[0] == prints[1]) == (name != "test"), "stores made for training hold"
    assert not shown & {(u, i, lv) for u, i, lv in edges(bare["test"].graph)}


def test_support_of_an_unknown_level_is_refused(cold):
    dataset = load_dataset("demo")
    low = np.flatnonzero(dataset.table.rating < 3)
    rows = np.flatnonzero(dataset.table.rating >= 3)
    unstated = dataclasses.replace(dataset, scale_hint=None)
    split = build_split(unstated, (rows[:-100], rows[:0], rows[-100:]), name="x", seed=1, support=low[:5])
    assert split.scale.values.tolist() == [3, 4, 5]
    with pytest.raises(DataError, match="a rating is not a level of the scale"):
        make_parts(split, "fixed")
