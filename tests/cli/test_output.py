"""What goes to stdout: tables, sizes, and nothing when nobody reads any more."""

import json
import os
import pty
import subprocess
import sys
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.cli.output import emit_json, human_bytes, table


def run_python(code: str, **kwargs) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


def test_a_reader_that_goes_away_is_no_error():
    code = """
        from igmc.cli.output import emit
        for _ in range(10_000):
            emit("x" * 100)
    """
    process = run_python(code)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=20) == 0


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_any_title_arrives_whole_where_stdout_is_redirected(encoding):
    code = """
        import sys
        from igmc.cli.main import _exit_code
        import click
        from igmc.cli.output import emit
        said = click.Command("x", callback=lambda: emit("Sen to Chihiro \u5343\u3068 \u2603"))
        sys.exit(_exit_code(said, "x"))
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        check=False,
    )
    assert (process.returncode, process.stderr) == (0, b"")
    assert process.stdout.decode("utf-8") == "Sen to Chihiro \u5343\u3068 \u2603\n"


def test_a_terminal_that_lacks_a_letter_shows_a_mark_in_its_place():
    terminal, inside = pty.openpty()
    code = """
        from igmc.cli.output import emit, make_writable
        make_writable()
        emit("caf\u00e9 \u2603")
    """
    process = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=inside,
        env={**os.environ, "PYTHONIOENCODING": "cp1252"},
        check=False,
    )
    os.close(inside)
    assert process.returncode == 0
    assert os.read(terminal, 100).strip() == "caf\u00e9 ?".encode("cp1252")
    os.close(terminal)


def test_tables_put_numbers_right_and_words_left():
    lines = table(["name", "n"], [["long name", "1"], ["b", "22"]]).splitlines()
    assert lines == ["name        n", "long name   1", "b          22"]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (834e6, "834 MB"), (12e12, "12.0 TB")]
)
def test_bytes_for_people(size, text):
    assert human_bytes(size) == text


def test_json_is_one_object_and_holds_no_numbers_that_json_lacks(capsys):
    value = {"a": [1, 2.5, None], "ü": {"b": True}}
    emit_json(value)
    assert json.loads(capsys.readouterr().out) == value
    for odd in (float("nan"), float("inf")):
        with pytest.raises(ValueError, match="not JSON compliant"):
            emit_json({"x": odd})
    assert capsys.readouterr().out == ""


CELLS = st.text("abc1-. ", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(
    st.integers(1, 4).flatmap(
        lambda n: st.lists(st.lists(CELLS, min_size=n, max_size=n), min_size=1, max_size=5)
    )
)
def test_columns_of_a_table_begin_or_end_at_one_place(rows):
    header = [f"column{k}" for k in range(len(rows[0]))]
    lines = table(header, rows).splitlines()
    assert len(lines) == 1 + len(rows)
    start = 0
    for k, name in enumerate(header):
        column = [row[k] for row in rows]
        width = max(map(len, [name, *column]))
        numbers = all(cell.lstrip("+-")[:1].isdigit() or cell == "-" for cell in column)
        for line, cell in zip(lines, [name, *column], strict=True):
            field = line[start : start + width].ljust(width)
            assert field == (cell.rjust(width) if numbers else cell.ljust(width))
        start += width + 2
    assert not any(line.endswith(" ") for line in lines)


def test_a_table_without_rows_is_its_header():
    assert table(["part", "pairs"], []) == "part  pairs"


@given(st.floats(0, 9e14))
def test_a_size_is_short_and_within_a_twentieth_of_the_number_of_bytes(size):
    number, unit = human_bytes(size).split()
    assert len(number) <= 4 or unit == "TB"
    back = float(number) * {"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12}[unit]
    assert abs(back - size) <= max(0.5, 0.051 * size)
