"""The layout of DESIGN.md, held by tests: who may import whom, what stays light, and how big things get."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "igmc"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

# A module imports only from layers before its own, or from its own.
LAYERS = (
    "errors",
    "config",
    "rng",
    "files",
    "ratings",
    "graph",
    "store",
    "extract",
    "loading",
    "models",
    "training",
    "plots",
    "inference",
    "recommenders",
    "evaluation",
    "run",
    "web",
    "cli",
)
HEAVY = ("torch", "torch_geometric", "numba", "pandas", "scipy", "h5py")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
# "path" or "path:function" -> why it may be longer.
LONG: dict[str, str] = {
    "igmc/config.py": "every knob of the package stands in one place, one after the other",
    "igmc/graph/kernel.py:_extract": "one compiled pass, slower when cut in pieces",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def layer_of(module: str) -> str | None:
    """'igmc.store.reader' -> 'store'; None for `igmc` itself, whose public names are lazy."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else None


def imported_modules(tree: ast.AST) -> list[str]:
    """Full names of what a module imports from igmc, inside functions too."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                found.append("<relative>")
            elif node.module == "igmc":
                found += [f"igmc.{alias.name}" for alias in node.names]
            elif node.module:
                found.append(node.module)
    return [name for name in found if name == "<relative>" or name.split(".")[0] == "igmc"]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its def on; documentation does not count."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    return lines - len((ast.get_docstring(function) or "").splitlines())


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_imports_point_backwards_only(path):
    own = layer_of(module_name(path))
    if own in (None, "__main__"):
        return
    assert own in LAYERS, f"{name_of(path)} belongs to no layer: add it to LAYERS"
    for imported in imported_modules(ast.parse(path.read_text())):
        layer = layer_of(imported)
        if layer == "__version__":
            continue
        # `igmc` itself would give access to everything, and a relative import hides where it points.
        assert layer in LAYERS, f"{name_of(path)} imports {imported}: name the module in full"
        assert LAYERS.index(layer) <= LAYERS.index(own), f"{name_of(path)} imports {imported}, a later layer"


def test_an_import_in_the_wrong_direction_would_be_found():
    source = "def f():\n    from igmc.cli import main\n    import igmc.run\n    from igmc import training\n"
    assert imported_modules(ast.parse(source)) == ["igmc.cli", "igmc.run", "igmc.training"]


def loaded_by(code: str) -> set[str]:
    """The modules that a fresh interpreter has after running some code."""
    report = "\nimport json, sys; print('\\n' + json.dumps(list(sys.modules)))"
    command = [sys.executable, "-c", code + report]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("module", ["igmc", "igmc.cli.main"])
def test_import_loads_nothing_heavy(module):
    loaded = loaded_by(f"import {module}")
    assert module in loaded
    assert not loaded.intersection(HEAVY)


@pytest.mark.parametrize(
    ("entry", "arguments"),
    [
        ("main", ["--help"]),
        ("main", ["--version"]),
        ("main", ["train", "-h"]),
        ("main", ["data", "fetch", "-h"]),
        ("train", ["--help"]),
        ("extract", ["-h"]),
        ("predict", ["-h"]),
        ("recommend", ["-h"]),
        ("serve", ["-h"]),
        ("explain", ["-h"]),
        ("plot", ["-h"]),
    ],
)
def test_help_loads_nothing_heavy(entry, arguments):
    call = f"try:\n    {entry}()\nexcept SystemExit as end:\n    assert end.code == 0"
    code = f"import sys\nfrom igmc.cli.main import {entry}\nsys.argv = ['igmc', *{arguments}]\n{call}"
    loaded = loaded_by(code)
    assert "igmc.cli.train" in loaded
    assert not loaded.intersection(HEAVY)


def test_what_is_heavy_would_be_noticed():
    assert "numba" in loaded_by("import igmc.rng")


@pytest.mark.parametrize("path", MODULES + SCRIPTS, ids=name_of)
def test_modules_and_functions_stay_small(path):
    text = path.read_text()
    if name_of(path) not in LONG:
        assert len(text.splitlines()) <= MAX_MODULE_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if f"{name_of(path)}:{node.name}" in LONG:
                continue
            lines = length(node)
            assert lines <= MAX_FUNCTION_LINES, f"{node.name} has {lines} lines"


def test_nothing_is_excused_that_no_longer_needs_it():
    for key in LONG:
        path, _, function = key.partition(":")
        text = (ROOT / path).read_text()
        if not function:
            assert len(text.splitlines()) > MAX_MODULE_LINES, f"{path} needs no excuse any more"
            continue
        sizes = [
            length(node)
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef) and node.name == function
        ]
        assert sizes, f"{key} is gone"
        assert max(sizes) > MAX_FUNCTION_LINES, f"{key} needs no excuse any more"


@pytest.mark.parametrize("path", MODULES + SCRIPTS, ids=name_of)
def test_every_module_says_what_it_is_for(path):
    tree = ast.parse(path.read_text())
    assert not tree.body or ast.get_docstring(tree), "a module with code has a docstring"


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_input_is_checked_by_errors_not_by_assert(path):
    asserts = [node.lineno for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Assert)]
    assert not asserts


@pytest.mark.parametrize("path", SCRIPTS, ids=name_of)
def test_scripts_call_igmc_and_define_no_classes(path):
    classes = [node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ClassDef)]
    assert not classes


def test_every_test_folder_mirrors_a_package_and_is_one_itself():
    folders = {
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders <= packages
    assert all((ROOT / "tests" / name / "__init__.py").is_file() for name in folders)
