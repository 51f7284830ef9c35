"""Fixtures that all tests share."""

import gc
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import settings

from igmc import run
from igmc.config import RunConfig
from igmc.files import home_dir
from igmc.inference.predictor import Predictor
from tests.brief import brief
from tests.postgres import running_postgres

# Collecting makes millions of objects that stay: to look for garbage among them took a third of the time.
# `pytest_collection_finish` turns that on.
gc.disable()

SMALL_RUN = {
    "data": {"dataset": "demo"},
    "extract": {"max_nodes_per_hop": 20},
    "model": {"layers": [8, 8], "mlp_width": 8},
    "train": {"epochs": 3, "ensemble_size": 2, "batch_size": 200, "learning_rate": 0.01},
    "live": True,
}

# Files that take longest, longest first: several processes begin with them, so that they end together.
# By itself xdist begins with those of most tests, and would come last to these, which have few.
LONG_FILES = (
    *("test_ranks", "test_readme", "web/test_page", "test_jobs", "test_notebooks", "models/fused/test_stack"),
    *("extract/test_pool", "faults/test_leakage", "networks/neighbours/test_network", "live/test_kills"),
    *("evaluation/test_harness", "evaluation/tuning/test_study", "networks/neighbours/test_estimates"),
    *("test_run", "web/test_processes", "recommenders/test_neighbours", "web/test_server", "test_compiled"),
    *("faults/test_disk", "cli/test_own_data", "cli/test_plot", "networks/test_contract"),
    *("training/test_neighbours_loop", "networks/neighbours/test_estimates_choice", "faults/test_network"),
)

# Only `data_root` knows where real data is: a test that relied on the variable would pass here, not on CI.
REAL_DATA = Path(os.environ.pop("IGMC_DATA", "") or Path(__file__).parents[2] / "shared" / "data")

# Commands that tests start with a home of their own need not compile all kernels again.
os.environ.setdefault("NUMBA_CACHE_DIR", str(home_dir().absolute() / "kernels"))

# Compiling a Numba kernel in the first example says nothing about its speed, and busy machines are not bugs.
settings.register_profile("igmc", deadline=None)
settings.load_profile("igmc")


@pytest.fixture(scope="session")
def data_root() -> Path:
    """The folder of real data; absent on a contributor's machine, required on CI."""
    if not REAL_DATA.is_dir():
        reason = f"no real data at {REAL_DATA}: set IGMC_DATA to the folder that holds ml-100k, flixster, ..."
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return REAL_DATA


@pytest.fixture(scope="session", autouse=True)
def no_curves():
    """A run draws no curves; a test that asks for them sets `igmc.run.save_curves` to `USUAL_CURVES`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "save_curves", lambda history, stem: None)
        yield


@pytest.fixture(scope="module")
def brief_training():
    """What trains in this process is cut short until the last test of the module; see `tests.brief`."""
    with brief():
        yield


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory) -> Path:
    """The folder of a finished run on the demo, three short epochs long; not to be written to."""
    folder = tmp_path_factory.mktemp("small") / "run"
    run.train(RunConfig.from_dict(SMALL_RUN), out=folder, device="cpu", progress=False)
    return folder


@pytest.fixture(scope="session")
def predictor(demo_run) -> Predictor:
    return Predictor.from_run(demo_run, device="cpu")


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL that runs; who stops it starts it again."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def postgres(postgres_server) -> str:
    """Its URL, as SQLAlchemy has it."""
    return postgres_server.url


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real-pairs",
        type=int,
        default=60,
        help="pairs of each real data set that are held against the oracles",
    )


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config.option, "loadscopereorder"):
        config.option.loadscopereorder = False


def pytest_collection_finish() -> None:
    gc.freeze()  # leaves what is there out of later searches
    gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """In a process of several: long files first, then those of most tests, as xdist has it."""
    if hasattr(config, "workerinput"):
        count = Counter(item.path for item in items)
        place = {Path(__file__).parent / f"{name}.py": rank for rank, name in enumerate(LONG_FILES)}
        items.sort(key=lambda item: (place.get(item.path, len(place)), -count[item.path], str(item.path)))
