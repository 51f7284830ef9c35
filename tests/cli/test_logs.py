"""Log lines go to stderr, as many as were asked for."""

from igmc.cli.logs import start_logging


def test_logs_go_to_stderr_by_level(capsys):
    import logging

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
