"""The RGCN stack on a CPU: the bits do not depend on threads, nor on what runs beside or came before."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from igmc.models.fused import stack
from igmc.threads import cores
from tests.models.networks import answers, assert_close, make_batch, make_model


@pytest.mark.parametrize("n_levels", [1, 2, 71])
@pytest.mark.parametrize("layers", [(32,), (32, 32), (8, 8, 8), (8, 8, 8, 8, 8)])
def test_fused_equals_torch_for_any_depth_width_and_number_of_levels(n_levels, layers):
    """Odd widths: `test_layers`."""
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
        results.append(found | {f"step.{n}": p.grad.clone() for n, p in model.named_parameters()})
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
from tests.models.networks import make_batch, make_model

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
    right = {name: p.grad.clone() for name, p in model.named_parameters()}
    for module, name in ((model.lin1, "weight"), (model.convs[1], "weight"), (model.convs[2], "comp")):
        spread = torch.repeat_interleave(getattr(module, name).detach(), 2, dim=-1)
        setattr(module, name, nn.Parameter(spread[..., ::2]))
    model.gradients(batch, 0.1)
    assert all(torch.equal(p.grad, right[name]) for name, p in model.named_parameters())


@pytest.mark.parametrize("asked", [3, 1, None])
def test_a_model_runs_in_as_many_threads_as_it_is_told(asked, monkeypatch):
    taken, share = [], stack._share

    def note(threads, count, task):
        taken.append(threads)
        share(threads, count, task)

    monkeypatch.setattr(stack, "_share", note)
    model, batch = make_model(threads=asked).train(), make_batch()
    answers(model, model.convs, batch)
    model.gradients(batch, 0.1)
    assert taken == [asked or cores()] * 3, "forward, backward, and both at once"


def test_no_more_threads_begin_than_there_are_chunks(monkeypatch):
    began = []

    def task(counter) -> None:
        began.append(threading.get_ident())
        time.sleep(0.1)

    stack._share(8, 2, task)
    assert 1 <= len(began) == len(set(began)) <= 2
