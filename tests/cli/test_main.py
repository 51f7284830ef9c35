"""However a command ends: one clear line on stderr, and the documented exit code."""

import errno
import os
import signal
import subprocess
import sys
import textwrap
import time

import click
import pytest

from igmc import errors
from igmc.cli.logs import start_logging
from igmc.cli.main import _exit_code


def ending(action, capsys, *, verbose=False):
    """Exit code, stdout and stderr of a command that does `action`."""

    @click.command()
    def command():
        start_logging(verbose=verbose, quiet=False)
        action()

    handler = signal.getsignal(signal.SIGTERM)
    arguments = sys.argv
    sys.argv = ["igmc-x"]
    try:
        code = _exit_code(command, "igmc-x")
    finally:
        sys.argv = arguments
        signal.signal(signal.SIGTERM, handler)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def raiser(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (
            errors.ConfigError("TrainConfig.batch_size is odd", got=3),
            2,
            "igmc-x: error: --batch-size is odd; got 3\n",
        ),
        (errors.DataError("line 3: no rating"), 3, "igmc-x: error: line 3: no rating\n"),
        (errors.StoreError("a shard is damaged"), 3, "igmc-x: error: a shard is damaged\n"),
        (errors.CheckpointError("torn"), 3, "igmc-x: error: torn\n"),
        (errors.TrainingError("loss is nan"), 1, "igmc-x: error: loss is nan\n"),
        (errors.IgmcError("other"), 1, "igmc-x: error: other\n"),
        (click.UsageError("no such thing."), 2, "igmc-x: error: no such thing; see igmc-x -h\n"),
        (click.ClickException("plain"), 1, "igmc-x: error: plain\n"),
        (ValueError("bug"), 1, "igmc-x: error: unexpected ValueError: bug; -v shows where\n"),
        (
            MemoryError("Unable to allocate 9.0 GiB"),
            1,
            "igmc-x: error: there is not enough memory: Unable to allocate 9.0 GiB; hint: give it "
            "more, or ask for less: fewer --workers, a lower cap, a smaller --batch-size, a shorter file\n",
        ),
        (
            RuntimeError("can't start new thread"),
            1,
            "igmc-x: error: there is not enough memory: can't start new thread; hint: give it more, or "
            "ask for less: fewer --workers, a lower cap, a smaller --batch-size, a shorter file\n",
        ),
        (KeyboardInterrupt(), 130, "\nigmc-x: interrupted; run the same command again to resume\n"),
        (SystemExit(143), 143, "igmc-x: terminated; run the same command again to resume\n"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/data/x.h5"),
            1,
            "igmc-x: error: No space left on device: /data/x.h5; hint: free some space, or choose "
            "another disk with --home or --out; then run the same command again to resume\n",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/root/x"),
            1,
            "igmc-x: error: Permission denied: /root/x; hint: choose a folder that you may write to "
            "with --home or --out, or fix the permissions\n",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No such file or directory", "a", None, "b"),
            1,
            "igmc-x: error: No such file or directory: a -> b; hint: check the path; -v shows where it "
            "happened\n",
        ),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_ending_has_its_line_and_code(error, code, message, capsys):
    assert ending(raiser(error), capsys) == (code, "", message)


def test_verbose_shows_where_it_happened(capsys):
    code, _, err = ending(raiser(errors.DataError("bad")), capsys, verbose=True)
    assert code == 3
    assert "Traceback" in err
    assert err.endswith("igmc-x: error: bad\n")


def test_a_command_that_ends_well_ends_with_0_and_its_own_code_is_kept(capsys):
    assert ending(lambda: None, capsys) == (0, "", "")


def run_python(code: str, **kwargs) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **kwargs,
    )


SLEEPER = """
    import sys, time, click
    from igmc.cli.main import _exit_code

    @click.command()
    def command():
        print("ready", flush=True)
        time.sleep(60)

    sys.argv = ["igmc-x"]
    sys.exit(_exit_code(command, "igmc-x"))
"""


@pytest.mark.parametrize(
    ("number", "code", "word"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_signals_end_the_process_with_their_code_and_no_traceback(number, code, word):
    process = run_python(SLEEPER)
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.05)
    process.send_signal(number)
    _, err = process.communicate(timeout=20)
    assert process.returncode == code
    assert err.strip() == f"igmc-x: {word}; run the same command again to resume"


@pytest.mark.parametrize("given", [None, "active"])
def test_threads_of_openmp_wait_without_spinning_unless_told_to(given, monkeypatch, capsys):
    monkeypatch.setenv("OMP_WAIT_POLICY", given or "")
    if given is None:
        monkeypatch.delenv("OMP_WAIT_POLICY")
    found = []
    ending(lambda: found.append(os.environ["OMP_WAIT_POLICY"]), capsys)
    assert found == [given or "passive"]


def test_python_dash_m_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "igmc", "--version"],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ,
    )
    from igmc import __version__

    assert done.stdout == f"igmc, version {__version__}\n"


def test_no_command_shows_the_help_and_is_a_usage_error():
    done = subprocess.run([sys.executable, "-m", "igmc"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "Commands:" in done.stderr
