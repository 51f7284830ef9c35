"""``igmc-explain``: why a pair is predicted what it is, by the ratings around it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.model_options import (
    at_option,
    check_rates,
    checkpoint_options,
    make_predictor,
    model_options,
    ratings_option,
    round_option,
)
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json
from igmc.cli.sections import former_option, given_formerly, read_section, section_options
from igmc.config import ExplainConfig

if TYPE_CHECKING:
    from igmc.inference import Predictor
    from igmc.inference.why import Explanation

__all__ = ["explain_command"]


@click.command(
    "explain",
    cls=TeachingCommand,
    short_help="Explain a prediction by the ratings behind it.",
    most_used=("run", "demo", "user", "item", "ratings", "method", "plots", "as_json"),
    examples=(
        'igmc-explain --demo --ratings "f087=5,f206=5,f034=1" --item f005',
        "igmc-explain --run runs/ml_100k --user 13 --item 50 --method gradient --plots figures",
    ),
)
@model_options
@click.option("--user", metavar="ID", help="A user of the run or, with --ratings, a new one.")
@click.option("--item", required=True, metavar="ID", help="The item whose predicted rating to explain.")
@ratings_option
@round_option
@section_options("explain", ExplainConfig)
@click.option(
    "--plots",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also draw the subgraph, as PNG and SVG, into this folder.",
)
@former_option("--plot", "--plots")
@click.option(
    "--attention",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A GAT fitted to the same split and saved by Recommender.save; its attention is drawn below.",
)
@at_option
@checkpoint_options
@running_options()
@click.pass_context
def explain_command(ctx: click.Context, /, **given: Any) -> None:
    """Explain a prediction by the ratings behind it: those of similar users, and those of similar items.

    The importance of a rating is how far the prediction falls without it, in rating units; it is negative
    if the prediction rises. The known ratings are the training and validation ratings of the run, and those
    in --ratings.
    """
    if given["user"] is None and given["ratings"] is None:
        raise click.UsageError("no user given: use --user ID, --ratings FILE or --ratings 'ID=5,ID=3'")
    former = given_formerly("--plots")
    if given["attention"] is not None and given["plots"] is None and former is None:
        raise click.UsageError("--attention needs --plots DIR, the folder for the figure")
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    config = ExplainConfig(**read_section(ctx, "explain"))
    run, predictor = make_predictor(given)
    check_rates(predictor)
    from igmc.inference import from_text, read_own_ratings
    from igmc.inference.why import explain

    user = None if given["user"] is None else from_text(predictor.users, [given["user"]])[0]
    ratings = None
    if given["ratings"] is not None:
        ratings = read_own_ratings(predictor, given["ratings"], user, round_ratings=given["round_ratings"])
    found = explain(
        predictor,
        user,
        from_text(predictor.items, [given["item"]])[0],
        ratings=ratings,
        **config.to_dict(),
    )
    stem = None if former is None else Path(former)
    if given["plots"] is not None:
        name = f"explain-{'newcomer' if user is None else user}-{given['item']}"
        stem = given["plots"] / re.sub(r"[^\w.-]+", "_", name)
    drawn = [] if stem is None else _draw(predictor, found, stem, given["attention"])
    if given["as_json"]:
        emit_json({"run": str(run), "epochs": list(predictor.epochs)} | found.to_dict() | {"figures": drawn})
    else:
        emit(found.format())


def _draw(predictor: Predictor, found: Explanation, stem: Path, attention: Path | None) -> list[str]:
    from igmc.plots import explanation_panel, save_figure, subgraph_figure

    panels = [explanation_panel(found)]
    if attention is not None:
        from igmc.recommenders.graph import GAT, attention_panel

        model = GAT.load(attention)
        panels.append(attention_panel(found, model, predictor.users, predictor.items))
    return [str(path) for path in save_figure(subgraph_figure(panels), stem)]
