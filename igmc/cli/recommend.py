"""``igmc-recommend``: the items that someone is predicted to like best, by a trained run."""

from __future__ import annotations

import logging
import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.model_options import (
    at_option,
    check_intervals,
    checkpoint_options,
    coverage_option,
    items_option,
    make_predictor,
    model_options,
    new_items_option,
    ratings_option,
    round_option,
)
from igmc.cli.options import executor_option, running_options
from igmc.cli.output import emit, emit_json, printable, table
from igmc.cli.sections import knob_option
from igmc.config import ListConfig

if TYPE_CHECKING:
    import pandas as pd

    from igmc.inference import Predictor
    from igmc.inference.lists import ListRequest, Recommendations

__all__ = ["recommend_command"]

logger = logging.getLogger(__name__)

# A newcomer to the demo who likes science fiction and no romance.
DEMO_RATINGS = "f087=5,f206=5,f005=4,f034=1,f017=2"


@click.command(
    "recommend",
    cls=TeachingCommand,
    short_help="List the items that a user will like best.",
    most_used=(
        "run",
        "demo",
        "user",
        "ratings",
        "all_users",
        "out",
        "k",
        "genre",
        "year",
        "order",
        "items",
        "as_json",
    ),
    examples=(
        "igmc-recommend --demo",
        'igmc-recommend --run runs/ml_100k --ratings "50=5,181=4,258=2" -k 5 --genre Drama --year 1980-1999',
        "igmc-recommend --demo --order lift --diversity 0.3 --because",
    ),
)
@model_options
@click.option("--user", metavar="ID", help="A user of the run or, with --ratings, a new one.")
@ratings_option
@round_option
@new_items_option
@click.option("--all-users", is_flag=True, help="Write lists for all users of the run to --out.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="FILE|DIR",
    help="Output of --all-users: .csv with one line per item, .jsonl with one line per user, or a folder of "
    "Parquet files, one per 1000 users, which an interrupted command completes.",
)
@executor_option
@knob_option(ListConfig, "k", "-k", "--k")
@click.option(
    "--genre",
    multiple=True,
    metavar="NAME",
    help="Only items of this genre; repeatable, and any of them counts.",
)
@click.option(
    "--exclude-genre", multiple=True, metavar="NAME", help="Exclude items of this genre; repeatable."
)
@click.option(
    "--year", metavar="1980-1999", help="Only items of these years: 1994, 1980-1999, 1980- or -1999."
)
@knob_option(ListConfig, "min_score")
@items_option
@click.option(
    "--exclude",
    metavar="FILE|ID,ID,...",
    help="Items to leave out, seen or not wanted: as for --items. They count as no rating.",
)
@knob_option(ListConfig, "order")
@knob_option(ListConfig, "diversity")
@knob_option(ListConfig, "gems")
@click.option("--because", is_flag=True, help="Name the rating of the user that speaks most for each item.")
@knob_option(ListConfig, "bottom")
@knob_option(ListConfig, "candidates")
@knob_option(ListConfig, "budget")
@knob_option(ListConfig, "exhaustive")
@coverage_option
@at_option
@checkpoint_options
@click.option("--csv", "as_csv", is_flag=True, help="Print the list as CSV on stdout.")
@running_options()
def recommend_command(**given: Any) -> None:
    """List the items that a user is most likely to choose and like, among those that the user has not rated.

    A ranker finds items that people with such ratings choose, and the predicted rating counts beside it
    (--order blend). The ranker is trained on first use and kept in the run folder. --order score lists the
    highest predicted ratings instead. Popular items have high predicted ratings for nearly everybody:
    --order lift ranks items by how much more this user is predicted to like them than others do; --gems lists
    only items that few people have rated.

    The list is for a user of the run (--user), a new user with a few ratings (--ratings), or all users
    (--all-users); with --demo alone, for a newcomer with five ratings. Nothing else is trained or stored.
    The known ratings are the training and validation ratings of the run.

    The list has k items if at least k pass the filters; otherwise stderr says why it is shorter. The model
    scores the most promising --candidates, or all items with --exhaustive.

    Titles, genres and years come from the run folder. Only a run with side features needs its data again
    (--data-dir, --home).
    """
    _check(given)
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    years = _years(given["year"])
    run, predictor = make_predictor(given)
    given["coverage"] = check_intervals(predictor, given["coverage"])
    if given["demo"] and not (given["user"] or given["ratings"] or given["all_users"]):
        given["ratings"] = DEMO_RATINGS
    request = _request(predictor, given, years)
    if given["all_users"]:
        _all_users(predictor, request, given, run)
    else:
        _one(predictor, request, given, run)


def _check(given: dict[str, Any]) -> None:
    somebody = given["user"] is not None or given["ratings"] is not None
    if (given["all_users"] and somebody) or not (given["all_users"] or somebody or given["demo"]):
        raise click.UsageError(
            "no user given: use --user ID, --ratings FILE, --ratings 'ID=5,ID=3' or --all-users"
        )
    if given["all_users"] != (given["out"] is not None):
        raise click.UsageError("--all-users and --out FILE go together")
    if given["executor"] != "local" and (given["out"] is None or given["out"].suffix):
        raise click.UsageError("--executor goes with --all-users and a folder as --out")
    if given["because"] and given["all_users"]:
        raise click.UsageError("--because explains one list and cannot be combined with --all-users")
    if given["as_csv"] and (given["as_json"] or given["all_users"]):
        raise click.UsageError("--csv cannot be combined with --json or --all-users")


def _years(text: str | None) -> tuple[int | None, int | None] | None:
    if text is None:
        return None
    found = re.fullmatch(r"\s*(\d{1,4})?\s*(-)?\s*(\d{1,4})?\s*", text, re.ASCII)
    if found is None or not (found[1] or found[3]) or (found[3] and not found[2]):
        raise click.UsageError(f"--year {text!r} is not a year or range of years, such as 1994 or 1980-1999")
    if found[2] is None:
        return int(found[1]), int(found[1])
    return int(found[1]) if found[1] else None, int(found[3]) if found[3] else None


def _request(
    predictor: Predictor, given: dict[str, Any], years: tuple[int | None, int | None] | None
) -> ListRequest:
    from igmc.inference import from_text, read_items, read_own_ratings
    from igmc.inference.lists import ListRequest

    knobs = {name: given[name] for name in ListConfig.__dataclass_fields__ if given[name] is not None}
    if given["new_items"] is not None:
        knobs.setdefault("order", "score")  # the ranker knows nothing of items without ratings
    user = None if given["user"] is None else from_text(predictor.users, [given["user"]])[0]
    items = None if given["items"] is None else frozenset(read_items(predictor, given["items"]))
    exclude = frozenset(() if given["exclude"] is None else read_items(predictor, given["exclude"]))
    ratings = None
    if given["ratings"] is not None:
        ratings = read_own_ratings(predictor, given["ratings"], user, round_ratings=given["round_ratings"])
    return ListRequest(
        user_id=user,
        ratings={} if given["all_users"] else ratings,  # whose each are known
        genre=given["genre"],
        exclude_genre=given["exclude_genre"],
        years=years,
        items=items,
        exclude=exclude,
        config=ListConfig(**knobs),
    )


def _all_users(predictor: Predictor, request: ListRequest, given: dict[str, Any], run: Path) -> None:
    from igmc.inference.lists import recommend_all, recommend_parts

    progress = shows_progress(quiet=given["quiet"])
    if given["out"].suffix:
        written = recommend_all(predictor, given["out"], request, progress=progress)
    else:
        names = ("demo", "checkpoints", "device", "workers", "data_dir", "home", "at")
        how = {name: given[name] for name in names} | {"run": run.resolve(), "quiet": True}
        jobs = {"executor": given["executor"], "workers": given["workers"], "progress": progress}
        load = partial(_loaded, how)
        written = recommend_parts(predictor, given["out"], request, load=load, **jobs)
    if given["as_json"]:
        emit_json({"out": str(given["out"]), **written._asdict()})
    else:
        short = f"; {written.short} lists are shorter than {request.config.k}" if written.short else ""
        emit(f"{written.items} items for {written.users} users in {given['out']}{short}")


def _loaded(given: dict[str, Any]) -> Predictor:
    """The predictor in another process."""
    return make_predictor(given)[1]


def _one(predictor: Predictor, request: ListRequest, given: dict[str, Any], run: Path) -> None:
    from igmc.inference.lists import list_items, with_reasons

    found = list_items(predictor, request)
    frame = found.frame(predictor, request.user_id)
    if given["because"]:
        frame = with_reasons(frame, predictor, found.item, request)
    if given["demo"] and request.ratings:
        _tell_ratings(predictor, request)
    if found.reason:
        logger.warning("%s", found.reason)
    if given["as_json"]:
        emit_json(_document(run, predictor, request, found, frame))
    elif given["as_csv"]:
        emit(frame.to_csv(index=False, float_format="%.4f").rstrip("\n"))
    elif len(frame):
        emit(_shown(frame))
        if found.relevance is not None and found.score is not None and request.config.order == "auto":
            logger.info("by relevance and score together; --order score lists the highest predicted ratings")


def _tell_ratings(predictor: Predictor, request: ListRequest) -> None:
    """What a newcomer to the demo rated, so that the list makes sense."""
    from igmc.inference import own_ratings

    info = predictor.info
    for item, rating in own_ratings(request.ratings or {}).items():
        index = int(predictor.items.encode([item])[0])
        if info is not None and index >= 0:
            logger.info("rated %g: %s, %s (%s)", rating, item, info.titles[index], info.genres[index])


def _shown(frame: pd.DataFrame) -> str:
    """A table for people; the source only where not all was read off by the models."""
    import pandas as pd

    columns = ("rank", "relevance", "score", "low", "high", "lift", "item_id", "title", "genres")
    names = [name for name in columns if name in frame]
    if "source" in frame and (frame["source"] != "model").any():
        names.append("source")
    shown = frame.copy()
    for name in (name for name in ("relevance", "score", "low", "high", "lift") if name in frame):
        shown[name] = [f"{value:{'+' if name == 'lift' else ''}.2f}" for value in frame[name]]
    if "because" in frame:
        names.append("because")
        reasons = zip(frame["because_rating"], frame["because_title"], strict=True)
        shown["because"] = [
            "-" if pd.isna(rating) else f"{rating:g} for {title}" for rating, title in reasons
        ]
    rows = [[printable(str(cell)) for cell in row] for row in shown[names].itertuples(index=False)]
    return table(names, rows)


def _document(
    run: Path, predictor: Predictor, request: ListRequest, found: Recommendations, frame: pd.DataFrame
) -> dict[str, Any]:
    rows = frame.drop(columns="user_id").astype(object)
    rows = rows.where(rows.notna(), None)
    for name in (name for name in ("score", "lift", "relevance", "low", "high") if name in frame):
        rows[name] = [round(float(value), 4) for value in frame[name]]
    return {
        "run": str(run),
        "epochs": list(predictor.epochs),
        "scale": {"low": predictor.scale.low, "high": predictor.scale.high},
        "coverage": request.config.coverage if predictor.tells_intervals else None,
        "user_id": request.user_id,
        "ratings_known": found.rated,
        "scored": found.scored,
        "reason": found.reason,
        "recommendations": rows.to_dict("records"),
    }
