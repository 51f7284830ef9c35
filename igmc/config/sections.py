"""The configuration sections: subgraphs, network, training and use."""

from __future__ import annotations

from dataclasses import dataclass

from igmc.config.base import Config, Former, knob

__all__ = [
    "BLENDED",
    "COVERAGE",
    "COVERAGE_HELP",
    "SELECTIONS",
    "ExplainConfig",
    "ExtractConfig",
    "ListConfig",
    "ModelConfig",
    "ServeConfig",
    "TrainConfig",
    "TransferConfig",
]

SELECTIONS = ("fixed", "validation")
# Candidates of a list by predicted rating, and of a blend, if no number is given. Blends of 50 and 100 have
# the same NDCG@10 on validation ratings of ML-100K (0.2570 and 0.2570, means of two seeds), at half the work.
CANDIDATES, BLENDED = 200, 50
COVERAGE = 0.9  # of an interval, where nothing else is asked
COVERAGE_HELP = "probability that a rating lies in the interval from low to high"


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
        "rating ('lift'); 'relevance' and 'blend' train a ranker on first use, and list last what the user "
        "is predicted to dislike; 'auto' means 'blend' up to 1.5 million ratings, or once the run has a "
        "ranker, and otherwise 'score'",
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
    candidates: int | None = knob(
        None,
        "number of items to score, the most promising ones; raised if the list needs more; if not given, "
        f"{BLENDED} by relevance and in a blend, or twice the length of a longer list, and {CANDIDATES} in "
        "other lists",
        low=1,
    )
    budget: int = knob(2_000_000, "maximum ratings read in each of the two steps that find candidates", low=1)
    exhaustive: bool = knob(False, "score all items instead of candidates")
    coverage: float = knob(COVERAGE, COVERAGE_HELP, low=0.001, high=0.999)

    @property
    def to_score(self) -> int:
        """How many candidates are scored, once the order is known; hidden gems are ordered by lift."""
        ranked = self.order in ("blend", "relevance") and not self.gems
        return self.candidates or (max(BLENDED, 2 * self.k) if ranked else CANDIDATES)


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
