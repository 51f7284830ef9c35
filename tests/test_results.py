"""The result files keep their schema, and the tables of docs/results.md are those of the result files."""

import json
import shutil
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "scripts" / "results"
SCHEMA = json.loads((RESULTS / "schema.json").read_text())


@pytest.fixture
def record(tmp_path, monkeypatch):
    """The module of the scripts, writing to copies."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import record

    shutil.copytree(RESULTS, tmp_path / "results", ignore=shutil.ignore_patterns("*.png", "*.svg"))
    monkeypatch.setattr(record, "RESULTS", tmp_path / "results")
    monkeypatch.setattr(record, "TABLES", tmp_path / "results.md")
    shutil.copy(ROOT / "docs" / "results.md", tmp_path)
    yield record
    for name in (path.stem for path in (ROOT / "scripts").glob("*.py")):
        sys.modules.pop(name, None)


def render_all(record) -> None:
    """Write every table again, from the result files."""
    import average_draws
    import cold_start
    import compare_choices
    import default_lists
    import interval_coverage
    import newcomers
    import no_ratings
    import other_data
    import reproduce_baselines
    import reproduce_cold_start
    import reproduce_ranking
    import reproduce_tables
    import small_data
    import sparsity
    import transfer

    record.put_table("draws", average_draws.render(record.read_runs("draws")))
    record.put_table("choices", compare_choices.render(record.read("choices")))
    record.put_table("small_data", small_data.render(record.read("small_data")))
    record.put_table("transfer", transfer.table(record.read("transfer")))
    reproduce_tables.render(record.read_runs("tables"))
    reproduce_baselines.write([])
    reproduce_ranking.write(None)
    for study in (
        cold_start,
        default_lists,
        interval_coverage,
        sparsity,
        newcomers,
        no_ratings,
        other_data,
        reproduce_cold_start,
    ):
        study.write(record.read(study.__name__))


def test_tables_are_those_of_the_result_files(record, monkeypatch):
    import studies

    monkeypatch.setattr(studies, "save_figure", lambda *_: None)
    before = record.TABLES.read_text()
    render_all(record)
    assert record.TABLES.read_text() == before
    record.TABLES.write_text(before.replace("0.9058", "0.8058"))
    render_all(record)
    assert record.TABLES.read_text() == before, "an edited figure is noticed"


def test_rows_are_read_as_they_were_written(record):
    rows = [{"dataset": "demo", "rmse": 0.5}, {"dataset": "übung", "rmse": 0.25}]
    record.write("some", rows)
    assert record.read("some") == rows
    assert len((record.RESULTS / "some.jsonl").read_text().splitlines()) == 2
    assert record.read("none") == []


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.jsonl")), ids=lambda path: path.stem)
def test_rows_keep_the_schema(path):
    jsonschema = pytest.importorskip("jsonschema")
    kind = SCHEMA["files"][path.stem]
    check = jsonschema.Draft202012Validator({**SCHEMA, "$ref": f"#/$defs/{kind}"})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows
    for row in rows:
        check.validate(row)
    del row["machine"]
    assert not check.is_valid(row), "a row without its machine is refused"
