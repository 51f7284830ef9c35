"""igmc-predict answers from a run folder, also for newcomers, and says what is wrong with a file."""

import gzip
import io
import json
import sys

import pandas as pd
import pytest

from igmc.inference.predictor import Predictor

TRAIN = (
    "--network",
    "rgcn",
    "--layers",
    "8,8",
    "--mlp-width",
    8,
    "--batch-size",
    64,
    "--epochs",
    2,
    "--live",
    "--quiet",
)


@pytest.fixture
def run(command, home, ratings_file):
    """The folder of a run on the small file, users u0..u29 and items i0..i19."""
    assert command("igmc-train", "--dataset", ratings_file, *TRAIN, "--out", "run")[0] == 0
    return "run"


@pytest.fixture
def predict(command, run):
    """Runs igmc-predict on it."""
    return lambda *arguments: command("igmc-predict", "--run", run, *arguments)


def frame(result) -> pd.DataFrame:
    code, out, err = result
    assert code == 0, err
    return pd.read_csv(io.StringIO(out))


def test_pairs_of_a_file_are_answered_in_order_and_flagged(predict, run, tmp_path):
    pairs = tmp_path / "pairs.csv"
    pairs.write_text("item_id,when,user_id\ni3,x,u1\n\ni0,,u2\ni0,,stranger\nnew,,u2\nnew,,stranger\n")
    result = predict("--pairs", pairs)
    answers = frame(result)
    assert list(answers) == ["user_id", "item_id", "score", "source"]
    assert answers.user_id.tolist() == ["u1", "u2", "stranger", "u2", "stranger"]
    assert answers.source.tolist() == ["model", "model", "item mean", "user mean", "global mean"]
    expected = Predictor.from_run(run).predict(answers.user_id, answers.item_id)
    assert answers.score.tolist() == pytest.approx(expected.score.tolist(), abs=5e-5)
    unknown, means = result[2].splitlines()[-2:]
    assert unknown.startswith("unknown to the run: 1 of 3 items, 'new' (ids")
    assert means == "3 of 5 predictions are damped means, for lack of ratings"
    assert predict("--pairs", pairs, "--quiet")[2] == ""


def test_pairs_may_come_from_stdin_or_compressed_and_with_tabs(predict, tmp_path, monkeypatch):
    text = "userId\titem\nu1\ti3\nu2\ti0\n"
    (tmp_path / "pairs.tsv.gz").write_bytes(gzip.compress(text.encode("utf-8-sig")))
    from_file = predict("--pairs", tmp_path / "pairs.tsv.gz")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert predict("--pairs", "-") == from_file
    assert frame(from_file).item_id.tolist() == ["i3", "i0"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_stdin_is_read_in_the_encodings_of_files(predict, monkeypatch, encoding):
    asked = io.BytesIO("user,item\nMüller,i3\n".encode(encoding))
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(asked, encoding="ascii"))
    assert frame(predict("--pairs", "-")).user_id.tolist() == ["Müller"]


def test_a_newcomers_ratings_count(predict, run, tmp_path):
    ratings = tmp_path / "mine.csv"
    ratings.write_text("user_id,item_id,rating\nme,i1,5\nme,i2,1\nme,extra,4\nu3,i4,1\n")
    asked = ("--user", "me", "--items", "i3, i4,extra")
    answers = frame(predict("--ratings", ratings, *asked))
    assert answers.user_id.tolist() == ["me"] * 3
    assert answers.source.tolist() == ["model", "model", "user mean"]
    assert frame(predict(*asked)).source.tolist() == ["item mean", "item mean", "global mean"]
    new = pd.read_csv(ratings)
    expected = Predictor.from_run(run).add_ratings(new).predict(["me"] * 3, ["i3", "i4", "extra"])
    assert answers.score.tolist() == pytest.approx(expected.score.tolist(), abs=5e-5)


def test_json_says_what_answered(predict):
    code, out, _ = predict("--user", "u1", "--items", "i3", "--json", "--checkpoints", "single")
    document = json.loads(out)
    assert code == 0
    assert document["run"] == "run"
    assert len(document["epochs"]) == 1
    assert document["scale"] == {"low": 1.0, "high": 5.0}
    assert document["clipped"] is True
    [row] = document["predictions"]
    assert (row["user_id"], row["item_id"], row["source"]) == ("u1", "i3", "model")
    assert json.loads(predict("--user", "u1", "--items", "i3", "--json", "--no-clip")[1])["clipped"] is False


def test_checkpoints_are_chosen(predict):
    asked = ("--user", "u1", "--items", "i3", "--no-clip")
    found = [frame(predict(*asked, "--checkpoints", choice)).score[0] for choice in (1, 2)]
    assert found[0] != found[1]
    assert frame(predict(*asked)).score[0] == pytest.approx(sum(found) / 2, abs=1e-4)


def test_ids_that_are_unknown_are_named_for_they_may_be_typing_errors(predict):
    code, out, err = predict("--user", "u1", "--items", "i3,I3,brand new")
    assert (code, out.count("\n")) == (0, 4)
    assert "unknown to the run: 2 of 3 items, 'I3' (did you mean 'i3'? ids are such as 'i0')" in err
    assert " users" not in err
    assert "unknown to the run: 1 of 1 users, 'U1' (did" in predict("--user", "U1", "--items", "i3")[2]
    told = predict("--user", "U1", "--ratings", "i0=5", "--items", "i3")[2]
    assert "unknown" not in told


def test_whole_numbers_stay_whole_numbers(command, home, tmp_path):
    lines = "".join(f"{user},{item},{1 + (user * item) % 5}\n" for user in range(12) for item in range(12))
    (tmp_path / "numbers.csv").write_text("user,item,rating\n" + lines)
    assert command("igmc-train", "--dataset", "numbers.csv", *TRAIN, "--out", "run")[0] == 0
    answers = json.loads(command("igmc-predict", "--run", "run", "--user", 3, "--items", "4,05", "--json")[1])
    assert [row["source"] for row in answers["predictions"]] == ["model", "user mean"]
    assert [row["item_id"] for row in answers["predictions"]] == [4, "05"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            [],
            2,
            "no pairs given: use --pairs, or both --user (or --ratings) and --items; see igmc-predict -h",
        ),
        (["--user", "u1"], 2, "no pairs given: use --pairs"),
        (["--user", "u1", "--items", " , "], 2, "--items is empty; got"),
        (["--pairs", "p.csv", "--user", "u1"], 2, "no pairs given: use --pairs"),
        (["--pairs", "missing.csv"], 3, "there is no file missing.csv"),
        (["--pairs", "empty.csv"], 3, "the first line of empty.csv does not name the column of users"),
        (["--pairs", "headless.csv"], 3, "does not name the column of users and that of items; got 'u1,i1'"),
        (["--pairs", "nothing.csv"], 3, "nothing.csv holds no pairs"),
        (["--pairs", "short.csv"], 3, "short.csv, line 3: the user or the item is missing; got 'u1'"),
        (["--pairs", "quote.csv"], 3, "quote.csv, line 2: unexpected end of data"),
        (
            ["--user", "u1", "--items", "i1", "--ratings", "nine.csv"],
            3,
            "nine.csv, line 2: a rating is not on the scale; got 9.0",
        ),
        (
            ["--user", "u1", "--items", "i1", "--ratings", "twice.csv"],
            3,
            "twice.csv: user 'me' rates item 'i1' twice",
        ),
        (["--user", "u1", "--items", "i1", "--ratings", "head.csv"], 3, "head.csv holds no ratings"),
        (["--user", "u1", "--items", "i1", "--checkpoints", "7"], 2, "has no such checkpoint; got 7"),
        (["--user", "u1", "--items", "i1", "--device", "gpu"], 2, "unknown device; got 'gpu'"),
        (["--user", "u1", "--items", "i1", "--run", "nowhere"], 3, "nowhere is not a run folder"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(predict, tmp_path, arguments, code, message):
    for name, text in {
        "p.csv": "user,item\nu1,i1\n",
        "empty.csv": "",
        "headless.csv": "u1,i1\n",
        "nothing.csv": "user,item\n\n",
        "short.csv": "user,item\nu1,i1\nu1\n",
        "quote.csv": 'user,item\nu1,"i1\n',
        "nine.csv": "user,item,rating\nme,i1,9\n",
        "head.csv": "user,item,rating\n",
        "twice.csv": "user,item,rating\nme,i1,4\nme,i1,5\n",
    }.items():
        (tmp_path / name).write_text(text)
    got, out, err = predict(*arguments)
    assert (got, out) == (code, "")
    assert message in err.splitlines()[-1]


def test_ratings_of_one_user_need_no_user_id(predict, run, tmp_path):
    mine = tmp_path / "mine.csv"
    mine.write_text("item_id,rating\ni0,5\ni1,1\n")
    expected = Predictor.from_run(run).score_user({"i0": 5, "i1": 1}, ["i3", "i4"])
    of_file = frame(predict("--ratings", mine, "--items", "i3,i4"))
    assert of_file.score.tolist() == pytest.approx(expected.score.tolist(), abs=1e-4)
    assert of_file.user_id.isna().all()
    inline = frame(predict("--ratings", "i0=5,i1=1", "--user", "me", "--items", "i3,i4"))
    assert inline.score.tolist() == of_file.score.tolist()
    assert inline.user_id.tolist() == ["me", "me"]
    known = frame(predict("--ratings", "i0=5", "--user", "u1", "--items", "i3"))
    again = Predictor.from_run(run).score_user({"i0": 5}, "i3", user_id="u1")
    assert known.score.tolist() == pytest.approx(again.score.tolist(), abs=1e-4)


def test_items_are_ids_or_a_file_of_them(predict, tmp_path):
    listed = tmp_path / "items.txt"
    listed.write_text("i3\ni4\n")
    by_file = frame(predict("--user", "u1", "--items", listed))
    assert by_file.equals(frame(predict("--user", "u1", "--items", "i3,i4")))


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--items", "i1"], 2, "no pairs given: use --pairs, or both --user (or --ratings) and --items"),
        (["--ratings", "i0=5", "--pairs", "p.csv"], 2, "needs a column user_id with the user of each rating"),
        (["--ratings", "i99=5", "--items", "i1"], 3, "the run does not know a rated item; got 'i99'"),
        (["--user", "u1", "--items", "missing.txt"], 3, "missing.txt"),
        (["--user", "u1", "--items", " , "], 2, "--items is empty"),
    ],
)
def test_what_is_asked_of_whom_must_be_clear(predict, arguments, code, message):
    got, out, err = predict(*arguments)
    assert (got, out) == (code, "")
    assert message in err


def test_ratings_by_name_need_to_be_asked_for_somebody(predict, tmp_path):
    theirs = tmp_path / "theirs.csv"
    theirs.write_text("user_id,item_id,rating\nann,i0,5\n")
    code, _, err = predict("--ratings", theirs, "--items", "i1")
    assert (code, "choose one with --user ID" in err) == (2, True)
    assert predict("--ratings", theirs, "--items", "i1", "--user", "ann")[0] == 0


def test_a_parquet_of_pairs_is_answered_in_pieces_on_stdout_or_in_a_file(predict, run, tmp_path):
    pytest.importorskip("pyarrow")
    pairs = pd.DataFrame({"user_id": ["u1", "u2", "stranger"], "item_id": ["i3", "i0", "i0"]})
    pairs.to_parquet(tmp_path / "pairs.parquet")
    pairs.to_csv(tmp_path / "pairs.csv", index=False)
    expected = frame(predict("--pairs", tmp_path / "pairs.csv"))
    assert frame(predict("--pairs", tmp_path / "pairs.parquet")).equals(expected)
    out = tmp_path / "scores.csv"
    code, told, _ = predict("--pairs", tmp_path / "pairs.parquet", "--out", out)
    assert (code, told) == (0, f"3 predictions in {out}, 1 of them damped means\n")
    assert pd.read_csv(out).equals(expected)
    for wrong, match in (
        (["--pairs", tmp_path / "pairs.csv", "--out", out], "--out requires a Parquet of --pairs"),
        (["--pairs", tmp_path / "pairs.parquet", "--json"], "--json is not available for a Parquet"),
    ):
        code, _, err = predict(*wrong)
        assert code == 2
        assert match in err
