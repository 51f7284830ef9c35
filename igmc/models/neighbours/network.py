r"""The neighbours network in plain PyTorch, for any device: a learned neighbourhood method on both sides.

Each neighbour is a row of closed-form statistics (`igmc.statistics`). A small MLP makes of it signed weights
w and attention weights a, which sum the residuals e of the neighbours as a neighbourhood method does, and
channels c, which are pooled:

.. math:: \frac{\sum w e}{\sqrt{n + 1}}, \quad \frac{\sum a e}{\sum a + \gamma}, \quad \log(1 + \sum a), \quad
          \frac{\sum c}{\sqrt{n + 1}}, \quad \frac{\sum c}{n + 1}.

Both sides and the pair's own inputs go into an MLP with a linear skip; what comes out is the step from the
biases, in units of their deviation. `igmc.models.neighbours.fused` computes the same on a CPU, faster.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from igmc.loading import NeighbourBatch
from igmc.models.dropout import dropout
from igmc.models.neighbours.fused import read_sides
from igmc.rng import stream
from igmc.statistics import PAIR_WIDTH, ROW_WIDTH
from igmc.threads import cores

__all__ = ["CHANNELS", "HEAD", "HIDDEN", "POOLED", "WEIGHTS", "NeighboursNetwork", "SideReader"]

# Widths, fixed: four times as many weights gained nothing on ML-1M.
HIDDEN = 32  # of the MLP over a row
WEIGHTS = 8  # signed weights, and as many attention weights
CHANNELS = 16
POOLED = 3 * WEIGHTS + 2 * CHANNELS  # what is known of one side
HEAD = 64


class SideReader(nn.Module):
    r"""The parameters that read the neighbours of one side.

    With the inputs x_t of a neighbour and p of the pair,

    .. math:: (w_t, y_t, z_t) = W_2 \max(W_1 x_t + G p + b_1, 0) + b_2, \quad
              a_t = \tfrac{1}{2} (y_t + \sqrt{y_t^2 + 4}), \quad c_t = \tanh z_t.

    Args:
        pair_width: K, the inputs of a pair.

    Attributes:
        row_in: float [12, 32], W_1; bias_in: [32]; gate: [K, 32], G.
        row_out: float [32, 32], W_2, to 8 signed weights, 8 attention weights, 16 channels; bias_out: [32].
        shrinkage: float [8], whose `positive` is gamma.
    """

    def __init__(self, pair_width: int = PAIR_WIDTH) -> None:
        super().__init__()
        self.row_in = nn.Parameter(torch.empty(ROW_WIDTH, HIDDEN))
        self.bias_in = nn.Parameter(torch.empty(HIDDEN))
        self.gate = nn.Parameter(torch.empty(pair_width, HIDDEN))
        self.row_out = nn.Parameter(torch.empty(HIDDEN, 2 * WEIGHTS + CHANNELS))
        self.bias_out = nn.Parameter(torch.empty(2 * WEIGHTS + CHANNELS))
        self.shrinkage = nn.Parameter(torch.empty(WEIGHTS))

    def reset_parameters(self, generator: torch.Generator) -> None:
        """Uniform within the inverse root of the inputs of each layer."""
        for weight, bias in ((self.row_in, self.bias_in), (self.gate, None), (self.row_out, self.bias_out)):
            bound = weight.size(0) ** -0.5
            nn.init.uniform_(weight, -bound, bound, generator=generator)
            if bias is not None:
                nn.init.uniform_(bias, -bound, bound, generator=generator)
        nn.init.zeros_(self.shrinkage)

    def tensors(self) -> list[Tensor]:
        """The parameters as the kernels take them, with gamma itself."""
        weights = [self.row_in, self.bias_in, self.gate, self.row_out, self.bias_out]
        return [*weights, positive(self.shrinkage)]

    def forward(
        self, ptr: Tensor, residual: Tensor, rows: Tensor, pair: Tensor, presence: Tensor | None = None
    ) -> Tensor:
        """Pooled neighbours, float [P, 56]: both means of c, of w e and of a e, and log(1 + sum a).

        Args:
            ptr, residual, rows: the neighbours of P pairs; see `igmc.statistics.SideNeighbours`.
            pair: float [P, K].
            presence: float [T], how much each neighbour counts: 1 as it does, 0 as if it were not there.
        """
        count = ptr.diff()
        owner = torch.repeat_interleave(torch.arange(len(pair), device=pair.device), count)  # [T]
        hidden = torch.relu(rows @ self.row_in + (pair @ self.gate + self.bias_in)[owner])
        out = hidden @ self.row_out + self.bias_out  # [T, 32]
        e = residual[:, None]
        attention = positive(out[:, WEIGHTS : 2 * WEIGHTS])
        parts = [torch.tanh(out[:, 2 * WEIGHTS :]), out[:, :WEIGHTS] * e, attention * e, attention]
        counts = torch.ones_like(residual) if presence is None else presence
        values = torch.cat([*parts, torch.ones_like(e)], dim=1) * counts[:, None]  # [T, 41]
        sums = torch.zeros(len(pair), values.size(1), device=pair.device, dtype=pair.dtype)
        sums = sums.index_add(0, owner, values)
        widths = [CHANNELS, WEIGHTS, WEIGHTS, WEIGHTS, 1]
        channels, signed, weighted, total, n = torch.split(sums, widths, dim=1)
        n = n + 1.0
        shrunk = weighted / (total + positive(self.shrinkage))
        return torch.cat(
            [channels * n.rsqrt(), channels / n, signed * n.rsqrt(), shrunk, total.log1p()], dim=1
        )


def positive(x: Tensor) -> Tensor:
    """``(x + sqrt(x^2 + 4)) / 2``: like softplus, without exponentials (Barron, arXiv 2112.11687)."""
    return (x + (x * x + 4.0).sqrt()) / 2


class NeighboursNetwork(nn.Module):
    """From the inputs of pairs to the steps from their biases.

    Args:
        pair_width: K, the inputs of a pair: those of the statistics, and what else is known of pairs.
        dropout: after the hidden layer of the head, in training.
        seed: of the initial weights; member: which of several networks with that seed.
        backend: "auto" takes the compiled kernels on a CPU, "torch" never does. Both give the same answers.
    """

    def __init__(
        self,
        *,
        pair_width: int = PAIR_WIDTH,
        dropout: float = 0.1,
        seed: int = 1,
        member: int = 0,
        threads: int | None = None,
        backend: str = "auto",
    ) -> None:
        super().__init__()
        self.dropout, self.member, self.backend = dropout, member, backend
        self.threads = threads or cores()
        self.users, self.items = SideReader(pair_width), SideReader(pair_width)
        width = 2 * POOLED + pair_width
        self.norm = nn.LayerNorm(width)
        self.head_in = nn.Linear(width, HEAD)
        self.head_out = nn.Linear(HEAD, 1)
        self.skip = nn.Linear(width, 1)
        self.reset_parameters(seed)

    def reset_parameters(self, seed: int) -> None:
        """Draw all weights anew; equal seeds give equal weights. The first step from the biases is near 0."""
        draw = stream(seed, "neighbours", self.member).integers(2**63)
        generator = torch.Generator().manual_seed(int(draw))
        for reader in (self.users, self.items):
            reader.reset_parameters(generator)
        bound = self.head_in.in_features**-0.5
        for parameter in self.head_in.parameters():
            nn.init.uniform_(parameter, -bound, bound, generator=generator)
        nn.init.normal_(self.head_out.weight, std=0.01, generator=generator)
        for zero in (self.head_out.bias, self.skip.weight, self.skip.bias):
            nn.init.zeros_(zero)

    def forward(self, batch: NeighbourBatch, presence: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Steps from the biases, float [P], in units of their deviation.

        Args:
            batch: the pairs.
            presence: how much the raters, and the rated items, of all pairs count; see `SideReader.forward`.
                Never by the compiled kernels; to ask for gradients.
        """
        pair = batch.pair
        if presence is None and self.backend != "torch" and pair.device.type == "cpu":
            tensors = [*self.users.tensors(), *self.items.tensors()]
            pooled = read_sides(batch.neighbours, batch.index, tensors, self.threads)
        else:
            raters, rated = (None, None) if presence is None else presence
            users = self.users(*batch.side("users"), pair, raters)
            pooled = torch.cat([users, self.items(*batch.side("items"), pair, rated)], dim=1)
        x = torch.cat([pooled, pair], dim=1)
        hidden = torch.relu(self.head_in(self.norm(x)))
        if self.training and self.dropout > 0.0:
            hidden = dropout(hidden, self.dropout, batch.noise + self.member, batch.first)
        step: Tensor = (self.head_out(hidden) + self.skip(x)).squeeze(1)
        return step
