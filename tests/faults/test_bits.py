"""Bits that flip on a disk: no setting and no figure changes unnoticed."""

import json
import random
import shutil

import pytest

from igmc.checked_json import CHECKSUM, dump_checked, load_checked
from igmc.config import RunConfig
from igmc.errors import CheckpointError, DataError
from igmc.evaluation import evaluate
from igmc.inference import Predictor
from igmc.inference.checkpoints import open_run, pick_epochs
from igmc.run import train
from tests.conftest import SMALL_RUN

FLIPS = 400


def flipped(content: bytes, seed: int):
    """Copies with one bit changed, at random places."""
    draw = random.Random(seed)
    for place in draw.sample(range(8 * len(content)), min(FLIPS, 8 * len(content))):
        copy = bytearray(content)
        copy[place // 8] ^= 1 << place % 8
        yield bytes(copy)


@pytest.fixture
def copied(demo_run, tmp_path):
    shutil.copytree(demo_run, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["config.json", "metrics.json"])
def test_a_flipped_bit_in_a_run_is_found_or_changes_nothing(copied, name):
    path = copied / name
    whole, folder = path.read_bytes(), open_run(copied)
    value = folder.read_json(name)
    found = 0
    for content in flipped(whole, seed=1):
        path.write_bytes(content)
        try:
            read = folder.read_json(name)
        except CheckpointError:
            found += 1
        else:  # it hit the key of the checksum itself, or white space
            assert {key: read[key] for key in value} == value
    assert found > 0.9 * FLIPS


def test_a_flipped_bit_in_an_evaluation_makes_it_anew(tmp_path):
    first = evaluate(["user_mean"], ["demo"], out=tmp_path)
    [path] = (tmp_path / "cells").glob("*.json")
    whole = path.read_bytes()
    figure = str(first.evaluations[0].metrics["rmse"]).encode()
    wrong = bytes([figure[0] ^ 2]) + figure[1:]  # 1.1 becomes 3.1
    assert figure in whole
    path.write_bytes(whole.replace(figure, wrong))
    again = evaluate(["user_mean"], ["demo"], out=tmp_path)
    assert again.evaluations[0].metrics["rmse"] == pytest.approx(first.evaluations[0].metrics["rmse"])
    assert wrong not in path.read_bytes()


def test_settings_that_are_not_those_of_the_training_answer_nobody(copied):
    path = copied / "config.json"
    text = path.read_text()
    assert '"max_nodes_per_hop": 20' in text
    path.write_text(text.replace('"max_nodes_per_hop": 20', '"max_nodes_per_hop": 10'))
    with pytest.raises(CheckpointError, match="the content does not fit its checksum"):
        Predictor.from_run(copied, device="cpu")
    value = json.loads(path.read_text())
    del value[CHECKSUM]
    path.write_text(json.dumps(value))
    assert Predictor.from_run(copied, device="cpu").config.extract.max_nodes_per_hop == 10, "on purpose"


def test_a_checkpoint_that_the_report_names_must_be_there(copied):
    kept = sorted((copied / "checkpoints").iterdir())
    assert len(kept) == 2
    kept[-1].unlink()
    folder = open_run(copied)
    for choice in ("ensemble", "single", None):
        with pytest.raises(CheckpointError, match="lacks checkpoints that the report of this run needs"):
            pick_epochs(folder, RunConfig.from_dict(SMALL_RUN).training, choice)
    (copied / "metrics.json").unlink()
    report = train(RunConfig.from_dict(SMALL_RUN), out=copied, device="cpu", progress=False)
    assert len(Predictor.from_run(copied, device="cpu").epochs) == len(report.ensemble_epochs)


def test_what_was_written_without_a_checksum_is_read():
    assert load_checked(b'{"a": 1.5}') == {"a": 1.5}
    assert load_checked(dump_checked({"a": (1, 2.5), "b": {"3": None}})) == {
        "a": [1, 2.5],
        "b": {"3": None},
    }
    with pytest.raises(DataError, match="not a JSON object"):
        load_checked(b"[1]")
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_checked({"a": float("nan")})
    assert str(load_checked(dump_checked({"a": float("nan")}, allow_nan=True))) == "{'a': nan}"


def test_keys_in_another_order_are_the_same_content():
    content = json.loads(dump_checked({"b": 1, "a": {"d": 2, "c": 3}}))
    sorted_keys = json.dumps(content, sort_keys=True).encode()  # as jq -S writes them
    assert load_checked(sorted_keys) == {"b": 1, "a": {"d": 2, "c": 3}}
