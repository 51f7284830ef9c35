"""Databases: SQLite, and a PostgreSQL that the tests start; see `tests.postgres`."""

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.readers import sql as readers_sql
from igmc.ratings.readers.sql import is_sql_url, source_name

sqlalchemy = pytest.importorskip("sqlalchemy")

GENERATOR = np.random.default_rng(5)
ROWS = [
    (user, f"item {item}", float(GENERATOR.integers(1, 11)) / 2, 1_400_000_000 + 60 * item)
    for user in range(40)
    for item in sorted(GENERATOR.choice(60, 12, replace=False).tolist())
]
QUERY = "SELECT user_id, item_id, rating, ts FROM ratings ORDER BY user_id, ts"


@pytest.fixture
def as_csv(tmp_path) -> str:
    """The digest of the same table, read from CSV."""
    path = tmp_path / "ratings.csv"
    lines = ["user_id,item_id,rating,ts", *(",".join(map(str, row)) for row in ROWS)]
    path.write_text("\n".join(lines) + "\n")
    return load_dataset(str(path)).table.digest()


@pytest.fixture
def shop(tmp_path) -> Path:
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE ratings (user_id INTEGER, item_id TEXT, rating REAL, ts INTEGER)")
        connection.executemany("INSERT INTO ratings VALUES (?, ?, ?, ?)", ROWS)
        connection.execute("CREATE TABLE odd (user_id, item_id, rating, day)")
        connection.executemany(
            "INSERT INTO odd VALUES (?, ?, ?, ?)", [(1, " a ", "4,5", None), (2.0, "b", 3, "2004-03-15")]
        )
    connection.close()
    return path


def test_sqlite_gives_what_csv_gives(shop, as_csv, monkeypatch):
    monkeypatch.setattr(readers_sql, "_CHUNK", 7)  # of 480 rows
    data = load_dataset(f"sqlite:///{shop}?query={QUERY}")
    assert data.table.digest() == as_csv
    assert (data.name, data.report.source, data.report.rows) == ("shop", "the database shop", 480)
    encoded = QUERY.replace(" ", "%20")
    assert load_dataset(f"sqlite:///{shop}?query={encoded}").table.digest() == as_csv


def test_signs_in_a_query_are_no_parameters(shop):
    query = "SELECT user_id, item_id, rating FROM ratings WHERE item_id LIKE 'item %' AND item_id <> ':x?'"
    assert len(load_dataset(f"sqlite:///{shop}?query={query}").table) == 480


def test_columns_are_named_and_values_checked(shop):
    url = f"sqlite:///{shop}?query=SELECT * FROM odd WHERE rating <> '4,5' OR user_id = 1"
    config = DataConfig(dataset=url, columns="user_id,item_id,rating,day")
    with pytest.raises(DataError, match=r"shop\.db, row 1: the rating is not a number; got '4,5'"):
        load_dataset(config)
    with sqlite3.connect(shop) as connection:
        connection.execute("UPDATE odd SET rating = '4.5' WHERE user_id = 1")
    connection.close()
    data = load_dataset(config)
    assert (data.table.users.ids, data.table.items.ids) == ((1, 2), ("a", "b"))
    assert data.table.timestamp.tolist() == [-1, 1079308800]
    assert "blanks around 1 ids cut off; 1 ids such as 27.0 read as whole numbers" in str(data.report)


@pytest.mark.parametrize(
    ("tail", "error", "match"),
    [
        ("", ConfigError, "needs a query; allowed: sqlite:///shop.db"),
        ("?query=SELECT nope FROM ratings", DataError, "no such column: nope"),
        ("?query=SELECT * FROM rating", DataError, "no such table: rating.*check the URL and the query"),
        ("?query=SELECT user_id, item_id, rating FROM ratings LIMIT 0", DataError, "there are no ratings"),
        ("?query=SELECT rating FROM ratings", DataError, "columns of user, item and rating by name"),
        ("?query=UPDATE ratings SET rating = 1", ConfigError, "the query gives no rows"),
    ],
)
def test_what_the_database_says_is_passed_on(shop, tail, error, match):
    with pytest.raises(error, match=match):
        load_dataset(f"sqlite:///{shop}{tail}")
    with sqlite3.connect(shop) as connection:
        assert connection.execute("SELECT count(*) FROM ratings WHERE rating > 1").fetchone()[0] > 300


def test_a_database_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(DataError, match=r"there is no file .*none\.db; .*sqlite:////absolute"):
        load_dataset(f"sqlite:///{tmp_path}/none.db?query=SELECT 1")
    assert not (tmp_path / "none.db").exists()


def test_settings_of_text_do_not_apply(shop):
    with pytest.raises(ConfigError, match="--separator does not apply to a database"):
        load_dataset(DataConfig(dataset=f"sqlite:///{shop}?query={QUERY}", separator=";"))


def test_a_password_is_kept_out_of_names_and_messages():
    url = "postgresql+psycopg://me:secret@127.0.0.1:1/shop?connect_timeout=1&query=SELECT 1"
    assert (is_sql_url(url), source_name(url)) == (True, "shop")
    pytest.importorskip("psycopg")
    with pytest.raises(DataError) as caught:
        load_dataset(url)
    assert "secret" not in str(caught.value)
    assert "postgresql+psycopg://me:***@127.0.0.1:1/shop" in str(caught.value)


def test_postgresql_gives_what_csv_gives(postgres, as_csv, monkeypatch):
    monkeypatch.setattr(readers_sql, "_CHUNK", 100)
    engine = sqlalchemy.create_engine(postgres)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE ratings (user_id bigint, item_id text, rating numeric(3, 1), ts bigint, "
            "at timestamptz)"
        )
        for row in ROWS:
            connection.exec_driver_sql(
                "INSERT INTO ratings VALUES (%s, %s, %s, %s, to_timestamp(%s))", (*row, row[-1])
            )
    engine.dispose()
    assert load_dataset(f"{postgres}&query={QUERY}").table.digest() == as_csv
    as_times = "SELECT user_id, item_id, rating::float8, at AS ts FROM ratings ORDER BY user_id, ts"
    assert load_dataset(f"{postgres}&query={as_times}").table.digest() == as_csv
    with pytest.raises(DataError, match='relation "rating" does not exist'):
        load_dataset(f"{postgres}&query=SELECT * FROM rating")
