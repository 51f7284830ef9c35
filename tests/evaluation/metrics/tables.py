"""Scores and sparse tables of pairs, for tests of rankings."""

import numpy as np
from scipy import sparse


def table(rows, shape):
    """CSR of {user: {item: value}}; a value of 0 is stored like any other."""
    triples = [(user, item, value) for user, row in rows.items() for item, value in row.items()]
    user, item, value = (np.array(column) for column in zip(*triples, strict=True)) if triples else ([],) * 3
    return sparse.csr_array((value, (np.array(user, int), np.array(item, int))), shape=shape)


def drawn(seed, *, levels, users=6, items=12):
    """Scores, with few different values unless levels is 0, seen pairs, and relevant pairs with ratings."""
    generator = np.random.default_rng(seed)
    if levels:
        scores = generator.integers(-levels, levels + 1, (users, items)).astype(np.float32) / 2
    else:
        scores = generator.normal(size=(users, items)).astype(np.float32)
    state = generator.choice(3, size=(users, items), p=[0.5, 0.2, 0.3])  # nothing, seen, relevant
    seen, relevant = (state == 1) * 1.0, (state == 2) * generator.integers(1, 6, (users, items))
    return scores, sparse.csr_array(seen), sparse.csr_array(relevant)
