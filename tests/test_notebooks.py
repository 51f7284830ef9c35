"""The notebooks of the documentation run from start to end, each in a kernel of its own."""

import os
from pathlib import Path

import pytest

from igmc.files import home_dir

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.py"))


def run(path: Path, folder: Path):
    """The notebook with its outputs; raises if a cell does."""
    jupytext, nbclient = pytest.importorskip("jupytext"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    notebook = jupytext.read(path)
    client = nbclient.NotebookClient(
        notebook, timeout=200, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    return client.execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR", str(home_dir() / "kernels")))
    monkeypatch.setenv("IGMC_HOME", str(tmp_path / "home"))
    notebook = run(path, tmp_path)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 3
    shown = " ".join(str(cell.outputs) for cell in code)
    assert "rmse" in shown or "ndcg" in shown, "a table of figures is shown"
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_a_cell_that_fails_is_noticed(tmp_path):
    nbclient = pytest.importorskip("nbclient")
    broken = tmp_path / "broken.py"
    broken.write_text("# %%\n1 / 0\n")
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        run(broken, tmp_path)
