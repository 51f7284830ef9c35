"""Items like one, users, and what is told beside a list."""

from dataclasses import replace

import pytest

from igmc.inference.lists import Reason
from igmc.web.catalogue import because, similar, users
from igmc.web.titles import Titles


@pytest.fixture(scope="module")
def titles(predictor):
    return Titles(predictor)


def test_titles_are_found_by_either_way_of_writing_them(predictor):
    renamed = ("Wrong Trousers, The (1993)", *predictor.info.titles[1:])
    served = replace(predictor, info=replace(predictor.info, titles=renamed))
    for words in ("the wrong", "wrong trousers, the", "Trousers 1993"):
        (found,) = Titles(served).search(served, words, 1, telling=False).items
        assert (found.title, found.name) == ("Wrong Trousers, The (1993)", "The Wrong Trousers")


def test_telling_items_come_first_only_without_words(predictor, titles):
    plain, telling = (titles.search(predictor, "", 20, telling=how).items for how in (False, True))
    assert len(telling) == 20
    assert [one.item_id for one in telling] != [one.item_id for one in plain]
    found = [titles.search(predictor, "iron", 9, telling=how) for how in (False, True)]
    assert found[0] == found[1]


def test_similar_items_are_those_of_the_predictor(predictor, titles):
    found, expected = similar(predictor, titles, "f001", 4), predictor.similar_items("f001", 4)
    assert found.item.item_id == "f001"
    pairs = list(zip(expected["item_id"], expected.raters, strict=True))
    assert [(one.item_id, one.raters) for one in found.items] == pairs
    assert [one.similarity for one in found.items] == pytest.approx(expected.similarity.tolist(), abs=6e-5)


def test_users_are_found_by_the_beginning_of_their_ids(predictor):
    assert [one.user_id for one in users(predictor, "12", 3).users] == [12, 120, 121]
    most = users(predictor, "", 300).users
    assert len(most) == 300
    assert [one.ratings for one in most] == sorted((one.ratings for one in most), reverse=True)
    assert users(predictor, "x", 3).users == []


def test_a_reason_is_told_by_the_name_of_what_was_rated(predictor, titles):
    told = because(predictor, titles, Reason(0, 5.0, 0.25))
    assert (told.item_id, told.name, told.rating, told.importance) == ("f001", "The Iron Mirror", 5, 0.25)
    assert because(predictor, titles, None) is None
