import subprocess
import sys
from pathlib import Path

import pytest

from igmc.errors import CheckpointError, ConfigError
from igmc.recommenders.registry import RECOMMENDERS, load_recommender, make_recommender, recommender_class
from igmc.training.checkpoint import save_checkpoint

ROOT = Path(__file__).parents[2]
GRAPH = ("gcn", "gat", "graphsage", "ngcf", "lightgcn")


@pytest.mark.parametrize("name", RECOMMENDERS)
def test_each_stands_under_its_own_name_in_a_module_of_that_name(name):
    cls = recommender_class(name)
    assert cls.name == name
    module = cls.__module__.rpartition(".")[2]
    assert module == ("means" if name.endswith("_mean") else name)


def test_hyphens_and_capitals_are_as_good():
    assert recommender_class("Item-KNN") is recommender_class("item_knn")


def test_an_unknown_name_is_told_its_neighbours():
    with pytest.raises(ConfigError, match=r"unknown recommender; got 'lightgnc'; .*did you mean lightgcn"):
        make_recommender("lightgnc")


def test_settings_and_seed_reach_the_model():
    model = make_recommender("mf", {"factors": 3}, seed=7)
    assert (model.config.factors, model.seed) == (3, 7)
    with pytest.raises(ConfigError, match="unknown setting in MFConfig; got 'factor'"):
        make_recommender("mf", {"factor": 3})


@pytest.mark.parametrize("state", [{"model": {}}, {"recommender": "oracle"}])
def test_a_file_that_holds_no_recommender_is_refused(tmp_path, state):
    save_checkpoint(tmp_path / "model", state)
    with pytest.raises(CheckpointError, match="does not hold a recommender"):
        load_recommender(tmp_path / "model")


def test_pytorch_geometric_waits_for_a_graph_model():
    """It takes a second to import, which no other model should cost."""
    others = [name for name in RECOMMENDERS if name not in GRAPH]
    code = (
        "import sys, igmc.recommenders\n"
        f"for name in {others}: igmc.recommenders.make_recommender(name)\n"
        "assert 'torch_geometric' not in sys.modules\n"
        "igmc.recommenders.recommender_class('gcn')\n"
        "assert 'torch_geometric' in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
