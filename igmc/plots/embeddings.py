"""Embeddings of items in two dimensions, coloured by genre."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.errors import MissingExtraError
from igmc.plots.style import CYCLE, PAGE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["embedding_figure", "pca", "umap"]

_HEIGHT = 4.4  # inches
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_OTHERS, _PALE = "others", "#BBBBBB"

Floats = NDArray[np.float64]


def pca(vectors: NDArray[np.floating]) -> tuple[Floats, Floats]:
    """The first two principal components of n vectors, and the share of the variance that each explains.

    Args:
        vectors: float [n, D].

    Returns:
        float64 [n, 2], 0 where there is no such component, and float64 [2]. The largest coordinate of each
        component, by absolute value, is positive, so that equal vectors make equal figures.
    """
    centred = np.asarray(vectors, np.float64) - np.mean(vectors, axis=0, dtype=np.float64)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    points, share = np.zeros((len(centred), 2)), np.zeros(2)
    kept = min(2, len(size))
    found = left[:, :kept] * size[:kept]
    signs = np.sign(found[np.abs(found).argmax(axis=0), range(kept)])
    points[:, :kept] = found * np.where(signs == 0, 1.0, signs)
    total = np.square(size).sum()
    share[:kept] = np.square(size[:kept]) / total if total else 0.0
    return points, share


def umap(vectors: NDArray[np.floating], *, seed: int) -> Floats:
    """UMAP to two dimensions, float64 [n, 2]: McInnes, Healy & Melville, arXiv:1802.03426, 2018.

    Args:
        vectors: float [n, D].
        seed: of its random numbers.

    Raises:
        MissingExtraError: without umap-learn.
    """
    try:
        from umap import UMAP
    except ImportError as error:
        raise MissingExtraError(
            "a UMAP projection needs umap-learn",
            extra="umap",
            remedy="or project by PCA",
        ) from error
    return np.asarray(UMAP(n_components=2, random_state=seed, n_jobs=1).fit_transform(vectors), np.float64)


@house_style()
def embedding_figure(
    points: NDArray[np.floating], genres: Sequence[str], axes_labels: tuple[str, str]
) -> Figure:
    """Items as dots, coloured and shaped by genre; the most frequent genres have a colour of their own.

    Args:
        points: float [n, 2].
        genres: [n] one genre of each item, empty where unknown.
        axes_labels: what the two dimensions are.

    Raises:
        MissingExtraError: without matplotlib.
    """
    figure, (axes,) = new_figure(width=PAGE, height=_HEIGHT)
    often = [name for name, _ in Counter(name for name in genres if name).most_common(len(CYCLE))]
    named = np.array([name if name in often else _OTHERS for name in genres], dtype=object)
    size = float(np.clip(12000 / max(len(named), 1), 7, 30))
    looks = [(_OTHERS, _PALE, "o"), *zip(often, CYCLE, _MARKERS, strict=False)]
    for name, colour, marker in looks:
        chosen = named == name
        if chosen.any():
            label = f"{name} ({chosen.sum():,})"
            dots = points[chosen]
            axes.scatter(dots[:, 0], dots[:, 1], s=size, color=colour, marker=marker, alpha=0.75, label=label)
    handles, labels = axes.get_legend_handles_labels()
    if labels[0].startswith(_OTHERS):  # drawn first, named last
        handles, labels = [*handles[1:], handles[0]], [*labels[1:], labels[0]]
    axes.legend(
        handles, labels, loc="center left", bbox_to_anchor=(1.0, 0.5), title="first genre", markerscale=1.3
    )
    axes.set(xlabel=axes_labels[0], ylabel=axes_labels[1])
    return figure
