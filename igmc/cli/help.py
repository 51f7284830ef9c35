"""Help pages that teach: the most used options first, all by section on request, and runnable examples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any

import click

from igmc.memory import require_room

__all__ = ["LazyCommands", "TeachingCommand", "TeachingGroup"]

_ALL = "igmc.all"  # in click's context: whether a help page shows all options

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

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        asked = args[:2] if isinstance(self, click.Group) else args  # the rest is the command's
        if "--all" in asked and not {"-h", "--help"}.isdisjoint(asked):
            ctx.meta[_ALL] = True
            args = [word for word in args if word != "--all"]
        return super().parse_args(ctx, args)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        formatter.write("Examples:\n")
        for example in self.examples:
            formatter.write(f"  {example}\n")


class TeachingCommand(_Teaching):
    """A command whose ``-h`` shows the most used options, and whose ``-h --all`` shows all by section.

    Args:
        most_used: names of parameters, in the order shown; a page shows all options where none are named.
    """

    def __init__(self, *args: Any, most_used: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.most_used = most_used

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        params = {param.name: param for param in self.get_params(ctx)}
        shown = [params[name].get_help_record(ctx) for name in self.most_used]
        records = [record for record in shown if record is not None]
        if not records or ctx.meta.get(_ALL):
            self._format_all(ctx, formatter)
            return
        with formatter.section("Most used options"):
            formatter.write_dl(records, col_max=34)
        every = sum(param.get_help_record(ctx) is not None for param in params.values())
        formatter.write_paragraph()
        formatter.write_text(f"{ctx.command_path} -h --all shows all {every} options.")

    def _format_all(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
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


class LazyCommands(MutableMapping[str, click.Command]):
    """Commands of a group by name, each imported when it is asked for.

    Args:
        places: name -> module and name there, such as ``igmc.cli.train:train_command``, and a line of help.
    """

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        self.places = dict(places)

    def __getitem__(self, name: str) -> click.Command:
        module, _, command = self.places[name][0].partition(":")
        found: click.Command = getattr(import_module(module), command)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)

    def __setitem__(self, name: str, command: click.Command) -> None:
        raise TypeError("commands of this group are named where it is made")

    def __delitem__(self, name: str) -> None:
        del self.places[name]


class TeachingGroup(_Teaching, click.Group):
    """A group of commands with examples; `LazyCommands` are listed without being imported."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if not isinstance(self.commands, LazyCommands):
            super().format_commands(ctx, formatter)
            return
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in sorted(self.commands.places.items())])
