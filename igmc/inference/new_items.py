"""Items that came after training and that nobody has rated: known by what is told of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TypeVar

import numpy as np

from igmc.errors import ConfigError, DataError
from igmc.inference.base import BasePredictor
from igmc.inference.id_encoding import ExtendedIds, from_text
from igmc.inference.item_info import ItemInfo
from igmc.networks import DescribedScorer
from igmc.ratings import Frame, SideEncoder, SideInformation, as_pandas, frame_info, id_column
from igmc.ratings.readers import item_table

__all__ = ["with_items", "with_items_file"]

P = TypeVar("P", bound=BasePredictor)
LABEL = "item_id"


def with_items(predictor: P, items: Frame) -> P:
    """A predictor that knows these items too; nothing is trained.

    Args:
        predictor: of a run that was trained with side features.
        items: a row for each: its id, and one or more of title, genres, year and text; columns as
            `igmc.ratings.dataset.Dataset.from_frame` takes them.

    Raises:
        ConfigError: if the run reads nothing of items but ratings.
        DataError: on an item that is known already or described in two ways, or a table without ids or
            features.
    """
    scorer = predictor.scorer
    side = scorer.side if isinstance(scorer, DescribedScorer) else None
    if side is None or not isinstance(scorer, DescribedScorer) or not side.items.made_of:
        raise ConfigError(
            "this run reads nothing of items but their ratings",
            remedy="train it with --network neighbours --side-features, on data that tell of items",
        )
    frame = as_pandas(items, "items")
    given = id_column("item", frame, LABEL)
    known = [raw for raw, index in zip(given, predictor.items.encode(given), strict=True) if index >= 0]
    if known:
        raise DataError(
            "the run knows this item already", got=known[0], remedy="remove it from the new items"
        )
    ids = ExtendedIds.of(predictor.items, given)
    info = frame_info("item", frame, type(predictor.items)(tuple(ids.new)), LABEL)
    told = SideEncoder(side.items.made_of).encode(info, len(info)).values
    later = side.items._replace(values=np.concatenate([side.items.values, told]))
    return dataclasses.replace(
        predictor,
        items=ids.merged(),
        graph=predictor.graph.with_ratings([], [], [], n_items=len(ids)),
        scorer=scorer.with_side(SideInformation(side.users, later)),
        info=None if predictor.info is None else predictor.info + ItemInfo.of(info),
    )


def with_items_file(predictor: P, path: Path) -> P:
    """The same for a file with a header: CSV or other text, JSON lines or Parquet.

    Raises:
        IgmcError: as `with_items`, or if the file is missing or malformed.
    """
    frame = item_table(path)
    texts = [str(raw) for raw in id_column("item", frame, LABEL)]
    frame = frame.assign(**{LABEL: np.array([None, *from_text(predictor.items, texts)], object)[1:]})
    return with_items(predictor, frame)
