"""``igmc-predict``: the ratings that pairs are predicted to get, by a trained run."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.model_options import checkpoint_options, make_predictor, model_options, round_option
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json

if TYPE_CHECKING:
    import pandas as pd

    from igmc.inference import Predictor

__all__ = ["predict_command"]

logger = logging.getLogger(__name__)


@click.command(
    "predict",
    cls=TeachingCommand,
    short_help="Predict ratings with a trained run.",
    examples=(
        "igmc-predict --run runs/ml_100k --pairs pairs.csv",
        "igmc-predict --run runs/ml_100k --ratings mine.csv --user me --items 50,181,258 --json",
    ),
)
@model_options
@click.option(
    "--pairs",
    metavar="FILE|-",
    help="The pairs that are asked: text with a header that names user_id and item_id; - for stdin.",
)
@click.option("--user", metavar="ID", help="The user that is asked; goes with --items.")
@click.option("--items", metavar="ID,ID,...", help="The items that are asked for --user.")
@click.option(
    "--ratings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Ratings since training, of any users and items, known or new: user_id, item_id, rating.",
)
@round_option
@checkpoint_options
@click.option(
    "--clip/--no-clip", default=True, help="Move scores beyond the scale to its nearer end [default on]"
)
@running_options()
def predict_command(**given: Any) -> None:
    """Predict ratings with a trained run, of people and items that were in its data or came later.

    Either --pairs, or --user and --items, say what is asked. What is known are the training and validation
    ratings of the run, and those in --ratings. Nothing is trained and nothing kept.

    Prints a line for each pair: user_id, item_id, score, source. The source is 'model', or, where the user or
    the item is unknown or has no rating besides the one that is asked, the damped mean that stands in for
    it: 'user mean', 'item mean' or 'global mean'.

    Only a run with side features needs its data again (--data-dir, --home).
    """
    pairs, user, items = given["pairs"], given["user"], given["items"]
    if (pairs is None) == (user is None or items is None) or (pairs and (user or items)):
        raise click.UsageError("say what is asked: --pairs, or both --user and --items")
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    run, predictor = make_predictor(given)
    if given["ratings"] is not None:
        from igmc.inference import with_ratings_file

        predictor = with_ratings_file(predictor, given["ratings"], round_ratings=given["round_ratings"])
    predicted = predictor.predict(*_asked(predictor, pairs, user, items), clip=given["clip"])
    means = int((predicted["source"] != "model").sum())
    if means:
        logger.info("%d of %d answers are damped means: there is no rating to go by", means, len(predicted))
    if given["as_json"]:
        emit_json(_document(run, predictor, predicted, given["clip"]))
    else:
        emit(predicted.to_csv(index=False, float_format="%.4f").rstrip("\n"))


def _asked(
    predictor: Predictor, pairs: str | None, user: str | None, items: str | None
) -> tuple[list[int | str], list[int | str]]:
    from igmc.inference import from_text, read_pairs, read_pairs_file
    from igmc.ratings.readers import decoded

    if pairs == "-":
        return read_pairs(predictor, io.StringIO(decoded(sys.stdin.buffer.read()), newline=""), "stdin")
    if pairs is not None:
        return read_pairs_file(predictor, Path(pairs))
    words = [word.strip() for word in (items or "").split(",") if word.strip()]
    if not words:
        raise click.UsageError("--items names no item; give ids with commas between, such as 50,181")
    item_ids = from_text(predictor.items, words)
    return from_text(predictor.users, [user or ""]) * len(item_ids), item_ids


def _document(run: Path, predictor: Predictor, predicted: pd.DataFrame, clip: bool) -> dict[str, object]:
    rows = [
        {"user_id": user, "item_id": item, "score": round(float(score), 4), "source": source}
        for user, item, score, source in predicted.itertuples(index=False)
    ]
    return {
        "run": str(run),
        "epochs": list(predictor.epochs),
        "scale": {"low": predictor.scale.low, "high": predictor.scale.high},
        "clipped": clip,
        "predictions": rows,
    }
