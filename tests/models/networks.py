"""Small batches and networks, and how their answers are held against each other."""

import numpy as np
import torch
from torch import nn

from igmc.config import ExtractConfig, ModelConfig
from igmc.graph.kernel import extract_subgraphs
from igmc.loading.batch import Batch
from igmc.models.igmc import IGMC
from tests.graph.graphs import all_pairs, random_graph

NOISE = 0xFEDC_BA98_7654_3210


def make_batch(*, hops=1, n_levels=5, pairs=24, seed=0, density=0.3, noise=NOISE) -> Batch:
    graph = random_graph(30, 25, n_levels, density, seed)
    users, items = all_pairs(graph)
    rows = np.random.default_rng(seed).permutation(len(users))[:pairs]
    config = ExtractConfig(hops=hops, max_nodes_per_hop=8)
    cut = extract_subgraphs(graph, users[rows], items[rows], config, seed=0)
    rating = np.random.default_rng(seed).uniform(1, 5, pairs).astype(np.float32)
    return Batch.from_subgraphs(cut, rating, noise=noise)


def make_model(**options) -> IGMC:
    """A model whose tanh units are not saturated, so that gradients say something."""
    model = IGMC(
        ModelConfig(**{k: v for k, v in options.items() if k in ModelConfig.__dataclass_fields__}),
        n_levels=options.get("n_levels", 5),
        hops=options.get("hops", 1),
        side_width=options.get("side_width", 0),
        threads=options.get("threads"),
    )
    with torch.no_grad():
        for conv in model.convs:
            conv.weight *= 0.2
    return model


def answers(model: nn.Module, convs: nn.ModuleList, batch: Batch) -> dict[str, torch.Tensor]:
    model.zero_grad()
    out = model(batch)
    (out - batch.rating.to(out.dtype)).square().mean().backward()
    return {"out": out.detach(), **{n: p.grad.clone() for n, p in convs.named_parameters()}}


def assert_close(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor], tolerance: float) -> None:
    for name, value in left.items():
        scale = right[name].abs().max().item() or 1.0
        error = (value.double() - right[name].double()).abs().max().item() / scale
        assert error < tolerance, f"{name}: {error:.1e}"
