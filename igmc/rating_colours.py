"""The colours of ratings, in figures and on the page: from orange, the lowest, to blue, the highest.

The higher a rating, the more its colour stands out from the ground: on white it is darker, on a dark page
lighter. So the order is kept in grey print and for every kind of colour blindness; orange and blue differ for
nearly everybody. Chosen in OKLCH (Björn Ottosson, "A perceptual color space for image processing", 2020).
"""

from __future__ import annotations

__all__ = ["ON_DARK", "ON_WHITE", "rating_colour"]

# Five colours at equal distances on the scale; contrast to the ground 3:1 or more (WCAG 1.4.11).
ON_WHITE = ("#dd7822", "#c15455", "#8d447f", "#4c398a", "#0c2b69")
ON_DARK = ("#c36024", "#d96d7d", "#cd8cc7", "#b7b6f6", "#b0e1fe")  # the ground of the dark page, #1b2128


def rating_colour(rating: float, lowest: float, highest: float) -> str:
    """The colour of a rating on white, between the five as far as it is between them, as ``#rrggbb``.

    Args:
        rating: any value; one outside the scale has the colour of its end.
        lowest, highest: ends of the scale; if they are equal, the colour is that of the highest rating.
    """
    share = (rating - lowest) / (highest - lowest) if highest > lowest else 1.0
    place = min(max(share, 0.0), 1.0) * (len(ON_WHITE) - 1)
    at = min(int(place), len(ON_WHITE) - 2)
    low, high = _channels(ON_WHITE[at]), _channels(ON_WHITE[at + 1])
    return "#" + "".join(f"{round(a + (place - at) * (b - a)):02x}" for a, b in zip(low, high, strict=True))


def _channels(colour: str) -> list[int]:
    return [int(colour[at : at + 2], 16) for at in (1, 3, 5)]
