"""What `import igmc` gives, and that it costs nothing until it is used."""

import inspect
import json
import subprocess
import sys
from importlib import metadata, resources

import pytest

import igmc


@pytest.mark.parametrize("name", igmc.__all__)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(igmc, name)
    if name == "__version__":
        assert value == metadata.version("igmc")
        return
    assert value.__name__ == name
    assert inspect.getdoc(value)
    assert getattr(igmc, name) is value, "the second look-up gives the same object"


def test_the_names_are_a_handful_and_listed():
    assert sorted(igmc.__all__) == dir(igmc)
    assert len(igmc.__all__) <= 30
    namespace = {}
    exec("from igmc import *", namespace)
    assert set(igmc.__all__) <= set(namespace)


def test_another_name_is_no_attribute():
    with pytest.raises(AttributeError, match="module 'igmc' has no attribute 'trane'"):
        igmc.trane  # noqa: B018
    assert not hasattr(igmc, "pd")


def test_importing_igmc_imports_nothing_heavy_and_using_it_does():
    code = (
        "import json, sys, igmc\n"
        "heavy = ('torch', 'numba', 'pandas', 'scipy', 'h5py', 'tqdm')\n"
        "early = [name for name in heavy if name in sys.modules]\n"
        "igmc.RunConfig(), dir(igmc)\n"
        "settings = [name for name in heavy if name in sys.modules]\n"
        "igmc.train\n"
        "print(json.dumps([early, settings, 'torch' in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [[], [], True]


def test_a_graph_library_is_loaded_when_a_graph_is_asked_for_not_when_its_function_is():
    code = (
        "import json, sys, igmc\n"
        "igmc.describe, igmc.to_networkx, igmc.to_pyg, igmc.to_hetero\n"
        "print(json.dumps([name in sys.modules for name in ('torch', 'torch_geometric', 'networkx')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [False, False, False]


def test_the_package_is_typed():
    assert resources.files("igmc").joinpath("py.typed").is_file()
