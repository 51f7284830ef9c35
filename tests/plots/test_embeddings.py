"""Projections keep what they should, and dots have the colour of their genre."""

import sys

import numpy as np
import pytest

from igmc.errors import MissingExtraError
from igmc.plots.embeddings import embedding_figure, pca, umap


def test_pca_finds_the_plane_that_the_points_lie_in():
    rng = np.random.default_rng(0)
    plane = rng.normal(size=(40, 2)) * [5.0, 1.0]
    basis, _ = np.linalg.qr(rng.normal(size=(6, 2)))
    points, share = pca((plane @ basis.T + 7).astype(np.float32))
    distance = np.linalg.norm(plane[:, None] - plane, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points, axis=-1), distance, atol=1e-4)
    assert share.sum() == pytest.approx(1.0)
    assert share[0] > 0.9
    np.testing.assert_allclose(points.mean(axis=0), 0, atol=1e-5)
    flipped, _ = pca(-(plane @ basis.T).astype(np.float32))
    assert (np.abs(points).argmax(axis=0) == np.abs(flipped).argmax(axis=0)).all()
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


def test_pca_of_what_has_no_plane():
    points, share = pca(np.ones((3, 1), np.float32))
    assert points.tolist() == [[0, 0]] * 3
    assert share.tolist() == [0, 0]


def test_genres_have_colours_and_the_rare_share_one():
    genres = [f"g{k}" for k in range(7) for _ in range(3)] + ["rare", ""]
    points = np.arange(2 * len(genres), dtype=float).reshape(-1, 2)
    (axes,) = embedding_figure(points, genres, ("one", "two")).axes
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == [*(f"g{k} (3)" for k in range(7)), "others (2)"]
    colours = {tuple(dots.get_facecolor()[0]) for dots in axes.collections}
    assert len(colours) == 8
    assert sum(len(dots.get_offsets()) for dots in axes.collections) == len(genres)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("one", "two")


def test_umap_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingExtraError, match=r"needs umap-learn; hint: pip install 'igmc\[umap\]'"):
        umap(np.ones((5, 3)), seed=1)


@pytest.mark.timeout(600)  # umap-learn compiles for a minute or two when it is first used
def test_umap_projects_to_two_dimensions():
    pytest.importorskip("umap")
    vectors = np.random.default_rng(0).normal(size=(30, 5))
    points = umap(vectors, seed=1)
    assert points.shape == (30, 2)
    assert np.array_equal(points, umap(vectors, seed=1))
