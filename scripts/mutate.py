"""Change the code one small step at a time, and see whether its tests notice.

A sample of all mutants of each module is run against the module's own tests, in a copy of the repository; the
table goes into ``scripts/results/mutation.json``, module by module, so that it can be made in parts. Each
mutant runs in a fork of one process that has loaded the libraries, but nothing of igmc.

    python scripts/mutate.py                                # every module
    python scripts/mutate.py igmc/store/manifest.py --limit 5
    python scripts/mutate.py --table                        # of what has been run, as Markdown

A mutant is killed if a test fails, or takes longer than ten times what all tests take without a change.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import importlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULT = ROOT / "scripts" / "results" / "mutation.json"
LIBRARIES = ("numpy", "pandas", "scipy.sparse", "torch", "torch_geometric.nn", "numba", "h5py", "pytest")

# Of each module that holds money: the tests that are its own.
TESTS: dict[str, tuple[str, ...]] = {
    "igmc/graph/kernel.py": ("tests/graph/test_kernel.py",),
    "igmc/store/writer.py": ("tests/store/test_writer.py", "tests/store/test_reader.py"),
    "igmc/store/reader.py": ("tests/store/test_reader.py",),
    "igmc/store/manifest.py": ("tests/store/test_manifest.py",),
    "igmc/training/checkpoint.py": ("tests/training/test_checkpoint.py",),
    "igmc/checked_json.py": ("tests/faults/test_bits.py",),
    "igmc/files.py": ("tests/test_files.py", "tests/faults/test_disk.py"),
    "igmc/evaluation/metrics/errors.py": ("tests/evaluation/metrics/test_errors.py",),
    "igmc/evaluation/metrics/errors_by.py": ("tests/evaluation/metrics/test_errors_by.py",),
    "igmc/evaluation/metrics/intervals.py": ("tests/evaluation/metrics/test_intervals.py",),
    "igmc/evaluation/metrics/ranking.py": ("tests/evaluation/metrics/test_ranking.py",),
    "igmc/evaluation/metrics/top_k.py": ("tests/evaluation/metrics/test_top_k.py",),
    "igmc/evaluation/protocols/inductive.py": ("tests/evaluation/protocols/test_inductive.py",),
    "igmc/evaluation/protocols/transductive.py": ("tests/evaluation/protocols/test_transductive.py",),
    "igmc/ratings/split.py": ("tests/ratings/test_split.py",),
    "igmc/ratings/readers/text.py": ("tests/ratings/readers/test_text.py", "tests/faults/test_memory.py"),
    "igmc/ratings/readers/to_table.py": ("tests/ratings/readers/test_to_table.py",),
    "igmc/statistics/graph_statistics.py": ("tests/statistics/test_graph_statistics.py",),
    "igmc/statistics/neighbour_kernels.py": ("tests/statistics/test_neighbours.py",),
    "igmc/statistics/dates.py": ("tests/statistics/test_dates.py",),
    "igmc/statistics/serving.py": ("tests/statistics/test_serving.py",),
    "igmc/loading/folds.py": ("tests/loading/test_folds.py",),
    "igmc/loading/cross_fitting.py": ("tests/loading/test_cross_fitting.py",),
    "igmc/estimates/prior.py": ("tests/estimates/test_prior.py",),
    "igmc/estimates/folding_kernels.py": ("tests/estimates/test_folding_kernels.py",),
    "igmc/ranking/closed_forms.py": ("tests/ranking/test_closed_forms.py",),
    "igmc/intervals/conformal.py": ("tests/intervals/test_conformal.py",),
    "igmc/live/log.py": ("tests/live/test_log.py",),
    "igmc/live/writer.py": ("tests/live/test_writer.py",),
}

# Survivors that no test should kill: the module, how the change begins, and why the code is right either way.
ACCEPTED: tuple[tuple[str, str, str], ...] = (
    ("igmc/checked_json.py", "text = json.dumps", "the layout of the file alone"),
    (
        "igmc/files.py",
        "partial.unlink(missing_ok=True)",
        "needs another process to remove the file in between",
    ),
    ("igmc/store/manifest.py", "replace_file(folder / MANIFEST, json.dumps", "the layout of the file alone"),
    (
        "igmc/loading/folds.py",
        "len(pairs_asked) > SHUFFLED",
        "a size, not a behaviour: either way all are asked",
    ),
    ("igmc/loading/folds.py", "rng.random(size) < silent", "a draw hits the bound with probability 2^-53"),
    ("igmc/live/writer.py", "MOST = 256", "the size of a transaction"),
    ("igmc/live/writer.py", "len(batch) < MOST", "the size of a transaction"),
    ("igmc/live/writer.py", "self._thread = threading.Thread", "the server closes its writer before it ends"),
    (
        "igmc/ratings/readers/text.py",
        "first = min(",
        "in doubt the slow reader reads the file, to the same end",
    ),
    ("igmc/loading/folds.py", "MOST_REVEALED = 10", "a constant of the method, which no test repeats"),
    ("igmc/evaluation/metrics/intervals.py", "bias = ndtri", "keeps a quantile finite; any small share does"),
    ("igmc/store/reader.py", "CACHE_BYTES = 2", "the size of a cache"),
    ("igmc/evaluation/metrics/intervals.py", "step = max(1", "how much is drawn at once, not what is drawn"),
    (
        "igmc/evaluation/metrics/intervals.py",
        "_DRAWN_AT_ONCE",
        "how much is drawn at once, not what is drawn",
    ),
)

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq},
    **{ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is},
}
OPERATIONS: dict[type[ast.operator], type[ast.operator]] = {
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.Div: ast.Mult},
    **{ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd},
}
# What is never changed: it says what went wrong, or what is meant, and does nothing.
SILENT = (ast.JoinedStr, ast.Raise, ast.AnnAssign, ast.arguments)


def places(tree: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """Each node that may be changed, and the statement that it is of, in the order of the text."""

    def walk(node: ast.AST, statement: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, SILENT) or child in getattr(node, "decorator_list", ()):
                continue
            if child is getattr(node, "returns", None):
                continue
            of = child if isinstance(child, ast.stmt) else statement
            yield child, of
            yield from walk(child, of)

    yield from walk(tree, tree)


def changes(node: ast.AST) -> list[dict[str, Any]]:
    """The ways to change one node, as new values of its attributes."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        return [{"ops": [COMPARISONS[type(node.ops[0])]()]}]
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in OPERATIONS:
        return [{"op": OPERATIONS[type(node.op)]()}]
    if isinstance(node, ast.BoolOp):
        return [{"op": ast.Or() if isinstance(node.op, ast.And) else ast.And()}]
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return [{"value": not node.value}]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return [{"value": node.value + 1}]
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        return [{"test": ast.UnaryOp(ast.Not(), node.test)}]
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return [{"value": ast.Constant(None)}]
    return []


def mutants(source: str) -> list[tuple[str, str]]:
    """What each mutant changes, and its text."""
    tree, found = ast.parse(source), []
    for node, statement in places(tree):
        for change in changes(node):
            kept = {name: getattr(node, name) for name in change}
            before = _first_line(node, statement)
            for name, value in change.items():
                setattr(node, name, value)
            line = getattr(node, "lineno", 0)
            found.append((f"{line}: {before} -> {_first_line(node, statement)}", ast.unparse(tree)))
            for name, value in kept.items():
                setattr(node, name, value)
    return found


def _first_line(node: ast.AST, statement: ast.AST) -> str:
    shown = node if isinstance(node, ast.expr) and not isinstance(node, ast.Constant) else statement
    if isinstance(shown, ast.FunctionDef | ast.ClassDef | ast.Module):
        shown = node
    if hasattr(shown, "body") and isinstance(shown, ast.stmt):
        shown = copy.copy(shown)
        shown.body = [ast.Pass()]  # type: ignore[attr-defined]
    return ast.unparse(ast.fix_missing_locations(copy.deepcopy(shown))).splitlines()[0][:90]


def passes(copied: Path, tests: tuple[str, ...], limit: float) -> tuple[bool, float]:
    """Whether all tests pass within so many seconds, and what they took."""
    start = time.monotonic()
    child = os.fork()
    if not child:
        _run(copied, tests)
    while time.monotonic() - start < limit:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status == 0, time.monotonic() - start
        time.sleep(0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False, time.monotonic() - start


def _run(copied: Path, tests: tuple[str, ...]) -> None:
    """In the child: the tests, and the end."""
    os.setpgid(0, 0)
    os.chdir(copied)
    sys.path[:] = [str(copied), *(path for path in sys.path if path not in ("", str(ROOT)))]
    os.environ |= {"PYTHONPATH": str(copied), "NUMBA_CACHE_DIR": str(copied / "kernels")}
    out = os.open(copied / "last.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(out, stream)
    import pytest

    os._exit(int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests])))


def run_module(module: str, copied: Path, limit: int, seed: int) -> dict[str, Any]:
    """Run a sample of the mutants of one module."""
    path, source = copied / module, (ROOT / module).read_text()
    path.write_text(source)
    tests = TESTS[module]
    whole = [passes(copied, tests, 3600.0) for _ in range(2)][-1]  # the second finds the kernels compiled
    if not whole[0]:
        raise SystemExit(f"{module}: its tests fail without a change:\n{(copied / 'last.txt').read_text()}")
    every = mutants(source)
    sample = sorted(random.Random(f"{seed} {module}").sample(range(len(every)), min(limit, len(every))))
    survived = []
    for k in sample:
        path.write_text(every[k][1])
        if passes(copied, tests, 10 * whole[1] + 120)[0]:
            survived.append(every[k][0])
        print(f"{module}:{every[k][0]}: {'SURVIVED' if every[k][0] in survived else 'killed'}", flush=True)
    path.write_text(source)
    return {"mutants": len(every), "run": len(sample), "seed": seed, "survived": survived}


def accepted(module: str, mutant: str) -> str | None:
    """Why a survivor is accepted; None if it is not."""
    change = mutant.partition(": ")[2]
    return next((why for of, begins, why in ACCEPTED if of == module and change.startswith(begins)), None)


def table(results: dict[str, Any]) -> str:
    """The results as Markdown: a line for each module, and the survivors that are accepted."""
    lines = [
        "| Module | Mutants | Run | Killed | Accepted | Survived |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    reasons = []
    for module, found in sorted(results.items()):
        fine = [mutant for mutant in found["survived"] if accepted(module, mutant)]
        survived = len(found["survived"])
        numbers = found["mutants"], found["run"], found["run"] - survived, len(fine), survived - len(fine)
        lines.append(f"| `{module}` | {' | '.join(map(str, numbers))} |")
        reasons += [f"- `{module}`, `{mutant}`: {accepted(module, mutant)}" for mutant in fine]
    return "\n".join([*lines, *(["", "Accepted:", "", *reasons] if reasons else [])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("modules", nargs="*", help=f"of: {', '.join(TESTS)}")
    parser.add_argument("--limit", type=int, default=15, help="mutants of a module at most")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--table", action="store_true", help="print what has been run")
    args = parser.parse_args()
    results = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    if args.table:
        print(table(results))
        return
    for library in LIBRARIES:
        importlib.import_module(library)
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "igmc"
        for name in ("igmc", "tests", "scripts"):
            shutil.copytree(ROOT / name, copied / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copied)
        with contextlib.suppress(KeyboardInterrupt):
            for module in args.modules or TESTS:
                results[module] = run_module(module, copied, args.limit, args.seed)
                RESULT.write_text(json.dumps(dict(sorted(results.items())), indent=1) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
