"""What the documents name is there."""

import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
RELIABILITY = (ROOT / "docs" / "reliability.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", RELIABILITY)


def test_each_test_that_the_table_of_faults_names_is_there():
    assert len(NAMED) > 50
    missing = [f"{file}::{name}" for file, name in NAMED if f"def {name}(" not in (ROOT / file).read_text()]
    assert not missing


def test_each_fault_has_a_promise_and_a_test():
    faults, _, _ = RELIABILITY.partition("## Mutants")
    rows = [line for line in faults.splitlines() if line.startswith("|") and not line.startswith("| ---")]
    for row in rows:
        if not row.startswith("| Injected |"):
            injected, promised, proved = (cell.strip() for cell in row.strip("|").split(" | "))
            assert injected, row
            assert promised, row
            assert re.fullmatch(r"`[\w/.:]+`(, `[\w/.:]+`)*", proved), row


def test_each_injection_of_the_folder_of_faults_is_in_the_table():
    for path in sorted((ROOT / "tests" / "faults").glob("test_*.py")):
        named = {name for file, name in NAMED if file == f"tests/faults/{path.name}"}
        assert named, path.name


def test_the_table_of_mutants_is_that_of_the_result_file(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import mutate

    results = json.loads((ROOT / "scripts" / "results" / "mutation.json").read_text())
    assert mutate.table(results) in RELIABILITY
    survivors = [(module, mutant) for module, found in results.items() for mutant in found["survived"]]
    assert [each for each in survivors if not mutate.accepted(*each)] == [], (
        "accepted with a reason, or killed"
    )


def test_only_the_metadata_of_the_package_names_the_sites_of_the_project():
    metadata = (ROOT / "pyproject.toml").read_text()
    sites = set(re.findall(r'= "https://([\w.]+(?:/igmc/igmc)?)', metadata.partition("[project.urls]")[2]))
    assert sites >= {"github.com/igmc/igmc", "igmc.readthedocs.io"}
    files = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CITATION.cff")]
    files += [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".rst", ".py")]
    assert not [path.name for path in files for site in sites if site in path.read_text()]
