"""Eight small systems of linear equations at once, one in each lane of a vector.

A matrix is float32 [D * D, 8]: element (k, m) of all eight stands in row k * D + m, of which only those with
m <= k are read or written. A right-hand side is float32 [D, 8].
"""

from __future__ import annotations

from igmc.compiled import inner
from igmc.simd import div, fma, larger, load, mul, splat, sqrt, store, sub

__all__ = ["LANES", "LEAST_PIVOT", "back_substitute", "factorize", "forward_substitute"]

LANES = (0,) * 8  # as wide as AVX2
LEAST_PIVOT = 1e-6  # of a matrix that rounding has made no longer positive definite


@inner
def factorize(A, width):
    """Cholesky factors L, in place; the diagonal holds reciprocals."""
    one, least = splat(LANES, 1.0), splat(LANES, LEAST_PIVOT)
    for j in range(width):
        squares = splat(LANES, 0.0)
        for k in range(j):
            x = load(LANES, A, j * width + k)
            squares = fma(x, x, squares)
        pivot = larger(sub(load(LANES, A, j * width + j), squares), least)
        reciprocal = div(one, sqrt(pivot))
        store(A, j * width + j, reciprocal)
        for i in range(j + 1, width):
            products = splat(LANES, 0.0)
            for k in range(j):
                products = fma(load(LANES, A, i * width + k), load(LANES, A, j * width + k), products)
            store(A, i * width + j, mul(sub(load(LANES, A, i * width + j), products), reciprocal))


@inner
def forward_substitute(A, b, width):
    """``b <- L^-1 b``."""
    for i in range(width):
        products = splat(LANES, 0.0)
        for k in range(i):
            products = fma(load(LANES, A, i * width + k), load(LANES, b, k), products)
        store(b, i, mul(sub(load(LANES, b, i), products), load(LANES, A, i * width + i)))


@inner
def back_substitute(A, b, width):
    """``b <- L'^-1 b``."""
    for i in range(width - 1, -1, -1):
        products = splat(LANES, 0.0)
        for k in range(i + 1, width):
            products = fma(load(LANES, A, k * width + i), load(LANES, b, k), products)
        store(b, i, mul(sub(load(LANES, b, i), products), load(LANES, A, i * width + i)))
