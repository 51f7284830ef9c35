"""Fitted models in a folder: what took long to train is trained once, whatever it is asked afterwards.

Under the protocols for unseen users, every number of support ratings asks the same model anew: they differ in
what is folded in, and in nothing that is learned.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from pathlib import Path

from igmc import __version__
from igmc.checked_json import dump_checked, load_checked
from igmc.errors import DataError
from igmc.evaluation.protocols import Protocol
from igmc.files import replace_file, writing
from igmc.ratings import Split
from igmc.recommenders import Recommender, load_recommender

__all__ = ["KEEP_AFTER", "FittedModels"]

logger = logging.getLogger(__name__)

KEEP_AFTER = 10.0  # seconds of training; what was trained in less is trained again


class FittedModels:
    """Models that were fitted to the training part of a split, named after all that determines them.

    Args:
        folder: where they are; it is made if need be.
        keep_all: keep a model however short its training was.

    Raises:
        IgmcError: if the folder cannot be made.
    """

    def __init__(self, folder: Path, *, keep_all: bool = False) -> None:
        self.folder, self.keep_all = folder, keep_all
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)

    def place(self, model: Recommender, split: Split, protocol: Protocol) -> Path:
        """Where a model is once it is fitted; nothing of the test or support part has a say in it."""
        rows = hashlib.sha256()
        for part in (split.train, split.validation):
            rows.update(f"{len(part)},".encode() + part.tobytes())
        data = [split.table.digest(), split.scale.to_dict(), rows.hexdigest(), protocol.refit]
        key = [__version__, model.name, model.config.identity(), model.seed, *data]
        return self.folder / f"{model.name}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"

    def fitted(
        self,
        model: Recommender,
        split: Split,
        protocol: Protocol,
        train: Callable[[], tuple[Recommender, dict[str, float]]],
    ) -> tuple[Recommender, dict[str, float]]:
        """The model fitted, and the seconds that it took: from the folder, or else by `train`.

        Raises:
            IgmcError: if the training fails, or the model cannot be written.
        """
        place = self.place(model, split, protocol)
        found = self.read(place)
        if found is None:
            found = train()
            self.write(place, *found)
        return found

    def has(self, place: Path) -> bool:
        """Whether a model is there; it is not loaded."""
        return place.with_suffix(".json").exists() and place.with_suffix(".model").exists()

    def read(self, place: Path) -> tuple[Recommender, dict[str, float]] | None:
        """A model and the seconds that its training took; None if it is not there, or damaged."""
        try:
            seconds = load_checked(place.with_suffix(".json").read_bytes())
            return load_recommender(place.with_suffix(".model")), seconds
        except FileNotFoundError:
            return None
        except (DataError, ValueError) as error:
            logger.warning("%s is damaged and trained again: %s", place.name, error)
            return None

    def write(self, place: Path, model: Recommender, seconds: Mapping[str, float]) -> None:
        """Keep a model, if its training took more than `KEEP_AFTER` seconds or all are kept.

        Raises:
            IgmcError: if it cannot be written.
        """
        if not self.keep_all and sum(seconds.values()) <= KEEP_AFTER:
            return
        model.save(place.with_suffix(".model"))
        logger.info("%s kept in %s", model.name, place.with_suffix(".model"))
        # Last, since a model without it counts as not there.
        replace_file(place.with_suffix(".json"), dump_checked(seconds))
