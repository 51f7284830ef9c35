"""Which items pass the filters of a request, and in how many steps that is told."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from igmc.errors import ConfigError
from igmc.inference.lists.filters import eligible_items
from igmc.inference.lists.recommend import recommend
from igmc.inference.lists.request import ListRequest
from tests.inference.lists.demo import INFO, MINE, unseen


def passing(predictor, **filters):
    """The raw ids that pass, and the steps."""
    mask, steps = eligible_items(predictor, ListRequest(ratings={}, **filters))
    return set(predictor.items.decode(np.flatnonzero(mask))), steps


def test_without_filters_all_items_pass_and_no_step_is_told(predictor):
    assert passing(predictor) == (set(predictor.items.ids), ())


def test_each_filter_is_a_step_with_what_is_left(predictor):
    drama = {raw for raw in INFO.index if "Drama" in INFO.genres[raw].split("|")}
    comedy = {raw for raw in INFO.index if "Comedy" in INFO.genres[raw].split("|")}
    late = {raw for raw in INFO.index if INFO.year[raw] >= 1990}
    some = set(predictor.items.ids[:120])
    found, steps = passing(
        predictor, items=[*some, "x"], genre="drama", exclude_genre=["Comedy"], years=(1990, None)
    )
    assert found == (some & drama & late) - comedy
    assert steps == (
        "120 of the 121 allowed",
        f"{len(some & drama)} of Drama",
        f"{len(some & drama - comedy)} without Comedy",
        f"{len((some & drama & late) - comedy)} of 1990 and later",
    )


@pytest.mark.parametrize(("years", "words"), [((None, 1970), "1970 and before"), ((1980, 1989), "1980-1989")])
def test_a_range_of_years_is_told_as_it_was_asked(predictor, years, words):
    found, (step,) = passing(predictor, years=years)
    assert step == f"{len(found)} of {words}"
    assert found == {raw for raw in INFO.index if (years[0] or 0) <= INFO.year[raw] <= years[1]}


def test_filters_come_before_the_choice_of_candidates(predictor):
    """Exactly k items whenever k pass the filters, however few the candidates; each of them passes."""
    rng = np.random.default_rng(0)
    genres = sorted(set("|".join(INFO.genres).split("|")))
    for _ in range(25):
        wanted = rng.choice(genres, rng.integers(0, 3), replace=False).tolist()
        unwanted = rng.choice(genres, rng.integers(0, 3), replace=False).tolist()
        first, last = (int(year) for year in np.sort(rng.integers(1960, 2015, 2)))
        allowed = rng.choice(predictor.items.ids, 150, replace=False).tolist()
        k = int(rng.integers(1, 40))
        passing = [
            raw
            for raw in unseen(predictor)
            if raw in allowed
            and first <= INFO.year[raw] <= last
            and (not wanted or set(wanted) & set(INFO.genres[raw].split("|")))
            and not set(unwanted) & set(INFO.genres[raw].split("|"))
        ]
        found = recommend(
            predictor,
            ratings=MINE,
            k=k,
            genre=[name.upper() for name in wanted],
            exclude_genre=unwanted,
            years=(first, last),
            items=[*allowed, "never heard of"],
            candidates=1,
            order="score",
        )
        assert len(found) == min(k, len(passing))
        assert set(found.item_id) <= set(passing)
        assert found.item_id.is_unique
        assert (found.attrs["reason"] == "") == (len(passing) >= k)
        assert found.score.is_monotonic_decreasing


def test_open_ranges_of_years_and_one_genre_as_a_text(predictor):
    late = recommend(predictor, ratings=MINE, years=(2010, None), k=250).year
    early = recommend(predictor, ratings=MINE, years=(None, 1970), k=250).year
    assert (late.min(), early.max()) == (2010, 1970)
    assert recommend(predictor, ratings=MINE, genre="Western").genres.str.contains("Western").all()


def test_items_that_came_later_have_no_title_and_no_genre(predictor):
    grown = predictor.add_ratings({"user_id": [1, 2], "item_id": ["new", "new"], "rating": [5, 5]})
    everything = recommend(grown, user_id=3, k=1000).set_index("item_id")
    assert everything.title["new"] == ""
    assert pd.isna(everything.year["new"])
    assert "new" not in set(recommend(grown, user_id=3, k=1000, years=(1900, 2100)).item_id)
    assert "new" not in set(recommend(grown, user_id=3, k=1000, genre="Drama").item_id)


def test_an_unknown_genre_is_refused_with_those_that_are_near(predictor):
    with pytest.raises(ConfigError, match=r"no item has this genre; got 'Westen'; .*did you mean Western\?"):
        passing(predictor, exclude_genre="Westen")


def test_a_filter_by_what_the_run_does_not_know_is_refused(predictor):
    unknown = dataclasses.replace(predictor, info=None)
    for wrong, what in (({"genre": "Drama"}, "genres"), ({"years": (1990, None)}, "years")):
        with pytest.raises(ConfigError, match=f"this run has no item {what}"):
            passing(unknown, **wrong)
