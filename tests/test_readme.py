"""The documents hold: commands parse, and are run or named as not run; Python runs; links lead somewhere.

Above a block that is not run stands the reason: ``<!-- not run: serves until it is stopped -->``. All others
are run, page by page, in one folder that holds the tables ``ratings.csv`` and ``films.csv``; the tutorial
comes first, since the guides ask the run that it trains.
"""

import contextlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import click
import pandas as pd
import pytest

from igmc.cli.main import _exit_code
from igmc.ratings.demo import make_demo
from igmc.recommenders import RECOMMENDERS
from tests.cli.commands import COMMANDS

pytestmark = pytest.mark.usefixtures("brief_training")  # whether pages run is asked, not what they find

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIAL = ROOT / "docs" / "start" / "tutorial.md"
BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^\n]+) -->\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL
)
# Of a project that is developed: they install, or take the linters and tests of the whole project.
DEVELOPERS = ("curl", "python", "ruff", "pytest", "pre-commit", "source", "tensorboard", "mypy", "export")


class Block(NamedTuple):
    page: Path
    mark: str
    kind: str
    text: str

    @property
    def is_run(self) -> bool:
        return not self.mark.startswith(("not run: ", "ci: "))

    def lines(self) -> list[list[str]]:
        """The words of each command."""
        parts = [part for line in self.text.splitlines() for part in line.split("&&")]
        return [words for part in parts if (words := shlex.split(part, comments=True))]


def found(kind: str, pages: list[Path] = PAGES) -> list[Block]:
    blocks = []
    for page in pages:
        for match in BLOCK.finditer(page.read_text()):
            if match["kind"] == kind:
                blocks.append(Block(page, match["mark"] or "", kind, match["text"]))
    return blocks


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


BASH = found("bash")
LINES = [(named(block.page), words) for block in BASH for words in block.lines()]


@pytest.mark.parametrize(("page", "words"), LINES, ids=[f"{page}: {' '.join(w)}"[:100] for page, w in LINES])
def test_commands_parse(page, words):
    if words[0] == "torchrun":  # starts one of ours
        words = words[words.index("igmc") :]
    name, *rest = words
    if name not in COMMANDS:
        assert name in DEVELOPERS, f"{page} shows an unknown command"
        return
    command = COMMANDS[name]
    while hasattr(command, "commands"):
        command = command.commands[rest.pop(0)]
    with contextlib.suppress(click.exceptions.Exit):  # -h and the lists end while they are parsed
        command.make_context("x", rest)


def test_an_option_that_does_not_exist_would_be_found():
    with pytest.raises(click.NoSuchOption):
        test_commands_parse("x.md", ["igmc-train", "--datset", "demo"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the commands are run: the first hundred users of the demo as tables."""
    here = tmp_path_factory.mktemp("documents")
    demo = make_demo()
    table = demo.table
    columns = {"user": table.users.decode(table.user), "item": table.items.decode(table.item)}
    ratings = pd.DataFrame({**columns, "rating": table.rating})[table.user < 100]
    ratings.to_csv(here / "ratings.csv", index=False)
    demo.item_info.assign(item=list(table.items.ids)).to_csv(here / "films.csv", index=False)
    return here


@pytest.fixture
def at_work(folder, monkeypatch):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("IGMC_HOME", str(folder / "home"))
    monkeypatch.delenv("IGMC_DATA", raising=False)


def first_the_tutorial(blocks: list[Block]) -> list[Block]:
    return sorted(blocks, key=lambda block: block.page != TUTORIAL)


def test_commands_run(at_work, monkeypatch, capsys):
    ran = []
    for block in first_the_tutorial(BASH):
        for name, *rest in block.lines():
            if block.is_run:
                assert name in COMMANDS, f"{named(block.page)}: {name} is neither run nor named as not run"
                monkeypatch.setattr(sys, "argv", [name, *rest])
                code = _exit_code(COMMANDS[name], name)
                told = capsys.readouterr()
                assert code == 0, f"{named(block.page)}: {name} {shlex.join(rest)}: {told.err[-1000:]}"
                ran.append(name)
    assert len(ran) > 15
    assert Path("runs/demo/metrics.json").is_file()
    assert Path("demo.graphml").is_file()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_python_runs(page, at_work, capsys, monkeypatch):
    module = ModuleType("documents")
    monkeypatch.setitem(sys.modules, "documents", module)
    monkeypatch.setitem(RECOMMENDERS, "item_median", "")  # which a page registers: gone again afterwards
    for block in found("python", [page]):
        code = compile(block.text, named(page), "exec")
        if block.is_run:
            exec(code, vars(module))
            assert capsys.readouterr().out, "an example shows something"


def test_what_is_not_run_has_a_reason():
    for block in BASH:
        if not block.is_run:
            reason = block.mark.partition(": ")[2]
            assert reason, f"{named(block.page)}: {block.text}"


def test_links_within_the_project_lead_somewhere():
    links = 0
    for page in PAGES:
        base = (
            ROOT if named(page) in ("docs/about/contributing.md", "docs/about/changelog.md") else page.parent
        )
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
            if "://" not in target and not target.startswith("#"):
                assert (base / target.partition("#")[0]).exists(), f"{named(page)}: {target}"
                links += 1
    assert links > 50


def test_the_site_builds_without_warnings(tmp_path):
    pytest.importorskip("myst_nb")
    pytest.importorskip("sphinx_click")
    pytest.importorskip("furo")
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "docs", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    options = (tmp_path / "site" / "reference" / "cli.html").read_text()
    assert "--support-dropout" in options
    assert "\u2013" not in options, "two hyphens are not a dash"
    assert "RatingTable" in (tmp_path / "site" / "about" / "architecture.html").read_text()


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 200


def test_ci_finds_its_commands():
    marks = [block.mark for block in found("bash", [ROOT / "README.md"]) if block.mark.startswith("ci: ")]
    assert marks == ["ci: main job", "ci: tests"]
    ci = (ROOT / ".ci" / "run").read_text()
    assert 'for name in "main job" tests; do' in ci
