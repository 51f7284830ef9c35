"""The network of the ranker: an MLP with a linear skip over closed-form scores of an item for a user."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from igmc.ranking.candidates import CONTEXT
from igmc.ranking.closed_forms import FORMS

__all__ = ["RankingNetwork"]

HIDDEN = 32
INPUTS = 2 * len(FORMS)


class RankingNetwork(nn.Module):
    """``f(x) = w . x + MLP(x, context)``, x being the scores z, as z / 3 and as sign(z) log(1 + |z|).

    It starts as the mean of the scores: the MLP ends in zeros.

    Args:
        generator: draws the first weights.
    """

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.skip = nn.Parameter(torch.full((INPUTS,), 1 / len(FORMS)))
        self.first = nn.Parameter(torch.empty(INPUTS + CONTEXT, HIDDEN))
        self.second = nn.Parameter(torch.empty(HIDDEN, HIDDEN))
        self.last = nn.Parameter(torch.zeros(HIDDEN))
        self.first_bias = nn.Parameter(torch.zeros(HIDDEN))
        self.second_bias = nn.Parameter(torch.zeros(HIDDEN))
        for weight in (self.first, self.second):
            bound = weight.size(0) ** -0.5
            nn.init.uniform_(weight, -bound, bound, generator=generator)

    def forward(self, scores: Tensor, context: Tensor) -> Tensor:
        """One score per item, float32 [B, C].

        Args:
            scores: float32 [B, C, F]; context: float32 [B, C, 4]; see `Candidates`.
        """
        x = torch.cat([scores / 3, scores.sign() * scores.abs().log1p()], dim=2)
        hidden = torch.relu(torch.cat([x, context], dim=2) @ self.first + self.first_bias)
        hidden = torch.relu(hidden @ self.second + self.second_bias)
        return x @ self.skip + hidden @ self.last
