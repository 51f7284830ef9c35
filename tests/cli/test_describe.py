"""igmc data describe: the page for people, the JSON for programs, the figures."""

import json
import sys

import pandas as pd
import pytest


def test_a_file_is_described_for_people(command, home, ratings_file):
    code, out, err = command("igmc", "data", "describe", ratings_file)
    assert (code, err) == (0, "")
    assert out.startswith(
        "mine: 300 ratings of 30 users for 20 items, density 50.000%\n300 ratings read from"
    )
    assert "outliers, beyond 1.5 interquartile ranges from the quartiles" in out
    assert not home.exists()


def test_a_data_set_is_described_for_programs(command, home):
    code, out, err = command("igmc", "data", "describe", "Demo", "--json")
    assert (code, err) == (0, "")
    page = json.loads(out)
    assert (page["name"], page["ratings"], page["users"]["total"]) == ("demo", 12_000, 300)
    assert page["figures"] == []


def test_columns_and_duplicates_are_obeyed(command, home, tmp_path):
    path = tmp_path / "books.csv"
    path.write_text("book,reader,stars\n1,a,3\n1,a,5\n2,a,1\n2,b,1\n")
    for rule, mean in (("last", 7 / 3), ("mean", 2.0)):
        call = ("igmc", "data", "describe", path, "--columns", "reader,book,stars", "--duplicates", rule)
        _, out, _ = command(*call, "--json")
        page = json.loads(out)
        assert (page["rows"], page["duplicates"], page["ratings"]) == (4, 1, 3)
        assert page["rating"]["summary"]["mean"] == pytest.approx(mean)
    code, out, err = command(*call[:-1], "error")
    assert (code, out) == (3, "")
    assert "user 'a' has rated item 1 before" in err


def test_settings_of_a_run_are_taken_and_the_name_goes_before_them(command, home, tmp_path):
    path, settings = tmp_path / "books.csv", tmp_path / "settings.json"
    path.write_text("book,reader,stars\n1,a,3\n2,a,1\n2,b,1\n")
    settings.write_text(json.dumps({"data": {"dataset": "flixster", "columns": "reader,book,stars"}}))
    code, out, _ = command("igmc", "data", "describe", path, "--config", settings)
    assert code == 0
    assert out.startswith("books: 3 ratings of 2 users for 2 items")


def test_figures_are_drawn_where_asked(command, home, tmp_path):
    call = ("igmc", "data", "describe", "demo", "--plots", tmp_path / "figures", "--json")
    code, out, err = command(*call)
    assert code == 0
    expected = [f"demo-{what}.{kind}" for what in ("overview", "genres") for kind in ("png", "svg")]
    assert json.loads(out)["figures"] == [str(tmp_path / "figures" / name) for name in expected]
    assert sorted(path.name for path in (tmp_path / "figures").iterdir()) == sorted(expected)
    assert "figure written: " in err


def test_without_matplotlib_there_is_a_line_on_what_to_install(command, home, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, out, err = command("igmc", "data", "describe", "demo", "--plots", tmp_path / "figures")
    assert (code, out) == (1, "")
    hint = "pip install 'igmc[plot]' (in a checkout: '.[plot]')"
    assert err == f"igmc: error: a figure needs matplotlib; hint: {hint}\n"
    assert command("igmc", "data", "describe", "demo")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nosuch"], 2, "unknown data set; got 'nosuch'; allowed: ml_100k"),
        (["no/such.csv"], 3, "there is no file no/such.csv"),
        (["demo", "--columns", "1,2,3"], 2, "--columns does not apply to demo"),
        (["demo", "--duplicates", "first"], 2, "--duplicates is not known; got 'first'; allowed: last, mean"),
        ([], 2, "Missing argument 'NAME'; see igmc data describe -h"),
    ],
)
def test_what_cannot_be_described(command, home, arguments, code, message):
    got, out, err = command("igmc", "data", "describe", *arguments)
    assert (got, out) == (code, "")
    assert message in err


def test_tables_by_user_and_item_are_written(command, tmp_path):
    users, items = tmp_path / "users.csv", tmp_path / "items.csv"
    code, out, err = command(
        *("igmc-data", "describe", "demo", "--per-user", users, "--per-item", items, "--json")
    )
    assert code == 0, err
    assert json.loads(out)["tables"] == {"per_user": str(users), "per_item": str(items)}
    by_user, by_item = pd.read_csv(users), pd.read_csv(items)
    assert (len(by_user), len(by_item)) == (300, 250)
    assert by_user.ratings.sum() == by_item.ratings.sum() == 12000
    code, _, err = command("igmc-data", "describe", "demo", "--per-user", tmp_path / "none" / "users.csv")
    assert (code, "cannot write" in err) == (1, True)
