from dataclasses import replace

import numpy as np
import pytest
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.errors import ConfigError, DataError
from igmc.graph.kernel import extract_subgraphs
from igmc.loading.batch import Batch
from igmc.models.igmc import IGMC
from tests.graph.graphs import all_pairs, random_graph
from tests.models.networks import answers, assert_close, make_batch, make_model


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("side_width", [0, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": (8,), "norm": "degree"},
        {"mlp_width": 30, "mlp_dropout": 0.1, "n_levels": 1},
        {"hops": 2, "bases": None, "norm": "relation"},
    ],
)
def test_gradients_are_those_of_the_forward_pass_and_the_penalty(backend, side_width, options):
    batch = make_batch(hops=options.get("hops", 1), n_levels=options.get("n_levels", 5))
    batch = replace(batch, side=torch.randn(len(batch), side_width) if side_width else None)
    model = make_model(side_width=side_width, **options).train()
    model.backend = "torch"
    mse, arr = (model(batch) - batch.rating).square().mean(), model.arr_penalty()
    (mse + 0.3 * arr).backward()
    # Copies: the gradients are the parameters' own, and would change along with what is compared.
    expected = {n: p.grad.clone() for n, p in model.named_parameters()}
    expected |= {"mse": mse.detach(), "arr": arr.detach()}
    model.backend = backend
    for _ in range(2):  # gradients that are there do not add up
        mse, arr = model.gradients(batch, 0.3)
        assert_close(
            {n: p.grad for n, p in model.named_parameters()} | {"mse": mse, "arr": arr}, expected, 1e-5
        )


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_the_loss_shows_weights_that_are_not_finite(backend):
    model = make_model().train()
    model.backend = backend
    with torch.no_grad():
        model.convs[1].bias[0] = torch.nan
    assert model.gradients(make_batch(), 0.1)[0].isnan()


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_pairs_without_ratings_can_be_asked(backend):
    model = make_model()
    model.backend = backend
    out = answers(model.train(), model.convs, make_batch(density=0.0))
    assert torch.isfinite(out["out"]).all()
    assert out["out"].std() > 0  # the MLP's dropout still differs
    assert model.eval()(make_batch(density=0.0)).unique().numel() == 1


def test_scoring_is_the_same_in_any_batch():
    batch = make_batch()
    model = make_model().eval()
    cut_out = make_batch(pairs=24)
    assert torch.equal(model(batch), model(cut_out))
    graph = random_graph(30, 25, 5, 0.3, 0)
    users, items = all_pairs(graph)
    rows = np.random.default_rng(0).permutation(len(users))[:24]
    config = ExtractConfig(max_nodes_per_hop=8)
    alone = [
        model(Batch.from_subgraphs(extract_subgraphs(graph, u, i, config, seed=0), np.zeros(1, np.float32)))
        for u, i in zip(users[rows], items[rows], strict=True)
    ]
    torch.testing.assert_close(torch.cat(alone), model(batch), rtol=1e-6, atol=1e-6)


def test_without_gradients_a_batch_changes_no_bit():
    graph = random_graph(30, 25, 5, 0.3, 0)
    users, items = all_pairs(graph)
    model = IGMC(ModelConfig(), n_levels=5).eval()

    def scores(rows):
        cut = extract_subgraphs(graph, users[rows], items[rows], ExtractConfig(max_nodes_per_hop=8), seed=0)
        return model(Batch.from_subgraphs(cut, np.zeros(len(rows), np.float32)))

    rows = np.random.default_rng(0).permutation(len(users))[:203]
    with torch.inference_mode():
        whole = scores(rows)
        for size in (1, 2, 3, 7, 64, 100):
            pieces = [scores(rows[k : k + size]) for k in range(0, len(rows), size)]
            assert torch.equal(torch.cat(pieces), whole), f"in batches of {size}"
    torch.testing.assert_close(whole, scores(rows), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize(
    "change",
    [
        {"norm": "relation"},
        {"norm": "degree"},
        {"edge_dropout": 0.5},
        {"edge_dropout_mode": "both"},
        {"mlp_dropout": 0.1},
        {"bases": 2},
        {"mlp_width": 16},
        {"layers": (8, 8)},
    ],
)
def test_every_option_changes_the_answer(backend, change):
    batch = make_batch()
    outputs = []
    for options in ({}, change):
        model = make_model(**options).train()
        model.backend = backend
        outputs.append(model(batch))
    assert not torch.allclose(*outputs)


def test_noise_is_the_only_source_of_randomness():
    model = make_model().train()
    first, again, other = (model(make_batch(noise=n)) for n in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    model.eval()
    assert torch.equal(model(make_batch(noise=1)), model(make_batch(noise=2)))


def test_seed_fixes_the_weights():
    def weights(seed):
        return torch.cat([p.flatten() for p in IGMC(ModelConfig(), n_levels=5, seed=seed).parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_arr_penalty_by_hand():
    model = IGMC(ModelConfig(layers=(4,)), n_levels=3)
    w = torch.einsum("rb,bio->rio", model.convs[0].comp, model.convs[0].weight)
    expected = (w[1] - w[0]).square().sum() + (w[2] - w[1]).square().sum()
    torch.testing.assert_close(model.arr_penalty(), expected)


def test_arr_penalty_of_a_single_level_is_zero():
    assert IGMC(ModelConfig(), n_levels=1).arr_penalty() == 0


def test_side_features_reach_the_answer():
    model = IGMC(ModelConfig(side_features=True), n_levels=5, side_width=3).eval()
    batch = make_batch()
    zeros, ones = (replace(batch, side=torch.full((len(batch), 3), v)) for v in (0.0, 1.0))
    assert not torch.allclose(model(zeros), model(ones))


@pytest.mark.parametrize("backend", ["torch", "fused"])
def test_no_pairs_no_ratings(backend):
    model = make_model().eval()
    model.backend = backend
    assert model(make_batch(pairs=0)).shape == (0,)


def test_fused_refuses_what_it_cannot_do():
    model = make_model().double()
    model.backend = "fused"
    with pytest.raises(ConfigError, match=r"need float32 on a CPU; got 'torch.float64 on cpu'"):
        model(make_batch())


def test_layers_of_different_width():
    batch = make_batch()
    assert torch.isfinite(make_model(layers=(16, 8)).train()(batch)).all()
    with pytest.raises(ConfigError, match=r"fused kernels need layers of one width; got \(16, 8\)"):
        IGMC(ModelConfig(layers=(16, 8)), n_levels=5, backend="fused")


def test_unknown_backend():
    with pytest.raises(ConfigError, match=r"unknown backend.*got 'fast'; allowed: auto, fused, torch"):
        IGMC(ModelConfig(), n_levels=5, backend="fast")


@pytest.mark.parametrize(
    ("made_for", "what"),
    [
        ({"n_levels": 3}, "a level .*got 4; allowed: 0..2"),
        ({"hops": 1}, "a user label .*got 4; allowed: 0..3"),
    ],
)
def test_subgraphs_that_the_model_was_not_made_for(made_for, what):
    model = IGMC(ModelConfig(), **{"n_levels": 5, "hops": 2} | made_for)
    with pytest.raises(DataError, match=what):
        model(make_batch(hops=2))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_cuda_equals_cpu():
    batch, model = make_batch(), make_model().train()
    on_cpu = answers(model, model.convs, batch)
    model.cuda()
    on_gpu = answers(model, model.convs, batch.to("cuda"))
    assert_close({n: v.cpu() for n, v in on_gpu.items()}, on_cpu, 1e-4)


@pytest.mark.parametrize("options", [{"batch_norm": True}, {"edge_weight": "rating"}])
def test_what_the_kernels_lack_takes_the_plain_path_and_is_refused_where_they_are_insisted_on(options):
    config = ModelConfig(**options)
    assert not IGMC(config, n_levels=5)._use_fused(make_batch())
    assert IGMC(ModelConfig(), n_levels=5)._use_fused(make_batch())
    with pytest.raises(ConfigError, match="fused kernels have no batch normalization and no edge weights"):
        IGMC(config, n_levels=5, backend="fused")


def test_edge_weights_that_the_norm_cancels_are_refused():
    with pytest.raises(ConfigError, match=r"no effect under the norm 'relation'.*--norm none or degree"):
        IGMC(ModelConfig(edge_weight="rating", norm="relation"), n_levels=5)


def test_the_new_options_change_no_digest_and_no_state_of_a_network_without_them():
    assert not {"batch_norm", "edge_weight"} & set(ModelConfig().to_dict())
    assert not [name for name in IGMC(ModelConfig(), n_levels=5).state_dict() if "norm" in name]
