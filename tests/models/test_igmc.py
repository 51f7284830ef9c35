import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from igmc.config import ExtractConfig, ModelConfig
from igmc.errors import ConfigError, DataError
from igmc.graph.kernel import extract_subgraphs
from igmc.loading.batch import Batch
from igmc.models.fused import stack
from igmc.models.igmc import IGMC
from igmc.models.twin import PyGTwin
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


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("norm", ["none", "relation", "degree"])
@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize(
    "options", [{}, {"bases": None}, {"edge_dropout_mode": "both"}, {"edge_dropout": 0.0}]
)
def test_equals_the_pyg_twin(backend, norm, hops, options):
    batch = make_batch(hops=hops)
    model = make_model(norm=norm, hops=hops, **options).train()
    twin = PyGTwin(model).train()
    model.backend = backend
    assert_close(answers(model, model.convs, batch), answers(twin, twin.convs, batch), 1e-5)


@pytest.mark.parametrize("backend", ["torch", "fused"])
@pytest.mark.parametrize("side_width", [0, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"layers": (5,), "norm": "degree"},
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
    expected = {n: p.grad for n, p in model.named_parameters()} | {"mse": mse.detach(), "arr": arr.detach()}
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


@pytest.mark.parametrize("n_levels", [1, 2, 71])
@pytest.mark.parametrize("layers", [(32,), (32, 32), (16, 16, 16), (8, 8, 8, 8, 8)])
def test_fused_equals_torch_for_any_depth_width_and_number_of_levels(n_levels, layers):
    batch = make_batch(n_levels=n_levels)
    model = make_model(n_levels=n_levels, layers=layers).train()
    model.backend = "fused"
    fused_answers = answers(model, model.convs, batch)
    model.backend = "torch"
    assert_close(fused_answers, answers(model, model.convs, batch), 2e-5)


def test_fused_gradients_do_not_depend_on_the_number_of_threads():
    batch = make_batch(pairs=100)
    model = make_model().train()
    results = []
    for count in (1, 2, 3):
        model.threads = count
        found = answers(model, model.convs, batch)
        model.gradients(batch, 0.1)
        results.append(found | {f"step.{n}": p.grad for n, p in model.named_parameters()})
    for other in results[1:]:
        assert all(torch.equal(other[name], value) for name, value in results[0].items())


def test_work_on_several_models_at_once_does_not_mix():
    models = [make_model().train() for _ in range(4)]
    batches = [make_batch(pairs=100, seed=k) for k in range(4)]
    for seed, model in enumerate(models):
        model.reset_parameters(seed)

    def run(k: int) -> list[dict[str, torch.Tensor]]:
        return [answers(models[k], models[k].convs, batches[k]) for _ in range(10)]

    alone = [run(k)[0] for k in range(len(models))]
    with ThreadPoolExecutor(len(models)) as pool:
        together = list(pool.map(run, range(len(models))))
    for right, found in zip(alone, together, strict=True):
        assert all(torch.equal(other[name], right[name]) for other in found for name in right)


def test_a_later_forward_pass_leaves_an_earlier_one_its_gradients():
    model, batches = make_model().train(), [make_batch(seed=seed) for seed in (1, 2)]
    right = [answers(model, model.convs, batch) for batch in batches]
    losses = [(model(batch) - batch.rating).square().mean() for batch in batches]
    for loss, expected in zip(losses, right, strict=True):
        model.zero_grad()
        loss.backward()
        assert all(torch.equal(p.grad, expected[name]) for name, p in model.convs.named_parameters())


def test_weights_changed_between_forward_and_backward_are_refused():
    model, batch = make_model().train(), make_batch()
    loss = model(batch).square().mean()
    with torch.no_grad():
        model.convs[1].weight.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_an_error_is_raised_when_all_threads_have_ended():
    ended = []

    def task(counter) -> None:
        if threading.current_thread() is threading.main_thread():
            raise MemoryError("no room")
        time.sleep(0.2)
        ended.append(counter)

    with pytest.raises(MemoryError, match="no room"):
        stack._share(3, 8, task)
    before = len(ended)
    time.sleep(0.4)
    assert len(ended) == before


def test_an_error_of_a_helper_is_raised():
    def task(counter) -> None:
        if threading.current_thread() is threading.main_thread():
            time.sleep(0.2)
        else:
            raise MemoryError("no room")

    with pytest.raises(MemoryError, match="no room"):
        stack._share(2, 8, task)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_can_use_the_model():
    script = """
import os
import torch
from tests.models.test_igmc import make_batch, make_model

torch.set_num_threads(1)
model, batch = make_model().eval(), make_batch()
right = model(batch)
child = os.fork()
if not child:
    os._exit(0 if torch.equal(model(batch), right) else 1)
raise SystemExit(os.waitpid(child, 0)[1])
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=120)


def test_weights_of_any_strides():
    model, batch = make_model().train(), make_batch()
    model.gradients(batch, 0.1)
    right = {name: p.grad for name, p in model.named_parameters()}
    for module, name in ((model.lin1, "weight"), (model.convs[1], "weight"), (model.convs[2], "comp")):
        spread = torch.repeat_interleave(getattr(module, name).detach(), 2, dim=-1)
        setattr(module, name, nn.Parameter(spread[..., ::2]))
    model.gradients(batch, 0.1)
    assert all(torch.equal(p.grad, right[name]) for name, p in model.named_parameters())


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


def test_uniform_weights_begin_far_smaller_than_glorot():
    small, large = (
        IGMC(ModelConfig(init=init), n_levels=5, seed=3).layers[1].relation_weights()
        for init in ("uniform", "glorot")
    )
    assert small.abs().max() < 4 * (4 * 32) ** -1.0, "four bases, each factor within 1 / sqrt(4 * 32)"
    assert large.std() > 20 * small.std()
