"""Colours of ratings keep their order in grey print, on a dark page and to colour-blind eyes."""

import itertools

import numpy as np
import pytest

from igmc.rating_colours import ON_DARK, ON_WHITE, rating_colour

# What eyes see of linear RGB: Machado, Oliveira & Fernandes, "A physiologically-based model for simulation of
# color vision deficiency", IEEE TVCG 15, 2009, severity 1.
EYES = {
    "normal": np.eye(3),
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopia": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def linear(colour):
    found = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(found <= 0.04045, found / 12.92, ((found + 0.055) / 1.055) ** 2.4)


def luminance(rgb):
    return float(np.clip(rgb, 0, 1) @ [0.2126, 0.7152, 0.0722])


def contrast(first, second):
    low, high = sorted(luminance(linear(colour)) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("colours", "ground"), [(ON_WHITE, "#ffffff"), (ON_DARK, "#1b2128")])
@pytest.mark.parametrize("eye", EYES)
def test_a_higher_rating_stands_out_more_for_every_eye(colours, ground, eye):
    assert all(contrast(colour, ground) >= 3 for colour in colours)
    seen = [luminance(np.array(EYES[eye]) @ linear(colour)) for colour in colours]
    away = [abs(one - luminance(linear(ground))) for one in seen]
    assert all(second - first > 0.015 for first, second in itertools.pairwise(away))


def test_a_rating_has_the_colour_of_its_place_on_the_scale():
    assert [rating_colour(rating, 1, 5) for rating in (1, 2, 3, 4, 5)] == list(ON_WHITE)
    assert rating_colour(75, 0, 100) == ON_WHITE[3]
    assert rating_colour(0.5, 0, 4) == "#cf663c"  # in the middle of the first two
    assert (rating_colour(-3, 1, 5), rating_colour(9, 1, 5)) == (ON_WHITE[0], ON_WHITE[4])
    assert rating_colour(1, 1, 1) == ON_WHITE[4]
