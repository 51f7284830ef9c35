"""The layout held by tests: who may import whom, what stays light, and how big things get."""

import ast
import importlib.machinery
import importlib.util
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "igmc"
MODULES = sorted(PACKAGE.rglob("*.py"))
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))

spec = importlib.util.spec_from_file_location("architecture", ROOT / "scripts" / "architecture.py")
architecture = importlib.util.module_from_spec(spec)
spec.loader.exec_module(architecture)

HEAVY = ("torch", "torch_geometric", "numba", "pandas", "scipy", "h5py")
MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 50
# "path" of a module without a test file of its own -> where it is tested, and why there. Every other one is
# tested in its mirrored place: igmc/store/reader.py in tests/store/test_reader.py.
TESTED_ELSEWHERE: dict[str, str] = {
    "igmc/config/networks.py": "tests/networks/test_contract.py: what an entry says, of each network",
    "igmc/estimates/making.py": "tests/estimates/test_factor_estimates.py, which makes them",
    "igmc/inference/base.py": "tests/inference/test_predictor.py, which asks the whole predictor",
    "igmc/loading/neighbour_batch.py": "tests/loading/test_neighbour_loader.py, which makes batches",
    "igmc/models/neighbours/ensemble.py": "tests/training/test_neighbours_loop.py, which trains it",
    "igmc/models/neighbours/kernels.py": "tests/models/neighbours/test_fused.py: against PyTorch",
    "igmc/models/neighbours/network.py": "tests/models/neighbours/test_fused.py: against the kernels",
    "igmc/networks/answers.py": "tests/networks/neighbours/test_scoring.py: what a scorer answers",
    "igmc/networks/job.py": "value objects without behaviour",
    "igmc/networks/neighbourhood.py": "a value object without behaviour",
    "igmc/networks/neighbours/nearest.py": "tests/networks/neighbours/test_network.py: explanations of a run",
    "igmc/networks/network.py": "tests/networks/test_contract.py: each network by its interface",
    "igmc/networks/registry.py": "tests/networks/test_contract.py",
    "igmc/networks/rgcn/neighbourhood.py": "tests/inference/why/test_explain.py: explanations",
    "igmc/progress.py": "tests/cli/test_heartbeat.py, which tells it",
    "igmc/ratings/any_table.py": "tests/ratings/test_frame.py: tables of several libraries",
    "igmc/ratings/frame_info.py": "tests/ratings/test_frame.py: frames of users and items",
    "igmc/ratings/usual_names.py": "tests/ratings/test_frame.py, by the columns that are found",
    "igmc/statistics/inputs.py": "tests/loading/test_neighbour_loader.py: norms of real inputs",
    "igmc/statistics/neighbour_kernels.py": "tests/statistics/test_neighbours.py: against plain Python",
    "igmc/statistics/reference.py": "the plain form that tests/statistics compares with",
    "igmc/statistics/choice_kernels.py": "tests/statistics/test_neighbours.py: caps and ties",
    "igmc/statistics/row_kernels.py": "tests/statistics/test_neighbours.py: against plain Python",
    "igmc/statistics/rows.py": "tests/statistics/test_serving.py: rows and patches",
    "igmc/statistics/shared.py": "tests/statistics/test_neighbours.py: against plain Python",
    "igmc/run_start.py": "tests/test_run.py and tests/test_ranks.py: runs, alone and together",
    "igmc/training/first_weights.py": "tests/test_going_on.py: runs that begin with others",
    "igmc/training/step.py": "tests/test_ranks.py: gradients of two processes against those of one",
    "igmc/evaluation/cells.py": "tests/evaluation/test_harness.py, which runs cells",
    "igmc/evaluation/tuning/runner.py": "tests/evaluation/tuning/test_study.py, which runs studies",
    "igmc/evaluation/tuning/search.py": "tests/evaluation/tuning/test_study.py: trials of a study",
    "igmc/graph/row_kernels.py": "tests/graph/test_kernel.py: against plain Python",
    "igmc/graph/scratch.py": "tests/graph/test_kernel.py: what it keeps for the kernel",
    "igmc/statistics/tally.py": "tests/statistics/test_neighbours.py: against plain Python",
    "igmc/training/averaging.py": "tests/training/test_neighbours_loop.py, which averages",
    "igmc/memory.py": "tests/faults/test_memory.py, under limits of memory",
    "igmc/checked_json.py": "tests/faults/test_bits.py, by flipped bits",
    "igmc/web/score_schemas.py": "tests/web/test_app.py, by requests",
    "igmc/web/live_schemas.py": "tests/web/test_storing.py, by requests",
    "igmc/web/connections.py": "tests/faults/test_network.py, by clients of a real server",
}
# "path" or "path:function" -> why it may be longer.
LONG: dict[str, str] = {
    "igmc/graph/kernel.py:_extract": "one compiled pass, slower when cut in pieces",
}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function from its def on; documentation does not count."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    return lines - len((ast.get_docstring(function) or "").splitlines())


FOUND = architecture.modules()


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@pytest.fixture(scope="module")
def graph():
    """Module -> what it imports; not at the top, where every process that collects tests would find it."""
    return architecture.arrows(FOUND)


def test_imports_point_downwards_only(graph):
    assert architecture.upward(graph) == []


def test_no_modules_import_each_other(graph):
    assert architecture.circles(graph) == []


def test_packages_are_entered_by_the_front_door(graph):
    assert architecture.side_doors(graph, FOUND) == []


def test_an_import_in_the_wrong_direction_would_be_found():
    source = (
        "def f():\n    from igmc.cli import main\n    import igmc.run\n"
        "if TYPE_CHECKING:\n    from igmc import training\nfrom igmc.store import StoreReader\n"
    )
    offers = {name: set() for name in FOUND} | {"igmc.store": {"StoreReader"}}
    found = architecture.imports(ast.parse(source), offers)
    assert found == {"igmc.cli.main", "igmc.run", "igmc.training", "igmc.store"}
    wrong = architecture.upward({"igmc.graph.kernel": found, "igmc.extract.pool": {"igmc.loading"}})
    assert ("igmc.graph.kernel", "igmc.run") in wrong
    assert ("igmc.extract.pool", "igmc.loading") in wrong


def test_a_circle_and_a_side_door_would_be_found():
    graph = {"igmc.graph.parts": {"igmc.graph.kernel"}, "igmc.graph.kernel": {"igmc.graph.parts"}}
    assert architecture.circles(graph) == [["igmc.graph.kernel", "igmc.graph.parts"]]
    entered = {"igmc.run": {"igmc.store.reader", "igmc.store"}, "igmc.store.reader": {"igmc.store.shard"}}
    assert architecture.side_doors(entered, FOUND) == [("igmc.run", "igmc.store.reader")]


def test_the_script_prints_floors_and_circles():
    command = [sys.executable, ROOT / "scripts" / "architecture.py", "--modules"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "igmc.store.reader -> igmc.store.shard" in done.stdout
    assert done.stdout.endswith("upward: none\ncircle: none\nside door: none\n")


def test_the_picture_of_the_documentation_is_up_to_date(graph):
    hint = "run: python scripts/architecture.py --svg"
    assert architecture.PICTURE.read_text() == architecture.picture(graph, FOUND), hint


def test_the_picture_shows_each_import_between_rooms(graph):
    drawn = architecture.picture({"igmc.cli.main": {"igmc.web"}, "igmc.web": set()}, FOUND)
    assert drawn.count("#1f6f8b") == 1
    assert architecture.picture(graph, FOUND).count("#1f6f8b") == sum(
        len(targets)
        for room, targets in architecture.between_rooms(graph).items()
        if any(room in floor for floor in architecture.FLOORS)
    )


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
    assert "igmc.cli.help" in loaded
    assert not loaded.intersection(HEAVY)


@pytest.mark.parametrize(
    ("entry", "arguments"),
    [
        ("recommend", ["--run", "nope", "--user", "1"]),
        ("predict", ["--run", "nope", "--user", "1", "--items", "2"]),
        ("explain", ["--run", "nope", "--user", "1", "--item", "2"]),
        ("serve", ["--run", "nope"]),
        ("plot", ["nope"]),
        ("transfer", ["--from", "nope", "--to", "demo"]),
        ("train", ["--from", "nope"]),
    ],
)
def test_a_run_that_is_not_there_is_said_before_anything_heavy_is_loaded(entry, arguments):
    call = f"try:\n    {entry}()\nexcept SystemExit as end:\n    assert end.code == 3, end.code"
    code = f"import sys\nfrom igmc.cli.main import {entry}\nsys.argv = ['igmc', *{arguments}]\n{call}"
    assert not loaded_by(code).intersection({*HEAVY} - {"torch_geometric"})


def test_the_list_of_commands_loads_none_of_them():
    code = "import sys\nfrom igmc.cli.main import main\nsys.argv = ['igmc', '-h']\n"
    loaded = loaded_by(code + "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0")
    assert not {"igmc.config", "igmc.cli.train", "numpy"} & loaded


def test_what_is_heavy_would_be_noticed():
    assert "numba" in loaded_by("import igmc.rng")


# One test for all modules: that many tests of a millisecond would cost most in being reported.
def test_modules_and_functions_stay_small():
    too_long = {}
    for path in MODULES + SCRIPTS:
        lines = len(path.read_text().splitlines())
        if name_of(path) not in LONG and lines > MAX_MODULE_LINES:
            too_long[name_of(path)] = lines
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                key = f"{name_of(path)}:{node.name}"
                if key not in LONG and length(node) > MAX_FUNCTION_LINES:
                    too_long[key] = length(node)
    assert too_long == {}


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


def test_every_module_says_what_it_is_for():
    trees = {name_of(path): parsed(path) for path in MODULES + SCRIPTS}
    silent = [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)]
    assert silent == [], "a module with code has a docstring"


def test_input_is_checked_by_errors_not_by_assert():
    nodes = [(path, node) for path in MODULES for node in ast.walk(parsed(path))]
    assert [f"{name_of(path)}:{n.lineno}" for path, n in nodes if isinstance(n, ast.Assert)] == []


def test_scripts_hide_no_installed_package():
    """They are imported by their bare names, and so would be found in place of it by whatever they import."""
    places = [place for place in sys.path if Path(place).resolve() != ROOT / "scripts"]  # other tests add it
    finder = importlib.machinery.PathFinder
    assert [path.stem for path in SCRIPTS if finder.find_spec(path.stem, places) is not None] == []


def test_scripts_call_igmc_and_define_no_classes():
    nodes = [(path, node) for path in SCRIPTS for node in ast.walk(parsed(path))]
    assert [f"{name_of(path)}:{n.name}" for path, n in nodes if isinstance(n, ast.ClassDef)] == []


def test_every_test_folder_mirrors_a_package_and_is_one_itself():
    folders = {
        path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and path.name != "__pycache__"
    }
    packages = {path.name for path in PACKAGE.iterdir() if path.is_dir()}
    assert folders - {"faults"} <= packages, "faults: what no package can be blamed for alone"
    assert all((ROOT / "tests" / name / "__init__.py").is_file() for name in folders)


def to_be_mirrored() -> list[Path]:
    """The modules with code of their own, which front doors and the way into the program have not."""
    return [path for path in MODULES if path.name not in ("__init__.py", "__main__.py")]


def mirror_of(path: Path) -> Path:
    """igmc/a/b.py -> tests/a/test_b.py"""
    below = path.relative_to(PACKAGE)
    return ROOT / "tests" / below.with_name(f"test_{below.name}")


def listed_tests(path: Path) -> list[str]:
    """The test functions and classes of a file; none without the file."""
    if not path.is_file():
        return []
    nodes = ast.parse(path.read_text()).body
    kinds = ((ast.FunctionDef, "test_"), (ast.ClassDef, "Test"))
    return [
        n.name for n in nodes for kind, start in kinds if isinstance(n, kind) and n.name.startswith(start)
    ]


def test_every_module_has_a_test_file_in_its_mirrored_place():
    tested = {name_of(path): bool(listed_tests(mirror_of(path))) for path in to_be_mirrored()}
    excused = [name for name in TESTED_ELSEWHERE if tested.get(name)]
    assert excused == [], "they need no excuse any more"
    missing = [name for name, there in tested.items() if not there and name not in TESTED_ELSEWHERE]
    assert missing == [], "their mirrored file tests nothing, or is not there"


def test_every_excuse_is_that_of_a_module():
    assert set(TESTED_ELSEWHERE) <= {name_of(path) for path in MODULES}


def test_a_module_without_tests_would_be_found(tmp_path):
    assert name_of(mirror_of(PACKAGE / "store" / "reader.py")) == "tests/store/test_reader.py"
    assert name_of(mirror_of(PACKAGE / "rng.py")) == "tests/test_rng.py"
    (tmp_path / "test_x.py").write_text(
        "import pytest\n\n\ndef helper():\n    pass\n\n\nclass Toy:\n    pass\n"
    )
    assert listed_tests(tmp_path / "test_x.py") == listed_tests(tmp_path / "test_y.py") == []
    assert PACKAGE / "store" / "reader.py" in to_be_mirrored()
    assert PACKAGE / "store" / "__init__.py" not in to_be_mirrored()
