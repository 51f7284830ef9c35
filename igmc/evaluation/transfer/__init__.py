"""A trained model on another data set: ratings mapped to its scale, weights left alone or adapted."""

from igmc.evaluation.transfer.adapt import transfer

__all__ = ["transfer"]
