"""Machine code is never older than what it was compiled from, and where it cannot be kept all goes on."""

import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numba
import pytest

from igmc import compiled
from igmc.compiled import COMPILES, KEPT, PACKAGE, PREFIX, digest, sources_of_kernels

CALLER = """
from igmc.compiled import kernel
from igmc.callee import answer

@kernel
def call(pair):
    return answer(pair.x)

@kernel
def call_again(pair):
    return answer(pair.x)
"""
CALLEE = "from igmc.compiled import inner\n@inner\ndef answer(x):\n    return x + 1\n"
PAIR = "from typing import NamedTuple\nclass Pair(NamedTuple):\n    x: int\n    y: int\n"
MAIN = """
from igmc.caller import call, call_again
from igmc.pair import Pair
pair = Pair(y=50, x=10)
print(call(pair), call_again(pair), sum(call.stats.cache_hits.values()))
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> tuple[Path, tuple[str, str]]:
    """A copy of the package with two kernels more, a function that both call, and a record; what it printed.

    Each test has a copy of it with its machine code, which is not compiled again.
    """
    package = tmp_path_factory.mktemp("original") / "igmc"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, source in (("caller", CALLER), ("callee", CALLEE), ("pair", PAIR)):
        (package / f"{name}.py").write_text(source)
    return package, run(package)


@pytest.fixture
def compiled_once(original, tmp_path) -> Path:
    return shutil.copytree(original[0].parent, tmp_path / "copy") / "igmc"


@pytest.fixture
def package(compiled_once) -> Path:
    """Without machine code."""
    shutil.rmtree(home_of(compiled_once))
    return compiled_once


def run(package: Path, code: str = MAIN, **environment: str) -> tuple[str, str]:
    """What the copy prints in a process of its own; $IGMC_HOME is beside it unless told otherwise."""
    kept = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    kept |= {"PYTHONPATH": str(package.parent), "IGMC_HOME": str(home_of(package)), **environment}
    done = subprocess.run(
        [sys.executable, "-c", code], env=kept, cwd=package.parent, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip(), done.stderr


def home_of(package: Path) -> Path:
    return package.parent / "home"


def folders_of(package: Path) -> list[Path]:
    return sorted((home_of(package) / "kernels").iterdir())


def edit(path: Path, old: str, new: str) -> None:
    source = path.read_text()
    assert old in source
    path.write_text(source.replace(old, new))


def test_machine_code_is_compiled_once(original, compiled_once):
    assert original[1] == ("11 11 0", "")
    assert run(compiled_once) == ("11 11 1", "")


def test_an_edited_callee_is_compiled_into_a_caller_whose_file_stays_the_same(compiled_once):
    edit(compiled_once / "callee.py", "x + 1", "x + 2")
    assert run(compiled_once) == ("12 12 0", "")
    edit(compiled_once / "callee.py", "x + 2", "x + 1")
    assert run(compiled_once) == ("11 11 1", "")


def test_a_record_whose_fields_change_places_is_read_right(compiled_once):
    edit(compiled_once / "pair.py", "x: int\n    y: int", "y: int\n    x: int")
    assert run(compiled_once) == ("11 11 0", "")


def test_the_digest_is_of_all_sources_of_kernels_and_of_numba_alone(package, monkeypatch):
    first = digest(package)
    edit(package / "errors.py", "exit_code = 3", "exit_code = 4")
    assert digest(package) == first
    found = {first}
    with (package / "pair.py").open("a") as file:
        file.write("# outside of the record\n")
    assert digest(package) == first
    edit(package / "pair.py", "    y: int", "    y: float")
    found.add(digest(package))
    for name in ("rng.py", "simd.py", "graph/kernel.py", "compiled.py"):
        with (package / name).open("a") as file:
            file.write("# other\n")
        found.add(digest(package))
    (package / "callee.py").rename(package / "callee_too.py")
    found.add(digest(package))
    monkeypatch.setattr(numba, "__version__", "0.0")
    found.add(digest(package))
    assert len(found) == 8


def test_machine_code_of_old_digests_goes_when_there_is_new(package):
    base = home_of(package) / "kernels"
    for age in range(KEPT + 2):
        (base / f"{PREFIX}{age}").mkdir(parents=True)
        os.utime(base / f"{PREFIX}{age}", (1e9 - age, 1e9 - age))
    (base / "mine").mkdir()
    run(package)
    kept = [folder.name for folder in folders_of(package) if folder.name != "mine"]
    assert len(kept) == KEPT
    assert {f"{PREFIX}{age}" for age in range(KEPT - 1)} < set(kept)
    assert (base / "mine").is_dir()


def test_machine_code_that_is_used_stays(compiled_once):
    (own,) = folders_of(compiled_once)
    os.utime(own, (1e9, 1e9))
    run(compiled_once)
    assert own.stat().st_mtime > 1e9


@pytest.mark.parametrize("suffix", ["nbi", "nbc"])
def test_damaged_files_are_made_anew(compiled_once, suffix):
    (own,) = folders_of(compiled_once)
    damaged = list(own.glob(f"*.{suffix}"))
    assert damaged
    for path in damaged:
        path.write_bytes(path.read_bytes()[:-40])
    assert run(compiled_once) == ("11 11 0", "")
    assert run(compiled_once) == ("11 11 1", "")


def test_where_nothing_can_be_written_one_warning_is_given(package, tmp_path):
    (tmp_path / "file").touch()
    out, warnings = run(package, IGMC_HOME=str(tmp_path / "file"))
    assert out == "11 11 0"
    assert warnings.count("cannot be cached") == 1
    assert warnings.count("set IGMC_HOME") == 1


def test_an_account_without_a_home_can_run_kernels(package):
    nobody = (
        "import os, pwd\ndel os.environ['HOME']\ndef getpwuid(uid): raise KeyError\npwd.getpwuid = getpwuid"
    )
    out, warnings = run(package, nobody + MAIN, IGMC_HOME="", XDG_CACHE_HOME="")
    assert out == "11 11 0"
    assert warnings.count("cannot be cached") == 1
    assert "no home folder" in warnings


def test_numbas_own_setting_counts(package, tmp_path):
    run(package, NUMBA_CACHE_DIR=str(tmp_path / "elsewhere"), IGMC_HOME=str(tmp_path / "unused"))
    assert [folder.name for folder in (tmp_path / "elsewhere").iterdir()] == [f"{PREFIX}{digest(package)}"]
    assert not (tmp_path / "unused").exists()


DECORATORS = {*compiled.__all__, "intrinsic"}
SOURCES = {path: path.read_bytes() for path in sorted(PACKAGE.rglob("*.py"))}


def is_digested(path: Path, name: str) -> bool:
    """Whether the digest changes with what a module calls by a name: with all of its source, or a record."""
    return COMPILES in SOURCES[path] or f"class {name}(NamedTuple)".encode() in sources_of_kernels(
        SOURCES[path]
    )


def module_of(name: str) -> Path:
    path = PACKAGE.parent / name.replace(".", "/")
    return path.with_suffix(".py") if path.with_suffix(".py") in SOURCES else path / "__init__.py"


def name_of(decorator: ast.expr) -> str:
    call = decorator.func if isinstance(decorator, ast.Call) else decorator
    return call.id if isinstance(call, ast.Name) else ""


def borrowed(path: Path) -> dict[str, str]:
    """What compiled functions of a module use of modules that the digest leaves out: name -> module."""
    tree = ast.parse(SOURCES[path])
    foreign = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("igmc")
        for alias in node.names
        if not is_digested(module_of(node.module), alias.name)
    }
    used = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and DECORATORS & {name_of(d) for d in node.decorator_list}:
            used |= {name.id for body in node.body for name in ast.walk(body) if isinstance(name, ast.Name)}
    return {name: module for name, module in foreign.items() if name in used}


def uses_numba(path: Path) -> bool:
    return any(
        isinstance(node, ast.ImportFrom | ast.Import)
        and any(name.split(".")[0] == "numba" for name in [getattr(node, "module", None) or "", *names(node)])
        for node in ast.walk(ast.parse(SOURCES[path]))
    )


def names(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_one_module_says_how_kernels_are_compiled():
    found = {path.relative_to(PACKAGE).as_posix() for path in SOURCES if uses_numba(path)}
    # The latter two define types and operations.
    assert found == {"compiled.py", "simd.py", "statistics/tally.py"}


def test_kernels_use_nothing_of_modules_that_the_digest_leaves_out():
    kernels = [path for path in SOURCES if b"igmc.compiled import" in SOURCES[path]]
    assert len(kernels) > 10
    assert {path.name: borrowed(path) for path in kernels if borrowed(path)} == {}


def test_what_a_kernel_borrows_would_be_noticed(monkeypatch):
    source = b"from igmc.errors import X\nfrom igmc.compiled import kernel\n@kernel\ndef f(): return X\n"
    path = compiled.PACKAGE / "rng.py"
    monkeypatch.setitem(SOURCES, path, source)
    assert borrowed(path) == {"X": "igmc.errors"}
