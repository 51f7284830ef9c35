"""``igmc ratings``: export, compaction, and a new run while the store is in use."""

import json

import pytest

from igmc.inference import Predictor
from igmc.live import Change, Draft, LiveRatings, RatingLog


@pytest.fixture
def store(tmp_path):
    path = str(tmp_path / "ratings.db")
    with RatingLog(path) as log:
        log.append([Change((Draft("rate", 9001, "f001", 5.0, 0), Draft("rate", 9001, "f001", 4.0, 0)))])
    return path


def test_export_and_compact_say_what_they_did(command, home, demo_run, store):
    code, out, err = command("igmc-ratings", "compact", "--store", store)
    assert (code, out) == (0, "1 entries removed\n"), err
    code, out, err = command(
        "igmc-ratings",
        "export",
        "--run",
        demo_run,
        "--store",
        store,
        "--out",
        "all.csv",
        "--item-info",
        "films.csv",
        "--json",
    )
    assert code == 0, err
    lines = (home.parent / "all.csv").read_text().splitlines()
    assert json.loads(out) == {"ratings": len(lines) - 1, "position": 2}
    assert lines[0] == "user_id,item_id,rating,timestamp"
    assert lines[-1] == "9001,f001,4,0"
    assert (
        (home.parent / "films.csv").read_text().startswith("item_id,title,genres,year\nf001,The Iron Mirror")
    )


def test_a_store_that_is_not_one_is_told(command, home, demo_run):
    code, _, err = command("igmc-ratings", "compact", "--store", "none/a.db")
    assert code == 2
    assert "the store cannot be at this path; got 'none/a.db'" in err
    code, _, err = command("igmc-ratings", "export", "--run", "none", "--store", "a.db", "--out", "x.csv")
    assert code == 3


def test_a_new_run_knows_what_was_stored_and_takes_over(command, home, demo_run, store):
    with LiveRatings(Predictor.from_run(demo_run, device="cpu"), store) as live:
        code, _, err = command("igmc-ratings", "train", "--run", demo_run, "--store", store, "--out", "next")
        assert code == 0, err
        fresh = Predictor.from_run(home.parent / "next", device="cpu")
        assert fresh.users.encode([9001])[0] >= 0
        assert fresh.info.titles[int(fresh.items.encode(["f001"])[0])] == "The Iron Mirror (1999)"
        live.swap(fresh)
        assert live.predictor.scorer is fresh.scorer
        (user,) = live.predictor.users.encode([9001]).tolist()
        assert len(live.predictor.graph.by_user.row(user)[0]) == 1
