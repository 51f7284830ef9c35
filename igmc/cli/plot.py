"""``igmc-plot``: figures of a run: how it trained, where it is off, and what it looks at."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json
from igmc.cli.sections import former_option, given_formerly, read_section, section_options
from igmc.config import NETWORKS, ExplainConfig
from igmc.errors import CheckpointError, ConfigError
from igmc.files import check_run

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from igmc.ratings import Split
    from igmc.training import RunFolder

__all__ = ["plot_command"]

logger = logging.getLogger(__name__)


@click.command(
    "plot",
    cls=TeachingCommand,
    short_help="Draw the figures of a run.",
    examples=(
        "igmc-plot runs/ml_100k",
        "igmc-plot runs/ml_100k --lists 1,2,3",
        "igmc-plot runs/ml_100k --embeddings lightgcn.ckpt --projection umap --plots figures",
    ),
)
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--plots",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the figures; existing ones are overwritten [default: plots, in the run folder]",
)
@former_option("--out", "--plots")
@click.option("--user", metavar="ID", help="Draw the subgraph of this user and --item instead.")
@click.option("--item", metavar="ID", help="The item for --user.")
@click.option(
    "--lists",
    metavar="ID,ID,...",
    help="Also draw the titles rated most, the lists of these users, and what comes first in lists.",
)
@section_options("explain", ExplainConfig)
@click.option(
    "--embeddings",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also draw the item embeddings and the training of a model fitted to the same data and saved by "
    "Recommender.save.",
)
@click.option(
    "--projection",
    type=click.Choice(["pca", "umap"]),
    default="pca",
    help="Projection of the embeddings to two dimensions; umap needs the extra umap [default pca]",
)
@running_options("data_dir", "home", "workers", "as_json", "verbose", "quiet")
@click.pass_context
def plot_command(ctx: click.Context, /, run: Path, **given: Any) -> None:
    """Draw the figures of the run in the folder RUN, each as PNG and SVG.

    The figures are "training", the loss and the validation metrics by epoch; "errors", predictions by true
    rating, calibration, and errors by activity of the user and popularity of the item; "subgraphs", the test
    pairs with the highest and the lowest prediction, explained as by igmc-explain; "largest-errors", the same
    of the pairs predicted most too high and most too low. --embeddings adds "embeddings", the items, coloured
    by their first genre, and "model-training", what was measured of that model by epoch: for one that ranks,
    NDCG, precision and recall at 20.

    --lists adds "most-rated", "list" (of the first user named), "first-places" (over 200 users), "lists" (a
    table of titles by users, also as lists.csv) and "lists-graph".

    For an unfinished run, only "training" is drawn and, with --user and --item, "subgraphs".
    """
    if (given["user"] is None) != (given["item"] is None):
        raise click.UsageError("--user and --item go together")
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    config = ExplainConfig(**read_section(ctx, "explain"))
    check_run(run)
    from igmc.inference import open_run
    from igmc.plots import save_figure
    from igmc.ratings import Split

    folder = open_run(run)
    split = Split.load(folder.path / "split.npz")
    figures: dict[str, Figure] = {"training": _training(folder)}
    rates = NETWORKS[folder.config().network].rates
    if rates and folder.finished:
        figures["errors"] = _errors(folder, split)
    elif rates:
        logger.warning("the run is unfinished: it has no test predictions to draw yet")
    if (rates and folder.finished) or given["user"] is not None:
        figures |= _subgraphs(folder, split, config, given)
    if given["embeddings"] is not None:
        figures |= _embeddings(folder, split, given["embeddings"], given["projection"])
    out = given["plots"] or Path(given_formerly("--plots") or folder.path / "plots")
    if given["lists"] is not None:
        from igmc.cli.plot_lists import draw_lists
        from igmc.inference import Predictor

        places = {name: given[name] for name in ("workers", "data_dir", "home")}
        figures |= draw_lists(Predictor.from_run(folder.path, **places), given["lists"], out)
    drawn = {
        name: [str(path) for path in save_figure(figure, out / name)] for name, figure in figures.items()
    }
    if given["as_json"]:
        emit_json({"run": str(run), "figures": drawn})
    else:
        emit("\n".join(paths[0] for paths in drawn.values()))


def _training(folder: RunFolder) -> Figure:
    from igmc.plots import training_figure

    path = folder.path / "metrics.jsonl"
    try:
        history = [json.loads(line) for line in path.read_text().splitlines()]
        return training_figure(history)
    except (OSError, ValueError, LookupError, TypeError, StopIteration) as error:
        raise CheckpointError(
            f"{path} cannot be read: {error}",
            remedy="delete it and metrics.json: the igmc-train command of the run writes both",
        ) from error


def _errors(folder: RunFolder, split: Split) -> Figure:
    import numpy as np

    from igmc.evaluation.metrics import calibration, errors_by_activity
    from igmc.inference import RunPredictions
    from igmc.plots import Bucket, prediction_figure

    tested, table = RunPredictions.load(folder.path, split), split.table
    known = np.concatenate([split.train, split.validation, split.support])
    sides = []
    for index, column, size in (
        (tested.user, table.user, len(table.users)),
        (tested.item, table.item, len(table.items)),
    ):
        counts = np.bincount(column[known], minlength=size)
        buckets = errors_by_activity(index, tested.predicted, tested.true, counts)
        sides.append([Bucket(one.label, one.pairs, one.rmse) for one in buckets])
    bins = calibration(tested.predicted, tested.true, split.scale.values)
    return prediction_figure(
        tested.predicted,
        tested.true,
        split.scale.values.tolist(),
        [(one.predicted, one.true, one.pairs) for one in bins],
        *sides,
    )


def _subgraphs(
    folder: RunFolder, split: Split, config: ExplainConfig, given: dict[str, Any]
) -> dict[str, Figure]:
    from igmc.inference import Predictor, RunPredictions, from_text
    from igmc.inference.why import explain
    from igmc.plots import explanation_panel, subgraph_figure

    places = {name: given[name] for name in ("workers", "data_dir", "home")}
    predictor = Predictor.from_run(folder.path, **places)
    users, items, how = predictor.users, predictor.items, config.to_dict()
    if given["user"] is not None:
        pair = from_text(users, [given["user"]])[0], from_text(items, [given["item"]])[0]
        return {"subgraphs": subgraph_figure([explanation_panel(explain(predictor, *pair, **how))])}
    tested = RunPredictions.load(folder.path, split)
    drawn = {
        "subgraphs": (("highest prediction", "lowest prediction"), tested.extremes(predictor.graph)),
        "largest-errors": (
            ("predicted most too high", "predicted most too low"),
            tested.worst(predictor.graph),
        ),
    }
    figures = {}
    for name, (titles, two) in drawn.items():
        panels = []
        for letter, title, at in zip("ab", titles, two, strict=True):
            found = explain(predictor, users.ids[tested.user[at]], items.ids[tested.item[at]], **how)
            whole = f"({letter}) {title} of {len(tested.true):,} test pairs; given: {tested.true[at]:g}"
            panels.append(explanation_panel(found, whole))
        figures[name] = subgraph_figure(panels)
    return figures


def _embeddings(folder: RunFolder, split: Split, path: Path, projection: str) -> dict[str, Figure]:
    from igmc.inference import ItemInfo
    from igmc.plots import embedding_figure, pca, training_figure, umap
    from igmc.recommenders import load_recommender

    model: Any = load_recommender(path)
    if not hasattr(model, "embeddings"):
        raise ConfigError(
            "this model has no embeddings", got=model.name, allowed="such as lightgcn, gcn, gat"
        )
    size = len(split.table.items)
    if model.n_items != size:
        raise ConfigError(
            f"the model in {path} was fitted to other items than the run",
            got=model.n_items,
            allowed=f"{size} items",
            remedy="fit it to the split of the run",
        )
    info = ItemInfo.load(folder.path, split.table.items)
    genres = [""] * size if info is None else [cell.split("|")[0] for cell in info.genres]
    _, items = model.embeddings()
    if projection == "umap":
        points, names = umap(items, seed=1), ["UMAP 1", "UMAP 2"]
    else:
        points, share = pca(items)
        names = [f"principal component {k} ({part:.0%} of variance)" for k, part in enumerate(share, 1)]
    drawn = {"embeddings": embedding_figure(points, genres, (names[0], names[1]))}
    return drawn | ({"model-training": training_figure(model.history)} if model.history else {})
