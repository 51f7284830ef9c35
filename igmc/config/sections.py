"""The configuration sections: data, subgraphs, network, training and use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from igmc.config.base import Config, Former, knob

__all__ = [
    "COVERAGE",
    "COVERAGE_HELP",
    "MAX_LEVELS",
    "SELECTIONS",
    "DataConfig",
    "ExplainConfig",
    "ExtractConfig",
    "ListConfig",
    "ModelConfig",
    "ServeConfig",
    "TrainConfig",
    "TransferConfig",
]

MAX_LEVELS = 256  # relation types are stored as uint8
SELECTIONS = ("fixed", "validation")
COVERAGE = 0.9  # of an interval, where nothing else is asked
COVERAGE_HELP = "probability that a rating lies in the interval from low to high"


@dataclass(frozen=True)
class DataConfig(Config):
    """Which ratings, and how they are split."""

    dataset: str = knob("demo", "name of a data set, or path to a file of ratings")
    columns: str | None = knob(
        None, "names, or positions from 1, of the columns of a file: user,item,rating[,timestamp]"
    )
    separator: str | None = knob(
        None,
        "field separator of a text file: one or more characters, 'tab' or 'blanks'; guessed if not set",
        late=True,
    )
    encoding: str | None = knob(
        None, "encoding of a text file, such as cp1252 or shift_jis; guessed if not set", late=True
    )
    header: bool | None = knob(
        None, "whether the first line of a text file names the columns; guessed if not set", late=True
    )
    matrix: bool = knob(
        False, "the file is a dense matrix: one line per user, one column per item", late=True
    )
    missing: float | None = knob(None, "number that means 'not rated', such as 99 in Jester", late=True)
    zero_is_missing: bool = knob(False, "0 means 'not rated', as in exports of views or purchases", late=True)
    item_info: str | None = knob(
        None,
        "file with titles, genres and years of the items, to go with a file of ratings",
        late=True,
        former=Former("items", {}),
    )
    item_features: str | None = knob(
        None,
        "file of vectors of the items, such as embeddings: ids in its first column, numbers in the others; "
        "read with --side-features",
        late=True,
    )
    allow_changed: bool = knob(
        False, "accept a known data set whose number of ratings differs from the published one", late=True
    )
    duplicates: str = knob(
        "last",
        "which rating counts if a pair occurs twice: the last one, the mean, or none (an error)",
        choices=("last", "mean", "error"),
    )
    split: str = knob(
        "default", "'default', 'random', or an official split such as u1..u5, ua, ub (ml_100k) or monti"
    )
    test_ratio: float = knob(
        0.1, "fraction of ratings held out for testing by a random split", low=0.0, high=0.95
    )
    validation_ratio: float = knob(
        0.1, "fraction of training ratings held out for validation", low=0.0, high=0.95
    )
    keep_ratio: float = knob(
        1.0, "fraction of training ratings to keep (sparsity studies)", low=1e-6, high=1.0
    )
    levels: int | None = knob(
        None, "group ratings into this many levels (relation types)", low=1, high=MAX_LEVELS
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
        None, "maximum users, and maximum items, added per hop; unlimited if not set", low=1, short="cap"
    )
    sample_ratio: float = knob(1.0, "fraction of neighbours sampled per hop", low=0.0, high=1.0)

    @property
    def samples(self) -> bool:
        """Whether a subgraph may hold only a sample of the neighbours."""
        return self.max_nodes_per_hop is not None or self.sample_ratio < 1


@dataclass(frozen=True)
class ModelConfig(Config):
    """The IGMC network (Zhang & Chen, ICLR 2020)."""

    layers: tuple[int, ...] = knob((32, 32, 32, 32), "output width of each RGCN layer", low=1, high=4096)
    bases: int | None = knob(
        4,
        "basis matrices shared by the relations; one matrix per relation if not set",
        low=1,
    )
    norm: str = knob(
        "none",
        "how messages are normalized: 'none' sums them, 'relation' divides by the neighbours of the same "
        "relation, 'degree' by all neighbours",
        choices=("none", "relation", "degree"),
    )
    init: str = knob(
        "glorot",
        "initial weights of the convolutions: 'glorot', or 'uniform', much smaller, for dense graphs",
        choices=("glorot", "uniform"),
        late=True,
    )
    edge_dropout: float = knob(0.2, "fraction of edges dropped in training", low=0.0, high=0.99)
    edge_dropout_mode: str = knob(
        "direction",
        "drop the two directions of an edge independently or together",
        choices=("direction", "both"),
    )
    batch_norm: bool = knob(
        False,
        "batch normalization of each layer before its tanh; slower: not in the fused kernels",
        late=True,
    )
    edge_weight: str = knob(
        "none",
        "weight of a message: 1, or k / R for level k of R ('rating'); slower: not in the fused kernels",
        choices=("none", "rating"),
        late=True,
    )
    mlp_width: int = knob(128, "hidden width of the MLP", low=1, high=65536)
    mlp_dropout: float = knob(0.5, "dropout before the last linear layer", low=0.0, high=0.99)
    side_features: bool = knob(False, "also feed the side features of the target user and item to the MLP")


@dataclass(frozen=True)
class TrainConfig(Config):
    """How the network is trained."""

    selection: str = knob(
        "validation",
        "how checkpoints are selected. 'fixed': the last ones after a fixed number of epochs, trained on "
        "validation ratings too, as in the paper; 'validation': the best ones on validation, with early "
        "stopping",
        choices=SELECTIONS,
        former=Former("protocol", {"fixed": "paper", "validation": "validated"}),
    )
    epochs: int = knob(40, "passes over the training pairs", low=1)
    batch_size: int = knob(50, "subgraphs per step", low=1)
    learning_rate: float = knob(1e-3, "learning rate of Adam", low=1e-12, high=10.0)
    decay_factor: float = knob(0.1, "multiply the learning rate by this ...", low=1e-6, high=1.0)
    decay_every: int = knob(50, "... every this many epochs", low=1)
    arr: float = knob(0.001, "weight of the adjacent-rating regularization", low=0.0)
    patience: int = knob(
        10,
        "stop after this many epochs without a better validation RMSE ('validation'); counted from the "
        "first decay of the learning rate, if there is one",
        low=1,
    )
    ensemble_size: int = knob(4, "number of checkpoints to average", low=1)
    ensemble_every: int = knob(
        10, "epochs between these checkpoints, counted back from the last epoch ('fixed')", low=1
    )
    support_dropout: float = knob(
        0.0,
        "fraction of training subgraphs whose target keeps only a few ratings, to imitate newcomers",
        low=0.0,
        high=1.0,
        late=True,
    )
    support_dropout_side: str = knob(
        "user",
        "which target loses ratings; with 'both', each of the two independently",
        choices=("user", "item", "both"),
        late=True,
    )
    support_dropout_max: int = knob(
        10,
        "maximum number of ratings it keeps, drawn log-uniformly from 1 to this",
        low=1,
        high=2**31 - 1,
        late=True,
    )


@dataclass(frozen=True)
class TransferConfig(Config):
    """How a trained model is applied to another data set."""

    rescale: str = knob(
        "ratio",
        "how predictions map to the other scale: multiplied by the ratio of the highest ratings, as in the "
        "paper ('ratio'); linearly, lowest to lowest and highest to highest ('range'); or by the mean rating "
        "of each level ('levels')",
        choices=("ratio", "range", "levels"),
    )
    fallback: bool = knob(
        False, "use damped means where the user or item has no rating, instead of the model"
    )
    adapt: str = knob(
        "none",
        "how to adapt: not at all; by a linear calibration of the predictions; or by training the "
        "weights further",
        choices=("none", "calibrate", "finetune"),
    )
    percent: float = knob(1.0, "percentage of the training ratings there to adapt on", low=0.0, high=100.0)
    epochs: int = knob(5, "epochs over those ratings ('finetune')", low=1)
    learning_rate: float = knob(1e-4, "peak learning rate ('finetune')", low=1e-12, high=10.0)
    seed: int = knob(1, "random seed of the split and of the ratings to adapt on", low=0, high=2**32 - 1)


@dataclass(frozen=True)
class ListConfig(Config):
    """Length, order and contents of a list, and the work spent on it."""

    k: int = knob(10, "length of the list", low=1)
    min_score: float | None = knob(None, "omit items with a lower predicted rating")
    bottom: bool = knob(False, "list the lowest-scored items instead, worst first")
    order: str = knob(
        "auto",
        "order of the list: by how likely the user is to choose the item ('relevance'), by predicted rating "
        "('score'), by a mix of both ('blend'), or by how far the predicted rating exceeds the item's usual "
        "rating ('lift'); 'relevance' and 'blend' train a ranker on first use; 'auto' means 'blend' up "
        "to 1.5 million ratings, or once the run has a ranker, and otherwise 'score'",
        choices=("auto", "score", "lift", "relevance", "blend"),
    )
    diversity: float = knob(
        0.0,
        "0: the best items; larger values favour items that differ from those before them in raters and "
        "genres",
        low=0.0,
        high=1.0,
    )
    gems: bool = knob(False, "list hidden gems: items with few ratings, but at least 10, ordered by lift")
    candidates: int = knob(
        200, "number of items to score, the most promising by co-rating; raised if the list needs more", low=1
    )
    budget: int = knob(2_000_000, "maximum ratings read in each of the two steps that find candidates", low=1)
    exhaustive: bool = knob(False, "score all items instead of candidates")
    coverage: float = knob(COVERAGE, COVERAGE_HELP, low=0.001, high=0.999)


@dataclass(frozen=True)
class ExplainConfig(Config):
    """How a prediction is explained, and how much of it is shown."""

    method: str = knob(
        "occlusion",
        "importance of a rating: the change of the prediction without it, or its first-order estimate",
        choices=("occlusion", "gradient"),
    )
    top: int = knob(12, "maximum neighbours shown, for the user and for the item", low=1)
    limit: int = knob(
        1000,
        "maximum ratings to leave out in turn; if there are more, those with the largest gradient",
        low=1,
    )
    coverage: float = knob(COVERAGE, COVERAGE_HELP, low=0.001, high=0.999)


@dataclass(frozen=True)
class ServeConfig(Config):
    """Limits of the server."""

    threads: int = knob(2, "requests processed at the same time", low=1, high=256)
    queue: int = knob(
        32, "requests that may wait for a thread; further ones are refused", low=0, high=100_000
    )
    timeout: float = knob(10.0, "seconds before a request times out", low=0.01, high=3600.0)
    max_body: int = knob(65_536, "maximum size of a request body, in bytes", low=1024, high=2**30)
    max_ratings: int = knob(500, "maximum ratings in a request", low=1, high=1_000_000)
    poster_url: str | None = knob(
        None,
        "address of a picture of an item, with {item_id}, {title}, {name} or {year} in it, such as "
        "https://posters.example/{item_id}.jpg; visitors' browsers load it from there",
    )
