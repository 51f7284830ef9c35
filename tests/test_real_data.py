"""The fast paths against their oracles on real ratings; `--real-pairs 2000` for the full check."""

import numpy as np
import pytest
import torch

from igmc.config import DataConfig, ExtractConfig, ModelConfig
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part, make_parts
from igmc.graph.reference import reference_subgraphs
from igmc.loading.batch import Batch
from igmc.models.igmc import IGMC
from igmc.models.twin import PyGTwin
from igmc.ratings.load import load_dataset
from igmc.ratings.split import make_split

SETTINGS = [("ml_100k", None), ("ml_100k", 200), ("flixster", None), ("ml_latest_small", 200)]
BATCH = 50


@pytest.fixture(scope="module", params=SETTINGS, ids=lambda s: f"{s[0]}-{s[1]}")
def asked(request, data_root) -> tuple[Part, ExtractConfig, np.ndarray]:
    """A training part, the extraction settings, and random rows of it."""
    name, cap = request.param
    config = DataConfig(dataset=name)
    part = make_parts(make_split(load_dataset(config, data_dir=data_root), config, seed=1), "fixed")["train"]
    count = request.config.getoption("--real-pairs")
    return (
        part,
        ExtractConfig(max_nodes_per_hop=cap),
        np.random.default_rng(0).permutation(len(part.pairs))[:count],
    )


def test_kernel_equals_reference(asked):
    part, config, rows = asked
    users, items = part.pairs.user[rows], part.pairs.item[rows]
    fast = extract_subgraphs(part.graph, users, items, config, seed=1, epoch=2)
    slow = reference_subgraphs(part.graph, users, items, config, seed=1, epoch=2)
    for name, array in slow.arrays().items():
        np.testing.assert_array_equal(getattr(fast, name), array, err_msg=name)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("norm", ["none", "relation", "degree"])
def test_model_equals_pyg(asked, norm):
    """Outputs and gradients within 1e-5 of the largest, summed over all pairs, in training mode."""
    part, config, rows = asked
    model = IGMC(ModelConfig(norm=norm), n_levels=part.graph.n_levels, backend="fused").train()
    with torch.no_grad():
        for layer in model.layers:  # summed neighbours drive tanh into saturation, where gradients vanish
            layer.weight *= 0.05
    twin = PyGTwin(model).train()
    outputs: dict[str, list[torch.Tensor]] = {"fused": [], "pyg": []}
    for start in range(0, len(rows), BATCH):
        chunk = rows[start : start + BATCH]
        subgraphs = extract_subgraphs(
            part.graph, part.pairs.user[chunk], part.pairs.item[chunk], config, seed=1
        )
        batch = Batch.from_subgraphs(subgraphs, part.pairs.rating[chunk], noise=start)
        for name, network in (("fused", model), ("pyg", twin)):
            out = network(batch)
            (out - batch.rating).square().mean().backward()
            outputs[name].append(out.detach())
    assert_close("outputs", torch.cat(outputs["fused"]), torch.cat(outputs["pyg"]))
    for (name, ours), theirs in zip(model.convs.named_parameters(), twin.convs.parameters(), strict=True):
        assert_close(name, ours.grad, theirs.grad)


def assert_close(what: str, ours: torch.Tensor, theirs: torch.Tensor) -> None:
    error = ((ours - theirs).abs().max() / theirs.abs().max()).item()
    assert error < 1e-5, f"{what}: {error:.1e}"
