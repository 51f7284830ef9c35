"""Settings in one line of text, with lists and sections in them."""

import pytest

from igmc.errors import ConfigError
from igmc.evaluation.inline_settings import parse_settings


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("", {}),
        ("k=3", {"k": 3}),
        (" k = 3 , by = time ", {"k": 3, "by": "time"}),
        ("refit=false,percent=null,ratio=1e-3", {"refit": False, "percent": None, "ratio": 0.001}),
        ('layers=[8,[9,10]],x={"a":[1,2]}', {"layers": [8, [9, 10]], "x": {"a": [1, 2]}}),
        (
            "train.epochs=3,model.norm=none,train.arr=0",
            {"train": {"epochs": 3, "arr": 0}, "model": {"norm": "none"}},
        ),
        ("a.b.c=1,a.b.d=2", {"a": {"b": {"c": 1, "d": 2}}}),
        ("columns=u,", {"columns": "u"}),
        ("formula=a=b", {"formula": "a=b"}),
    ],
)
def test_text_is_read_as_settings(text, settings):
    assert parse_settings(text, text, "a model") == settings


@pytest.mark.parametrize("text", ["k", "=3", "k=", "k=3,,by", "k=3,by=,x=1"])
def test_another_form_is_refused_and_shown_whole(text):
    with pytest.raises(ConfigError, match=r"the settings of a protocol; got 'whole'; allowed: NAME:setting="):
        parse_settings(text, "whole", "a protocol")
