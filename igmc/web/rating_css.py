"""The colours of ratings as a style sheet: the page and the figures take them from one place."""

from __future__ import annotations

from igmc.rating_colours import ON_DARK, ON_WHITE

__all__ = ["rating_css"]


def rating_css() -> str:
    """Variables ``--level-0`` (lowest rating) to ``--level-4``, for the light and the dark page."""
    light, dark = (
        "{ " + " ".join(f"--level-{at}: {colour};" for at, colour in enumerate(colours)) + " }"
        for colours in (ON_WHITE, ON_DARK)
    )
    return (
        f":root {light}\n"
        f':root[data-theme="dark"] {dark}\n'
        f'@media (prefers-color-scheme: dark) {{ :root:not([data-theme="light"]) {dark} }}\n'
    )
