"""Log lines go to stderr, as many as were asked for."""

import logging
import sys

import pytest
from tqdm import tqdm

from igmc.cli.logs import shows_progress, start_logging


def test_logs_go_to_stderr_by_level(capsys):
    logger = logging.getLogger("igmc.somewhere")
    for flags, expected in (
        ({"verbose": False, "quiet": False}, ["info", "warning"]),
        ({"verbose": False, "quiet": True}, ["warning"]),
    ):
        start_logging(**flags)
        for level in ("debug", "info", "warning"):
            getattr(logger, level)(level)
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.split() == expected
    start_logging(verbose=True, quiet=False)
    logger.debug("why")
    assert "DEBUG igmc.somewhere: why" in capsys.readouterr().err


@pytest.fixture
def logger():
    """The logger of igmc, afterwards as it was before."""
    logger = logging.getLogger("igmc")
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_started_again_it_says_each_line_once_and_leaves_other_handlers(logger, capsys):
    kept = logging.NullHandler()
    logger.addHandler(kept)
    for _ in range(3):
        start_logging(verbose=False, quiet=False)
    logger.info("once")
    assert capsys.readouterr().err == "once\n"
    assert kept in logger.handlers


def test_what_the_terminal_hides_still_reaches_the_log_of_a_run(logger, capsys):
    lines = []
    log = logging.Handler()
    log.emit = lambda record: lines.append(record.getMessage())
    logger.addHandler(log)
    start_logging(verbose=False, quiet=True)
    logger.info("hidden")
    assert capsys.readouterr().err == ""
    assert lines == ["hidden"]


def test_a_line_goes_above_a_progress_bar(logger, capsys):
    start_logging(verbose=False, quiet=False)
    with tqdm(total=2, file=sys.stderr, ncols=40) as bar:
        logger.warning("careful")
        bar.update()
    lines = capsys.readouterr().err.replace("\r", "\n").splitlines()
    assert "careful" in [line.strip() for line in lines], "on a line of its own"


@pytest.mark.parametrize(
    ("quiet", "terminal", "shown"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_bars_are_for_a_terminal_that_was_not_asked_to_be_quiet(monkeypatch, quiet, terminal, shown):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    assert shows_progress(quiet=quiet) is shown
