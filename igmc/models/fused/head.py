"""The MLP over the states of one pair's targets, forward and backward."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.compiled import inner
from igmc.loading import Batch
from igmc.rng import fold
from igmc.simd import add, fma, load, number, put, splat, store

DRAWS = 2**40  # the number of the first draw of `igmc.models.dropout.dropout`


class Head(NamedTuple):
    """The MLP as arrays, its M units padded to a multiple of H, and what it is trained on.

    With `rating` empty there is no head: the gradient of `out` is given.
    """

    offset: NDArray[np.float32]  # [P * M / H, H], bias and side features of each pair
    inward: NDArray[np.float32]  # [2 * L * H * M / H, H], lin1's weight transposed
    outward: NDArray[np.float32]  # [M * 2 * L, H], lin1's weight
    last: NDArray[np.float32]  # [M + 1], lin2's weight and bias
    rating: NDArray[np.float32]  # [P]
    hidden: NDArray[np.float32]  # [P * M / H, H], receives the units after dropout
    d_hidden: NDArray[np.float32]  # [P * M / H, H], and the gradient before their ReLU
    error: NDArray[np.float32]  # [P], and prediction - rating
    units: int  # before padding
    first: int  # number of the first pair in the batch of all ranks
    threshold: int  # of the dropout


_NOTHING, _NO_ROWS = np.empty(0, np.float32), np.empty((0, 1), np.float32)
NO_HEAD = Head(_NO_ROWS, _NO_ROWS, _NO_ROWS, _NOTHING, _NOTHING, _NO_ROWS, _NO_ROWS, _NOTHING, 0, 0, 0)


def make_head(
    batch: Batch, width: int, inputs: int, lin1: nn.Linear, lin2: nn.Linear, threshold: int
) -> Head:
    """The head of a batch; `lin1` takes `inputs` + F features to M units, `lin2` those to the rating."""
    w1, b1, w2, b2 = (p.detach() for p in (lin1.weight, lin1.bias, lin2.weight, lin2.bias))
    units, pairs = len(w1), len(batch)
    padded = units + -units % (2 * width)  # even, as the kernel takes two at a time
    offset = np.zeros((pairs, padded), np.float32)
    offset[:, :units] = b1.numpy()
    if batch.side is not None:
        offset[:, :units] += (batch.side @ w1[:, inputs:].T).numpy()
    outward = np.zeros((padded, inputs), np.float32)
    outward[:units] = w1[:, :inputs].numpy()
    hidden = np.empty((pairs * padded // width, width), np.float32)
    return Head(
        offset.reshape(-1, width),
        np.ascontiguousarray(outward.T).reshape(-1, width),
        outward.reshape(-1, width),
        np.append(w2.numpy(), b2.numpy()),
        batch.rating.numpy(),
        hidden,
        np.empty_like(hidden),
        np.empty(pairs, np.float32),
        units,
        batch.first,
        threshold,
    )


def head_gradients(batch: Batch, head: Head, x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The gradients of lin1's weight and bias and of lin2's, where x [P, inputs] is what the head saw.

    ``d_W_1 = sum_p d_a_p' (x_p, f_p)``; ``d_b_1 = sum_p d_a_p``; ``d_w_2 = sum_p d_p y_p`` and
    ``d_b_2 = sum_p d_p`` with ``d_p = 2 error_p / P``. See `apply_head`.
    """
    pairs, units = len(batch), head.units
    d_hidden = torch.from_numpy(head.d_hidden).view(pairs, -1)[:, :units]
    hidden = torch.from_numpy(head.hidden).view(pairs, -1)[:, :units]
    d = torch.from_numpy(head.error)[None] * (2.0 / pairs)
    x = x if batch.side is None else torch.cat([x, batch.side], dim=1)
    return d_hidden.T @ x, d_hidden.sum(dim=0), d @ hidden, d.sum(dim=1)


@inner
def apply_head(lanes, p, head, key, out, d_out):
    """The prediction error of pair p, and the gradients of ``loss = sum_p error_p^2 / P``.

    With x the states of the pair's targets and f its side features, the M units and the prediction are

        a = W_1 x + b_1 + W_f f                  the last two are `offset`
        y = k max(a, 0)                          k is 0 where dropped, else 1 / (1 - rate)
        error = w_2 y + b_2 - rating

    and the gradients

        d_prediction = 2 error / P
        d_a = d_prediction w_2 k [a > 0]         to `d_hidden`
        d_x = d_a W_1                            to `d_out`

    Args:
        lanes: a tuple of H zeros.
        p: number of the pair.
        head: `Head`.
        key: uint64, of the dropout.
        out: float32 [P * 2 * L, H]; d_out: the same, of which the rows of pair p are written.
    """
    H, pairs = len(lanes), len(head.rating)
    inputs = len(out) // pairs * H
    blocks = len(head.offset) // pairs
    for b in range(blocks):
        a, a1 = load(lanes, head.offset, p * blocks + b), splat(lanes, 0.0)
        for i in range(0, inputs, 2):  # two sums, as each waits for its own last addition
            a = fma(number(out, p * inputs + i), load(lanes, head.inward, i * blocks + b), a)
            a1 = fma(number(out, p * inputs + i + 1), load(lanes, head.inward, (i + 1) * blocks + b), a1)
        store(head.hidden, p * blocks + b, add(a, a1))
    first = p * blocks * H
    scale = np.float32(2.0**32 / (2.0**32 - head.threshold))
    prediction = head.last[head.units]
    for m in range(blocks * H):
        a_m = number(head.hidden, first + m)
        draw = fold(key, np.uint64((head.first + p) * head.units + m + DRAWS)) >> np.uint64(32)
        kept = not a_m <= 0 and m < head.units and draw >= np.uint64(head.threshold)  # NaN stays NaN
        k = scale if kept else np.float32(0.0)
        put(head.hidden, first + m, a_m * k)
        put(head.d_hidden, first + m, k)
    for m in range(head.units):
        prediction += number(head.hidden, first + m) * head.last[m]
    head.error[p] = prediction - head.rating[p]
    d = np.float32(2.0) * head.error[p] / np.float32(pairs)
    for m in range(head.units):
        put(head.d_hidden, first + m, number(head.d_hidden, first + m) * d * head.last[m])
    rows = inputs // H
    for j in range(rows):
        d_x, d_x1 = splat(lanes, 0.0), splat(lanes, 0.0)
        for m in range(0, blocks * H, 2):
            d_a = number(head.d_hidden, first + m)
            d_x = fma(d_a, load(lanes, head.outward, m * rows + j), d_x)
            d_a = number(head.d_hidden, first + m + 1)
            d_x1 = fma(d_a, load(lanes, head.outward, (m + 1) * rows + j), d_x1)
        store(d_out, p * rows + j, add(d_x, d_x1))
