"""From a model's parameters to what the kernels read, and from what they write to its gradients."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.models.fused.memory import HugePages, last_kept
from igmc.simd import add, fma, load, number, put, splat, store, sub

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
    """The gradients as the kernels write them, for each of C chunks of subgraphs; or of one, without [C]."""

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


class Bases(NamedTuple):
    """What the relation weights of one layer are made of, or the gradients of it."""

    a: NDArray[np.float32]  # [R, B]; [0, 0] where each relation has a weight of its own
    V: NDArray[np.float32]  # [B, in, H], or [R, in, H]


@kernel
def pack(lanes, parameters, weights):
    """Fill `weights` from `parameters`.

    Args:
        lanes: a tuple of H zeros.
        parameters, weights: `Parameters`, `Weights`.
    """
    H, roots, biases = len(lanes), parameters.roots, parameters.biases
    _mix(lanes, _bases(parameters, 0), weights.first)
    for i in range(len(weights.base)):
        store(weights.base, i, add(load(lanes, roots[0], i), load(lanes, biases[0], 0)))
    for k in range(len(weights.biases)):
        stacked = weights.stacked[k]
        _mix(lanes, _bases(parameters, k + 1), stacked)
        for i in range(H):
            store(stacked, len(stacked) - H + i, load(lanes, roots[k + 1], i))
        store(weights.biases, k, load(lanes, biases[k + 1], 0))
        _transpose(H, stacked, weights.transposed[k])


@inner
def _bases(parameters, k):
    return Bases(parameters.comps[k], parameters.weights[k])


@inner
def _mix(lanes, bases, W):
    """The weight of each relation: ``W_r = sum_b a_rb V_b``, or ``W = V`` without `a`.

    Args:
        bases: `Bases`.
        W: [R * in, H], or longer.
    """
    a, V = bases.a, bases.V
    rows = V.shape[1]
    if len(a) == 0:
        for i in range(len(V) * rows):
            store(W, i, load(lanes, V, i))
    for r in range(len(a)):
        _combine(lanes, a[r], V, W[r * rows : (r + 1) * rows])


@inner
def _combine(lanes, factors, parts, out):
    """``out = sum_c factors_c parts_c``, where `out` and each part is [rows, H]."""
    rows = len(out)
    for i in range(rows):
        z = splat(lanes, 0.0)
        for c in range(len(factors)):
            z = fma(factors[c], load(lanes, parts, c * rows + i), z)
        store(out, i, z)


@inner
def _transpose(H, stacked, transposed):
    """Transpose each of the [H, H] matrices that are stacked."""
    for row in range(len(stacked)):
        top, i = row // H * H, row % H
        for j in range(H):
            put(transposed, (top + j) * H + i, number(stacked, row * H + j))


@kernel
def unpack(lanes, d_weights, parameters, weights, arr_weight, d_parameters):
    """Fill `d_parameters` with the gradients of the parameters; returns the ARR penalty.

    ``ARR = sum_r |W_{r+1} - W_r|^2`` over the relations of all layers. The gradients are those of the loss,
    the sums of `d_weights` over its chunks, and of arr_weight * ARR. All sums run in one order, whatever the
    number of threads.

    Args:
        lanes: a tuple of H zeros.
        d_weights: `Gradients`, of all chunks.
        parameters, weights: `Parameters`, and the `Weights` that `pack` made of them.
        arr_weight: float64.
        d_parameters: `Parameters`.
    """
    H, roots, biases = len(lanes), d_parameters.roots, d_parameters.biases
    arr = _relations_back(
        lanes, d_weights.first, 0, weights.first, _bases(parameters, 0), arr_weight, _bases(d_parameters, 0)
    )
    _sum_chunks(lanes, d_weights.root, 0, len(weights.base), roots[0])
    _sum_chunks(lanes, d_weights.bias, 0, 1, biases[0])
    for k in range(len(weights.biases)):
        W = weights.stacked[k]
        first, root = k * len(W), (k + 1) * len(W) - H
        bases, d_bases = _bases(parameters, k + 1), _bases(d_parameters, k + 1)
        arr += _relations_back(lanes, d_weights.stacked, first, W, bases, arr_weight, d_bases)
        _sum_chunks(lanes, d_weights.stacked, root, H, roots[k + 1])
        _sum_chunks(lanes, d_weights.biases, k, 1, biases[k + 1])
    return arr


@inner
def _sum_chunks(lanes, parts, first, rows, out):
    """To the first `rows` rows of `out`, the sum over c of as many rows of parts[c], from row `first` on."""
    for i in range(rows):
        store(out, i, load(lanes, parts[0], first + i))
    for c in range(1, len(parts)):
        part = parts[c]
        for i in range(rows):
            store(out, i, add(load(lanes, out, i), load(lanes, part, first + i)))


@inner
def _relations_back(lanes, parts, first, W, bases, arr_weight, d_bases):
    """The gradients of the bases that `_mix` made W of, ARR's among them; returns ARR of this layer.

    Args:
        parts, first: where d_W stands, see `_sum_chunks`.
        W, bases, d_bases: [R * in, H] or longer, `Bases`, `Bases`.
    """
    inputs = bases.V.shape[1]
    levels = len(bases.a) if len(bases.a) > 0 else len(bases.V)
    d_W = np.empty((levels * inputs, len(lanes)), np.float32)
    _sum_chunks(lanes, parts, first, len(d_W), d_W)
    arr = _add_arr_back(lanes, W, inputs, arr_weight, d_W)
    _mix_back(lanes, bases, d_W, d_bases)
    return arr


@inner
def _add_arr_back(lanes, W, inputs, arr_weight, d_W):
    """``d_W_r += 2 arr_weight ((W_r - W_{r-1}) - (W_{r+1} - W_r))``; returns ``sum_r |W_{r+1} - W_r|^2``."""
    total, twice = splat(lanes, 0.0), np.float32(2.0 * arr_weight)
    for i in range(len(d_W) - inputs):
        gap = sub(load(lanes, W, i + inputs), load(lanes, W, i))
        total = fma(gap, gap, total)
        store(d_W, i + inputs, fma(twice, gap, load(lanes, d_W, i + inputs)))
        store(d_W, i, fma(-twice, gap, load(lanes, d_W, i)))
    return _across(lanes, total)


@inner
def _mix_back(lanes, bases, d_W, d_bases):
    """The gradients of `_mix`: ``d_a_rb = sum of d_W_r * V_b``, ``d_V_b = sum_r a_rb d_W_r``."""
    a, V = bases.a, bases.V
    rows = V.shape[1]
    if len(a) == 0:
        for i in range(len(d_W)):
            store(d_bases.V, i, load(lanes, d_W, i))
        return
    for b in range(len(V)):
        for r in range(len(a)):
            z = splat(lanes, 0.0)
            for i in range(rows):
                z = fma(load(lanes, d_W, r * rows + i), load(lanes, V, b * rows + i), z)
            d_bases.a[r, b] = _across(lanes, z)
        _combine(lanes, a[:, b], d_W, d_bases.V[b])


@inner
def _across(lanes, row):
    """The sum of a row's elements."""
    place, total = np.empty((1, len(lanes)), np.float32), np.float32(0.0)
    store(place, 0, row)
    for i in range(len(lanes)):
        total += number(place, i)
    return total
