"""The RGCN stack on a CPU, written for this job: forward and backward passes over whole subgraphs.

Against message passing on the merged batch it computes each sender's message once, not once an edge, saves
the first layer's products (counts by level and label do), the last layer at all nodes but the two targets and
the one before at all but their neighbours. Subgraphs are independent: each goes through all layers, and back,
in the cache of one core, and threads write to places of their own. Gradients are added in a fixed order, so
the result does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import wait
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.loading import Batch
from igmc.models.dropout import threshold
from igmc.models.fused.head import NO_HEAD, Head, head_gradients, make_head
from igmc.models.fused.messages import NORM_DEGREE, NORM_NONE, NORM_RELATION, Dropout
from igmc.models.fused.parameters import (
    Parameters,
    make_gradients,
    make_weights,
    pack,
    sizes_of,
    unpack,
)
from igmc.models.fused.passes import backward, forward
from igmc.models.fused.scratch import Work, make_scratch
from igmc.models.rgcn import RGCNLayer
from igmc.threads import away, cores, pool

__all__ = ["gradients", "stack_states"]

Options = tuple[int, int, bool]  # norm, threshold of the edge dropout, whether it is one for both directions

NORMS = {"none": NORM_NONE, "relation": NORM_RELATION, "degree": NORM_DEGREE}
MAX_CHUNKS = 32  # gradient buffers a batch


def stack_states(
    layers: Sequence[RGCNLayer],
    batch: Batch,
    *,
    norm: str,
    edge_dropout: float,
    edge_dropout_mode: str,
    threads: int | None,
) -> Tensor:
    """All layers' outputs at the two targets of each pair, float32 [P, 2, layers * H].

    The same function as `igmc.models.rgcn.stack_states`; see there. All layers have the width H. Forward and
    backward take `threads` threads each, or all cores if None.
    """
    options = NORMS[norm], threshold(edge_dropout), edge_dropout_mode == "both"
    return _States.apply(batch, options, threads, *_tensors(layers))  # type: ignore[no-any-return, no-untyped-call]


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
    threads: int | None,
) -> tuple[Tensor, Tensor]:
    """Set the gradients of the training loss on all parameters; see `igmc.models.igmc.IGMC.gradients`.

    Each subgraph goes all the way forth and back while the cache holds it, so that neither its messages nor
    its states are written to memory. The rest is in closed form: for batches of 50, autograd's bookkeeping
    took a fifth of a step.
    """
    options = NORMS[norm], threshold(edge_dropout), edge_dropout_mode == "both"
    tensors = _tensors(layers)
    with torch.no_grad():
        job = _Job(batch, options, threads, tensors)
        width = job.sizes.width
        head = make_head(batch, width, 2 * len(layers) * width, lin1, lin2, threshold(mlp_dropout))
        grads, arr = away(job.backward, head, np.empty_like(job.out), float(arr_weight))
        for tensor, grad in zip(tensors, grads, strict=True):
            tensor.grad = grad
        x = torch.from_numpy(job.out).view(len(batch), -1)
        lin1.weight.grad, lin1.bias.grad, lin2.weight.grad, lin2.bias.grad = head_gradients(batch, head, x)
        return torch.from_numpy(head.error).square().mean(), torch.tensor(arr)


def _tensors(layers: Sequence[RGCNLayer]) -> list[Tensor]:
    """The layers' parameters in the order of `Parameters`; a layer without bases has no `comp`."""
    comps = [layer.comp for layer in layers if layer.comp is not None]
    return [
        *comps,
        *(layer.weight for layer in layers),
        *(layer.root for layer in layers),
        *(layer.bias for layer in layers),
    ]


def _parameters(tensors: Sequence[Tensor]) -> Parameters:
    """What `_tensors` listed, as the kernels take it."""
    arrays = [tensor.detach().contiguous().numpy() for tensor in tensors]
    count = sum(array.ndim == 1 for array in arrays)  # of layers, as of biases
    comps = arrays[: -3 * count] or [np.empty((0, 0), np.float32)] * count
    return Parameters(
        tuple(comps),
        tuple(arrays[-3 * count : -2 * count]),
        tuple(arrays[-2 * count : -count]),
        tuple(arrays[-count:]),
    )


class _States(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, batch: Batch, options: Options, threads: int | None, *tensors: Tensor) -> Tensor:
        ctx.batch, ctx.options, ctx.threads = batch, options, threads
        ctx.save_for_backward(*tensors)
        job = _Job(batch, options, threads, tensors)
        away(job.forward)
        return torch.from_numpy(job.out).view(len(batch), 2, (job.sizes.depth + 1) * job.sizes.width)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        job = _Job(ctx.batch, ctx.options, ctx.threads, ctx.saved_tensors)
        d_out = np.ascontiguousarray(grad.numpy()).reshape(job.out.shape)
        return None, None, None, *away(job.backward, NO_HEAD, d_out, 0.0)[0]


class _Job:
    """The kernels' arguments for one batch."""

    def __init__(
        self, batch: Batch, options: Options, threads: int | None, tensors: Sequence[Tensor]
    ) -> None:
        self.graphs = batch.arrays
        self.parameters = _parameters(tensors)
        self.sizes = sizes_of(self.parameters)
        self.options = options
        self.dropout = Dropout(*options[1:], np.uint64(batch.noise), batch.edges_before)
        self.threads = threads or cores()
        self.lanes = (0,) * self.sizes.width
        self.chunks = _chunks(self.graphs.edge_ptr)
        self.largest = [
            int(np.diff(ptr).max(initial=0))
            for ptr in (self.graphs.user_ptr, self.graphs.item_ptr, self.graphs.edge_ptr)
        ]
        self.out = np.empty((len(batch) * 2 * (self.sizes.depth + 1), self.sizes.width), np.float32)

    def forward(self) -> None:
        """Fill `out`."""

        def task(counter: NDArray[np.int64]) -> None:
            scratch = make_scratch(self.sizes, *self.largest)
            forward(self.lanes, counter, work, scratch, self.out)

        work = self._work()
        _share(self.threads, len(self.chunks) - 1, task)

    def backward(
        self, head: Head, d_out: NDArray[np.float32], arr_weight: float
    ) -> tuple[list[Tensor], float]:
        """Fill `out`; returns the gradients of the tensors, arr_weight * ARR's among them, and ARR."""

        def task(counter: NDArray[np.int64]) -> None:
            scratch = make_scratch(self.sizes, *self.largest)
            backward(self.lanes, counter, work, head, scratch, self.out, d_out, grads)

        work, grads = self._work(), make_gradients(self.sizes, len(self.chunks) - 1)
        _share(self.threads, len(self.chunks) - 1, task)
        found = Parameters(*(tuple(np.empty_like(a) for a in arrays) for arrays in self.parameters))
        arr = unpack(self.lanes, grads, self.parameters, work.weights, arr_weight, found)
        return [torch.from_numpy(a) for arrays in found for a in arrays if a.size], arr

    def _work(self) -> Work:
        weights = make_weights(self.sizes)
        pack(self.lanes, self.parameters, weights)
        return Work(self.graphs, weights, self.options[0], self.dropout, self.chunks)


def _chunks(edge_ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bounds of runs of subgraphs of about equal work, whatever the number of threads."""
    pairs = len(edge_ptr) - 1
    count = min(MAX_CHUNKS, max(1, pairs // 2))
    work = edge_ptr + 256 * np.arange(pairs + 1)
    bounds: NDArray[np.int64] = np.searchsorted(work, work[-1] * np.arange(count + 1) / count)
    return bounds


def _share(threads: int, count: int, task: Callable[[NDArray[np.int64]], None]) -> None:
    """Run ``task(counter)`` in so many threads, this one and helpers, which share the chunks 0..count-1.

    Each takes the next one from the counter. Returns or raises when all have ended, as what they write to is
    used again.
    """
    counter, futures = np.zeros(1, np.int64), []
    try:
        for _ in range(min(threads, count) - 1):
            futures.append(pool("fused-helper", MAX_CHUNKS - 1).submit(task, counter))
        task(counter)
    finally:
        begun = [future for future in futures if not future.cancel()]
        wait(begun)
    for future in begun:
        future.result()
