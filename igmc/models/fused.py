"""The RGCN stack on a CPU, written for this job: forward and backward passes over whole subgraphs.

Against message passing on the merged batch it saves the messages (neighbours are summed in registers), the
first layer's products (counts by level and label do), the last layer at all nodes but the two targets and the
one before at all but their neighbours. Subgraphs are independent, so threads share nothing but the weights;
gradients are added in a fixed order, so the result does not depend on the number of threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.loading.batch import Batch
from igmc.models import fused_kernels as kernels
from igmc.models.dropout import threshold
from igmc.models.simd import add, load, store

__all__ = ["stack_states", "threads"]

NORMS = {"none": kernels.NORM_NONE, "relation": kernels.NORM_RELATION, "degree": kernels.NORM_DEGREE}
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
    layers: nn.ModuleList, batch: Batch, *, norm: str, edge_dropout: float, edge_dropout_mode: str
) -> Tensor:
    """All layers' outputs at the two targets of each pair, float32 [P, 2, layers * H].

    The same function as `igmc.models.rgcn.stack_states`; see there. All layers have the width H.
    """
    first, *rest = list(layers)
    width, n_levels = first.root.size(1), len(first.relation_weights())
    if rest:
        coefficients = torch.stack([_coefficients(layer, n_levels) for layer in rest])  # [L - 1, R, B]
        bases = torch.stack([torch.cat([layer.weight.flatten(0, 1), layer.root]) for layer in rest])
        biases = torch.stack([layer.bias for layer in rest])  # [L - 1, H]
    else:
        coefficients = first.root.new_empty(0, n_levels, 1)
        bases, biases = first.root.new_empty(0, 2 * width, width), first.root.new_empty(0, width)
    return _FusedStack.apply(  # type: ignore[no-any-return]
        batch,
        (NORMS[norm], threshold(edge_dropout), edge_dropout_mode == "both"),
        first.relation_weights().flatten(0, 1),  # [R * labels, H]
        first.root,
        first.bias[None],
        coefficients,
        bases,
        biases,
    )


def _coefficients(layer: Any, n_levels: int) -> Tensor:
    return torch.eye(n_levels) if layer.comp is None else layer.comp


class _Graphs(NamedTuple):
    """A batch as NumPy arrays, as the kernels take it."""

    user_ptr: NDArray[np.int64]
    item_ptr: NDArray[np.int64]
    edge_ptr: NDArray[np.int64]
    user_label: NDArray[np.uint8]
    item_label: NDArray[np.uint8]
    degree: NDArray[np.int32]
    edge_item: NDArray[np.int32]
    edge_level: NDArray[np.uint8]


class _Runs(NamedTuple):
    """The kept edges of a batch grouped by (node, level), from both sides; see `fused_kernels`."""

    user_run: NDArray[np.int32]
    item_run: NDArray[np.int32]
    user_near: NDArray[np.int32]
    item_near: NDArray[np.int32]


class _Weights(NamedTuple):
    """Parameters of all layers as arrays."""

    first: NDArray[np.float32]  # [R * labels, H]
    root: NDArray[np.float32]  # [labels, H]
    bias: NDArray[np.float32]  # [1, H]
    coefficients: NDArray[np.float32]  # [L - 1, R, B]
    bases: NDArray[np.float32]  # [L - 1, (B + 1) * H, H]
    biases: NDArray[np.float32]  # [L - 1, H]


class _FusedStack(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, batch: Batch, options: tuple[int, int, bool], *parameters: Tensor) -> Tensor:
        graphs = _Graphs(*(getattr(batch, name).numpy() for name in _Graphs._fields))
        weights = _Weights(*(p.detach().contiguous().numpy() for p in parameters))
        n_levels, (depth, width) = weights.coefficients.shape[1], weights.biases.shape
        n_users, n_items, n_edges = (len(a) for a in (graphs.user_label, graphs.item_label, graphs.edge_item))
        runs = _Runs(
            np.empty(n_users * n_levels, np.int32),
            np.empty(n_items * n_levels, np.int32),
            np.empty(n_edges, np.int32),
            np.empty(n_edges, np.int32),
        )
        states = np.empty((max(depth, 1), n_users + n_items, width), np.float32)
        out = np.empty((len(batch) * 2 * (depth + 1), width), np.float32)
        lanes = (0,) * width
        chunks = _chunks(graphs.edge_ptr)
        _share(
            len(chunks) - 1,
            lambda low, high: _forward(
                lanes,
                chunks[low],
                chunks[high],
                graphs,
                runs,
                weights,
                *options,
                np.uint64(batch.noise),
                states,
                out,
            ),
        )
        ctx.kept = graphs, runs, weights, options, states, out, chunks
        return torch.from_numpy(out.reshape(len(batch), 2, (depth + 1) * width))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        graphs, runs, weights, options, states, out, chunks = ctx.kept
        depth, width = weights.biases.shape
        n_levels, bases = weights.coefficients.shape[1:]
        stacked = weights.bases.reshape(depth, bases + 1, width, width)
        transposed = np.ascontiguousarray(stacked.transpose(0, 1, 3, 2)).reshape(weights.bases.shape)
        n = len(chunks) - 1
        grads = _Weights(
            np.zeros((n, *weights.first.shape), np.float32),
            np.zeros((n, *weights.root.shape), np.float32),
            np.zeros((n, 1, width), np.float32),
            np.zeros((n, depth, n_levels * bases, width), np.float32),
            np.zeros((n, *weights.bases.shape), np.float32),
            np.zeros((n, depth, 1, width), np.float32),
        )
        d_out = np.ascontiguousarray(grad.numpy()).reshape(out.shape)
        lanes = (0,) * width
        _share(
            n,
            lambda low, high: _backward(
                lanes,
                low,
                high,
                chunks,
                graphs,
                runs,
                weights,
                transposed,
                options[0],
                states,
                out,
                d_out,
                grads,
            ),
        )
        sums = [g.sum(axis=0) for g in grads]
        sums[3] = sums[3].sum(axis=-1).reshape(weights.coefficients.shape)
        sums[5] = sums[5].reshape(weights.biases.shape)
        return None, None, *(torch.from_numpy(s) for s in sums)


def _chunks(edge_ptr: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bounds of runs of subgraphs of about equal work, whatever the number of threads."""
    pairs = len(edge_ptr) - 1
    count = min(MAX_CHUNKS, max(1, pairs // 4))
    work = edge_ptr + 256 * np.arange(pairs + 1)
    bounds = np.searchsorted(work, np.linspace(0, work[-1], count + 1)[1:-1])
    return np.unique(np.concatenate([[0], bounds, [pairs]]))


def _share(count: int, task: Any) -> None:
    """Run ``task(low, high)`` over 0..count, a stretch for each thread; the caller takes the first."""
    threads = min(_threads, count)
    bounds = [count * k // threads for k in range(threads + 1)]
    futures = [
        _pool(threads).submit(task, low, high) for low, high in zip(bounds[1:-1], bounds[2:], strict=True)
    ]
    task(bounds[0], bounds[1])
    for future in futures:
        future.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, threads - 1), thread_name_prefix="igmc-fused")


_jit = njit(nogil=True, cache=True, error_model="numpy")


@_jit
def _forward(lanes, low, high, graphs, runs, weights, norm, limit, both, key, states, out):  # type: ignore[no-untyped-def]
    depth, levels = weights.coefficients.shape[0], weights.coefficients.shape[1]
    labels = len(weights.root)
    for p in range(low, high):
        u0, u1, i0, i1 = (
            graphs.user_ptr[p],
            graphs.user_ptr[p + 1],
            graphs.item_ptr[p],
            graphs.item_ptr[p + 1],
        )
        e0, e1 = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
        user_run, item_run = (
            runs.user_run[u0 * levels : u1 * levels],
            runs.item_run[i0 * levels : i1 * levels],
        )
        user_near, item_near = runs.user_near[e0:e1], runs.item_near[e0:e1]
        kernels.build_runs(
            levels, graphs.degree[u0:u1], i1 - i0, graphs.edge_item[e0:e1], graphs.edge_level[e0:e1], e0,
            key, limit, both, user_run, item_run, user_near, item_near,
        )  # fmt: skip
        user_row, item_row = u0 + i0, u1 + i0
        user_label, item_label = graphs.user_label[u0:u1], graphs.item_label[i0:i1]
        kernels.first_layer(
            lanes, levels, labels, user_run, user_near, user_label, item_label,
            weights.first, weights.root, weights.bias, norm, states[0], user_row,
        )  # fmt: skip
        kernels.first_layer(
            lanes, levels, labels, item_run, item_near, item_label, user_label,
            weights.first, weights.root, weights.bias, norm, states[0], item_row,
        )  # fmt: skip
        user_out, item_out = 2 * p * (depth + 1), (2 * p + 1) * (depth + 1)
        store(out, user_out, load(lanes, states[0], user_row))
        store(out, item_out, load(lanes, states[0], item_row))
        for k in range(depth):
            user_rows, item_rows = _rows(
                depth - k, levels, user_run, user_near, item_run, item_near, u1 - u0, i1 - i0
            )
            if k == depth - 1:
                target, user_to, item_to = out, user_out + k + 1, item_out + k + 1
            else:
                target, user_to, item_to = states[k + 1], user_row, item_row
            kernels.layer(
                lanes, levels, user_rows, user_run, user_near, states[k], user_row, item_row,
                weights.coefficients[k], weights.bases[k], weights.biases[k : k + 1], norm, target, user_to, 1,
            )  # fmt: skip
            kernels.layer(
                lanes, levels, item_rows, item_run, item_near, states[k], item_row, user_row,
                weights.coefficients[k], weights.bases[k], weights.biases[k : k + 1], norm, target, item_to, 1,
            )  # fmt: skip
            if k < depth - 1:
                store(out, user_out + k + 1, load(lanes, target, user_row))
                store(out, item_out + k + 1, load(lanes, target, item_row))


@_jit
def _backward(  # type: ignore[no-untyped-def]
    lanes, low, high, chunks, graphs, runs, weights, transposed, norm, states, out, d_out, grads
):  # fmt: skip
    depth, levels = weights.coefficients.shape[0], weights.coefficients.shape[1]
    labels = len(weights.root)
    for c in range(low, high):
        for p in range(chunks[c], chunks[c + 1]):
            u0, u1, i0, i1 = (
                graphs.user_ptr[p],
                graphs.user_ptr[p + 1],
                graphs.item_ptr[p],
                graphs.item_ptr[p + 1],
            )
            e0, e1 = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
            user_run, item_run = (
                runs.user_run[u0 * levels : u1 * levels],
                runs.item_run[i0 * levels : i1 * levels],
            )
            user_near, item_near = runs.user_near[e0:e1], runs.item_near[e0:e1]
            user_row, item_row, n_users = u0 + i0, u1 + i0, u1 - u0
            user_out, item_out = 2 * p * (depth + 1), (2 * p + 1) * (depth + 1)
            grad = np.zeros((n_users + i1 - i0, len(lanes)), np.float32)
            for k in range(depth - 1, -1, -1):
                d_x = np.zeros_like(grad)
                user_rows, item_rows = _rows(
                    depth - k, levels, user_run, user_near, item_run, item_near, n_users, i1 - i0
                )
                if k == depth - 1:
                    value, user_to, item_to = out, user_out + k + 1, item_out + k + 1
                    slope, user_from, item_from = d_out, user_to, item_to
                else:
                    value, user_to, item_to = states[k + 1], user_row, item_row
                    slope, user_from, item_from = grad, 0, n_users
                kernels.layer_back(
                    lanes, levels, user_rows, user_run, user_near, states[k], user_row, item_row,
                    weights.coefficients[k], transposed[k], norm, value, user_to, 1, slope, user_from, 1,
                    d_x, 0, n_users, grads.coefficients[c, k], grads.bases[c, k], grads.biases[c, k],
                )  # fmt: skip
                kernels.layer_back(
                    lanes, levels, item_rows, item_run, item_near, states[k], item_row, user_row,
                    weights.coefficients[k], transposed[k], norm, value, item_to, 1, slope, item_from, 1,
                    d_x, n_users, 0, grads.coefficients[c, k], grads.bases[c, k], grads.biases[c, k],
                )  # fmt: skip
                store(d_x, 0, add(load(lanes, d_x, 0), load(lanes, d_out, user_out + k)))
                store(d_x, n_users, add(load(lanes, d_x, n_users), load(lanes, d_out, item_out + k)))
                grad = d_x
            if depth == 0:
                store(grad, 0, load(lanes, d_out, user_out))
                store(grad, n_users, load(lanes, d_out, item_out))
            user_label, item_label = graphs.user_label[u0:u1], graphs.item_label[i0:i1]
            kernels.first_layer_back(
                lanes, levels, labels, user_run, user_near, user_label, item_label, norm,
                states[0], user_row, grad, 0, grads.first[c], grads.root[c], grads.bias[c],
            )  # fmt: skip
            kernels.first_layer_back(
                lanes, levels, labels, item_run, item_near, item_label, user_label, norm,
                states[0], item_row, grad, n_users, grads.first[c], grads.root[c], grads.bias[c],
            )  # fmt: skip


@_jit
def _rows(remaining, levels, user_run, user_near, item_run, item_near, n_users, n_items):  # type: ignore[no-untyped-def]
    """The users and items whose state is needed by the `remaining` layers, this one included."""
    if remaining == 1:
        return np.zeros(1, np.int64), np.zeros(1, np.int64)
    if remaining == 2:
        return (
            kernels.needed_rows(levels, item_run, item_near, n_users),
            kernels.needed_rows(levels, user_run, user_near, n_items),
        )
    return np.arange(n_users), np.arange(n_items)
