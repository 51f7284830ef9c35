"""igmc-transfer reports what a run reaches on other data."""

import json

import pytest

SMALL = (
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
    "--quiet",
    "--live",
)


@pytest.fixture
def run(command, home, ratings_file, tmp_path):
    assert command("igmc-train", "--dataset", ratings_file, *SMALL, "--out", "run")[0] == 0
    lines = ratings_file.read_text().splitlines()[1:]
    users, items, ratings = zip(*(line.split(",") for line in lines), strict=True)
    other = [f"{i},{u},{10 * int(r)}" for u, i, r in zip(users, items, ratings, strict=True)]
    (tmp_path / "other.csv").write_text("\n".join(["book,reader,score", *other]) + "\n")
    return tmp_path / "run"


def transfer(command, *arguments):
    columns = ("--columns", "reader,book,score")
    return command("igmc-transfer", "--from", "run", "--to", "other.csv", *columns, *arguments)


def test_a_table_for_people_and_json_for_programs(command, run, tmp_path):
    code, out, err = transfer(command)
    assert (code, err.count("error")) == (0, 0)
    assert "mine.csv -> other, split random" in out
    assert "IGMC, unchanged" in out
    assert "regularized biases" in out
    code, out, _ = transfer(command, "--json", "--out", "moved", "--quiet")
    assert code == 0
    assert json.loads(out) == json.loads((tmp_path / "moved" / "transfer.json").read_text())


def test_every_flag_arrives(command, run):
    flags = ("--adapt", "finetune", "--percent", 20, "--epochs", 1, "--learning-rate", 1e-3, "--seed", 3)
    more = ("--rescale", "levels", "--fallback", "--test-ratio", 0.2, "--checkpoints", 2, "--json", "--quiet")
    code, out, _ = transfer(command, *flags, *more)
    found = json.loads(out)
    assert code == 0
    assert found["config"] == {
        "rescale": "levels",
        "fallback": True,
        "adapt": "finetune",
        "percent": 20.0,
        "epochs": 1,
        "learning_rate": 1e-3,
        "seed": 3,
    }
    assert (found["test_pairs"], found["known_ratings"], found["adapted_on"]) == (60, 240, 48)
    assert found["epochs"] == [2]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--to", "x.csv"), 2, "Missing option '--from'"),
        (("--from", "nowhere", "--to", "demo"), 3, "nowhere is not a run folder"),
        (("--from", "run", "--to", "demo", "--percent", "101"), 2, "--percent is out of range"),
        (("--from", "run", "--to", "demo", "--percent", "50"), 2, "--percent is for --adapt calibrate"),
        (
            ("--from", "run", "--to", "demo", "--learning-rate", "0.1"),
            2,
            "--learning-rate is for --adapt finetune",
        ),
        (
            ("--from", "run", "--to", "demo", "--adapt", "calibrate", "--epochs", "9"),
            2,
            "--epochs is for --adapt",
        ),
        (("--from", "run", "--to", "demo", "--rescale", "guess"), 2, "--rescale is not known"),
    ],
)
def test_messages(command, run, arguments, code, message):
    found, _, err = command("igmc-transfer", *arguments)
    assert message in err
    assert found == code
