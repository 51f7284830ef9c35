"""Print the structure of igmc, read off its imports: floors, the arrows between them, and circles.

A module may import from its own floor and from those below it. What another package offers is taken through
that package's front door, its ``__init__``; `tests/test_architecture.py` holds all three.

    python scripts/architecture.py             # floors, arrows, circles
    python scripts/architecture.py --modules   # every arrow between modules
    python scripts/architecture.py --svg       # docs/about/architecture.svg, the picture of the documentation
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import defaultdict
from collections.abc import Mapping
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "about" / "architecture.svg"
CELL, NAMES, HEAD = 17, 130, 110  # pixels: a square of the picture, the column of names, the row of names

# From the ground up; what stands on one floor does not import each other.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "threads", "environment", "short_repr", "progress", "memory", "rating_colours"),
    ("argument_types", "processes"),
    ("config", "files", "checked_json", "ranks", "jobs"),
    ("compiled", "tracking"),
    ("rng", "simd"),
    ("ratings",),
    ("graph",),
    ("statistics", "estimates", "ranking"),
    ("store", "intervals"),
    ("extract", "loading"),
    ("models",),
    ("training",),
    ("networks",),
    ("inference",),
    ("plots",),
    ("recommenders",),
    ("run_references",),
    ("evaluation",),
    ("run_report", "run_start", "run_lists"),
    ("run", "doctor"),
    ("live",),
    ("experiments",),
    ("web",),
    ("cli",),
)

Arrows = dict[str, set[str]]


def module_name(path: Path) -> str:
    """'igmc/store/reader.py' -> 'igmc.store.reader'; a package has the name of its folder."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules() -> dict[str, Path]:
    """All modules and packages of igmc by name."""
    return {module_name(path): path for path in sorted((ROOT / "igmc").rglob("*.py"))}


def imports(tree: ast.AST, offers: Mapping[str, set[str]]) -> set[str]:
    """The modules of igmc that a module imports: in functions and for type checkers too.

    Args:
        tree: of the module.
        offers: module or package -> the names that it binds by imports of its own.
    """
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in offers}
        elif isinstance(node, ast.ImportFrom) and node.module in offers:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                is_module = inner in offers and alias.name not in offers[node.module]
                if alias.name != "__version__":
                    found.add(inner if is_module else node.module)
    return found


def arrows(found: Mapping[str, Path]) -> Arrows:
    """Module -> what it imports."""
    trees = {name: ast.parse(path.read_text()) for name, path in found.items()}
    offers = {
        name: {
            alias.asname or alias.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }
        for name, tree in trees.items()
    }
    return {name: imports(tree, offers) - {name} for name, tree in trees.items()}


def floor_of(module: str) -> int | None:
    """The number of a module's floor, from 0; None for `igmc` itself, whose names are lazy.

    Raises:
        KeyError: if it stands on none.
    """
    parts = module.split(".")
    if len(parts) == 1 or parts[1] == "__main__":
        return None
    return {room: number for number, floor in enumerate(FLOORS) for room in floor}[parts[1]]


def upward(graph: Arrows) -> list[tuple[str, str]]:
    """Arrows that lead to a higher floor, or to another room of the same one."""
    found = []
    for source, targets in graph.items():
        own = floor_of(source)
        for target in sorted(targets):
            other = floor_of(target)
            if own is None:
                continue
            if other is None or other > own or (other == own and room_of(source) != room_of(target)):
                found.append((source, target))
    return found


def room_of(module: str) -> str:
    """The part of igmc that a module belongs to: 'igmc.store.reader' -> 'store'."""
    return module.split(".")[1] if "." in module else ""


def circles(graph: Arrows) -> list[list[str]]:
    """Groups of modules each of which leads to all others of the group (Tarjan, 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            group = stack[stack.index(node) :]
            del stack[stack.index(node) :]
            if len(group) > 1:
                found.append(sorted(group))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def side_doors(graph: Arrows, found: Mapping[str, Path]) -> list[tuple[str, str]]:
    """Arrows into a module of another package that pass by the package's front door."""
    passed = []
    for source, targets in graph.items():
        for target in sorted(targets):
            package = target.rpartition(".")[0]
            is_package = found[target].name == "__init__.py"
            if is_package or package in ("igmc", "igmc.cli") or source == package:
                continue
            if not source.startswith(package + "."):
                passed.append((source, target))
    return passed


def between_rooms(graph: Arrows) -> Arrows:
    """Room -> the other rooms that it imports from."""
    between: Arrows = defaultdict(set)
    for source, targets in graph.items():
        between[room_of(source)] |= {room_of(target) for target in targets} - {room_of(source), ""}
    return between


def about(room: str, found: Mapping[str, Path]) -> str:
    """What a room is for: the first line of its docstring, or as much of it as there is space for."""
    first = (ast.get_docstring(ast.parse(found[f"igmc.{room}"].read_text())) or "").partition("\n")[0]
    first = first.replace("`", "").removeprefix(f"{room.capitalize()}: ")
    short = re.split(r"[:;.](?: |$)", first)[0]
    return short if len(short) <= 65 else short[:65].rpartition(",")[0]


def picture(graph: Arrows, found: Mapping[str, Path]) -> str:
    """The rooms as an SVG: a row and a column each, the highest floor first; squares mark imports."""
    between = between_rooms(graph)
    floors = FLOORS[::-1]
    rooms = [room for floor in floors for room in floor]
    size = CELL * len(rooms)
    width, height = NAMES + size + 480, HEAD + size + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    above = 0
    for number, floor in enumerate(floors):
        y, tall = HEAD + CELL * above, CELL * len(floor)
        shade = "#eef3f8" if number % 2 else "#f9fafb"
        lines.append(f'<rect x="0" y="{y}" width="{width}" height="{tall}" fill="{shade}"/>')
        above += len(floor)
    for row, room in enumerate(rooms):
        x, y = NAMES + CELL * row, HEAD + CELL * row
        lines.append(f'<text x="{NAMES - 8}" y="{y + 13}" text-anchor="end">{room}</text>')
        lines.append(f'<text transform="translate({x + 13} {HEAD - 6}) rotate(-90)">{room}</text>')
        summary = escape(about(room, found))
        lines.append(f'<text x="{NAMES + size + 10}" y="{y + 13}" fill="#44546a">{summary}</text>')
        lines.append(f'<rect x="{x + 2}" y="{y + 2}" width="13" height="13" fill="#c9d3df"/>')
        for column in sorted(rooms.index(other) for other in between[room]):
            spot = NAMES + CELL * column + 2
            lines.append(f'<rect x="{spot}" y="{y + 2}" width="13" height="13" fill="#1f6f8b"/>')
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--modules", action="store_true", help="print every arrow between modules")
    parser.add_argument("--svg", action="store_true", help=f"write {PICTURE.relative_to(ROOT)}")
    args = parser.parse_args()
    found = modules()
    graph = arrows(found)
    if args.svg:
        PICTURE.write_text(picture(graph, found))
        return
    between = between_rooms(graph)
    for number in range(len(FLOORS) - 1, -1, -1):
        for room in FLOORS[number]:
            print(f"floor {number:2}  {room:15} -> {', '.join(sorted(between[room])) or 'nothing'}")
    if args.modules:
        for source in sorted(graph):
            for target in sorted(graph[source]):
                print(f"{source} -> {target}")
    for title, rows in (
        ("upward", [f"{a} -> {b}" for a, b in upward(graph)]),
        ("circle", [", ".join(group) for group in circles(graph)]),
        ("side door", [f"{a} -> {b}" for a, b in side_doors(graph, found)]),
    ):
        print(f"{title}: {len(rows) or 'none'}")
        print(*(f"  {row}\n" for row in rows), sep="", end="")


if __name__ == "__main__":
    main()
