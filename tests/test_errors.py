"""Errors answer what, got, allowed and remedy, carry their exit code, and cross process borders."""

import pickle

import pytest

from igmc import errors


def test_message_answers_the_four_questions_in_order():
    error = errors.DataError("u.data, line 3: rating", got=9, allowed="1..5", remedy="fix the line")
    assert str(error) == "u.data, line 3: rating; got 9; allowed: 1..5; hint: fix the line"


def test_answers_that_are_not_given_are_left_out_but_falsy_values_are_shown():
    assert str(errors.ConfigError("no")) == "no"
    assert str(errors.ConfigError("empty", got="")) == "empty; got ''"
    assert str(errors.ConfigError("zero", got=0)) == "zero; got 0"


def test_a_value_of_ten_megabytes_is_not_shown_whole():
    error = errors.DataError("unknown id", got="x" * 10**7, allowed="an id of the run")
    assert len(str(error)) < 300
    assert "xxx... (10,000,002 characters)" in str(error)
    assert error.got == "x" * 10**7


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("IgmcError", 1),
        ("ConfigError", 2),
        ("DataError", 3),
        ("StoreError", 3),
        ("CheckpointError", 3),
        ("TrainingError", 1),
        ("MissingExtraError", 1),
        ("WorkerLostError", 1),
        ("WriteError", 1),
    ],
)
def test_every_error_has_its_documented_exit_code_and_survives_pickling(name, code):
    error = getattr(errors, name)("what", got=[1], allowed="two", remedy="three")
    copy = pickle.loads(pickle.dumps(error))
    assert error.exit_code == code
    assert type(copy) is type(error)
    assert (str(copy), copy.got, copy.allowed, copy.remedy) == (str(error), [1], "two", "three")


def test_the_list_above_is_complete():
    assert set(errors.__all__) == {
        "IgmcError",
        "ConfigError",
        "DataError",
        "StoreError",
        "CheckpointError",
        "TrainingError",
        "MissingExtraError",
        "WorkerLostError",
        "WriteError",
    }


def test_a_reader_of_one_kind_of_error_catches_those_below_it():
    for name in errors.__all__:
        assert issubclass(getattr(errors, name), errors.IgmcError)
    for name in ("StoreError", "CheckpointError"):
        assert issubclass(getattr(errors, name), errors.DataError), "damaged data, with its exit code"
    assert not issubclass(errors.ConfigError, errors.DataError)


class LocalError(errors.StoreError):
    """A kind that a module defines for itself."""


def test_kinds_that_modules_define_for_themselves_cross_process_borders_too():
    copy = pickle.loads(pickle.dumps(LocalError("what", remedy="three")))
    assert (type(copy), copy.exit_code, str(copy)) == (LocalError, 3, "what; hint: three")
