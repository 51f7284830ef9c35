import torch

from igmc.ranking.closed_forms import FORMS
from igmc.ranking.network import RankingNetwork


def test_it_starts_as_a_rising_function_of_each_score():
    network = RankingNetwork(torch.Generator().manual_seed(1))
    scores, context = torch.zeros(1, 2, len(FORMS)), torch.rand(1, 2, 4)
    for form in range(len(FORMS)):
        one = scores.clone()
        one[0, 1, form] = 1.0
        low, high = network(one, context)[0].tolist()
        assert high > low
    assert network(scores, context).abs().max() == 0


def test_equal_seeds_give_equal_weights():
    weights = [RankingNetwork(torch.Generator().manual_seed(seed)).first for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
