"""igmc-recommend: for a user, a newcomer, all users; tables, CSV and JSON; and what is wrong, in one line."""

import io
import json
from collections import defaultdict

import pandas as pd
import pytest

import igmc.run
from igmc.cli.recommend import _request
from igmc.config import RunConfig
from igmc.inference.lists.recommend import recommend as in_python
from igmc.inference.predictor import Predictor

SMALL = {
    "extract": {"max_nodes_per_hop": 10},
    "model": {"layers": [8, 8], "mlp_width": 8},
    "train": {"epochs": 2, "ensemble_size": 2, "ensemble_every": 1, "batch_size": 300},
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a short run on the demo: users 1..300, films f001..f250 with titles."""
    folder = tmp_path_factory.mktemp("recommend") / "run"
    settings = SMALL | {"data": {"dataset": "demo"}, "live": True}
    igmc.run.train(RunConfig.from_dict(settings), out=folder, device="cpu", progress=False)
    return folder


@pytest.fixture
def recommend(command, home, run):
    """Runs igmc-recommend on it."""
    return lambda *arguments: command("igmc-recommend", "--run", run, *arguments)


def frame(result) -> pd.DataFrame:
    code, out, err = result
    assert code == 0, err
    return pd.read_csv(io.StringIO(out))


def test_a_table_for_people(recommend, run, command):
    code, out, err = recommend("--user", 3, "-k", 4)
    expected = in_python(run, user_id=3, k=4)
    assert code == 0
    assert "by relevance and score together; --order score lists the highest predicted ratings" in err
    head, *lines = out.splitlines()
    assert head.split() == ["rank", "relevance", "score", "lift", "item_id", "title", "genres"]
    assert recommend("--user", 3, "-k", 4, "--order", "blend") == (0, out, "")
    assert [line.split()[4] for line in lines] == expected.item_id.tolist()
    assert all(title in line for title, line in zip(expected.title, lines, strict=True))
    assert command("igmc", "recommend", "--run", run, "--user", 3, "-k", 4)[1] == out


def test_order_diversity_gems_and_what_is_left_out(recommend, run):
    for options, given in (
        (["--order", "lift"], {"order": "lift"}),
        (["--diversity", 0.6], {"diversity": 0.6}),
        (["--gems"], {"gems": True}),
        (["--exclude", "f001,f050,f105"], {"exclude": ["f001", "f050", "f105"]}),
    ):
        expected = in_python(run, user_id=3, **given)
        assert frame(recommend("--user", 3, *options, "--csv")).item_id.tolist() == expected.item_id.tolist()
    document = json.loads(recommend("--user", 3, "--order", "lift", "--json")[1])
    lifts = [one["lift"] for one in document["recommendations"]]
    assert lifts == sorted(lifts, reverse=True)


def test_what_speaks_for_an_item_is_named(recommend, run):
    expected = in_python(run, user_id=3, because=True)
    document = json.loads(recommend("--user", 3, "--because", "--json")[1])
    assert [one["because"] for one in document["recommendations"]] == expected.because.tolist()
    head, *lines = recommend("--user", 3, "--because")[1].splitlines()
    assert head.split()[-1] == "because"
    for line, rating, title in zip(lines, expected.because_rating, expected.because_title, strict=True):
        assert line.endswith("-" if pd.isna(rating) else f"{rating:g} for {title}")


def test_csv_and_json_hold_what_python_gives(recommend, run):
    found = frame(recommend("--user", 3, "--csv"))
    expected = in_python(run, user_id=3)
    assert list(found) == list(expected)
    assert found.item_id.tolist() == expected.item_id.tolist()
    assert found.score.tolist() == pytest.approx(expected.score.tolist(), abs=6e-5)
    document = json.loads(recommend("--user", 3, "--json", "--exhaustive")[1])
    assert document["run"] == str(run)
    assert document["user_id"] == 3
    assert document["scored"] == 250 - document["ratings_known"]
    assert document["reason"] == ""
    assert document["scale"] == {"low": 1.0, "high": 5.0}
    first = document["recommendations"][0]
    assert list(first) == ["item_id", "score", "lift", "rank", "title", "genres", "year", "source"]
    assert (first["rank"], type(first["year"])) == (1, int)


def test_a_newcomers_ratings_come_typed_or_in_a_file(recommend, run, tmp_path):
    expected = in_python(run, ratings={"f001": 5, "f002": 1, "f003": 4}).item_id.tolist()
    assert frame(recommend("--ratings", "f001=5, f002=1,f003=4.0", "--csv")).item_id.tolist() == expected
    for name, text in {
        "two.csv": "item_id,rating\nf001,5\nf002,1\n\nf003,4\n",
        "three.csv": "userId\tstars\titem\nme\t5\tf001\nme\t1\tf002\nme\t4\tf003\n",
    }.items():
        (tmp_path / name).write_text(text)
        assert frame(recommend("--ratings", tmp_path / name, "--csv")).item_id.tolist() == expected
    named = frame(recommend("--ratings", tmp_path / "two.csv", "--user", "me", "--csv"))
    assert set(named.user_id) == {"me"}
    several = "user,item,rating\nyou,f009,2\nme,f001,5\nme,f002,1\nyou,f001,1\nme,f003,4\n"
    (tmp_path / "several.csv").write_text(several)
    mine = frame(recommend("--ratings", tmp_path / "several.csv", "--user", "me", "--csv"))
    assert mine.item_id.tolist() == expected


def test_options_reach_the_request(recommend, run, tmp_path):
    (tmp_path / "stock.txt").write_text("f001\nf002\n\nf003\nnever\n")
    (tmp_path / "stock.csv").write_text("price,item_id\n1,f001\n2,f002\n1,f003\n")

    def items(*arguments):
        return frame(recommend("--user", 3, "--csv", "--quiet", *arguments))

    for arguments, options in (
        (["--genre", "Drama", "--genre", "Crime"], {"genre": ["Drama", "Crime"]}),
        (["--exclude-genre", "drama"], {"exclude_genre": "Drama"}),
        (["--year", "1980-1999"], {"years": (1980, 1999)}),
        (["--year", "1999"], {"years": (1999, 1999)}),
        (["--year", "2000-"], {"years": (2000, None)}),
        (["--year", "-1980"], {"years": (None, 1980)}),
        (["--min-score", 3.2, "-k", 200], {"min_score": 3.2, "k": 200}),
        (["--items", tmp_path / "stock.txt"], {"items": ["f001", "f002", "f003"]}),
        (["--items", tmp_path / "stock.csv"], {"items": ["f001", "f002", "f003"]}),
        (["--candidates", 12], {"candidates": 12}),
        (["--candidates", 12, "--budget", 1], {"candidates": 12, "budget": 1}),
        (["--exhaustive"], {"exhaustive": True}),
        (["--bottom"], {"bottom": True}),
    ):
        assert items(*arguments).item_id.tolist() == in_python(run, user_id=3, **options).item_id.tolist()
    by_score = "--order", "score"
    assert (
        items("--budget", 1, *by_score, "--candidates", 12).item_id.tolist()
        != items("--candidates", 12, *by_score).item_id.tolist()
    )
    single = in_python(Predictor.from_run(run, checkpoints=1), user_id=3).score.tolist()
    assert items("--checkpoints", 1).score.tolist() == pytest.approx(single, abs=6e-5)


def test_a_short_list_says_why(recommend):
    code, out, err = recommend("--user", 3, "--year", "1800")
    assert (code, out) == (0, "")
    assert err == "no item is left: of 250 items, 0 of 1800-1800, 0 not rated by the user\n"
    code, out, err = recommend("--user", 3, "--min-score", 4.99, "--json", "--quiet")
    document = json.loads(out)
    assert (code, document["recommendations"]) == (0, [])
    assert document["reason"].endswith("0 predicted to get 4.99 or more")
    assert document["reason"] in err


def test_what_was_not_read_off_is_flagged(recommend, tmp_path):
    (tmp_path / "nothing.csv").write_text("item_id,rating\n")
    out = recommend("--ratings", tmp_path / "nothing.csv", "-k", 2)[1]
    assert [line.split()[-2:] for line in out.splitlines()[1:]] == [["item", "mean"]] * 2


def test_all_users_go_to_a_file(recommend, run, tmp_path):
    code, out, err = recommend("--all-users", "--out", tmp_path / "all.csv", "-k", 2, "--candidates", 2)
    assert (code, out, err) == (0, f"600 items for 300 users in {tmp_path / 'all.csv'}\n", "")
    lists = pd.read_csv(tmp_path / "all.csv").groupby("user_id").item_id.apply(list)
    assert lists[7] == in_python(run, user_id=7, k=2, candidates=2).item_id.tolist()
    assert len(lists) == 300


def test_all_users_go_to_a_folder_of_parts(recommend, run, tmp_path):
    pytest.importorskip("pyarrow")
    how = "--all-users", "--out", tmp_path / "lists", "-k", 2, "--candidates", 2, "--order", "score"
    told = (0, f"600 items for 300 users in {tmp_path / 'lists'}\n", "")
    assert recommend(*how) == told
    lists = pd.read_parquet(tmp_path / "lists" / "part-00000.parquet").groupby("user_id").item_id.apply(list)
    assert lists[7] == in_python(run, user_id=7, k=2, candidates=2, order="score").item_id.tolist()
    assert recommend(*how) == told
    code, _, err = recommend(*how[:-1], "lift")
    assert code == 3
    assert "holds lists of another run or request" in err
    code, _, err = recommend("--user", 3, "--executor", "ray")
    assert code == 2
    assert "--executor goes with --all-users and a folder as --out" in err


def test_titles_cannot_command_the_terminal(recommend, monkeypatch):
    monkeypatch.setattr("igmc.inference.item_info.json.loads", _with_escapes)
    out = recommend("--user", 3, "-k", 1)[1]
    assert "?[31mred" in out
    assert "\x1b" not in out


def test_many_ratings_on_the_command_line_are_no_file_name(command, home, demo_run):
    given = ",".join(f"f{k:03}={k % 5 + 1}" for k in range(1, 60))
    code, out, err = command("igmc-recommend", "--run", demo_run, "--ratings", given, "-k", 2, "-q")
    assert (code, len(out.splitlines()), err) == (0, 3, "")


def _with_escapes(text):
    value = json.JSONDecoder().decode(text.decode() if isinstance(text, bytes) else text)
    return value | {"title": ["\x1b[31mred"] * len(value["title"])} if "title" in value else value


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "no user given: use --user ID, --ratings FILE, --ratings 'ID=5,ID=3' or --all-users"),
        (["--user", 3, "--demo"], 2, "no model given: use either --run DIR or --demo"),
        (["--all-users", "--user", 3], 2, "no user given"),
        (["--all-users"], 2, "--all-users and --out FILE go together"),
        (["--user", 3, "--out", "x.csv"], 2, "--all-users and --out FILE go together"),
        (["--all-users", "--out", "x.txt"], 2, "got 'x.txt'; allowed: a name that ends in .csv or .jsonl"),
        (["--user", 3, "--csv", "--json"], 2, "--csv cannot be combined with --json or --all-users"),
        (["--user", 3, "--year", "soon"], 2, "--year 'soon' is not a year or range of years, such as 1994"),
        (["--user", 3, "--year", "-"], 2, "not a year or range"),
        (["--user", 3, "--year", "1980 1999"], 2, "not a year or range"),
        (["--user", 3, "--year", "1999-1980"], 2, "years are not a range; got '1999 to 1980'"),
        (["--user", 3, "-k", "0"], 2, "--k is out of range; got 0; allowed: at least 1"),
        (["--user", 3, "-k", "ten"], 2, "'ten' is not a whole number"),
        (["--user", 3, "--genre", "Dram"], 2, "no item has this genre; got 'Dram'; allowed: Action, Comedy"),
        (["--user", 301], 3, "this user is unknown; got 301; hint: ids are 1..300"),
        (["--ratings", "f001=9"], 3, "a rating is not on the scale; got 9.0; allowed: 1, 2, 3, 4, 5"),
        (["--ratings", "f001=good"], 3, "--ratings: a rating is not a number; got 'good'"),
        (["--ratings", "f001=5,f001=4"], 3, "--ratings: item 'f001' is rated twice"),
        (
            ["--ratings", "f1=5"],
            3,
            "the run does not know a rated item; got 'f1'; hint: did you mean",
        ),
        (["--ratings", "missing.csv"], 3, "there is no file missing.csv"),
        (["--ratings", "headless.csv"], 3, "does not name the column of items and that of ratings"),
        (["--ratings", "two.csv"], 3, "two.csv holds the ratings of several users; got 'me, you'"),
        (["--ratings", "two.csv", "--user", "she"], 3, "two.csv holds no rating of user 'she'; got"),
        (["--ratings", "word.csv"], 3, "word.csv, line 3: a rating is not a number; got 'x'"),
        (["--ratings", "short.csv"], 3, "short.csv, line 2: the item or the rating is missing"),
        (["--ratings", "nine.csv"], 3, "nine.csv, line 3: a rating is not on the scale; got 9.0"),
        (["--user", 3, "--items", "row.txt"], 3, "row.txt, line 1: several item ids, or a column without"),
        (["--user", 3, "--items", "empty.txt"], 3, "empty.txt holds no item ids; allowed: one per line"),
        (["--user", 3, "--run", "nowhere"], 3, "nowhere is not a run folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(recommend, tmp_path, arguments, code, message):
    for name, text in {
        "headless.csv": "f001,5\n",
        "two.csv": "user,item,rating\nme,f001,5\nyou,f002,4\n",
        "word.csv": "item,rating\nf001,5\nf002,x\n",
        "short.csv": "item,rating\nf001\n",
        "nine.csv": "item,rating\nf001,5\nf002,9\n",
        "row.txt": "f001,f002\n",
        "empty.txt": "\n",
    }.items():
        (tmp_path / name).write_text(text)
    got, out, err = recommend(*arguments)
    assert (got, out) == (code, "")
    assert message in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("given", "order"),
    [({}, "auto"), ({"new_items": "new.csv"}, "score"), ({"new_items": "new.csv", "order": "lift"}, "lift")],
)
def test_new_items_are_listed_by_score_since_no_ranker_knows_them(run, given, order):
    empty = {"genre": (), "exclude_genre": (), "user": "3", "all_users": False}
    asked = defaultdict(lambda: None, empty | given)
    assert _request(Predictor.from_run(run), asked, None).config.order == order
