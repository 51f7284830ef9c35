"""The RGCN stack written for a CPU; `igmc.models.rgcn` is the same in plain PyTorch."""

from igmc.models.fused.stack import stack_states, threads

__all__ = ["stack_states", "threads"]
