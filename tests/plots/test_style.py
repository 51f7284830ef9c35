"""Figures look the same everywhere, are written whole, and leave matplotlib's global state alone."""

import subprocess
import sys

import matplotlib
import pytest
from matplotlib.colors import to_rgb

from igmc.errors import IgmcError, MissingExtraError
from igmc.plots import style


@style.house_style()
def drawn(**kwargs):
    figure, (axes,) = style.new_figure(**kwargs)
    axes.plot([1, 2, 3], [1, 4, 9], label="squares")
    axes.set_xlabel("n")
    axes.legend()
    return figure


def pixels(path):
    from matplotlib.image import imread

    return imread(path)


def test_png_and_svg_of_the_size_asked(tmp_path):
    png, svg = style.save_figure(drawn(width=2.0, height=1.0), tmp_path / "new" / "fig.v1")
    assert (png, svg) == (tmp_path / "new" / "fig.v1.png", tmp_path / "new" / "fig.v1.svg")
    assert pixels(png).shape[:2] == (300, 600)
    assert svg.read_text().startswith("<?xml")
    assert sorted(p.name for p in png.parent.iterdir()) == ["fig.v1.png", "fig.v1.svg"]


def test_panels_keep_their_shape():
    with style.house_style():
        one, axes = style.new_figure()
        page, panels = style.new_figure(2, 3, width=style.PAGE)
    assert (len(axes), len(panels)) == (1, 6)
    assert tuple(one.get_size_inches()) == pytest.approx((3.4, 3.4 * 0.7))
    assert tuple(page.get_size_inches()) == pytest.approx((7.0, 2 * 7.0 / 3 * 0.7))


def test_the_same_figure_makes_the_same_bytes(tmp_path):
    one, two = (style.save_figure(drawn(), tmp_path / name) for name in "ab")
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]


def test_settings_of_the_user_change_nothing_and_come_back(tmp_path):
    plain = style.save_figure(drawn(), tmp_path / "plain")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 20}):
        mine = style.save_figure(drawn(), tmp_path / "mine")
        assert matplotlib.rcParams["font.size"] == 30
    assert plain[0].read_bytes() == mine[0].read_bytes()


def test_series_take_the_palette_in_turn():
    figure = drawn()
    with style.house_style():
        (line,) = figure.axes[0].plot([1], [2])
    assert [to_rgb(found.get_color()) for found in figure.axes[0].lines] == [
        to_rgb(style.BLUE),
        to_rgb(style.VERMILION),
    ]
    assert line in figure.axes[0].lines
    assert len(set(style.CYCLE)) == 7


def test_pyplot_is_never_loaded(tmp_path):
    code = (
        "import sys; from igmc.plots import style\n"
        "assert 'matplotlib' not in sys.modules\n"
        "with style.house_style():\n    figure, _ = style.new_figure()\n"
        f"style.save_figure(figure, {str(tmp_path / 'x')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        MissingExtraError, match=r"a figure needs matplotlib; hint: pip install 'igmc\[plot\]'"
    ):
        drawn()


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(IgmcError, match=r"cannot write .*file.*; hint: "):
        style.save_figure(drawn(), tmp_path / "file" / "fig")
