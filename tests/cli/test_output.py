"""What goes to stdout: tables, sizes, and nothing when nobody reads any more."""

import subprocess
import sys
import textwrap

import pytest

from igmc.cli.output import human_bytes, table


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


def test_tables_put_numbers_right_and_words_left():
    lines = table(["name", "n"], [["long name", "1"], ["b", "22"]]).splitlines()
    assert lines == ["name        n", "long name   1", "b          22"]


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (834e6, "834 MB"), (12e12, "12.0 TB")]
)
def test_bytes_for_people(size, text):
    assert human_bytes(size) == text
