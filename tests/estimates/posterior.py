"""The posterior of one row's vector by dense algebra, against which the sampler is held."""

import numpy as np
from scipy import sparse


def problem(seed=0, *, rows=3, others=7, width=4):
    rng = np.random.default_rng(seed)
    matrix = sparse.random_array((rows, others), density=0.7, rng=rng, format="csr", dtype=np.float64)
    matrix.sort_indices()
    other, expected = rng.normal(size=(others, width)), rng.normal(size=(rows, width))
    root = rng.normal(size=(width, width))
    return matrix, other, expected, root @ root.T + np.eye(width)


def dense_posterior(matrix, other, expected, precision, alpha, row):
    """Mean and covariance of one row by the textbook's formula."""
    near = matrix[[row]].indices
    design = np.column_stack([other[near, :-1], np.ones(len(near))])
    left = matrix[[row]].data - other[near, -1]
    covariance = np.linalg.inv(precision + alpha * design.T @ design)
    return covariance @ (precision @ expected[row] + alpha * design.T @ left), covariance
