"""The quality of lists is that of the lists that a user is shown."""

import numpy as np

import igmc
from igmc.networks import RankerScorer
from igmc.ratings import Split
from igmc.run_lists import list_quality
from tests.clicks import click_run


def test_figures_are_those_of_the_lists_of_the_predictor(tmp_path):
    report = click_run(tmp_path / "run")
    predictor = report.predictor(device="cpu")
    assert isinstance(predictor.scorer, RankerScorer)
    split = Split.load(tmp_path / "run" / "split.npz")
    found = list_quality(split, predictor.scorer)
    assert found == report.lists
    table, recall, usual = split.table, [], []
    known = np.concatenate([split.train, split.validation])
    popularity = np.bincount(table.item[known], minlength=len(table.items)).astype(float)
    for user in np.unique(table.user[split.test]):
        asked = {table.items.ids[k] for k in table.item[split.test][table.user[split.test] == user]}
        shown = set(igmc.recommend(predictor, user_id=table.users.ids[user], k=10).item_id)
        recall.append(len(asked & shown) / len(asked))
        counts = popularity.copy()
        counts[table.item[known][table.user[known] == user]] = -1
        top = {table.items.ids[k] for k in np.argsort(-counts, kind="stable")[:10]}
        usual.append(len(asked & top) / len(asked))
    assert found["users"] == len(recall)
    np.testing.assert_allclose(found["models"]["ranker"]["recall"], np.mean(recall))
    np.testing.assert_allclose(found["models"]["popularity"]["recall"], np.mean(usual))
