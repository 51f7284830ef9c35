"""The notebooks of the documentation run from start to end, with two epochs wherever they train more.

One kernel runs them all, as starting it takes longer than most of them; each finds it without any names.
"""

import os
import re
from pathlib import Path

import pytest

from igmc.files import home_dir

NOTEBOOKS = sorted((Path(__file__).parents[1] / "docs" / "notebooks").glob("*.py"))
EPOCHS = re.compile(r"(\bepochs\b\D{0,15}?)\d+")  # epochs=8, "epochs": 8, epochs: int = knob(8


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    """Not started yet: the first notebook does."""
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("jupytext")
    pytest.importorskip("ipykernel")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMBA_CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR", str(home_dir() / "kernels")))
        patch.setenv("IGMC_HOME", str(tmp_path_factory.mktemp("home")))
        client = nbclient.NotebookClient(None, kernel_name="python3")
        manager = client.create_kernel_manager()
        yield manager
        nbclient.util.run_sync(manager.shutdown_kernel)(now=True)


def run(path: Path, folder: Path, kernel):
    """The notebook with its outputs; raises if a cell does."""
    import jupytext
    import nbclient

    notebook = jupytext.reads(EPOCHS.sub(r"\g<1>2", path.read_text()), fmt="py:percent")
    start = f"%reset -f\nimport os\nos.chdir({str(folder)!r})\ndel os"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.source = f"{start}\n{cell.source}"
            break
    return nbclient.NotebookClient(notebook, timeout=200, km=kernel).execute()


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_run(path, tmp_path, kernel):
    notebook = run(path, tmp_path, kernel)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) > 3
    shown = " ".join(str(cell.outputs) for cell in code)
    assert "rmse" in shown or "ndcg" in shown, "a table of figures is shown"
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]


def test_a_cell_that_fails_is_noticed(tmp_path, kernel):
    import nbclient

    broken = tmp_path / "broken.py"
    broken.write_text("# %%\n1 / 0\n")
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="ZeroDivisionError"):
        run(broken, tmp_path, kernel)


def test_names_of_one_notebook_are_unknown_to_the_next(tmp_path, kernel):
    for name, text in (("first", "given = 1"), ("second", "given")):
        (tmp_path / f"{name}.py").write_text(f"# %%\n{text}\n")
    run(tmp_path / "first.py", tmp_path, kernel)
    with pytest.raises(Exception, match="name 'given' is not defined"):
        run(tmp_path / "second.py", tmp_path, kernel)
