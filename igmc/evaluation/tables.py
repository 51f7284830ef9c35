"""Tables and figures of evaluated models: one line, or one point, for each model, the best one first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, stdev

from igmc.evaluation.model_evaluation import ModelEvaluation
from igmc.plots import Estimate, ModelPanel

__all__ = ["Group", "markdown", "newcomer_lists", "panels", "table"]

LOWER_IS_BETTER = (
    "rmse",
    "mae",
    "popularity_share",
    "mean_popularity",
    "gini",
    "intra_list_similarity",
    "opposite_overlap",
)
SIGNED = "mean_error"  # of which the sign tells something, and 0 is best


@dataclass(frozen=True)
class Group:
    """The evaluations of one model under one protocol on one data set, a seed each.

    Attributes:
        dataset, protocol, label: what they have in common; the protocol as its label.
        evaluations: by ascending seed.
    """

    dataset: str
    protocol: str
    label: str
    evaluations: tuple[ModelEvaluation, ...]

    def values(self, metric: str) -> list[float]:
        """The metric for each seed; empty if the model has no such metric."""
        return [one.metrics[metric] for one in self.evaluations if metric in one.metrics]

    def seconds(self, *stages: str) -> float:
        """Mean over the seeds of the seconds spent in some stages."""
        return mean(sum(one.seconds.get(stage, 0.0) for stage in stages) for one in self.evaluations)


def table(groups: Sequence[Group], metrics: Sequence[str]) -> str:
    """Markdown of the models on one data set under one protocol, below a line that names both.

    Args:
        groups: at least one, of one data set and protocol.
        metrics: the columns; those that no model has are left out.
    """
    seeds = ", ".join(str(n) for n in sorted({one.seed for group in groups for one in group.evaluations}))
    counts = ", ".join(f"{size:,} {name}" for name, size in groups[0].evaluations[0].sizes.items() if size)
    columns = [name for name in metrics if any(group.values(name) for group in groups)]
    header = ["model", *columns, "training", "scoring"]
    body = [_row(group, columns) for group in sorted(groups, key=lambda group: _order(group, columns))]
    where = f"**{groups[0].dataset}, {groups[0].protocol}** (seed {seeds}; ratings: {counts})"
    return f"{where}\n\n{markdown(header, body)}"


def newcomer_lists(groups: Sequence[Group]) -> str:
    """Markdown of what two newcomers of opposite tastes are shown, by the first seed of each model.

    Args:
        groups: of one data set and protocol.

    Returns:
        a paragraph on each pair of newcomers, and a line a model and newcomer; empty if no model was asked.
    """
    found: dict[str, list[str]] = {}
    for group in groups:
        lists = group.evaluations[0].details.get("newcomers")
        if lists is None:
            continue
        liked, disliked, first, second = (
            "; ".join(lists[name]) for name in ("liked", "disliked", "first", "second")
        )
        who = (
            f"**{group.dataset}, {group.protocol}** (seed {group.evaluations[0].seed}): two newcomers. One "
            f"likes {liked}, and dislikes {disliked}; the other one the other way round."
        )
        lines = [f"- {group.label}, to the one: {first}", f"- {group.label}, to the other: {second}"]
        found.setdefault(who, []).extend(lines)
    return "\n\n".join(f"{who}\n\n" + "\n".join(lines) for who, lines in found.items())


def panels(groups: Sequence[Group], metrics: Sequence[str]) -> list[ModelPanel]:
    """What `igmc.plots.evaluation.model_figure` draws of models on one data set under one protocol."""
    found = []
    for name in metrics:
        measured = sorted((g for g in groups if g.values(name)), key=lambda g: _order(g, [name]))
        if measured:
            better = "lower is better" if _lower_is_better(name) else "higher is better"
            better = "0 is best" if name == SIGNED else better
            title = f"{measured[0].dataset}, {measured[0].protocol}"
            estimates = [_estimate(group, name) for group in measured]
            found.append(ModelPanel(title, f"{_words(name)} ({better})", estimates))
    return found


def markdown(header: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [header, ["---"] * len(header), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(group: Group, columns: Sequence[str]) -> list[str]:
    mark = "*" if any(one.retrained for one in group.evaluations) else ""
    line = [group.label + mark]
    for name in columns:
        values = group.values(name)
        sign = "+" if name == SIGNED else ""
        if not values:
            line.append("-")
        elif len(values) > 1:
            line.append(f"{mean(values):{sign}.4f} ± {stdev(values):.4f}")
        else:
            bounds = group.evaluations[0].intervals.get(name)
            line.append(f"{values[0]:{sign}.4f}" + (f" [{bounds[0]:.4f}, {bounds[1]:.4f}]" if bounds else ""))
    training, scoring = group.seconds("choose", "fit", "fold_in"), group.seconds("rate", "rank")
    return [*line, f"{training:.1f} s", f"{scoring:.1f} s"]


def _order(group: Group, columns: Sequence[str]) -> tuple[bool, float]:
    """Best first by the first column; models without that metric last."""
    for name in columns:
        values = group.values(name)
        if values:
            figure = abs(mean(values)) if name == SIGNED else mean(values)
            return name != columns[0], figure if name == SIGNED or _lower_is_better(name) else -figure
    return True, 0.0


def _lower_is_better(metric: str) -> bool:
    return metric.partition("@")[0].removeprefix("user_") in LOWER_IS_BETTER


def _words(metric: str) -> str:
    name, at, length = metric.partition("@")
    return name.upper().replace("_", " ") + at + length


def _estimate(group: Group, metric: str) -> Estimate:
    """With the interval of its one seed, or one standard deviation of several on both sides."""
    values = group.values(metric)
    middle = mean(values)
    if len(values) > 1:
        return Estimate(group.label, middle, middle - stdev(values), middle + stdev(values))
    return Estimate(group.label, middle, *group.evaluations[0].intervals.get(metric, (None, None)))
