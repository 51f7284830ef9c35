"""The configuration sections: what data, what subgraphs, what network, how it is trained and used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from igmc.config.base import Config, Former, knob

__all__ = [
    "MAX_LEVELS",
    "SELECTIONS",
    "DataConfig",
    "ExplainConfig",
    "ExtractConfig",
    "ListConfig",
    "ModelConfig",
    "NeighboursConfig",
    "ServeConfig",
    "TrainConfig",
    "TransferConfig",
]

MAX_LEVELS = 256  # relation types are stored as uint8
SELECTIONS = ("fixed", "validation")


@dataclass(frozen=True)
class DataConfig(Config):
    """Which ratings, and how they are split."""

    dataset: str = knob("demo", "name of a data set, or path to a file of ratings")
    columns: str | None = knob(
        None, "names, or positions from 1, of the columns of a file: user,item,rating[,timestamp]"
    )
    separator: str | None = knob(
        None,
        "what stands between two fields of a text file: a character, several, 'tab' or 'blanks'; guessed if "
        "not given",
        late=True,
    )
    encoding: str | None = knob(
        None, "encoding of a text file, such as cp1252 or shift_jis; guessed if not given", late=True
    )
    header: bool | None = knob(
        None, "whether the first line of a text file names its columns; guessed if not given", late=True
    )
    matrix: bool = knob(
        False, "the file is a matrix: a line for each user, a column for each item", late=True
    )
    missing: float | None = knob(
        None, "a number that stands for no rating, such as 99 in Jester's matrix", late=True
    )
    zero_is_missing: bool = knob(
        False, "0 stands for no rating, as in exports of what was viewed or bought", late=True
    )
    items: str | None = knob(
        None, "file with the titles, genres and years of the items, beside a file of ratings", late=True
    )
    allow_changed: bool = knob(
        False, "take a known data set that has other numbers of ratings than its makers' files", late=True
    )
    duplicates: str = knob(
        "last",
        "what counts of a pair that is rated twice: the last in the file, or the mean",
        choices=("last", "mean", "error"),
    )
    split: str = knob(
        "default", "'default', 'random', or an official split such as u1..u5, ua, ub (ml_100k) or monti"
    )
    test_ratio: float = knob(
        0.1, "share of ratings held out for the test by a random split", low=0.0, high=0.95
    )
    validation_ratio: float = knob(
        0.1, "share of the training ratings set aside for validation", low=0.0, high=0.95
    )
    keep_ratio: float = knob(
        1.0, "share of the training ratings that is kept (sparsity studies)", low=1e-6, high=1.0
    )
    levels: int | None = knob(
        None, "group the ratings into this many levels (relation types)", low=1, high=MAX_LEVELS
    )
    level_method: str = knob(
        "width", "how --levels groups: equal-width bins or quantiles", choices=("width", "quantile")
    )

    def identity(self) -> dict[str, Any]:
        """See `Config.identity`; `allow_changed` permits, and changes no result."""
        return {name: value for name, value in super().identity().items() if name != "allow_changed"}


@dataclass(frozen=True)
class ExtractConfig(Config):
    """What an enclosing subgraph is."""

    hops: int = knob(1, "radius of the enclosing subgraph, in hops", low=1, high=100)
    max_nodes_per_hop: int | None = knob(
        None, "cap on the users, and on the items, added at each hop; no cap if not given", low=1, short="cap"
    )
    sample_ratio: float = knob(1.0, "share of each hop's neighbours that is kept", low=0.0, high=1.0)

    @property
    def samples(self) -> bool:
        """Whether a subgraph may be a sample of the neighbours that there are."""
        return self.max_nodes_per_hop is not None or self.sample_ratio < 1


@dataclass(frozen=True)
class ModelConfig(Config):
    """The IGMC network (Zhang & Chen, ICLR 2020)."""

    layers: tuple[int, ...] = knob((32, 32, 32, 32), "output width of each RGCN layer", low=1, high=4096)
    bases: int | None = knob(
        4, "basis matrices that the relations share; one free matrix per relation if not given", low=1
    )
    norm: str = knob(
        "none",
        "how messages are normalized: 'none' sums them, 'relation' divides by the neighbours of the same "
        "relation, 'degree' by all neighbours",
        choices=("none", "relation", "degree"),
    )
    init: str = knob(
        "glorot",
        "first weights of the convolutions: 'glorot', or 'uniform', far smaller, which suits dense graphs",
        choices=("glorot", "uniform"),
        late=True,
    )
    edge_dropout: float = knob(0.2, "share of edges dropped in training", low=0.0, high=0.99)
    edge_dropout_mode: str = knob(
        "direction",
        "drop each direction of an edge on its own, or both together",
        choices=("direction", "both"),
    )
    mlp_width: int = knob(128, "hidden width of the MLP that reads the rating", low=1, high=65536)
    mlp_dropout: float = knob(0.5, "dropout before the last linear layer", low=0.0, high=0.99)
    side_features: bool = knob(False, "give the MLP the side features of the target user and item too")


@dataclass(frozen=True)
class TrainConfig(Config):
    """How the network is trained."""

    selection: str = knob(
        "validation",
        "how checkpoints are selected. 'fixed': the last ones of a fixed number of epochs, trained on "
        "validation ratings too, as in the paper; 'validation': the best ones on validation, with early "
        "stopping",
        choices=SELECTIONS,
        former=Former("protocol", {"fixed": "paper", "validation": "validated"}),
    )
    epochs: int = knob(40, "passes over the training pairs", low=1)
    batch_size: int = knob(50, "subgraphs a step", low=1)
    learning_rate: float = knob(1e-3, "Adam's step size", low=1e-12, high=10.0)
    decay_factor: float = knob(0.1, "the learning rate is multiplied by this ...", low=1e-6, high=1.0)
    decay_every: int = knob(50, "... every so many epochs", low=1)
    arr: float = knob(0.001, "weight of the adjacent-rating regularization", low=0.0)
    patience: int = knob(
        10,
        "epochs without a better validation RMSE before stopping ('validation'), after the first decay of "
        "the learning rate where one comes",
        low=1,
    )
    ensemble_size: int = knob(4, "number of checkpoints whose predictions are averaged", low=1)
    ensemble_every: int = knob(
        10, "epochs between those checkpoints, the last one at the end ('fixed')", low=1
    )
    support_dropout: float = knob(
        0.0,
        "share of the training subgraphs whose target shows but a few of its ratings, as new ones do, and "
        "those of thinner data sets",
        low=0.0,
        high=1.0,
        late=True,
    )
    support_dropout_side: str = knob(
        "user",
        "which target that is; with 'both', each of the two on its own",
        choices=("user", "item", "both"),
        late=True,
    )
    support_dropout_max: int = knob(
        10,
        "the most that it shows then: from 1 to this many, few of them more often (log-uniform)",
        low=1,
        high=2**31 - 1,
        late=True,
    )


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
        "Bayesian factorizations, cross-fitted, whose estimates the network reads and starts from, the first "
        "one as base; or 'none', to start from the biases",
        choices=("none", "mf", "svdpp", "svdpp,mf", "mf,svdpp"),
    )
    max_neighbors: int = knob(
        100,
        "cap on the neighbours of each side: those that agree or disagree most with the target",
        low=1,
        short="cap",
    )
    members: int = knob(2, "networks that are trained side by side and answer by their mean", low=1, high=64)
    epochs: int = knob(8, "passes over the training pairs", low=1)
    pairs_per_epoch: int = knob(400_000, "training pairs that make a pass at most", low=1)
    batch_size: int = knob(200, "pairs a step", low=1)
    learning_rate: float = knob(5e-3, "AdamW's step size at its highest", low=1e-12, high=10.0)
    weight_decay: float = knob(1e-3, "AdamW's decay of the weights", low=0.0)
    dropout: float = knob(0.1, "dropout before the last linear layer", low=0.0, high=0.99)
    newcomers: float = knob(
        0.02,
        "share of the users, and of the items, that play newcomers at a time, with 1 to 10 ratings",
        low=0.0,
        high=0.5,
    )

    @property
    def estimators(self) -> tuple[str, ...]:
        """The names of the estimates, the base first."""
        return () if self.estimates == "none" else tuple(self.estimates.split(","))


@dataclass(frozen=True)
class TransferConfig(Config):
    """How a trained model is applied to another data set."""

    rescale: str = knob(
        "ratio",
        "what a prediction means there: times the ratio of the highest ratings, as in the paper; lowest to "
        "lowest and highest to highest ('range'); or by the mean rating of each level",
        choices=("ratio", "range", "levels"),
    )
    fallback: bool = knob(
        False, "answer by damped means where the user or item has no rating, instead of asking the model"
    )
    adapt: str = knob(
        "none",
        "what is learned there: nothing; a line that brings predictions to the ratings; or the weights, "
        "trained further",
        choices=("none", "calibrate", "finetune"),
    )
    percent: float = knob(
        1.0, "per cent of the training ratings there that this is learned from", low=0.0, high=100.0
    )
    epochs: int = knob(5, "passes over those ratings ('finetune')", low=1)
    learning_rate: float = knob(1e-4, "the optimizer's highest step size ('finetune')", low=1e-12, high=10.0)
    seed: int = knob(1, "seed of the split, and of which ratings are learned from", low=0, high=2**32 - 1)


@dataclass(frozen=True)
class ListConfig(Config):
    """How long a list is, and how much work goes into it."""

    k: int = knob(10, "length of the list", low=1)
    min_score: float | None = knob(None, "leave out what is predicted to get less than this")
    bottom: bool = knob(False, "the least relevant items instead, the worst first")
    candidates: int = knob(
        200, "items that the model scores, the most promising by co-rating; more if the list needs it", low=1
    )
    budget: int = knob(2_000_000, "ratings read at most, in each of two steps, to find the candidates", low=1)
    exhaustive: bool = knob(False, "let the model score all items, with no choice of candidates before")


@dataclass(frozen=True)
class ExplainConfig(Config):
    """How a prediction is explained, and how much of it is shown."""

    method: str = knob(
        "occlusion",
        "importance of a rating: what the prediction loses without it, or by the gradient, to first order",
        choices=("occlusion", "gradient"),
    )
    top: int = knob(12, "neighbours shown at most, of the user and of the item each", low=1)
    limit: int = knob(
        1000,
        "ratings of the pair's user and item that are left out in turn, at most; where there are more, those "
        "with the largest gradient",
        low=1,
    )


@dataclass(frozen=True)
class ServeConfig(Config):
    """What the server lets a request take."""

    threads: int = knob(2, "requests that are worked on at once", low=1, high=256)
    queue: int = knob(32, "requests that wait for a thread; one more is turned away", low=0, high=100_000)
    timeout: float = knob(10.0, "seconds after which an answer is given up", low=0.01, high=3600.0)
    max_body: int = knob(65_536, "bytes of a request's body at most", low=1024, high=2**30)
    max_ratings: int = knob(500, "ratings in a request at most", low=1, high=1_000_000)
