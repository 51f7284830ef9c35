"""Shares of neighbours add up to the step, and go with what leaving each of them out does."""

import numpy as np
import pytest

from igmc.loading import NeighbourBatch
from igmc.networks.neighbours.shares import neighbour_shares, without_each
from tests.networks.neighbours.test_scoring import SCORER, VIEW


@pytest.mark.parametrize("pair", [(1, 2), (7, 30), (20, 5)])
def test_shares_add_up_to_the_step(pair):
    _, inputs = SCORER.inputs(VIEW, VIEW, *pair)
    found = neighbour_shares(SCORER.models, inputs)
    step = float(SCORER.models[0].steps(NeighbourBatch.whole(inputs))[0])
    assert len(found.users) == len(inputs.users.node)
    assert len(found.items) == len(inputs.items.node)
    assert found.users.sum() + found.items.sum() + found.alone == pytest.approx(step, abs=2e-3)
    assert np.abs(found.users).max() > 1e-3


def test_shares_go_with_what_leaving_a_neighbour_out_does():
    _, inputs = SCORER.inputs(VIEW, VIEW, 1, 2)
    shares, changes = (f(SCORER.models, inputs) for f in (neighbour_shares, without_each))
    assert shares.alone == pytest.approx(changes.alone, abs=1e-5)
    both = np.concatenate([shares.users, shares.items]), np.concatenate([changes.users, changes.items])
    assert np.corrcoef(*both)[0, 1] > 0.7
