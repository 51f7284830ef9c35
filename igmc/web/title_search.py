"""The search for titles: words in any order, without accents and capitals, and with typing errors."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from igmc.graph import ServingGraph

__all__ = ["TitleSearch", "informative", "plain"]

SHARED = 0.4  # of the pairs of letters of a word that was typed, those in a word that may be meant
NEAREST = 3  # words of titles that a word may stand for
KNOWN = 5  # ratings that an item needs to tell something about who rates it


class TitleSearch:
    """Titles, ready to be searched by any number of threads.

    Args:
        titles: [n] texts.
    """

    def __init__(self, titles: Sequence[str]) -> None:
        self._titles = tuple(map(plain, titles))
        self._words = sorted({word for title in self._titles for word in _words(title)})
        self._pairs: dict[str, list[int]] = defaultdict(list)
        for at, word in enumerate(self._words):
            for pair in _pairs(word):
                self._pairs[pair].append(at)

    def find(self, text: str, ratings: NDArray[np.int64]) -> tuple[list[int], bool]:
        """The places of all titles with all the words, and whether words were corrected.

        Titles that begin with the phrase come first, then those in which words begin as typed, and among
        these what many people rated. Only where no title has the words, those that are in no title stand for
        words with one letter wrong, or two in long ones.

        Args:
            text: words, or beginnings of words, or nothing.
            ratings: int [n], how many each title has.
        """
        asked = plain(text).split()
        found = self._holding([(word,) for word in asked])
        corrected = not found and bool(asked)
        if corrected:
            found = self._holding(
                [(word,) if self._occurs(word) else tuple(self._meant(word)) for word in asked]
            )
        phrase = " ".join(asked)

        def place(item: int) -> tuple[bool, int, int, int]:
            title = self._titles[item]
            begun = sum(f" {word}" in f" {title}" for word in asked)
            return not title.startswith(phrase), -begun, -int(ratings[item]), item

        return sorted(found, key=place), corrected and bool(found)

    def _holding(self, asked: list[tuple[str, ...]]) -> list[int]:
        return [
            at
            for at, title in enumerate(self._titles)
            if all(any(word in title for word in either) for either in asked)
        ]

    def _occurs(self, word: str) -> bool:
        return any(word in title for title in self._titles)

    def _meant(self, typed: str) -> list[str]:
        """Words of titles that somebody may have meant, the nearest first."""
        wrong = 0 if len(typed) < 4 else 1 if len(typed) < 7 else 2
        pairs = _pairs(typed)
        shared = Counter(at for pair in pairs for at in self._pairs.get(pair, ()))
        near = [
            (distance, -count, self._words[at])
            for at, count in shared.items()
            if count >= SHARED * len(pairs) - 1
            and (distance := _distance(typed, self._words[at], wrong)) <= wrong
        ]
        return [word for _, _, word in sorted(near)[:NEAREST]]


def informative(graph: ServingGraph, values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Items that tell most about who rates them, int64 [n_items], dense indices, the most telling first.

    People have to know them, and not to agree: the variance of an item's ratings times the logarithm of their
    number (after Rashid et al., IUI 2002). Items of fewer than five ratings come last. Where all ratings are
    equal, the best known come first.
    """
    worth = np.zeros(graph.n_items)
    for item in range(graph.n_items):
        levels = graph.by_item.row(item)[1]
        if len(levels) >= KNOWN:
            apart = values[levels].var() if len(values) > 1 else 1.0
            worth[item] = apart * np.log(len(levels)) ** 2
    return np.argsort(-worth, kind="stable")


def plain(text: str) -> str:
    """Without accents and capitals.

    >>> plain("Amélie (2001)")
    'amelie (2001)'
    """
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def _words(title: str) -> list[str]:
    return re.findall(r"\w+", title)


def _pairs(word: str) -> set[str]:
    """Neighbouring letters, with a mark before the first.

    >>> sorted(_pairs("star"))
    ['^s', 'ar', 'st', 'ta']
    """
    marked = f"^{word}"
    return {marked[at : at + 2] for at in range(len(marked) - 1)}


def _distance(typed: str, word: str, most: int) -> int:
    """Letters that are wrong, missing, too many or swapped; the end of a longer word may be missing for free.

    >>> _distance("termnator", "terminator", 2), _distance("satr", "star", 1), _distance("term", "terms", 1)
    (1, 1, 0)
    """
    before, row = None, list(range(len(word) + 1))
    for at, letter in enumerate(typed, start=1):
        last, row = row, [at]
        for to, other in enumerate(word, start=1):
            cost = min(last[to] + 1, row[to - 1] + 1, last[to - 1] + (letter != other))
            if before and to > 1 and letter == word[to - 2] and typed[at - 2] == other:
                cost = min(cost, before[to - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before = last
    return min(row)
