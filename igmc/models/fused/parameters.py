"""From a model's parameters to what the kernels read, and from what they write to its gradients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.models.fused.memory import HugePages, last_kept
from igmc.models.fused.simd import add, fma, load, number, put, splat, store, sub

Arrays = tuple[NDArray[np.float32], ...]


class Sizes(NamedTuple):
    """The sizes that all shapes follow from."""

    levels: int  # R
    labels: int
    width: int  # H
    depth: int  # layers after the first


class Parameters(NamedTuple):
    """What each `igmc.models.rgcn.RGCNLayer` has, first to last, or the gradients of it."""

    comps: Arrays  # [R, B]; [0, 0] where a layer has no bases
    weights: Arrays  # [B, in, H], or [R, in, H]
    roots: Arrays  # [in, H]
    biases: Arrays  # [H]


class Weights(NamedTuple):
    """The parameters as the kernels read them."""

    first: NDArray[np.float32]  # [R * labels, H]
    base: NDArray[np.float32]  # [labels, H], the first layer's root weight, its bias added to each row
    stacked: NDArray[np.float32]  # [L - 1, (R + 1) * H, H], relations and root
    transposed: NDArray[np.float32]  # [L - 1, (R + 1) * H, H], each of these matrices transposed
    biases: NDArray[np.float32]  # [L - 1, H]


class Gradients(NamedTuple):
    """The gradients as the kernels write them, for each of C chunks of subgraphs."""

    first: NDArray[np.float32]  # [C, R * labels, H]
    root: NDArray[np.float32]  # [C, labels, H]
    bias: NDArray[np.float32]  # [C, 1, H]
    stacked: NDArray[np.float32]  # [C, L - 1, (R + 1) * H, H]
    biases: NDArray[np.float32]  # [C, L - 1, 1, H]


def sizes_of(parameters: Parameters) -> Sizes:
    """The sizes of a model's layers."""
    comp, weight = parameters.comps[0], parameters.weights[0]
    bases, labels, width = weight.shape
    return Sizes(len(comp) or bases, labels, width, len(parameters.weights) - 1)


@last_kept
def make_weights(sizes: Sizes) -> Weights:
    """Room for the weights, this thread's own."""
    levels, labels, width, depth = sizes
    empty = HugePages().empty
    return Weights(
        first=empty((levels * labels, width)),
        base=empty((labels, width)),
        stacked=empty((depth, (levels + 1) * width, width)),
        transposed=empty((depth, (levels + 1) * width, width)),
        biases=empty((depth, width)),
    )


@last_kept
def make_gradients(sizes: Sizes, chunks: int) -> Gradients:
    """Room for the gradients, this thread's own."""
    levels, labels, width, depth = sizes
    empty = HugePages().empty
    return Gradients(
        first=empty((chunks, levels * labels, width)),
        root=empty((chunks, labels, width)),
        bias=empty((chunks, 1, width)),
        stacked=empty((chunks, depth, (levels + 1) * width, width)),
        biases=empty((chunks, depth, 1, width)),
    )


@kernel
def pack(like, parameters, weights):
    """Fill `weights` from `parameters`."""
    width = len(like)
    _mix(like, parameters.comps[0], parameters.weights[0], weights.first)
    for i in range(len(weights.base)):
        store(weights.base, i, add(load(like, parameters.roots[0], i), load(like, parameters.biases[0], 0)))
    for k in range(len(weights.biases)):
        stacked, transposed = weights.stacked[k], weights.transposed[k]
        _mix(like, parameters.comps[k + 1], parameters.weights[k + 1], stacked)
        root = len(stacked) - width
        for i in range(width):
            store(stacked, root + i, load(like, parameters.roots[k + 1], i))
        store(weights.biases, k, load(like, parameters.biases[k + 1], 0))
        for row in range(len(stacked)):
            top, i = row // width * width, row % width
            for j in range(width):
                put(transposed, (top + j) * width + i, number(stacked, row * width + j))


@inner
def _mix(like, comp, basis, out):
    """The weight of each relation, [R * in, H], from the bases, [B, in, H]."""
    bases, rows = basis.shape[0], basis.shape[1]
    if len(comp) == 0:
        for i in range(bases * rows):
            store(out, i, load(like, basis, i))
    for r in range(len(comp)):
        _combine(like, comp, r * bases, 1, bases, basis, rows, out, r)


@inner
def _combine(like, factors, first, step, count, parts, rows, out, at):
    """To matrix `at` of `out`, the sum over c of factors[first + c * step] times matrix c of `parts`."""
    for i in range(rows):
        z = splat(like, 0.0)
        for c in range(count):
            z = fma(number(factors, first + c * step), load(like, parts, c * rows + i), z)
        store(out, at * rows + i, z)


@kernel
def unpack(like, gradients, parameters, weights, arr_weight, out):
    """Fill `out`, gradients shaped as `parameters`, from the sums over the chunks; returns the ARR penalty.

    Adds the gradients of arr_weight * ARR. All sums run in one order, whatever the number of threads.
    """
    chunks, depth, rows = len(gradients.first), len(weights.biases), weights.stacked.shape[1]
    n_relations, n_labels = len(weights.first), len(weights.base)
    arr = _relations_back(
        like, gradients.first, 0, n_relations, chunks, weights.first, parameters.comps[0],
        parameters.weights[0], arr_weight, out.comps[0], out.weights[0],
    )  # fmt: skip
    _sum(like, gradients.root, 0, n_labels, chunks, n_labels, out.roots[0])
    _sum(like, gradients.bias, 0, 1, chunks, 1, out.biases[0])
    for k in range(depth):
        first, root = k * rows, rows - len(like)
        arr += _relations_back(
            like, gradients.stacked, first, depth * rows, chunks, weights.stacked[k], parameters.comps[k + 1],
            parameters.weights[k + 1], arr_weight, out.comps[k + 1], out.weights[k + 1],
        )  # fmt: skip
        _sum(like, gradients.stacked, first + root, depth * rows, chunks, len(like), out.roots[k + 1])
        _sum(like, gradients.biases, k, depth, chunks, 1, out.biases[k + 1])
    return arr


@inner
def _sum(like, parts, first, step, chunks, rows, out):
    """To out[i], the sum over c of row first + c * step + i of `parts`."""
    for i in range(rows):
        store(out, i, load(like, parts, first + i))
    for c in range(1, chunks):
        for i in range(rows):
            store(out, i, add(load(like, out, i), load(like, parts, first + c * step + i)))


@inner
def _relations_back(like, parts, first, step, chunks, weight, comp, basis, arr_weight, d_comp, d_basis):
    """The gradients of the parameters that `_mix` made `weight` from, ARR's among them; returns ARR."""
    bases, rows = basis.shape[0], basis.shape[1]
    levels = len(comp) if len(comp) > 0 else bases
    d_weight = np.empty((levels * rows, len(like)), np.float32)
    _sum(like, parts, first, step, chunks, levels * rows, d_weight)
    total, twice = splat(like, 0.0), np.float32(2.0 * arr_weight)
    for i in range((levels - 1) * rows):
        gap = sub(load(like, weight, i + rows), load(like, weight, i))
        total = fma(gap, gap, total)
        store(d_weight, i + rows, fma(twice, gap, load(like, d_weight, i + rows)))
        store(d_weight, i, fma(-twice, gap, load(like, d_weight, i)))
    if len(comp) == 0:
        for i in range(levels * rows):
            store(d_basis, i, load(like, d_weight, i))
    else:
        _unmix(like, levels, bases, rows, comp, basis, d_weight, d_comp, d_basis)
    return _across(like, total)


@inner
def _unmix(like, levels, bases, rows, comp, basis, d_weight, d_comp, d_basis):
    for b in range(bases):
        for r in range(levels):
            z = splat(like, 0.0)
            for i in range(rows):
                z = fma(load(like, d_weight, r * rows + i), load(like, basis, b * rows + i), z)
            put(d_comp, r * bases + b, _across(like, z))
        _combine(like, comp, b, bases, levels, d_weight, rows, d_basis, b)


@inner
def _across(like, row):
    """The sum of a row's elements."""
    place, total = np.empty((1, len(like)), np.float32), np.float32(0.0)
    store(place, 0, row)
    for i in range(len(like)):
        total += number(place, i)
    return total
