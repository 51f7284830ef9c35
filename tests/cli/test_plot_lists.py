"""igmc-plot --lists: five figures more, and a table."""

import pandas as pd
import pytest

from igmc.cli.plot_lists import draw_lists
from igmc.errors import DataError


def test_lists_are_drawn_and_written(predictor, tmp_path):
    figures = draw_lists(predictor, "3, 17", tmp_path)
    assert list(figures) == ["most-rated", "list", "first-places", "lists", "lists-graph"]
    table = pd.read_csv(tmp_path / "lists.csv", index_col="title")
    assert list(table) == ["user 3", "user 17"]
    for user in (3, 17):
        expected = predictor.recommend(user)
        found = table[f"user {user}"].dropna()
        assert sorted(found) == pytest.approx(sorted(expected.score.round(4)), abs=1e-4)
    bars = figures["first-places"].axes[0].patches
    assert sum(bar.get_width() for bar in bars) <= 200
    most = figures["most-rated"].axes[0]
    assert most.patches[0].get_width() == max(bar.get_width() for bar in most.patches)


@pytest.mark.parametrize(("typed", "message"), [(" , ", "names no user"), ("99999", "this user is unknown")])
def test_nobody_is_refused(predictor, tmp_path, typed, message):
    with pytest.raises(DataError, match=message):
        draw_lists(predictor, typed, tmp_path)
