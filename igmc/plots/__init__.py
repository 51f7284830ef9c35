"""Figures for print and screen (extra `plot`)."""

from igmc.plots.curves import Curve, CurvePanel, curve_figure
from igmc.plots.data import describe_figures
from igmc.plots.embeddings import embedding_figure, pca, umap
from igmc.plots.evaluation import Estimate, ModelPanel, model_figure
from igmc.plots.lists import ListedTitle, bar_figure, list_figure, network_figure, pivot_figure
from igmc.plots.predictions import Bucket, prediction_figure
from igmc.plots.style import save_figure
from igmc.plots.subgraph import subgraph_figure
from igmc.plots.subgraph_panel import SubgraphPanel, explanation_panel
from igmc.plots.training import save_curves, training_figure

__all__ = [
    "Bucket",
    "Curve",
    "CurvePanel",
    "Estimate",
    "ListedTitle",
    "ModelPanel",
    "SubgraphPanel",
    "bar_figure",
    "curve_figure",
    "describe_figures",
    "embedding_figure",
    "explanation_panel",
    "list_figure",
    "model_figure",
    "network_figure",
    "pca",
    "pivot_figure",
    "prediction_figure",
    "save_curves",
    "save_figure",
    "subgraph_figure",
    "training_figure",
    "umap",
]
