"""A third network, as small as one can be: the damped mean of an item. It learns what to damp to."""

from dataclasses import dataclass
from math import inf

import numpy as np
import torch

from igmc.config import Registration
from igmc.graph import Rows, ServingGraph
from igmc.networks import Neighbourhood, Network, Trained, load_models
from igmc.training import chosen_epochs

REGISTRATION = Registration(
    "tests.networks.item_mean",
    about="the mean of each item",
    title="item means",
    sections=("train",),
    training="train",
)

DAMPING = 5


class Centre(torch.nn.Module):
    """The model: one number."""

    def __init__(self):
        super().__init__()
        self.register_buffer("centre", torch.zeros((), dtype=torch.float64))


@dataclass(frozen=True, eq=False)
class ItemMeans:
    """What scores."""

    models: list[Centre]
    values: np.ndarray

    def score(self, graph, user, item, *, time=None, deadline=inf):
        rows = (graph if isinstance(graph, ServingGraph) else ServingGraph.of(graph)).by_item
        pairs = list(zip(user.tolist(), item.tolist(), strict=True))
        return np.array([[self.answer(model, rows, *pair) for pair in pairs] for model in self.models])

    def score_user(self, known, graph, user, item, *, time=None, deadline=inf):
        return self.score(graph, np.full(len(item), user), item)

    def follow(self, known, graph, users, items):
        pass

    def warm(self, graph):
        pass

    def answer(self, model, rows: Rows, user, item, without=()):
        raters, levels = rows.row(item)
        ratings = self.values[levels[~np.isin(raters, [user, *without])]]
        return np.float32((ratings.sum() + DAMPING * float(model.centre)) / (len(ratings) + DAMPING))


class ItemMean(Network[ItemMeans]):
    def train(self, job):
        rating = job.parts["train"].pairs.rating
        model, history = Centre(), []
        if (state := job.folder.latest()) is not None:
            model.load_state_dict(state["model"])
            history = state["history"]
        while len(history) < job.config.train.epochs:
            model.centre.lerp_(torch.tensor(float(rating.mean())).double(), 0.5)
            scorer, valid = ItemMeans([model], job.scale.values), job.parts["validation"]
            found = scorer.score(valid.graph, valid.pairs.user, valid.pairs.item)[0]
            rmse = float(np.sqrt(np.mean((found - valid.pairs.rating) ** 2)))
            history.append({"epoch": len(history) + 1, "validation_rmse": rmse, "seconds": 1e-3})
            keep = {len(history), *self._chosen(job.config, history)}
            job.folder.save_epoch(len(history), {"model": model.state_dict(), "history": history}, keep)
        epochs, test = self._chosen(job.config, history), job.parts["test"]
        scorer = self.load_scorer(job.folder, job.config, job.scale, epochs, job.device)
        return Trained(history, epochs, scorer.score(test.graph, test.pairs.user, test.pairs.item))

    def _chosen(self, config, history):
        return chosen_epochs(config.training, [record["validation_rmse"] for record in history])

    def load_scorer(self, folder, config, scale, epochs, device, *, threads=None, side=None, times=None):
        return ItemMeans(load_models(folder, epochs, Centre(), device), scale.values)

    def neighbourhood(self, scorer, known, graph, user, item, how, *, deadline=inf):
        raters, levels = graph.by_item.row(item)
        others = raters != user
        raters, levels, model = raters[others], levels[others], scorer.models[0]
        whole = scorer.answer(model, graph.by_item, user, item)
        worth = [
            float(whole - scorer.answer(model, graph.by_item, user, item, [one])) for one in raters.tolist()
        ]
        shown = np.argsort(-np.abs(worth), kind="stable")[: how.top].tolist()
        return Neighbourhood(
            users=raters[shown].tolist(),
            items=[],
            edges=[(place, 0, int(levels[k]), worth[k]) for place, k in enumerate(shown, start=1)],
            n_users=len(raters) + 1,
            n_items=1,
            n_ratings=len(raters),
            n_considered=len(raters),
            n_links=len(raters),
        )


NETWORK = ItemMean()
