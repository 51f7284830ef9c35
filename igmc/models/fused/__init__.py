"""The RGCN stack written for a CPU; `igmc.models.rgcn` is the same in plain PyTorch."""

from igmc.models.fused.stack import gradients, stack_states

__all__ = ["gradients", "stack_states"]
