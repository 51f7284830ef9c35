"""The IGMC network: an RGCN stack over the enclosing subgraph, read off at its two targets."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from igmc.config import ModelConfig
from igmc.errors import ConfigError, DataError
from igmc.loading import Batch
from igmc.models import fused
from igmc.models.dropout import dropout
from igmc.models.rgcn import RGCNLayer, make_topology, stack_states
from igmc.rng import stream

__all__ = ["IGMC"]

BACKENDS = ("auto", "fused", "torch")


class IGMC(nn.Module):
    """Inductive graph-based matrix completion (Zhang & Chen, ICLR 2020).

    The outputs of all RGCN layers at the target user and at the target item are concatenated, and an MLP
    reads the rating off them. No id is embedded, so any pair of any rating graph can be asked whose ratings
    have the same levels.

    Args:
        config: widths, bases, norm and dropouts.
        n_levels: relation types R, 1..256.
        hops: radius of the subgraphs, which fixes the number of node labels, 2 * (hops + 1).
        side_width: features of the target user and item together; 0 for none.
        seed: of the initial weights.
        backend, threads: see below.

    Attributes:
        backend: "auto" takes the fused CPU kernels where they apply (float32 on a CPU, layers of one
            width, no batch normalization, no edge weights), "fused" requires them, "torch" never uses them.
            All give the same predictions.
        threads: that the fused kernels run in; all cores if None. It makes no difference to any answer.

    Raises:
        ConfigError: on an unknown backend, if it is "fused" and the configuration does not fit the kernels,
            or on edge weights that the norm "relation" cancels.
    """

    def __init__(
        self,
        config: ModelConfig,
        *,
        n_levels: int,
        hops: int = 1,
        side_width: int = 0,
        seed: int = 1,
        backend: str = "auto",
        threads: int | None = None,
    ) -> None:
        super().__init__()
        self.config, self.n_levels, self.hops = config, n_levels, hops
        self.backend, self.threads = backend, threads
        if backend not in BACKENDS:
            raise ConfigError("unknown backend of the model", got=backend, allowed=", ".join(BACKENDS))
        if backend == "fused" and len(set(config.layers)) > 1:
            raise ConfigError("fused kernels need layers of one width", got=config.layers)
        if backend == "fused" and not _fits_kernels(config):
            raise ConfigError("fused kernels have no batch normalization and no edge weights", got=backend)
        if config.edge_weight != "none" and config.norm == "relation":
            raise ConfigError(
                "edge weights by rating have no effect under the norm 'relation', which cancels them",
                got=f"--edge-weight {config.edge_weight}",
                remedy="use --norm none or degree",
            )
        widths = (2 * (hops + 1), *config.layers)
        self.convs = nn.ModuleList(
            RGCNLayer(width_in, width_out, n_levels, config.bases)
            for width_in, width_out in zip(widths, config.layers, strict=False)
        )
        norms = config.layers if config.batch_norm else ()
        self.norms = nn.ModuleList(nn.BatchNorm1d(width) for width in norms)  # which begin alike
        self.lin1 = nn.Linear(2 * sum(config.layers) + side_width, config.mlp_width)
        self.lin2 = nn.Linear(config.mlp_width, 1)
        self.reset_parameters(seed)

    def reset_parameters(self, seed: int) -> None:
        """Draw all weights anew; equal seeds give equal weights."""
        generator = torch.Generator().manual_seed(int(stream(seed, "weights").integers(2**63)))
        for conv in self.layers:
            conv.reset_parameters(generator, self.config.init)
        for linear in (self.lin1, self.lin2):
            bound = linear.in_features**-0.5
            nn.init.uniform_(linear.weight, -bound, bound, generator=generator)
            nn.init.uniform_(linear.bias, -bound, bound, generator=generator)

    def forward(self, batch: Batch, edge_weight: Tensor | None = None) -> Tensor:
        """Ratings of the pairs, float32 [P], not clipped to the scale.

        Dropout is on in training mode only, and drawn from `batch.noise`. Where the fused kernels apply and
        no gradient is asked, a pair gets the same bits in any batch.

        Args:
            batch: the subgraphs.
            edge_weight: float [E], how much each rating counts: 1 as it does, 0 as if it were not there but
                its user and item still were. Never by the fused kernels; to ask for gradients.

        Raises:
            DataError: on a CPU, if the subgraphs have more levels or hops than the model was made for.
        """
        x = self._states(batch, edge_weight).flatten(1)  # [P, 2 * sum of widths]
        if batch.side is not None:
            x = torch.cat([x, batch.side], dim=1)
        x = torch.relu(_linear(self.lin1, x))
        if self.training and self.config.mlp_dropout > 0.0:
            x = dropout(x, self.config.mlp_dropout, batch.noise, batch.first)
        return _linear(self.lin2, x).squeeze(1)

    def gradients(self, batch: Batch, arr_weight: float) -> tuple[Tensor, Tensor]:
        """One step's loss, and its gradients in the parameters' `grad`, in place of those that were there.

        The loss is the mean of (forward(batch) - batch.rating)^2 plus `arr_weight` times `arr_penalty`. The
        fused kernels find the gradients in less time than by way of `forward` and autograd.

        Returns:
            The two terms before they are weighted, scalars without a graph.

        Raises:
            DataError: as `forward` does.
        """
        if self._use_fused(batch) and len(batch):
            self._check_fits(batch)
            return fused.gradients(
                self.layers,
                self.lin1,
                self.lin2,
                batch,
                arr_weight=arr_weight,
                norm=self.config.norm,
                edge_dropout=self.config.edge_dropout if self.training else 0.0,
                edge_dropout_mode=self.config.edge_dropout_mode,
                mlp_dropout=self.config.mlp_dropout if self.training else 0.0,
                threads=self.threads,
            )
        mse, arr = nn.functional.mse_loss(self(batch), batch.rating), self.arr_penalty()
        self.zero_grad(set_to_none=True)
        (mse + arr_weight * arr).backward()  # type: ignore[no-untyped-call]
        return mse.detach(), arr.detach()

    def arr_penalty(self) -> Tensor:
        """Adjacent-rating regularization, scalar: the sum of ||W_{r+1} - W_r||^2 over layers and r."""
        return torch.stack([layer.arr_penalty() for layer in self.layers]).sum()

    @property
    def intercept(self) -> Tensor:
        """What is added to every rating, the bias of the last layer, [1]: to be read, and set in place."""
        return self.lin2.bias

    @property
    def layers(self) -> list[RGCNLayer]:
        """The convolutions, first to last."""
        return [conv for conv in self.convs if isinstance(conv, RGCNLayer)]

    def _states(self, batch: Batch, edge_weight: Tensor | None) -> Tensor:
        edge_dropout = self.config.edge_dropout if self.training else 0.0
        if edge_weight is None and self._use_fused(batch):
            self._check_fits(batch)  # the kernels do not look where they read and write
            return fused.stack_states(
                self.layers,
                batch,
                norm=self.config.norm,
                edge_dropout=edge_dropout,
                edge_dropout_mode=self.config.edge_dropout_mode,
                threads=self.threads,
            )
        if self.config.edge_weight == "rating":
            share = (batch.tensors.edge_level + 1) / self.n_levels
            edge_weight = share if edge_weight is None else share * edge_weight
        topology = make_topology(
            batch,
            self.n_levels,
            self.config.norm,
            edge_dropout=edge_dropout,
            edge_dropout_mode=self.config.edge_dropout_mode,
            edge_weight=edge_weight,
        )
        return stack_states(self.layers, topology, self.norms)

    def _check_fits(self, batch: Batch) -> None:
        n_labels, subgraphs = 2 * (self.hops + 1), batch.subgraphs
        for name, values, size in (
            ("level", subgraphs.edge_level, self.n_levels),
            ("user label", subgraphs.user_label, n_labels),
            ("item label", subgraphs.item_label, n_labels),
        ):
            if len(values) and int(values.max()) >= size:
                raise DataError(
                    f"the subgraphs have a {name} that the model was not made for",
                    got=int(values.max()),
                    allowed=f"0..{size - 1}",
                    remedy="cut them with the model's number of hops, from ratings on its scale",
                )

    def _use_fused(self, batch: Batch) -> bool:
        fits = batch.rating.device.type == "cpu" and self.lin1.weight.dtype == torch.float32
        if self.backend == "fused" and not fits:
            got = f"{self.lin1.weight.dtype} on {batch.rating.device}"
            raise ConfigError("fused kernels need float32 on a CPU", got=got, remedy="use backend 'auto'")
        return self.backend != "torch" and fits and _fits_kernels(self.config)


def _fits_kernels(config: ModelConfig) -> bool:
    plain = not config.batch_norm and config.edge_weight == "none"
    return plain and len(set(config.layers)) == 1


def _linear(linear: nn.Linear, x: Tensor) -> Tensor:
    """linear(x); when a CPU scores, row by row: in what order BLAS sums goes by the number of rows."""
    if torch.is_grad_enabled() or x.is_cuda:
        out: Tensor = linear(x)
        return out
    weight, bias = linear.weight.T.expand(len(x), -1, -1), linear.bias.expand(len(x), 1, -1)
    return torch.baddbmm(bias, x[:, None], weight).squeeze(1)
