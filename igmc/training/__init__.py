"""The training loop, its checkpoints and its run folder."""

from igmc.training.checkpoint import as_tensors, load_checkpoint, save_checkpoint
from igmc.training.checkpointer import Checkpointer, MemoryCheckpointer
from igmc.training.device import on_device, pick_device
from igmc.training.ensemble import chosen_epochs, predict_batches, predict_samples
from igmc.training.first_weights import FirstWeights, start_from
from igmc.training.folder import RunFolder
from igmc.training.intercept import LEAST_SAMPLE
from igmc.training.interval_pairs import unpacked_intervals
from igmc.training.loop import fit
from igmc.training.neighbours_loop import fit_neighbours

__all__ = [
    "LEAST_SAMPLE",
    "Checkpointer",
    "FirstWeights",
    "MemoryCheckpointer",
    "RunFolder",
    "as_tensors",
    "chosen_epochs",
    "fit",
    "fit_neighbours",
    "load_checkpoint",
    "on_device",
    "pick_device",
    "predict_batches",
    "predict_samples",
    "save_checkpoint",
    "start_from",
    "unpacked_intervals",
]
