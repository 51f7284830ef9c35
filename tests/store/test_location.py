"""A store lies below the home folder, whatever the data set is called."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.store.location import store_folder

FINGERPRINT = "0123456789abcdef" * 4


@given(st.text())
def test_no_name_of_a_data_set_leads_out_of_the_folder_of_stores(name):
    folder = store_folder(Path("home"), name, "train", FINGERPRINT)
    top, processed, dataset, part = folder.parts
    assert (top, processed, part) == ("home", "processed", "train-0123456789abcdef")
    assert dataset
    assert not dataset.startswith("."), "neither hidden nor the folder above"
    assert "\0" not in dataset


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("ml_100k", "ml_100k"),
        ("Müll-2.5", "Müll-2.5"),
        ("a/b: c", "a_b_c"),
        ("../../etc", "_.._etc"),
        (".hidden", "hidden"),
        ("...", "_"),
        ("", "_"),
    ],
)
def test_characters_that_are_awkward_in_a_file_name_are_replaced(name, folder):
    assert store_folder(Path("home"), name, "test", FINGERPRINT).parent.name == folder


def test_stores_of_other_parts_and_origins_lie_elsewhere():
    folders = {
        store_folder(Path("home"), "demo", part, digit + FINGERPRINT)
        for part in ("train", "validation", "test")
        for digit in "01"
    }
    assert len(folders) == 6
