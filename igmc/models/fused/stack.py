"""The RGCN stack on a CPU, written for this job: forward and backward passes over whole subgraphs.

Against message passing on the merged batch it computes each sender's message once, not once an edge, saves
the first layer's products (counts by level and label do), the last layer at all nodes but the two targets and
the one before at all but their neighbours. Subgraphs are independent: each goes through all layers, and back,
in the cache of one core, and threads share nothing but the weights. Gradients are added in a fixed order, so
the result does not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.loading.batch import Batch
from igmc.models.dropout import threshold
from igmc.models.fused.arena import ARENA
from igmc.models.fused.head import NO_HEAD, Head, head_gradients, make_head
from igmc.models.fused.passes import backward, forward
from igmc.models.fused.runs import NORM_DEGREE, NORM_NONE, NORM_RELATION
from igmc.models.fused.scratch import Graphs, Weights, make_scratch
from igmc.models.rgcn import RGCNLayer

__all__ = ["gradients", "stack_states", "threads"]

Options = tuple[int, int, bool]  # norm, threshold of the edge dropout, whether it is one for both directions

NORMS = {"none": NORM_NONE, "relation": NORM_RELATION, "degree": NORM_DEGREE}
MAX_CHUNKS = 32  # gradient buffers a batch


_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(count: int | None = None) -> Iterator[None]:
    """Give the cores to these kernels: `count` threads here (all cores if None), one thread in torch.

    Without it torch's own threads go on spinning after each small operation, and take a core from the
    kernels: measured at half the speed on two cores.
    """
    global _threads
    before, torch_before = _threads, torch.get_num_threads()
    _threads = count or _threads
    torch.set_num_threads(1)
    try:
        yield
    finally:
        _threads = before
        torch.set_num_threads(torch_before)


def stack_states(
    layers: Sequence[RGCNLayer], batch: Batch, *, norm: str, edge_dropout: float, edge_dropout_mode: str
) -> Tensor:
    """All layers' outputs at the two targets of each pair, float32 [P, 2, layers * H].

    The same function as `igmc.models.rgcn.stack_states`; see there. All layers have the width H.
    """
    options = NORMS[norm], threshold(edge_dropout), edge_dropout_mode == "both"
    return _States.apply(batch, options, *_parameters(layers))  # type: ignore[no-any-return, no-untyped-call]


def gradients(
    layers: Sequence[RGCNLayer],
    lin1: nn.Linear,
    lin2: nn.Linear,
    batch: Batch,
    *,
    arr_weight: float,
    norm: str,
    edge_dropout: float,
    edge_dropout_mode: str,
    mlp_dropout: float,
) -> tuple[Tensor, Tensor]:
    """Set the gradients of the training loss on all parameters; see `igmc.models.igmc.IGMC.gradients`.

    Each subgraph goes all the way forth and back while the cache holds it, so that neither its messages nor
    its states are written to memory. The rest is in closed form: for batches of 50, autograd's bookkeeping
    took a fifth of a step.
    """
    options = NORMS[norm], threshold(edge_dropout), edge_dropout_mode == "both"
    with torch.no_grad():
        job = _Job(batch, options, _parameters(layers))
        states, width = 2 * len(job.weights.biases) + 2, job.out.shape[1]
        head = make_head(
            batch,
            width,
            states * width,
            lin1.weight,
            lin1.bias,
            lin2.weight,
            lin2.bias,
            threshold(mlp_dropout),
        )
        first, root, bias, stacked, biases = job.backward(head, np.empty_like(job.out))
        x = torch.from_numpy(job.out).view(len(batch), -1)
        lin1.weight.grad, lin1.bias.grad, lin2.weight.grad, lin2.bias.grad = head_gradients(batch, head, x)
        arr = _set_layers(layers[:1], job.weights.first[None], first[None], root[None], bias, arr_weight)
        if len(layers) > 1:
            rows = stacked.size(1) - width
            arr += _set_layers(
                layers[1:],
                job.weights.stacked[:, :rows],
                stacked[:, :rows],
                stacked[:, rows:],
                biases,
                arr_weight,
            )
        return torch.from_numpy(head.error).square().mean(), arr


def _set_layers(
    layers: Sequence[RGCNLayer],
    weights: NDArray[np.float32],
    d_weights: Tensor,
    d_roots: Tensor,
    d_biases: Tensor,
    arr_weight: float,
) -> Tensor:
    """Set the gradients of layers of one shape, from those of their relations' weights [L, R * in, out].

    Adds those of arr_weight * ARR, and returns ARR.
    """
    n_layers = len(layers)
    bases: list[Tensor] = [layer.weight for layer in layers]
    n_levels = len(bases[0]) if layers[0].comp is None else len(layers[0].comp)
    d = d_weights.reshape(n_layers, n_levels, -1)
    steps = torch.from_numpy(weights).reshape(n_layers, n_levels, -1).diff(dim=1)
    d[:, 1:].add_(steps, alpha=2.0 * arr_weight)
    d[:, :-1].sub_(steps, alpha=2.0 * arr_weight)
    comps: list[Tensor] = [layer.comp for layer in layers if layer.comp is not None]
    if comps:
        d_comps = d @ torch.stack(bases).flatten(2).mT
        d = torch.stack(comps).mT @ d
        for k, comp in enumerate(comps):
            comp.grad = d_comps[k]
    for k, layer in enumerate(layers):
        layer.weight.grad, layer.root.grad, layer.bias.grad = (
            d[k].view_as(layer.weight),
            d_roots[k],
            d_biases[k],
        )
    return steps.square().sum()


def _parameters(layers: Sequence[RGCNLayer]) -> tuple[Tensor, ...]:
    """The layers' parameters as `Weights` has them."""
    first, *rest = list(layers)
    width, relations = first.root.size(1), first.relation_weights()  # [R, labels, H]
    if rest:
        weights, comps = torch.stack([layer.weight for layer in rest]), [layer.comp for layer in rest]
        if first.comp is not None:
            weights = torch.stack([c for c in comps if c is not None]) @ weights.flatten(2)
        roots = torch.stack([layer.root for layer in rest])
        stacked = torch.cat([weights.view(len(rest), -1, width), roots], dim=1)
        biases = torch.stack([layer.bias for layer in rest])
    else:
        stacked = first.root.new_empty(0, (len(relations) + 1) * width, width)
        biases = first.root.new_empty(0, width)
    return relations.flatten(0, 1), first.root, first.bias[None], stacked, biases


class _States(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, batch: Batch, options: Options, *parameters: Tensor) -> Tensor:
        job = _Job(batch, options, parameters)
        job.forward()
        ctx.job = job
        depth, width = job.weights.biases.shape
        return torch.from_numpy(job.out).view(len(batch), 2, (depth + 1) * width)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        job: _Job = ctx.job
        d_out = np.ascontiguousarray(grad.numpy()).reshape(job.out.shape)
        return None, None, *job.backward(NO_HEAD, d_out)


class _Job:
    """The kernels' arguments for one batch."""

    def __init__(self, batch: Batch, options: Options, parameters: Sequence[Tensor]) -> None:
        self.graphs = Graphs(*(getattr(batch, name).numpy() for name in Graphs._fields))
        self.weights = Weights(*(p.detach().contiguous().numpy() for p in parameters))
        self.options, self.key = options, np.uint64(batch.noise)
        depth, width = self.weights.biases.shape
        self.base = self.weights.root + self.weights.bias
        self.out = np.empty((len(batch) * 2 * (depth + 1), width), np.float32)

    def forward(self) -> None:
        def task(counter: NDArray[np.int64]) -> None:
            lanes, scratch = (0,) * self.out.shape[1], make_scratch(self.graphs, self.weights)
            forward(
                lanes, counter, chunks, self.graphs, self.weights, self.base, *self.options,
                self.key, scratch, self.out,
            )  # fmt: skip

        chunks = _chunks(self.graphs.edge_ptr)
        _share(len(chunks) - 1, task)

    def backward(self, head: Head, d_out: NDArray[np.float32]) -> tuple[Tensor, ...]:
        """The gradients of the stack's parameters."""

        def task(counter: NDArray[np.int64]) -> None:
            lanes, scratch = (0,) * self.out.shape[1], make_scratch(self.graphs, self.weights)
            backward(
                lanes, counter, chunks, self.graphs, self.weights, self.base, transposed, *self.options,
                self.key, head, scratch, self.out, d_out, grads,
            )  # fmt: skip

        chunks, stacked = _chunks(self.graphs.edge_ptr), self.weights.stacked
        depth, rows, width = stacked.shape
        matrices = stacked.reshape(depth, rows // width, width, width)
        transposed = np.ascontiguousarray(matrices.transpose(0, 1, 3, 2)).reshape(stacked.shape)
        shapes = self.weights._replace(biases=self.weights.biases[:, None])
        ARENA.reset()
        grads = Weights(*(ARENA.empty((len(chunks) - 1, *w.shape)) for w in shapes))
        _share(len(chunks) - 1, task)
        sums = Weights(*(g.sum(axis=0) for g in grads))
        return tuple(torch.from_numpy(g) for g in sums._replace(biases=sums.biases[:, 0]))


def _chunks(edge_ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bounds of runs of subgraphs of about equal work, whatever the number of threads."""
    pairs = len(edge_ptr) - 1
    count = min(MAX_CHUNKS, max(1, pairs // 2))
    work = edge_ptr + 256 * np.arange(pairs + 1)
    bounds: NDArray[np.int64] = np.searchsorted(work, work[-1] * np.arange(count + 1) / count)
    return bounds


def _share(count: int, task: Callable[[NDArray[np.int64]], None]) -> None:
    """Run ``task(counter)`` on each thread; together they take the chunks 0..count-1 from the counter.

    The caller only waits: a signal that meets the main thread inside of a kernel would end in a SystemError.
    """
    workers, counter = max(1, min(_threads, count)), np.zeros(1, np.int64)
    for future in [_pool(workers).submit(task, counter) for _ in range(workers)]:
        future.result()


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="igmc-fused")
