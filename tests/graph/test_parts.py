import numpy as np
import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError
from igmc.graph.parts import make_parts
from igmc.ratings.dataset import load_dataset
from igmc.ratings.split import Split, make_split


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


def test_paper_trains_and_tests_on_training_and_validation_ratings(split):
    parts = make_parts(split, "paper")
    known = rated(split, split.train) | rated(split, split.validation)
    assert list(parts) == ["train", "test"]
    assert edges(parts["train"].graph) == edges(parts["test"].graph) == known
    assert len(parts["train"].pairs) == len(known)


def test_validated_shows_each_part_only_what_is_known_by_then(split):
    parts = make_parts(split, "validated")
    train, validation = rated(split, split.train), rated(split, split.validation)
    assert edges(parts["train"].graph) == edges(parts["validation"].graph) == train
    assert edges(parts["test"].graph) == train | validation
    assert len(parts["validation"].pairs) == len(validation)


@pytest.mark.parametrize("protocol", ["paper", "validated"])
def test_no_test_rating_is_in_any_graph(split, protocol):
    asked = {(u, i) for u, i, _ in rated(split, split.test)}
    for part in make_parts(split, protocol).values():
        assert not asked & {(u, i) for u, i, _ in edges(part.graph)}


def test_unknown_protocol(split):
    with pytest.raises(ConfigError, match="unknown protocol; got 'papr'; allowed: paper, validated"):
        make_parts(split, "papr")
