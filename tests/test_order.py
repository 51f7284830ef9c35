"""Several processes begin with the files that take longest, and so end together."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import LONG_FILES, pytest_collection_modifyitems

HERE = Path(__file__).parent


def items(*counts):
    """As many items of a file as given, in turns."""
    return [
        SimpleNamespace(path=HERE / f"{name}.py", number=number)
        for number in range(max(count for _, count in counts))
        for name, count in counts
        if number < count
    ]


def test_long_files_come_first_then_those_of_most_tests_each_in_one_piece():
    found = items(("b", 2), ("a", 2), ("c", 3), (LONG_FILES[1], 1), (LONG_FILES[0], 1))
    pytest_collection_modifyitems(SimpleNamespace(workerinput={}), found)
    named = [one.path.relative_to(HERE).with_suffix("").as_posix() for one in found]
    assert named == [*LONG_FILES[:2], "c", "c", "c", "a", "a", "b", "b"]
    assert [one.number for one in found[2:]] == [0, 1, 2, 0, 1, 0, 1]


def test_one_process_keeps_the_order_of_the_files():
    found = items(("b", 1), (LONG_FILES[0], 1))
    before = list(found)
    pytest_collection_modifyitems(SimpleNamespace(), found)
    assert found == before


@pytest.mark.parametrize("name", LONG_FILES)
def test_long_files_are_there(name):
    assert (HERE / f"{name}.py").is_file()


def test_xdist_takes_the_order_as_it_is(pytestconfig):
    pytest.importorskip("xdist")
    assert pytestconfig.option.loadscopereorder is False
