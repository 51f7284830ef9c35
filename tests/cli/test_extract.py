"""igmc-extract stores what it says, once, and finds and mends damage."""

import json
import re

import pytest

from igmc.cli.extract import extract_command


@pytest.fixture
def extract(command, home, ratings_file):
    """Runs igmc-extract on the small file: ``extract("--seed", 2) -> (exit code, stdout, stderr)``."""
    return lambda *arguments: command("igmc-extract", "--dataset", ratings_file, *arguments)


def result(run):
    code, out, err = run
    assert (code, err) == (0, err)
    return json.loads(out)


def test_every_part_is_stored_and_a_second_run_makes_nothing(extract, home):
    first = result(extract("--json"))
    assert {name: part["pairs"] for name, part in first["parts"].items()} == {
        "train": 243,
        "validation": 27,
        "test": 30,
    }
    assert first["pairs_made"] == first["pairs"] == 300
    assert first["bytes"] == sum(path.stat().st_size for path in home.rglob("*.h5"))
    second = result(extract("--json"))
    assert second["pairs_made"] == 0
    assert second["digest"] == first["digest"]


def test_the_table_says_the_same(extract):
    code, out, _ = extract()
    lines = out.splitlines()
    assert code == 0
    assert [line.split()[0] for line in lines[:5]] == ["part", "train", "validation", "test", "all"]
    assert lines[4].split()[1:3] == ["300", "300"]
    digest = result(extract("--json"))["digest"]
    assert lines[-1] == f"digest of all: {digest}"


def test_content_depends_on_settings_and_seed_but_not_on_how_it_is_made(extract, tmp_path):
    digest = result(extract("--json"))["digest"]
    ways = (["--workers", 1, "--shard-size", 7], ["--workers", 2, "--shard-size", 50], ["--compress"])
    for number, how in enumerate(ways):
        other = result(extract("--json", "--home", tmp_path / f"other{number}", *how))
        assert (other["pairs_made"], other["digest"]) == (300, digest)
    for what in (["--seed", 2], ["--hops", 2], ["--max-nodes-per-hop", 3], ["--keep-ratio", 0.5]):
        assert result(extract("--json", *what))["digest"] != digest


def test_compressed_stores_are_smaller(extract, tmp_path):
    plain = result(extract("--json"))["bytes"]
    assert result(extract("--json", "--compress", "--home", tmp_path / "gzip"))["bytes"] < plain


def test_fixed_epochs_have_no_validation_part(extract):
    parts = result(extract("--json", "--selection", "fixed"))["parts"]
    assert {name: part["pairs"] for name, part in parts.items()} == {"train": 270, "test": 30}


def test_damage_is_listed_with_exit_code_3_and_repaired(extract, home):
    digest = result(extract("--json", "--workers", 1, "--shard-size", 50))["digest"]
    assert extract("--verify")[0] == 0
    victim = sorted(home.rglob("train-*/*.h5"))[1]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    code, out, _ = extract("--verify")
    assert code == 3
    assert str(victim) in out
    assert "train: 243 subgraphs, 1 damaged" in out
    assert "test: 30 subgraphs, all well" in out
    assert "--repair" in out
    code, out, _ = extract("--verify", "--json")
    assert (code, json.loads(out)["damaged"]) == (3, 1)
    repaired = result(extract("--repair", "--json"))
    assert (repaired["pairs_made"], repaired["digest"]) == (50, digest)
    assert extract("--verify")[0] == 0


def test_verifying_what_was_never_made_is_an_error(extract):
    code, out, err = extract("--verify")
    assert (code, out) == (3, "")
    assert "there is no store of the train part" in err


def test_live_measures_and_writes_nothing(extract, home):
    parts = result(extract("--live", "--json"))["parts"]
    assert set(parts) == {"train", "validation", "test"}
    assert all(part["rate"] > 0 and part["edges"] > 0 for part in parts.values())
    assert not home.exists()
    projected = sum(part["projected_bytes"] for part in parts.values())
    stored = result(extract("--json"))["bytes"]
    assert 0.5 * stored < projected < 2 * stored
    code, out, _ = extract("--live")
    assert code == 0
    assert "nothing was written" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--verify", "--live"], 2, "--verify, --repair and --live exclude each other; see igmc-extract -h"),
        (["--shard-size", 0], 2, "--shard-size"),
        (["--workers", 0], 2, "--workers"),
        (
            ["--test-ratio", 2],
            2,
            "--test-ratio is out of range; got 2.0; allowed: at least 0 and at most 0.95",
        ),
        (["--columns", "user,film,rating"], 3, "film"),
        (["--dataset", "ml100k"], 2, "unknown data set; got 'ml100k'; .*did you mean ml_100k"),
        (["--dataset", "missing/ratings.csv"], 3, "missing/ratings.csv"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(extract, arguments, code, message):
    got, out, err = extract(*arguments)
    assert (got, out) == (code, "")
    assert err.startswith("igmc-extract: error: ")
    assert err.count("\n") == 1
    assert re.search(message, err)


def test_extract_offers_what_determines_subgraphs_and_nothing_else():
    names = {param.name for param in extract_command.params}
    assert {"dataset", "hops", "selection", "seed", "live"} <= names
    assert not names & {"epochs", "norm", "layers", "out", "device"}
