"""Parquet files of pairs: read in pieces, predicted as all at once."""

import numpy as np
import pandas as pd
import pytest

from igmc.errors import ConfigError, DataError
from igmc.inference.pair_batches import predict_batches, predict_to_file

pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    """25 pairs, of a stranger and a new item too, in two files of a folder."""
    rng = np.random.default_rng(0)
    folder = tmp_path_factory.mktemp("pairs")
    users = [*rng.integers(1, 300, 23).tolist(), 9999, 5]
    items = [*(f"f{k:03}" for k in rng.integers(1, 250, 24)), "never"]
    frame = pd.DataFrame({"when": range(25), "itemId": items, "user": users})
    frame[:11].to_parquet(folder / "a.parquet")
    frame[11:].to_parquet(folder / "b.parquet")
    (folder / "_SUCCESS").touch()
    return folder, frame


@pytest.mark.parametrize("batch", [4, 1000])
def test_batches_give_what_all_pairs_at_once_get(predictor, pairs, batch):
    folder, frame = pairs
    found = list(predict_batches(predictor, folder, batch=batch, progress=False))
    assert max(map(len, found)) <= batch
    expected = predictor.predict(frame.user.tolist(), frame.itemId.tolist())
    pd.testing.assert_frame_equal(pd.concat(found, ignore_index=True), expected)
    assert {"item mean", "user mean", "model"} <= set(expected.source)


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_a_file_of_predictions_has_the_ids_of_the_pairs(predictor, pairs, tmp_path, suffix):
    folder, frame = pairs
    out = tmp_path / f"out.{suffix}"
    told = predict_to_file(predictor, folder, out, batch=7, progress=False, clip=False)
    assert told == (25, 2)
    found = pd.read_parquet(out) if suffix == "parquet" else pd.read_csv(out)
    expected = predictor.predict(frame.user.tolist(), frame.itemId.tolist(), clip=False)
    assert list(found) == list(expected)
    assert found.user_id.tolist() == frame.user.tolist()
    assert found.item_id.tolist() == frame.itemId.tolist()
    assert found.score.tolist() == pytest.approx(expected.score.tolist(), abs=6e-5)


def test_ids_that_are_texts_in_the_file_stay_texts(predictor, pairs, tmp_path):
    frame = pairs[1].assign(user=[*map(str, pairs[1].user[:-1]), "somebody"])
    frame.to_parquet(tmp_path / "texts.parquet")
    predict_to_file(predictor, tmp_path / "texts.parquet", tmp_path / "out.parquet", progress=False)
    found = pd.read_parquet(tmp_path / "out.parquet")
    assert found.user_id.tolist() == frame.user.tolist()
    known = predictor.predict(pairs[1].user.tolist()[:-1], frame.itemId.tolist()[:-1])
    assert found.score.tolist()[:-1] == known.score.tolist()


def test_what_is_no_parquet_of_pairs_is_named(predictor, tmp_path):
    good = pd.DataFrame({"user_id": [1, 2], "item_id": ["f001", "f002"]})
    (tmp_path / "a.parquet").write_text("user_id,item_id\n1,f001\n")
    good.rename(columns={"item_id": "x"}).to_parquet(tmp_path / "b.parquet")
    good.assign(item_id=["f001", None]).to_parquet(tmp_path / "c.parquet")
    good[:0].to_parquet(tmp_path / "d.parquet")
    for name, match in (
        ("a", "cannot be read as Parquet"),
        ("b", "do not tell users and items; got 'user_id, x'; allowed: one named user_id"),
        ("c", r"c\.parquet, row 2: an id is missing"),
        ("d", "holds no pairs"),
        ("e", "there is no such file or folder"),
    ):
        with pytest.raises(DataError, match=match):
            predict_to_file(predictor, tmp_path / f"{name}.parquet", tmp_path / "out.csv", progress=False)
    good.to_parquet(tmp_path / "good.parquet")
    with pytest.raises(ConfigError, match=r"got 'out.txt'; allowed: a name that ends in .parquet or .csv"):
        predict_to_file(predictor, tmp_path / "good.parquet", tmp_path / "out.txt")
    assert not list(tmp_path.glob("out*"))
