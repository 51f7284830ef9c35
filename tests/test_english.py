"""The worst of the English that was edited out does not come back; CONTRIBUTING.md says what to write.

Looked at are the help of all commands, the texts in the code (docstrings apart), and the documents.
"""

import ast
import re
from pathlib import Path

import click
import pytest

from tests.cli.commands import COMMANDS

ROOT = Path(__file__).parents[1]
PHRASES = {
    r"\banew\b": "again, or a verb with re-",
    r"\bbut (a few|one|two)\b": "only",
    r"\bof whom\b": "a relative clause with who or whose",
    r"\bwhat (is|was) got\b": "received",
    r"\b(line|file|step|pairs|subgraphs|ratings) a (step|file|user|item|line|core)\b": "per",
    r"\b(every|after) so (many|much)\b": "this many",
    r"\bper cent\b": "percentage, or %",
    r"(?<!there )\b(is|are) no (\w+ )?(table|list|text|run|model|matrix|file|number|object)\b": "is not a",
    r"\bas there are\b": "per, or the number of",
    r"\bcomes? to (its|an) end\b": "finishes",
    r"\bthat is asked\b": "to predict",
    r"\ba (rating|user|item) that it is of\b": "its",
    r"\bfor want of\b": "for lack of",
    r"\bwhole or not at all\b": "atomically",
    r"\b(is|are) there already\b": "exist",
    r"\bgo(es)? on (where|from|with|to)\b": "resume, or continue",
    r"\bis gone on from\b": "continues",
    r"\b(stands?|stood) (twice|more than once)\b": "occurs twice",
    r"\bnobody is named\b": "no user, no model, ...",
    r"\bsay (for whom|--|by --)": "use, set, give, name",
    r"\bmend(s|ed)?\b": "fix",
    r"\bif need be\b": "if needed",
    r"\blearned by heart\b": "overfitted",
    r"\btells? (no|none|whose)\b": "has no, gives, names",
    r"\bleave (it|them) out\b": "omit",
}
# Packages whose texts have not been edited yet; take one off the list with its edit.
UNEDITED: tuple[str, ...] = ()
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def found(text: str) -> list[str]:
    """The phrases in a text, each with what to write instead."""
    return [
        f"{match[0]!r} in {text[max(0, match.start() - 40) : match.end() + 40]!r}: write {instead}"
        for phrase, instead in PHRASES.items()
        for match in re.finditer(phrase, text)
    ]


def help_of(command: click.Command, name: str) -> str:
    """All help of a command and of those below it."""
    with click.Context(command, info_name=name, **command.context_settings) as context:
        texts = [command.get_help(context)]
        texts += [getattr(option, "help", None) or "" for option in command.get_params(context)]
    below = getattr(command, "commands", {})
    return "\n".join(texts + [help_of(below[inner], inner) for inner in below])


def texts_of(source: str) -> list[str]:
    """The string constants of a module that are no docstrings."""
    tree = ast.parse(source)
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    nodes = (
        node for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    return [node.value for node in nodes if id(node) not in documentation]


@pytest.mark.parametrize("name", COMMANDS)
def test_help(name):
    assert not found(help_of(COMMANDS[name], name))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents(path):
    text, pairs, rest = path.read_text().partition("| instead of | write |")
    assert not found(text + (rest.partition("\n\n")[2] if pairs else ""))


def test_texts_in_the_code():
    wrong = []
    for path in sorted((ROOT / "igmc").rglob("*.py")):
        if path.relative_to(ROOT / "igmc").parts[0] not in UNEDITED:
            wrong += [f"{path.name}: {one}" for text in texts_of(path.read_text()) for one in found(text)]
    assert not wrong


def test_what_is_edited_out_would_be_found():
    assert found("this is no run; to mend it: give a folder")[1].endswith("write fix")
    assert len(found("subgraphs a step, but a few, in a file with a line a user")) == 3
    assert not found("there is no test part; the rating of a user is a number")
    assert texts_of('def f():\n    """doc"""\n    return "text"\n') == ["text"]
    shown = (ROOT / "CONTRIBUTING.md").read_text()
    assert "| instead of | write |" in shown
