"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Compiling a Numba kernel in the first example says nothing about its speed, and busy machines are not bugs.
settings.register_profile("igmc", deadline=None)
settings.load_profile("igmc")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data; absent on a contributor's machine, required on CI."""
    root = Path(os.environ.get("IGMC_DATA") or Path(__file__).parents[2] / "shared" / "data")
    if not root.is_dir():
        reason = f"no real data at {root}: set IGMC_DATA to the folder that holds ml-100k, flixster, ..."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return root


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real-pairs",
        type=int,
        default=60,
        help="pairs of each real data set that are held against the oracles",
    )
