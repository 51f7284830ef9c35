"""What tests of unseen users and items ask of a split."""

import numpy as np

from igmc.errors import DataError
from igmc.recommenders.training_data import TrainingData


def entities(split, part, side):
    return getattr(split.table, side)[getattr(split, part)]


def counts(split, part, side):
    return np.bincount(entities(split, part, side), minlength=len(getattr(split.table, f"{side}s")))


def attempt(protocol, data, seed):
    """The split, or None where the data are too small for it."""
    try:
        return protocol.draw(data, seed)
    except DataError as error:
        if "leaves no test ratings" not in str(error) and "no ratings to fit" not in str(error):
            raise
        return None


def assert_training_knows_nothing_of(split, side, held):
    for part in ("train", "validation"):
        assert not np.isin(entities(split, part, side), held).any()
    data = TrainingData.from_split(split)
    for known in (data.train, data.validation, data.merged().train):
        assert not np.isin(getattr(known, side), held).any()
    assert len(data.merged().train) == len(split.train) + len(split.validation)
