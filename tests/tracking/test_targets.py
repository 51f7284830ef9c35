"""A target says where a training is logged."""

import sys

import pytest

from igmc.errors import ConfigError, MissingExtraError
from igmc.tracking import TensorBoard, callbacks_for


def test_none_one_or_several_folders(tmp_path):
    assert callbacks_for(None) == []
    assert [type(one) for one in callbacks_for(str(tmp_path))] == [TensorBoard]
    assert [type(one) for one in callbacks_for([tmp_path / "a", str(tmp_path / "b")])] == [TensorBoard] * 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_an_unknown_tracker_is_refused_and_a_folder_of_that_name_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"unknown tracker; got 'comet:x'.*wandb:PROJECT, mlflow:URI"):
        callbacks_for("comet:x")
    callbacks_for("./comet:x")
    assert [path.name for path in tmp_path.iterdir()] == ["comet:x"]


@pytest.mark.parametrize(
    ("target", "module", "extra"),
    [("wandb:x", "wandb", "wandb"), ("mlflow:sqlite:///x.db", "mlflow.tracking", "mlflow")],
)
def test_a_missing_library_names_its_extra(target, module, extra, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(
        MissingExtraError, match=rf"tracking needs {extra}; hint: pip install 'igmc\[{extra}\]'"
    ):
        callbacks_for(target)
