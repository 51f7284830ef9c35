"""``igmc-similar``: the items like another one, by those who rated both."""

from __future__ import annotations

from typing import Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.model_options import checkpoint_options, make_predictor, model_options
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json, printable, table
from igmc.cli.sections import knob_option
from igmc.config import ListConfig

__all__ = ["similar_command"]


@click.command(
    "similar",
    cls=TeachingCommand,
    short_help="List the items like another one.",
    most_used=("run", "demo", "item", "k", "as_csv", "as_json"),
    examples=(
        "igmc-similar --demo --item f001",
        "igmc-similar --run runs/ml_100k --item 50 -k 5",
    ),
)
@model_options
@click.option("--item", required=True, metavar="ID", help="The item that the others are to be like.")
@knob_option(ListConfig, "k", "-k", "--k")
@checkpoint_options
@click.option("--csv", "as_csv", is_flag=True, help="Print the list as CSV on stdout.")
@running_options()
def similar_command(**given: Any) -> None:
    """List the items most similar to an item, judged by the users who rated both.

    The similarity is the adjusted cosine, shrunk where few users rated both; no model is used. The known
    ratings are the training and validation ratings of the run.
    """
    if given["as_csv"] and given["as_json"]:
        raise click.UsageError("--csv and --json exclude each other")
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    run, predictor = make_predictor(given)
    from igmc.inference import from_text

    item = from_text(predictor.items, [given["item"]])[0]
    found = predictor.similar_items(item, given["k"] or ListConfig().k)
    if given["as_json"]:
        rows = found.astype(object).where(found.notna(), None)
        rows["similarity"] = [round(value, 4) for value in found["similarity"]]
        emit_json({"run": str(run), "item_id": item, "similar": rows.to_dict("records")})
    elif given["as_csv"]:
        emit(found.to_csv(index=False, float_format="%.4f").rstrip("\n"))
    else:
        names = [n for n in ("rank", "similarity", "raters", "item_id", "title", "genres") if n in found]
        rows = found[names].assign(similarity=[f"{value:.2f}" for value in found["similarity"]])
        emit(table(names, [[printable(str(cell)) for cell in row] for row in rows.itertuples(index=False)]))
