"""The RGCN stack on a CPU, written for this job: forward and backward passes over whole subgraphs.

Against message passing on the merged batch it saves the messages (neighbours are summed in registers), the
first layer's products (counts by level and label do), the last layer at all nodes but the two targets and the
one before at all but their neighbours. Subgraphs are independent, so threads share nothing but the weights;
gradients are added in a fixed order, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from igmc.loading.batch import Batch
from igmc.models.dropout import threshold
from igmc.models.fused.passes import Graphs, Messages, Scratch, Weights, backward, forward
from igmc.models.fused.runs import NORM_DEGREE, NORM_NONE, NORM_RELATION
from igmc.models.rgcn import RGCNLayer

__all__ = ["stack_states", "threads"]

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
    first, *rest = list(layers)
    width, n_levels = first.root.size(1), len(first.relation_weights())
    if rest:
        stacked = torch.stack([torch.cat([layer.relation_weights().flatten(0, 1), layer.root]) for layer in rest])
        biases = torch.stack([layer.bias for layer in rest])  # [L - 1, H]
    else:
        stacked = first.root.new_empty(0, (n_levels + 1) * width, width)
        biases = first.root.new_empty(0, width)
    return _FusedStack.apply(  # type: ignore[no-any-return, no-untyped-call]
        batch,
        (NORMS[norm], threshold(edge_dropout), edge_dropout_mode == "both"),
        first.relation_weights().flatten(0, 1),  # [R * labels, H]
        first.root,
        first.bias[None],
        stacked,
        biases,
    )


class _FusedStack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, batch: Batch, options: tuple[int, int, bool], *parameters: Tensor) -> Tensor:
        graphs = Graphs(*(getattr(batch, name).numpy() for name in Graphs._fields))
        weights = Weights(*(p.detach().contiguous().numpy() for p in parameters))
        depth, width = weights.biases.shape
        n_levels = len(weights.first) // len(weights.root)
        n_users, n_items, n_edges = (len(a) for a in (graphs.user_label, graphs.item_label, graphs.edge_item))
        to_users = _messages(len(batch), n_users, n_edges, n_levels, len(weights.root) // 2)
        to_items = _messages(len(batch), n_items, n_edges, n_levels, len(weights.root) // 2)
        states = _rows(max(depth, 1), n_users + n_items, width)
        out = np.empty((len(batch) * 2 * (depth + 1), width), np.float32)
        sizes = _sizes(graphs, n_levels)
        all_rows = np.arange(max(sizes[0], sizes[2]), dtype=np.int32)
        lanes = (0,) * width
        chunks = _chunks(graphs.edge_ptr)
        base = weights.root + weights.bias
        _share(
            len(chunks) - 1,
            lambda low, high: forward(
                lanes,
                chunks[low],
                chunks[high],
                graphs,
                to_users,
                to_items,
                weights,
                base,
                *options,
                np.uint64(batch.noise),
                all_rows,
                _scratch(*sizes, width),
                states,
                out,
            ),
        )
        ctx.kept = graphs, to_users, to_items, weights, options, sizes, all_rows, states, out, chunks
        return torch.from_numpy(out.reshape(len(batch), 2, (depth + 1) * width))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        graphs, to_users, to_items, weights, options, sizes, all_rows, states, out, chunks = ctx.kept
        depth, width = weights.biases.shape
        matrices = weights.stacked.reshape(depth, weights.stacked.shape[1] // width, width, width)
        transposed = np.ascontiguousarray(matrices.transpose(0, 1, 3, 2)).reshape(weights.stacked.shape)
        n = len(chunks) - 1
        grads = Weights(
            np.zeros((n, *weights.first.shape), np.float32),
            np.zeros((n, *weights.root.shape), np.float32),
            np.zeros((n, 1, width), np.float32),
            np.zeros((n, *weights.stacked.shape), np.float32),
            np.zeros((n, depth, 1, width), np.float32),
        )
        d_out = np.ascontiguousarray(grad.numpy()).reshape(out.shape)
        lanes = (0,) * width
        _share(
            n,
            lambda low, high: backward(
                lanes,
                low,
                high,
                chunks,
                graphs,
                to_users,
                to_items,
                weights,
                transposed,
                options[0],
                all_rows,
                _scratch(*sizes, width),
                states,
                out,
                d_out,
                grads,
            ),
        )
        sums = [g.sum(axis=0) for g in grads]
        sums[4] = sums[4].reshape(weights.biases.shape)
        return None, None, *(torch.from_numpy(s) for s in sums)


def _messages(pairs: int, nodes: int, edges: int, levels: int, distances: int) -> Messages:
    lengths = {
        "end": nodes,
        "rows": nodes,
        "count": nodes * levels * distances,
        "level_end": pairs * levels,
        "used_end": pairs * levels,
        "row_count": pairs,
    }
    types = {"weight": np.float32, "count": np.float32, "level": np.uint8}
    return Messages(*(np.empty(lengths.get(f, edges), types.get(f, np.int32)) for f in Messages._fields))


def _sizes(graphs: Graphs, levels: int) -> tuple[int, int, int, int]:
    """The most senders and nodes that a subgraph can have ..."""
    users, items = np.diff(graphs.user_ptr), np.diff(graphs.item_ptr)
    if not len(users):
        return 0, 0, 0, levels
    nodes = np.maximum(users, items)
    senders = int(np.minimum(np.diff(graphs.edge_ptr), levels * nodes).max())
    return senders, int((users + items).max()), int(nodes.max()), levels


def _scratch(senders: int, states: int, nodes: int, levels: int, width: int) -> Scratch:
    return Scratch(
        _rows(senders, width), _rows(nodes, width), _rows(2, states, width), _rows(2, levels + 1, width)
    )


def _rows(*shape: int) -> NDArray[np.float32]:
    """Empty float32 array that begins where a cache line does: a row that spans two more costs a third more."""
    size = math.prod(shape)
    buffer = np.empty(size + 16, np.float32)
    first = -buffer.ctypes.data % 64 // 4
    return buffer[first : first + size].reshape(shape)


def _chunks(edge_ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bounds of runs of subgraphs of about equal work, whatever the number of threads."""
    pairs = len(edge_ptr) - 1
    count = min(MAX_CHUNKS, max(1, pairs // 4))
    work = edge_ptr + 256 * np.arange(pairs + 1)
    bounds = np.searchsorted(work, np.linspace(0, work[-1], count + 1)[1:-1])
    return np.unique(np.concatenate([[0], bounds, [pairs]]))


def _share(count: int, task: Any) -> None:
    """Run ``task(low, high)`` over 0..count, a stretch on each thread.

    The caller only waits: a signal that meets the main thread inside of a kernel would end in a SystemError.
    """
    workers = max(1, min(_threads, count))
    stretches = itertools.pairwise(count * k // workers for k in range(workers + 1))
    for future in [_pool(workers).submit(task, low, high) for low, high in stretches]:
        future.result()


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(workers, thread_name_prefix="igmc-fused")
