"""Mult-VAE: a variational autoencoder of what a user chose, for rankings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from torch import Tensor, nn
from torch.nn import functional

from igmc.config import Config, knob
from igmc.errors import TrainingError
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.early_stopping import EarlyStopping
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.torch_seeded import torch_seeded
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.recommenders.validation_ndcg import validation_lists
from igmc.rng import stream

__all__ = ["MultVAE", "MultVAEConfig"]


@dataclass(frozen=True)
class MultVAEConfig(Config):
    """The autoencoder, and how it is trained."""

    hidden: int = knob(600, "width of the hidden layer of encoder and decoder", low=1, high=65536)
    latent: int = knob(200, "dimensions of the latent variable", low=1, high=65536)
    dropout: float = knob(
        0.5, "fraction of a user's items hidden from the encoder in training", low=0.0, high=0.99
    )
    beta: float = knob(0.2, "weight of the KL divergence, once annealed", low=0.0, high=10.0)
    anneal: int = knob(50, "epochs over which that weight rises linearly from 0", low=1)
    epochs: int = knob(150, "maximum number of epochs", low=1)
    patience: int = knob(20, "stop after this many epochs without a better validation score", low=1)
    batch_size: int = knob(100, "users per step", low=1)
    learning_rate: float = knob(1e-3, "learning rate of Adam", low=1e-12, high=10.0)


class MultVAE(Recommender):
    """Decodes from a latent variable, inferred from the items chosen, how likely each item is the next.

    With x the 0/1 row of a user and ``q(z | x) = N(mu, diag(sigma^2))`` of the encoder, it maximizes
    ``sum_i x_i log softmax(f(z))_i - beta KL(q(z | x) || N(0, I))`` (Liang et al., *Variational Autoencoders
    for Collaborative Filtering*, WWW 2018). Encoder and decoder are MLPs with one hidden layer of tanh; the
    input is divided by its norm. Scores are ``f(mu)``. The values of ratings are ignored.

    No user is embedded: ratings of new users count at once after `fold_in`. A user without ratings gets what
    the prior decodes to, and items unseen in training what the decoder learned of items that nobody chose.
    """

    name: ClassVar = "multvae"
    config_class: ClassVar = MultVAEConfig
    fitted: ClassVar = ("known", "weights", "epochs")
    inductive: ClassVar = True

    known: dict[str, NDArray[Any]]
    weights: dict[str, Tensor]
    epochs: int
    seen: sparse.csr_array

    @property
    def ranks_only(self) -> bool:
        return True

    @property
    def uses_validation(self) -> bool:
        return True

    def search_space(self) -> dict[str, Range | OneOf]:
        return {
            "hidden": OneOf((200, 400, 600)),
            "latent": OneOf((50, 100, 200)),
            "dropout": Range(0.2, 0.8),
            "beta": Range(0.01, 1.0, log=True),
            "learning_rate": Range(3e-4, 1e-2, log=True),
        }

    def chosen_config(self) -> MultVAEConfig:
        """The settings, with the best epoch on validation as their number."""
        config: MultVAEConfig = self.config
        return config.replace(epochs=self.epochs) if self.n_items else config

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self.known = data.train.columns()
        with torch_seeded(self.seed, self.name):
            self.network = _Autoencoder(self.n_items, self.config)
            self._restore_seen()
            self._train(data, monitor)
        self.weights = {name: value.clone() for name, value in self.network.state_dict().items()}

    def _train(self, data: TrainingData, monitor: Monitor | None) -> None:
        """Adam, until the epochs are over or the validation NDCG gets no better; keep the best weights."""
        config: MultVAEConfig = self.config
        optimizer = torch.optim.Adam(self.network.parameters(), lr=config.learning_rate)
        stopping = EarlyStopping(config.patience, higher_is_better=True)
        rng = stream(self.seed, self.name, "steps")
        users = np.flatnonzero(np.diff(self.seen.indptr))
        kept: dict[str, Tensor] = {}
        for epoch in range(1, config.epochs + 1):
            self.network.train()
            weight, total = config.beta * min(epoch / config.anneal, 1.0), 0.0
            order = rng.permutation(users)
            for low in range(0, len(order), config.batch_size):
                chosen = self._rows(order[low : low + config.batch_size])
                loss = self.network.loss(chosen, weight)
                optimizer.zero_grad(set_to_none=True)
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                total += float(loss.detach()) * len(chosen)
            if not math.isfinite(total):
                hint = f"lower learning_rate (now {config.learning_rate:g})"
                raise TrainingError(f"the loss is not finite in epoch {epoch}", got=total, remedy=hint)
            self.network.eval()
            record = {"epoch": float(epoch), "loss": total / len(users)}
            if len(data.validation):
                record |= validation_lists(self._scores, data)
                if stopping.update(epoch, record["validation_ndcg"]):
                    kept = {name: value.clone() for name, value in self.network.state_dict().items()}
            self.history.append(record)
            if monitor is not None:
                monitor(record)
            if stopping.stop:
                break
        self.network.load_state_dict(kept or self.network.state_dict())
        self.epochs = stopping.best_epoch or config.epochs

    def _restore(self) -> None:
        self._restore_seen()
        with torch_seeded(self.seed, self.name):
            self.network = _Autoencoder(self.n_items, self.config).eval()
        self.network.load_state_dict(self.weights)

    def _restore_seen(self) -> None:
        self.seen = Ratings(**self.known).matrix(self.n_users, self.n_items)
        self.seen.data = np.ones_like(self.seen.data)

    def _fold_in(self, support: Ratings) -> None:
        self.known = (Ratings(**self.known) + support).columns()
        self._restore_seen()

    def _rows(self, users: NDArray[Any]) -> Tensor:
        return torch.from_numpy(self.seen[users].toarray())

    def _predict(self, user: Indices, item: Indices) -> Floats:
        asked, place = np.unique(user, return_inverse=True)
        return self._scores(asked)[place, item]

    @torch.no_grad()
    def _scores(self, users: NDArray[Any]) -> Floats:
        scores: Floats = self.network(self._rows(users))[0].numpy()
        return scores


class _Autoencoder(nn.Module):
    def __init__(self, n_items: int, config: MultVAEConfig) -> None:
        super().__init__()
        self.dropout, self.latent = config.dropout, config.latent
        self.encoder = nn.Sequential(
            nn.Linear(n_items, config.hidden), nn.Tanh(), nn.Linear(config.hidden, 2 * config.latent)
        )
        self.decoder = nn.Sequential(
            nn.Linear(config.latent, config.hidden), nn.Tanh(), nn.Linear(config.hidden, n_items)
        )

    def forward(self, chosen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Scores, float32 [B, n_items], and mean and log variance of the latent variable, [B, latent]."""
        shown = functional.dropout(functional.normalize(chosen), self.dropout, self.training)
        mean, log_variance = self.encoder(shown).split(self.latent, dim=1)
        latent = mean + torch.randn_like(mean) * (log_variance / 2).exp() if self.training else mean
        return self.decoder(latent), mean, log_variance

    def loss(self, chosen: Tensor, weight: float) -> Tensor:
        """The mean over users of the negative log-likelihood plus the weighted KL divergence."""
        scores, mean, log_variance = self(chosen)
        likelihood = (functional.log_softmax(scores, dim=1) * chosen).sum(dim=1)
        divergence = 0.5 * (log_variance.exp() + mean**2 - 1 - log_variance).sum(dim=1)
        found: Tensor = (weight * divergence - likelihood).mean()
        return found
