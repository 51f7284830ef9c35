"""Texts that share rare words are near each other."""

import numpy as np

from igmc.ratings.word_vectors import WordVectors

TEXTS = ["the dark knight", "the dark river", "the river road", "the knight of the road", "the end", ""]


def test_the_products_of_vectors_are_those_of_the_weighted_words():
    found = WordVectors.fit(TEXTS)
    assert found.words == ("dark", "knight", "river", "road", "the")
    vectors = found.encode(TEXTS)
    dense = np.zeros((6, 5))
    for row, text in enumerate(TEXTS):
        for column, word in enumerate(found.words):
            count = text.split().count(word)
            texts = sum(word in other.split() for other in TEXTS)
            dense[row, column] = (1 + np.log(count)) * (1 + np.log(7 / (1 + texts))) if count else 0
    dense /= np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-12)
    left, values, right = np.linalg.svd(dense)
    best = (left[:, :4] * values[:4]) @ right[:4]  # of the rank that is kept
    np.testing.assert_allclose(vectors @ found.axes.T, best, atol=1e-5)


def test_new_texts_go_by_the_words_of_the_fit():
    found = WordVectors(**WordVectors.fit(TEXTS).state())
    new = found.encode(["THE Dark, Knight!", "quite other words"])
    np.testing.assert_allclose(new[0], WordVectors.fit(TEXTS).encode(TEXTS)[0], atol=1e-6)
    assert not new[1].any()


def test_texts_that_share_no_word_have_no_vectors():
    assert WordVectors.fit(["a1", "b2"]).encode(["a1"]).shape == (1, 0)
    assert WordVectors.fit([]).encode([]).shape == (0, 0)
