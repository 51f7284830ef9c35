"""Evaluation protocols: how ratings are split into what is known, what is revealed and what is asked."""

from igmc.evaluation.protocols.base import Protocol
from igmc.evaluation.protocols.registry import PROTOCOLS, make_protocol

__all__ = ["PROTOCOLS", "Protocol", "make_protocol"]
