"""Exports as people have them: one command trains, and titles stand in the answers."""

import json

import numpy as np
import pytest

QUICK = ("--epochs", "1", "--quiet")
GENERATOR = np.random.default_rng(3)
# 40 users with 12 of 30 items each, and a number between 0 and 1.
TRIPLES = [
    (user, item, float(GENERATOR.random()))
    for user in range(1, 41)
    for item in sorted(GENERATOR.choice(np.arange(100, 130), 12, replace=False).tolist())
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("cases")


def filmtrust(folder):
    lines = [f"{user} {item} {0.5 + round(7 * r) / 2:g}" for user, item, r in TRIPLES]
    (folder / "ratings.txt").write_text("\n".join(lines) + "\n")
    lines = [f"{item},Film {item},Drama" for item in range(100, 130)]
    (folder / "films.csv").write_text("\n".join(["item_id,title,genres", *lines]) + "\n")
    return [
        folder / "ratings.txt",
        "--columns",
        "1,2,3",
        "--item-info",
        folder / "films.csv",
    ], "0.5,1,1.5,2,2.5,3,3.5,4"


def ciao(folder):
    lines = [f"{user},{item},{1 + round(4 * r)},2011-0{1 + item % 9}-03" for user, item, r in TRIPLES]
    (folder / "movie-ratings.txt").write_text("\n".join(lines) + "\n")
    lines = [json.dumps({"id": str(item), "title": f"Film {item}"}) for item in range(100, 130)]
    (folder / "films.jsonl").write_text("\n".join(lines) + "\n")
    return [
        folder / "movie-ratings.txt",
        "--columns",
        "1,2,3,4",
        "--item-info",
        folder / "films.jsonl",
    ], "1,2,3,4,5"


def amazon(folder):
    rows = [
        {
            "reviewerID": f"A{user}",
            "asin": f"B{item}",
            "overall": 1.0 + round(4 * r),
            "reviewText": 'say "no"\n',
        }
        for user, item, r in TRIPLES
    ]
    (folder / "reviews.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = [json.dumps({"asin": f"B{item}", "title": f"Film {item}"}) for item in range(100, 130)]
    (folder / "meta.json").write_text("\n".join(lines) + "\n")
    return [folder / "reviews.json", "--item-info", folder / "meta.json"], "1,2,3,4,5"


def movietweetings(folder):
    place = folder / "MovieTweetings"
    place.mkdir()
    lines = [f"{user}::0{item}::{round(10 * r)}::1381006850" for user, item, r in TRIPLES]
    (place / "ratings.dat").write_text("\n".join(lines) + "\n")
    (place / "movies.dat").write_text(
        "".join(f"0{item}::Film {item} (1999)::Drama\n" for item in range(100, 130))
    )
    (place / "users.dat").write_text("1::17\n2::18\n")
    return [place], "0,1,2,3,4,5,6,7,8,9,10"


@pytest.mark.parametrize("make", [filmtrust, ciao, amazon, movietweetings])
def test_one_command_trains_and_titles_stand_in_the_answers(folder, make, command):
    source, scale = make(folder)
    run = folder / f"run-{make.__name__}"
    code, _, err = command("igmc-train", "--dataset", *source, "--out", run, *QUICK)
    assert code == 0, err
    values = json.loads((run / "config.json").read_text())["scale"]["values"]
    assert ",".join(f"{value:g}" for value in values) == scale
    user = "A1" if make is amazon else "1"
    code, out, err = command("igmc-recommend", "--run", run, "--user", user, "-k", "3", "--json")
    assert code == 0, err
    assert all(row["title"].startswith("Film 1") for row in json.loads(out)["recommendations"])


def test_a_continuous_scale_trains_as_one_and_answers_newcomers(folder, command):
    lines = ["user,item,rating", *(f"{user},{item},{20 * r - 10:.4f}" for user, item, r in TRIPLES)]
    (folder / "jokes.csv").write_text("\n".join(lines) + "\n")
    run = folder / "run-jokes"
    code, _, err = command("igmc-train", "--dataset", folder / "jokes.csv", "--out", run, *QUICK)
    assert code == 0, err
    scale = json.loads((run / "config.json").read_text())["scale"]
    assert len(scale["values"]) > 256
    asked = ("igmc-recommend", "--run", run, "-k", "3", "--ratings")
    code, _, err = command(*asked, "100=1.23456,101=-9.5")
    assert code == 0, err
    code, _, err = command(*asked, "100=12")
    assert (code, "a rating is not on the scale; got 12.0" in err) == (3, True)
    rgcn = ("igmc-train", "--dataset", folder / "jokes.csv", "--network", "rgcn", "--out", folder / "none")
    code, _, err = command(*rgcn)
    assert (code, "--levels 10, or train --network neighbours" in err) == (3, True)
    assert not (folder / "none").exists()


def test_a_rating_between_two_levels_is_refused_or_rounded(folder, command):
    source, _ = filmtrust(folder)
    run = folder / "run-filmtrust"
    if not run.exists():
        assert command("igmc-train", "--dataset", *source, "--out", run, *QUICK)[0] == 0
    asked = ("igmc-recommend", "--run", run, "-k", "3", "--json", "--ratings")
    code, _, err = command(*asked, "100=3.7")
    assert (
        code,
        "allowed: 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4; hint: give one of these, or use --round-ratings" in err,
    ) == (3, True)
    rounded = command(*asked, "100=3.7,101=1", "--round-ratings")
    assert rounded[:2] == command(*asked, "100=3.5,101=1")[:2]
    assert rounded[0] == 0
    assert command(*asked, "100=4.2", "--round-ratings")[0] == 3
