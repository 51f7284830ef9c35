"""The doctor finds what is wrong, and says what to do."""

import igmc.doctor
from igmc.doctor import examine


def findings(home):
    return {one.name: one for one in examine(home)}


def test_a_sound_machine_is_found_sound(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = findings(tmp_path / "home")
    assert all(one.ok and not one.remedy for one in found.values())
    assert {"igmc", "torch", "numba", "cores", "CUDA", "home", "compiled kernels", "network kernels"} <= set(
        found
    )
    assert "GB free" in found["home"].value
    assert not (tmp_path / "home").exists(), "it only looks"


def test_what_is_wrong_is_told_with_its_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    monkeypatch.setattr(igmc.doctor, "kernel_folder", lambda: None)
    monkeypatch.setattr(igmc.doctor, "LEAST_FREE", 10**18)
    found = findings(tmp_path / "file" / "home")
    assert not found["home"].ok
    assert "IGMC_HOME" in found["home"].remedy
    assert "IGMC_HOME" in found["compiled kernels"].remedy
    assert found["runs"].remedy == "free some space, or choose another disk"


def test_compiled_code_that_computes_something_else_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    right = igmc.doctor.reference_pair

    def wrong(*arguments):
        return right(*arguments)._replace(base=9.0)

    monkeypatch.setattr(igmc.doctor, "reference_pair", wrong)
    monkeypatch.setattr(igmc.doctor, "extract_subgraphs", None)
    found = findings(tmp_path)
    assert not found["neighbours kernels"].ok
    assert "igmc doctor --json" in found["neighbours kernels"].remedy
    assert found["extraction kernel"].value == "TypeError: 'NoneType' object is not callable"
    assert found["network kernels"].ok
