"""Which databases there are, and how SQLite is opened."""

import sqlite3

import pytest

from igmc.errors import ConfigError
from igmc.live.database import open_database
from igmc.live.entries import DatabaseAwayError


def test_a_commit_in_sqlite_is_on_the_disk_and_what_is_deleted_is_overwritten(tmp_path):
    connection = open_database(str(tmp_path / "a.db")).connect()
    found = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    assert found == ["wal", 2]  # FULL
    assert connection.execute("PRAGMA secure_delete").fetchone()[0] == 1
    connection.close()


def test_a_transaction_that_fails_leaves_nothing(tmp_path):
    database = open_database(str(tmp_path / "a.db"))
    connection = database.connect()
    connection.execute("CREATE TABLE t (x)")

    def fail():
        with database.transaction(connection) as cursor:
            cursor.execute("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
    connection.close()


@pytest.mark.parametrize("store", ["mysql://me:secret@host/db", "none/ratings.db", "."])
def test_other_places_are_refused(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        open_database(store)
    assert "secret" not in str(caught.value)


def test_passwords_stay_out_of_names_and_errors():
    pytest.importorskip("psycopg")
    database = open_database("postgresql+psycopg://me:secret@127.0.0.1:1/shop")
    assert database.name == "shop at 127.0.0.1"
    with (
        pytest.raises(DatabaseAwayError, match=r"shop at 127\.0\.0\.1 does not answer") as caught,
        database.told(),
    ):
        database.connect()
    assert "secret" not in str(caught.value)


def test_an_error_of_the_database_is_told_as_such(tmp_path):
    database = open_database(str(tmp_path / "a.db"))
    with (
        pytest.raises(DatabaseAwayError, match=r"a\.db does not answer: locked.*check that it is running"),
        database.told(),
    ):
        raise sqlite3.OperationalError("locked")
