import platform

import igmc
from igmc import environment
from igmc.environment import machine, versions


def test_the_versions_of_what_the_numbers_depend_on():
    found = versions()
    assert found["igmc"] == igmc.__version__
    assert found["python"] == platform.python_version()
    assert {"torch", "numpy", "numba", "scipy", "h5py"} < set(found)


def test_the_machine_in_words(monkeypatch, tmp_path):
    assert machine().endswith(f", {platform.system()}")
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("processor : 0\nmodel name : A 1: B\nflags :\nprocessor : 1\nmodel name : A 1: B\n")
    monkeypatch.setattr(environment, "Path", lambda name: cpuinfo)
    assert machine() == f"2 x A 1: B, {platform.system()}"
    cpuinfo.unlink()
    monkeypatch.setattr(platform, "processor", lambda: "")
    assert machine() == f"{platform.machine()}, {platform.system()}"
