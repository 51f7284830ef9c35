"""Help pages that teach: options by section, and runnable examples at the end."""

from __future__ import annotations

from typing import Any

import click

from igmc.memory import require_room

__all__ = ["TeachingCommand", "TeachingGroup"]

ROOM = 1 << 30  # bytes that loading PyTorch may take; its libraries abort where they find less


class _Teaching(click.Command):
    """A command whose help ends with examples and answers to ``-h`` too.

    Args:
        examples: command lines, as a user would type them.
    """

    def __init__(self, *args: Any, examples: tuple[str, ...], **kwargs: Any) -> None:
        kwargs["context_settings"] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
        super().__init__(*args, **kwargs)
        self.examples = examples

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write("Examples:\n")
        for example in self.examples:
            formatter.write(f"  {example}\n")


class TeachingCommand(_Teaching):
    """A command that lists its options under the section of the configuration that they belong to."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                title = param.section_in(ctx) if hasattr(param, "section_in") else None
                sections.setdefault(title or "Running", []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records, col_max=34)

    def invoke(self, ctx: click.Context) -> Any:
        require_room(ROOM, "loading PyTorch")
        return super().invoke(ctx)


class TeachingGroup(_Teaching, click.Group):
    """A group of commands with examples."""
