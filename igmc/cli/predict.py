"""``igmc-predict``: the ratings that pairs are predicted to get, by a trained run."""

from __future__ import annotations

import io
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.model_options import (
    at_option,
    check_intervals,
    check_rates,
    checkpoint_options,
    coverage_option,
    items_option,
    make_predictor,
    model_options,
    new_items_option,
    ratings_option,
    round_option,
)
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json

if TYPE_CHECKING:
    import pandas as pd

    from igmc.inference import Predictor
    from igmc.ratings import RawId

__all__ = ["predict_command"]

logger = logging.getLogger(__name__)


@click.command(
    "predict",
    cls=TeachingCommand,
    short_help="Predict ratings with a trained run.",
    most_used=("run", "demo", "pairs", "user", "items", "ratings", "as_json"),
    examples=(
        "igmc-predict --run runs/ml_100k --pairs pairs.csv",
        "igmc-predict --run runs/ml_100k --ratings mine.csv --user me --items 50,181,258 --json",
    ),
)
@model_options
@click.option(
    "--pairs",
    metavar="FILE|-",
    help="Pairs to predict: a text file, or a Parquet file or folder of any length, with the columns user_id "
    "and item_id; - for text from stdin.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the predictions for a Parquet of --pairs to this .parquet or .csv file instead of stdout.",
)
@click.option("--user", metavar="ID", help="The user to predict --items for.")
@items_option
@ratings_option
@round_option
@new_items_option
@at_option
@checkpoint_options
@coverage_option
@click.option("--clip/--no-clip", default=True, help="Clip scores to the rating scale [default on]")
@running_options()
def predict_command(**given: Any) -> None:
    """Predict ratings with a trained run, for known and for new users and items.

    Give the pairs with --pairs, or with --items and --user or --ratings. The known ratings are the training
    and validation ratings of the run, and those in --ratings. Nothing is trained and nothing is stored.

    Prints one line per pair: user_id, item_id, score, source, low, high. The source is 'model' or, if the
    user or the item is unknown or has no other rating, the damped mean used instead: 'user mean', 'item
    mean' or 'global mean'. The rating lies between low and high with the probability --coverage; runs that
    have not measured this (those of the network rgcn, and of earlier versions) give no low and high.

    Only a run with side features needs its data again (--data-dir, --home).
    """
    pairs, user, items = given["pairs"], given["user"], given["items"]
    somebody = user is not None or given["ratings"] is not None
    if (pairs is None) == (items is None or not somebody) or (pairs and (user or items)):
        raise click.UsageError("no pairs given: use --pairs, or both --user (or --ratings) and --items")
    parquet = pairs is not None and _is_parquet(Path(pairs))
    if given["out"] is not None and not parquet:
        raise click.UsageError("--out requires a Parquet of --pairs")
    if given["as_json"] and parquet:
        raise click.UsageError("--json is not available for a Parquet of --pairs")
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    run, predictor = make_predictor(given)
    check_rates(predictor)
    how = {"clip": given["clip"], "coverage": check_intervals(predictor, given["coverage"])}
    from igmc.inference import names_users, with_ratings_file

    if given["ratings"] is not None and names_users(given["ratings"]):
        if user is None and pairs is None:
            raise click.UsageError("--ratings names several users: choose one with --user ID")
        predictor = with_ratings_file(predictor, Path(given["ratings"]), round_ratings=given["round_ratings"])
    elif given["ratings"] is not None:
        _show(run, predictor, _of_one(predictor, given, how), given, how)
        return
    if parquet:
        _in_batches(predictor, Path(pairs), given, how)
    else:
        predicted = predictor.predict(*_asked(predictor, pairs, user, items), **how)
        _show(run, predictor, predicted, given, how)


def _is_parquet(path: Path) -> bool:
    """Whether a path is meant to be Parquet: a file of this name, or a folder, as Spark writes them."""
    return path.suffix in (".parquet", ".pq") or path.is_dir()


def _show(
    run: Path, predictor: Predictor, predicted: pd.DataFrame, given: dict[str, Any], how: dict[str, Any]
) -> None:
    _tell_unknown(predictor, predicted, ("user", "item") if given["ratings"] is None else ("item",))
    means = int((predicted["source"] != "model").sum())
    if means:
        logger.info("%d of %d predictions are damped means, for lack of ratings", means, len(predicted))
    if given["as_json"]:
        emit_json(_document(run, predictor, predicted, how))
    else:
        emit(predicted.to_csv(index=False, float_format="%.4f").rstrip("\n"))


def _tell_unknown(predictor: Predictor, predicted: pd.DataFrame, sides: tuple[str, ...]) -> None:
    """Name an id that the run does not know: it gets a mean, and may be a known one with a typing error."""
    from igmc.inference import near_ids

    for side in sides:
        ids = predictor.users if side == "user" else predictor.items
        asked = predicted[f"{side}_id"].dropna().drop_duplicates().tolist()
        unknown = [one for one, index in zip(asked, ids.encode(asked).tolist(), strict=True) if index < 0]
        if unknown:
            first, near = repr(unknown[0])[:200], near_ids(ids, unknown[0])
            logger.info(
                "unknown to the run: %d of %d %ss, %s (%s)", len(unknown), len(asked), side, first, near
            )


def _in_batches(predictor: Predictor, pairs: Path, given: dict[str, Any], how: dict[str, Any]) -> None:
    """Predictions for a Parquet of pairs, in memory that does not grow with it."""
    from igmc.inference import predict_batches, predict_to_file

    how = how | {"progress": shows_progress(quiet=given["quiet"])}
    if given["out"] is not None:
        count, means = predict_to_file(predictor, pairs, given["out"], **how)
        emit(f"{count} predictions in {given['out']}, {means} of them damped means")
        return
    for number, found in enumerate(predict_batches(predictor, pairs, **how)):
        emit(found.to_csv(index=False, header=not number, float_format="%.4f").rstrip("\n"))


def _of_one(predictor: Predictor, given: dict[str, Any], how: dict[str, Any]) -> pd.DataFrame:
    """Predictions for --user, or someone without an id, with ratings that name no user."""
    from igmc.inference import from_text, read_items, read_own_ratings

    if given["pairs"] is not None:
        raise click.UsageError("--ratings needs a column user_id with the user of each rating")
    user = None if given["user"] is None else from_text(predictor.users, [given["user"]])[0]
    ratings = read_own_ratings(predictor, given["ratings"], user, round_ratings=given["round_ratings"])
    asked = read_items(predictor, given["items"])
    predicted = predictor.score_user(ratings, asked, user_id=user, **how)
    predicted.insert(0, "user_id", [user] * len(predicted))
    return predicted


def _asked(
    predictor: Predictor, pairs: str | None, user: str | None, items: str | None
) -> tuple[list[RawId], list[RawId]]:
    from igmc.inference import from_text, read_items, read_pairs, read_pairs_file
    from igmc.ratings.readers import decoded

    if pairs == "-":
        return read_pairs(predictor, io.StringIO(decoded(sys.stdin.buffer.read()), newline=""), "stdin")
    if pairs is not None:
        return read_pairs_file(predictor, Path(pairs))
    item_ids = read_items(predictor, items or "")
    return from_text(predictor.users, [user or ""]) * len(item_ids), item_ids


def _document(
    run: Path, predictor: Predictor, predicted: pd.DataFrame, how: dict[str, Any]
) -> dict[str, object]:
    rows = predicted.astype(object).to_dict("records")
    for row in rows:
        row |= {name: round(float(row[name]), 4) for name in ("score", "low", "high") if name in row}
    return {
        "run": str(run),
        "epochs": list(predictor.epochs),
        "scale": {"low": predictor.scale.low, "high": predictor.scale.high},
        "clipped": how["clip"],
        "coverage": how["coverage"] if predictor.tells_intervals else None,
        "predictions": rows,
    }
