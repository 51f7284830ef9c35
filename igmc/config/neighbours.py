"""The settings of the neighbours network."""

from __future__ import annotations

from dataclasses import dataclass

from igmc.config.base import Config, knob
from igmc.config.sections import SELECTIONS
from igmc.errors import ConfigError

__all__ = ["NeighboursConfig"]


@dataclass(frozen=True)
class NeighboursConfig(Config):
    """The neighbours network, and how it is trained."""

    selection: str = knob(
        "validation",
        "'validation': the best epoch on validation; 'fixed': the last epoch, trained on validation "
        "ratings too",
        choices=SELECTIONS,
    )
    estimates: str = knob(
        "svdpp,mf",
        "cross-fitted Bayesian factorizations whose estimates are inputs; the network corrects the first "
        "one; 'none': it corrects the biases; 'auto': the default ones, or mf, if they are better than none "
        "on validation and take less than twice the time",
        choices=("auto", "none", "mf", "svdpp", "svdpp,mf", "mf,svdpp"),
    )
    dates: str = knob(
        "auto",
        "whose times are inputs: ratings before the time of prediction ('past', all that a live service "
        "has), later ones too ('both', to fill gaps in complete data), or none; 'auto': 'past' if the data "
        "have times",
        choices=("auto", "past", "both", "none"),
        late=True,
    )
    side_features: bool = knob(
        False,
        "estimates read ages, genres, titles and so on too, which tell of users and items without ratings",
        late=True,
    )
    max_neighbors: int = knob(
        100,
        "maximum neighbours per side; those that agree or disagree most with the target are kept",
        low=1,
        short="cap",
    )
    members: int = knob(2, "networks to train and average", low=1, high=64)
    epochs: int = knob(8, "passes over the training pairs", low=1)
    pairs_per_epoch: int = knob(400_000, "maximum training pairs per epoch", low=1)
    batch_size: int = knob(200, "pairs per step", low=1)
    learning_rate: float = knob(5e-3, "peak learning rate of AdamW", low=1e-12, high=10.0)
    weight_decay: float = knob(1e-3, "weight decay of AdamW", low=0.0)
    dropout: float = knob(0.1, "dropout before the last linear layer", low=0.0, high=0.99)
    newcomers: float = knob(
        0.02,
        "fraction of users, and of items, that act as newcomers with 1 to 10 ratings at any time",
        low=0.0,
        high=0.5,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.estimates == "auto" and self.selection == "fixed":
            raise ConfigError(
                "the estimates 'auto' are chosen on validation ratings, which fixed epochs learn from",
                got="--estimates auto --selection fixed",
                remedy="name the estimates, or use --selection validation",
            )

        if self.estimates in ("auto", "none") and self.side_features:
            raise ConfigError(
                "side features are read by the estimates, which must be named",
                got=f"--estimates {self.estimates} --side-features",
                allowed="--estimates svdpp,mf and others of these two",
            )

    @property
    def estimators(self) -> tuple[str, ...]:
        """The names of the estimates, the base first; of settings in which "auto" is decided."""
        return () if self.estimates == "none" else tuple(self.estimates.split(","))

    @property
    def date_kind(self) -> str | None:
        """What dates are read, "past" or "both"; None where none are. Of settings that `for_times` gave."""
        return self.dates if self.dates in ("past", "both") else None

    def for_times(self, known: bool) -> NeighboursConfig:
        """These settings for data in which times are known, or not: "auto" is decided.

        Raises:
            ConfigError: if dates are to be read, and none is known.
        """
        if self.dates == "auto":
            return self.replace(dates="past") if known else self
        if self.date_kind and not known:
            raise ConfigError(
                "--dates needs ratings with times, and no rating has one",
                got=f"--dates {self.dates}",
                remedy="omit it, or name the column of times with --columns user,item,rating,time",
            )
        return self
