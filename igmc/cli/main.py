"""The entry points of the commands, and the one place where errors become messages and exit codes."""

from __future__ import annotations

import errno
import logging
import sys
from collections.abc import Callable
from typing import NoReturn

import click

from igmc import __version__
from igmc.cli.data import data_command
from igmc.cli.doctor import doctor_command
from igmc.cli.evaluate import evaluate_command
from igmc.cli.explain import explain_command
from igmc.cli.extract import extract_command
from igmc.cli.help import TeachingGroup
from igmc.cli.options import as_typed
from igmc.cli.output import make_writable
from igmc.cli.plot import plot_command
from igmc.cli.predict import predict_command
from igmc.cli.recommend import recommend_command
from igmc.cli.serve import serve_command
from igmc.cli.signals import TERMINATED, heard
from igmc.cli.train import train_command
from igmc.cli.transfer import transfer_command
from igmc.cli.tune import tune_command
from igmc.errors import ConfigError, IgmcError

__all__ = [
    *("evaluate", "explain", "extract", "main", "plot", "predict", "recommend", "serve", "train", "transfer")
]

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
    commands=[
        extract_command,
        train_command,
        predict_command,
        recommend_command,
        explain_command,
        serve_command,
        evaluate_command,
        tune_command,
        transfer_command,
        plot_command,
        data_command,
        doctor_command,
    ],
)
@click.version_option(__version__, prog_name="igmc")
def _igmc() -> None:
    """Predict ratings of users and items never seen in training, from nothing but the ratings around them.

    'igmc train' does the whole job: it loads ratings, cuts the enclosing subgraphs, trains, and reports the
    test error beside simple references. 'igmc extract' stores the subgraphs beforehand, for many runs.
    'igmc predict' asks a trained run, for people and items of its data or new ones; 'igmc recommend' lists
    what they will like best. Most are also there by a name of their own, such as igmc-train.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 bad or corrupt data, 130 or 143 interrupted and resumable.
    """


def _entry_point(command: click.Command, name: str) -> Callable[[], NoReturn]:
    """What the script of that name calls; see pyproject.toml."""

    def run() -> NoReturn:
        sys.exit(_exit_code(command, name))

    return run


main = _entry_point(_igmc, "igmc")  # of "python -m igmc" too
extract = _entry_point(extract_command, "igmc-extract")
train = _entry_point(train_command, "igmc-train")
predict = _entry_point(predict_command, "igmc-predict")
recommend = _entry_point(recommend_command, "igmc-recommend")
explain = _entry_point(explain_command, "igmc-explain")
serve = _entry_point(serve_command, "igmc-serve")
evaluate = _entry_point(evaluate_command, "igmc-evaluate")
transfer = _entry_point(transfer_command, "igmc-transfer")
plot = _entry_point(plot_command, "igmc-plot")


def _exit_code(command: click.Command, name: str) -> int:
    """Run a command to its end, whichever that is."""
    make_writable()
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
    except IgmcError as error:
        return _fail(
            name, as_typed(str(error)) if isinstance(error, ConfigError) else str(error), error.exit_code
        )
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
        return f"{what}; to mend it: {_LESS}"
    if isinstance(error, OSError):
        return _os_message(error)
    return f"unexpected {type(error).__name__}: {error}; -v shows where"


def _os_message(error: OSError) -> str:
    what = error.strerror or str(error)
    where = " -> ".join(str(path) for path in (error.filename, error.filename2) if path is not None)
    if error.errno in _FULL:
        remedy = f"free some space, or choose another disk with --home or --out; then {_AGAIN}"
    elif error.errno in _DENIED:
        remedy = "choose a folder that you may write to with --home or --out, or mend the permissions"
    else:
        remedy = "check the path; -v shows where it happened"
    return f"{what}{': ' + where if where else ''}; to mend it: {remedy}"
