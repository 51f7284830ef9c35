import numpy as np
import pytest

from igmc.errors import DataError
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.readers.tags import find_tags

ITEMS = IdTable((3, 7, 9))


def test_tags_are_counted_by_user_whatever_their_case(tmp_path):
    (tmp_path / "tags.csv").write_text(
        "userId,movieId,tag,timestamp\n"
        '1,7,Funny,1\n1,7,funny ,2\n2,7,funny,3\n2,3,"dark, slow",4\n2,5,unrated,5\n3,3,NA,6\n'
    )
    made = find_tags(tmp_path, ITEMS)()
    assert list(made) == ["tags"]
    # Ascending: "dark, slow", "funny", "na", "unrated".
    np.testing.assert_array_equal(made["tags"].toarray(), [[1, 0, 1, 0], [0, 2, 0, 0], [0, 0, 0, 0]])
    assert made["tags"].dtype == np.float32


def test_the_genome_is_a_matrix_of_relevance(tmp_path):
    (tmp_path / "genome-scores.csv").write_text(
        "movieId,tagId,relevance\n9,1,0.5\n9,4,0.25\n3,1,1\n5,1,1\n3,4,\n"
    )
    made = find_tags(tmp_path, ITEMS)()
    np.testing.assert_array_equal(made["genome"].toarray(), [[1, 0], [0, 0], [0.5, 0.25]])


def test_without_files_there_are_none(tmp_path):
    assert find_tags(tmp_path, ITEMS) is None


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("tags.csv", "user,movieId,tag\n1,7,x\n"),
        ("genome-scores.csv", "movieId,tagId,relevance\n1,1,much\n"),
        ("genome-scores.csv", "movieId,tagId,relevance\none,1,1\n"),
    ],
)
def test_malformed_files(tmp_path, file, text):
    (tmp_path / file).write_text(text)
    with pytest.raises(
        DataError, match=rf"{file} is malformed .*; allowed: the columns .*fetch the data set"
    ):
        find_tags(tmp_path, ITEMS)()


def test_real_tags(data_root):
    data = load_dataset("ml_latest_small", data_dir=data_root)
    tags = data.item_tags()["tags"]
    assert tags.shape[0] == len(data.table.items)
    toy_story = data.table.items.encode([1])[0]
    assert tags[[toy_story]].sum() == 3  # pixar twice, fun
    assert load_dataset("ml_100k", data_dir=data_root).item_tags is None
