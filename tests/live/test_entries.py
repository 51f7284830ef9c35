"""Ids as the database has them."""

import pytest

from igmc.live.entries import id_text, text_id


@pytest.mark.parametrize(
    "raw", [7, -3, 0, "7", "", "true", "null", 'quoted "x"', "žluťoučký", "a\n\x00b", 2**70]
)
def test_an_id_comes_back_as_it_was(raw):
    back = text_id(id_text(raw))
    assert (back, type(back)) == (raw, type(raw))
