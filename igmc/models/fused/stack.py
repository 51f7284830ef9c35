"""The RGCN stack on a CPU, written for this job: forward and backward passes over whole subgraphs.

Against message passing on the merged batch it computes each sender's message once, not once an edge, saves
the first layer's products (counts by level and label do), the last layer at all nodes but the two targets and
the one before at all but their neighbours. Subgraphs are independent: each goes through all layers, and back,
in the cache of one core, and threads write to places of their own. Gradients are added in a fixed order, so
the result does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.loading import Batch
from igmc.models.dropout import threshold
from igmc.models.fused.head import NO_HEAD, Head, head_gradients, make_head
from igmc.models.fused.parameters import (
    Parameters,
    Weights,
    make_gradients,
    make_weights,
    pack,
    sizes_of,
    unpack,
)
from igmc.models.fused.passes import backward, forward
from igmc.models.fused.runs import NORM_DEGREE, NORM_NONE, NORM_RELATION
from igmc.models.fused.scratch import Graphs, make_scratch
from igmc.models.rgcn import RGCNLayer
from igmc.threads import cores, pool

__all__ = ["gradients", "stack_states", "threads"]

P = ParamSpec("P")
T = TypeVar("T")
Options = tuple[int, int, bool]  # norm, threshold of the edge dropout, whether it is one for both directions

NORMS = {"none": NORM_NONE, "relation": NORM_RELATION, "degree": NORM_DEGREE}
MAX_CHUNKS = 32  # gradient buffers a batch
LEADERS = 2  # one, and another for as long as an interrupt left the first one busy


_threads = cores()


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
    return _States.apply(batch, options, *_tensors(layers))  # type: ignore[no-any-return, no-untyped-call]


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
    tensors = _tensors(layers)
    with torch.no_grad():
        job = _Job(batch, options, tensors)
        width = job.sizes.width
        head = make_head(batch, width, 2 * len(layers) * width, lin1, lin2, threshold(mlp_dropout))
        grads, arr = _away(job.backward, head, np.empty_like(job.out), float(arr_weight))
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
    def forward(ctx: Any, batch: Batch, options: Options, *tensors: Tensor) -> Tensor:
        ctx.batch, ctx.options = batch, options
        ctx.save_for_backward(*tensors)
        job = _Job(batch, options, tensors)
        _away(job.forward)
        return torch.from_numpy(job.out).view(len(batch), 2, (job.sizes.depth + 1) * job.sizes.width)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        job = _Job(ctx.batch, ctx.options, ctx.saved_tensors)
        d_out = np.ascontiguousarray(grad.numpy()).reshape(job.out.shape)
        return None, None, *_away(job.backward, NO_HEAD, d_out, 0.0)[0]


class _Job:
    """The kernels' arguments for one batch."""

    def __init__(self, batch: Batch, options: Options, tensors: Sequence[Tensor]) -> None:
        self.graphs = Graphs(*(getattr(batch, name).numpy() for name in Graphs._fields))
        self.parameters = _parameters(tensors)
        self.sizes = sizes_of(self.parameters)
        self.options, self.key = options, np.uint64(batch.noise)
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
            forward(
                self.lanes, counter, self.chunks, self.graphs, weights, *self.options, self.key, scratch,
                self.out,
            )  # fmt: skip

        weights = self._pack()
        _share(len(self.chunks) - 1, task)

    def backward(
        self, head: Head, d_out: NDArray[np.float32], arr_weight: float
    ) -> tuple[list[Tensor], float]:
        """Fill `out`; returns the gradients of the tensors, arr_weight * ARR's among them, and ARR."""

        def task(counter: NDArray[np.int64]) -> None:
            scratch = make_scratch(self.sizes, *self.largest)
            backward(
                self.lanes, counter, self.chunks, self.graphs, weights, *self.options, self.key, head,
                scratch, self.out, d_out, grads,
            )  # fmt: skip

        weights, grads = self._pack(), make_gradients(self.sizes, len(self.chunks) - 1)
        _share(len(self.chunks) - 1, task)
        found = Parameters(*(tuple(np.empty_like(a) for a in arrays) for arrays in self.parameters))
        arr = unpack(self.lanes, grads, self.parameters, weights, arr_weight, found)
        return [torch.from_numpy(a) for arrays in found for a in arrays if a.size], arr

    def _pack(self) -> Weights:
        weights = make_weights(self.sizes)
        pack(self.lanes, self.parameters, weights)
        return weights


def _chunks(edge_ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bounds of runs of subgraphs of about equal work, whatever the number of threads."""
    pairs = len(edge_ptr) - 1
    count = min(MAX_CHUNKS, max(1, pairs // 2))
    work = edge_ptr + 256 * np.arange(pairs + 1)
    bounds: NDArray[np.int64] = np.searchsorted(work, work[-1] * np.arange(count + 1) / count)
    return bounds


def _away(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of ``work(...)`` on a leader's thread, while this one only waits.

    A signal that meets the main thread inside of a kernel would end in a SystemError. And what an interrupt
    leaves behind keeps its leader, and so the leader's memory, until it ends.
    """
    return pool("fused", LEADERS).submit(work, *args, **kwargs).result()


def _share(count: int, task: Callable[[NDArray[np.int64]], None]) -> None:
    """Run ``task(counter)`` here and on helpers; they share the chunks 0..count-1, taken from the counter.

    Returns or raises when all have ended, as what they write to is used again.
    """
    counter, futures = np.zeros(1, np.int64), []
    try:
        for _ in range(min(_threads, count) - 1):
            futures.append(pool("fused-helper", MAX_CHUNKS - 1).submit(task, counter))
        task(counter)
    finally:
        begun = [future for future in futures if not future.cancel()]
        wait(begun)
    for future in begun:
        future.result()
