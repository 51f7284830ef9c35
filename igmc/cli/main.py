"""The entry points of the commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import logging
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from igmc import __version__
from igmc.cli.help import LazyCommands, TeachingGroup
from igmc.cli.logs import stop_logging
from igmc.cli.output import make_writable
from igmc.cli.signals import TERMINATED, heard
from igmc.errors import ConfigError, IgmcError

__all__ = [
    *("data", "doctor", "evaluate", "explain", "extract", "main", "plot", "predict", "ratings", "recommend"),
    *("serve", "similar", "train", "transfer", "tune"),
]

# Name -> where the command is, and a line on it; imported when it is run.
_COMMANDS = {
    name: (f"igmc.cli.{name}:{name}_command", text)
    for name, text in {
        "extract": "Store the enclosing subgraphs of a data set.",
        "train": "Train on a data set and report the test error.",
        "predict": "Predict ratings with a trained run.",
        "recommend": "List the items that a user will like best.",
        "similar": "List the items like another one.",
        "explain": "Explain a prediction by the ratings behind it.",
        "serve": "Serve recommendations: an HTTP API and a web page.",
        "ratings": "Export, compact and train on the ratings that a server stored.",
        "evaluate": "Compare models on the same splits.",
        "tune": "Search for the best settings of a model on validation ratings.",
        "transfer": "Apply a trained model to another data set.",
        "plot": "Draw the figures of a run.",
        "data": "List, fetch, describe and convert data sets.",
        "doctor": "Check this machine and test the compiled code.",
    }.items()
}
_INTERRUPTED = 130
_AGAIN = "run the same command again to resume"
_LESS = "give it more, or ask for less: fewer --workers, a lower cap, a smaller --batch-size, a shorter file"
# How Python's threads, the loader of libraries, torch and the system say that there is no memory left.
_NO_MEMORY = (
    "can't start new thread",
    "failed to map segment",
    "can't allocate memory",
    "Cannot allocate memory",
)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DENIED = (errno.EACCES, errno.EPERM, errno.EROFS)


@click.group(
    "igmc",
    cls=TeachingGroup,
    examples=("igmc train --dataset demo", "igmc data list"),
    commands=LazyCommands(_COMMANDS),
)
@click.version_option(__version__, prog_name="igmc")
def _igmc() -> None:
    """Predict ratings of users and items never seen in training, from nothing but the ratings around them.

    'igmc train' does the whole job: it loads ratings, trains a network on their neighbourhoods, and reports
    the test error beside simple baselines. 'igmc predict' and 'igmc recommend' answer with a trained run,
    for known and for new users and items. Each command also has its own name, such as igmc-train.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad or corrupt data, 130 or 143 interrupted and resumable.
    """


def _entry_point(name: str) -> Callable[[], NoReturn]:
    """What the script of that name calls; see pyproject.toml."""

    def run() -> NoReturn:
        command = _igmc if name == "igmc" else _igmc.commands[name.removeprefix("igmc-")]
        sys.exit(_exit_code(command, name))

    return run


main = _entry_point("igmc")  # of "python -m igmc" too
data = _entry_point("igmc-data")
doctor = _entry_point("igmc-doctor")
evaluate = _entry_point("igmc-evaluate")
explain = _entry_point("igmc-explain")
extract = _entry_point("igmc-extract")
plot = _entry_point("igmc-plot")
predict = _entry_point("igmc-predict")
ratings = _entry_point("igmc-ratings")
recommend = _entry_point("igmc-recommend")
serve = _entry_point("igmc-serve")
similar = _entry_point("igmc-similar")
train = _entry_point("igmc-train")
transfer = _entry_point("igmc-transfer")
tune = _entry_point("igmc-tune")


def _exit_code(command: click.Command, name: str) -> int:
    """Run a command to its end, whichever that is."""
    # Read when torch is imported. Waiting threads of OpenMP would spin, and take a core from what has work:
    # beside a busy process, two cores fit LightGCN six times as fast if they do not.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    make_writable()
    try:
        return _ended(command, name)
    finally:
        stop_logging()


def _ended(command: click.Command, name: str) -> int:
    try:
        with heard():
            code = command.main(prog_name=name, standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        help_page = f"{error.ctx.command_path if error.ctx else name} -h"
        return _fail(name, f"{error.format_message().rstrip('.')}; see {help_page}", error.exit_code)
    except click.ClickException as error:
        return _fail(name, error.format_message(), error.exit_code)
    except ConfigError as error:
        from igmc.cli.options import as_typed

        return _fail(name, as_typed(str(error)), error.exit_code)
    except IgmcError as error:
        return _fail(name, str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail(name, f"interrupted; {_AGAIN}", _INTERRUPTED, kind=None)
    except SystemExit as error:
        if error.code == TERMINATED:
            return _fail(name, f"terminated; {_AGAIN}", TERMINATED, kind=None)
        raise
    except Exception as error:
        return _fail(name, _message(error), 1)


def _fail(name: str, message: str, code: int, *, kind: str | None = "error") -> int:
    """Say on stderr what ended the command; with ``-v`` also where."""
    if kind and logging.getLogger("igmc").isEnabledFor(logging.DEBUG):
        logging.getLogger(__name__).debug("where it happened:", exc_info=True)
    click.echo(": ".join(filter(None, (name, kind, message))), err=True)
    return code


def _message(error: Exception) -> str:
    """What to say of an error that is none of ours."""
    if isinstance(error, MemoryError) or any(sign in str(error) for sign in _NO_MEMORY):
        what = f"there is not enough memory: {error}" if str(error) else "there is not enough memory"
        return f"{what}; hint: {_LESS}"
    if isinstance(error, OSError):
        return _os_message(error)
    return f"unexpected {type(error).__name__}: {error}; -v shows where"


def _os_message(error: OSError) -> str:
    what = error.strerror or str(error)
    where = " -> ".join(str(path) for path in (error.filename, error.filename2) if path is not None)
    if error.errno in _FULL:
        remedy = f"free some space, or choose another disk with --home or --out; then {_AGAIN}"
    elif error.errno in _DENIED:
        remedy = "choose a folder that you may write to with --home or --out, or fix the permissions"
    else:
        remedy = "check the path; -v shows where it happened"
    return f"{what}{': ' + where if where else ''}; hint: {remedy}"
