"""``igmc-evaluate --log``."""

import json
import logging

import pytest
from click.testing import CliRunner

from igmc.cli.evaluate import evaluate_command
from igmc.errors import ConfigError, DataError
from igmc.experiments.answers import AnswerLog
from tests.experiments.small import ANSWERS, ENTRIES, KEY, SHADOWS, fill, rate


def called(*arguments, **environment):
    environment = {"IGMC_STORE": None, "IGMC_LOG_KEY": None, **environment}
    return CliRunner(env=environment).invoke(evaluate_command, arguments)


@pytest.fixture
def store(tmp_path):
    return fill(tmp_path / "a.db", *ENTRIES)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "answers.jsonl"
    with AnswerLog(path) as log:
        for one in sorted([*ANSWERS, *SHADOWS]):
            log.append(one)
    return str(path)


def test_the_table_names_arms_differences_and_what_is_left_out(log, store):
    done = called("--log", log, "--store", store)
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["A", "B", "B", "-", "A"]
    (conversion,) = (line for line in lines if line.startswith("listed items rated"))
    assert conversion.split()[3:] == ["0.2500", "[-]", "0.5000", "[-]", "+0.2500", "[-]"]
    assert "RMSE of the shadow on the same items" in done.stdout
    assert "  users who saw more than one arm: 2" in lines


def test_json_and_the_store_from_the_environment(log, store):
    done = called("--log", log, "--json", IGMC_STORE=store)
    found = json.loads(done.stdout)
    assert found["counts"]["B"]["users"] == 1
    assert found["figures"]["A"]["rmse"]["value"] == 0.5


def test_a_log_that_does_not_fit_the_store_is_told(log, tmp_path, caplog):
    other = fill(tmp_path / "b.db", *[rate("x", 1, 3)] * 10)
    with caplog.at_level(logging.WARNING):
        assert called("--log", log, "--store", other).exit_code == 0
    assert "no user of the log has a rating in the store" in caplog.text


def test_a_log_that_is_not_there_is_told(tmp_path, store):
    with pytest.raises(DataError, match=r"cannot read .*missing: No such file"):
        raise called("--log", str(tmp_path / "missing"), "--store", store).exception


def test_hashed_ids_need_the_key(tmp_path, store):
    path = tmp_path / "hashed"
    with AnswerLog(path, KEY) as log:
        for one in ANSWERS:
            log.append(one)
    with pytest.raises(ConfigError, match="set IGMC_LOG_KEY"):
        raise called("--log", str(path), "--store", store, IGMC_LOG_KEY="").exception
    done = called("--log", str(path), "--store", store, "--json", IGMC_LOG_KEY=KEY)
    assert json.loads(done.stdout)["counts"]["A"]["converted"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--log", "LOG"], "give --store too"),
        (["--log", "LOG", "--store", "x", "--model", "mf"], "omit --model"),
        (["--store", "x"], "--store holds the ratings for --log"),
    ],
)
def test_options_that_do_not_go_together(arguments, said, log):
    done = called(*(log if word == "LOG" else word for word in arguments))
    assert done.exit_code == 2
    assert said in done.output
