"""A small rating graph, and models and a predictor on it that need no run."""

import torch

from igmc.config import ExtractConfig, ModelConfig, RunConfig
from igmc.graph.serving import ServingGraph
from igmc.inference.item_info import ItemInfo
from igmc.inference.predictor import Predictor
from igmc.models.igmc import IGMC
from igmc.networks.rgcn.scoring import Scorer
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale, RatingScale
from tests.graph.graphs import random_graph

CPU = torch.device("cpu")
MODELS = [IGMC(ModelConfig(layers=(8, 8)), n_levels=5, seed=seed).eval() for seed in (1, 2)]
GRAPH = random_graph(20, 15, 5, 0.4, seed=1)
SCALE = RatingScale.fit([1.0, 5.0], known=KnownScale(1, 5))


def make_scorer(models=MODELS, *, hops=1, cap=None, **options):
    return Scorer(models, ExtractConfig(hops=hops, max_nodes_per_hop=cap), seed=3, device=CPU, **options)


def predictor_of(graph, scorer, network="rgcn") -> Predictor:
    """One without a run folder; its raw ids are the dense indices, its titles "film K"."""
    config = RunConfig(network=network)
    users, items = (IdTable(tuple(range(n))) for n in (graph.n_users, graph.n_items))
    info = ItemInfo(tuple(f"film {k}" for k in items.ids), ("",) * len(items), (None,) * len(items))
    return Predictor(users, items, SCALE, ServingGraph.of(graph), scorer, config, (1,), info)


class Telling(torch.nn.Module):
    """Predicts 3, and 0.75 more for each rating of one level that ties a neighbour to the pair."""

    n_levels = 5

    def __init__(self, level):
        super().__init__()
        self.level = level

    def forward(self, batch, edge_weight=None):
        graphs = batch.tensors
        weight = torch.ones(len(graphs.edge_item)) if edge_weight is None else edge_weight
        pair = torch.repeat_interleave(torch.arange(len(batch)), graphs.edge_ptr.diff())
        user = torch.repeat_interleave(torch.arange(len(graphs.degree)), graphs.degree.long())
        ties = (graphs.edge_item == 0) | (graphs.user_label[user] == 0)
        counts = weight * (ties & (graphs.edge_level == self.level))
        return 3.0 + 0.75 * torch.zeros(len(batch)).index_add(0, pair, counts)
