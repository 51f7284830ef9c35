"""The log in both databases: order, keys, erasure to the byte, compaction, and writers side by side."""

import os
import sqlite3
import subprocess
import threading
from contextlib import closing
from pathlib import Path

import pytest

from igmc.errors import ConfigError
from igmc.live import log as log_module
from igmc.live.entries import Change, DatabaseAwayError, Draft, Entry, KeyReusedError, Receipt
from igmc.live.log import RatingLog


def rate(user, item, rating=3.0, time=1_700_000_000):
    return Draft("rate", user, item, rating, time)


def test_entries_come_back_in_order_and_as_they_were(log):
    drafts = (
        rate(1, "a"),
        rate("1", 7, 4.5, None),
        Draft("delete", 1, "a"),
        Draft("item", None, 9, about="{}"),
    )
    assert log.append([Change(drafts[:3]), Change(drafts[3:])]) == [Receipt(3, 3), Receipt(4, 1)]
    assert log.read(0) == [Entry(k, *draft) for k, draft in enumerate(drafts, start=1)]
    assert [entry.position for entry in log.read(2)] == [3, 4]
    assert [entry.position for entry in log.read(0, limit=2)] == [1, 2]
    assert log.position() == 4


def test_a_key_is_applied_once_and_never_with_another_body(log, store):
    first = Change((rate(1, 2),), "key", "digest")
    assert log.append([first, first]) == [Receipt(1, 1), Receipt(1, 1, repeated=True)]
    with RatingLog(store) as other:  # as after a restart
        answer, refused, last = other.append([first, first._replace(digest="other"), Change((rate(3, 4),))])
    assert answer == Receipt(1, 1, repeated=True)
    assert isinstance(refused, KeyReusedError)
    assert last == Receipt(2, 1)
    assert [entry.user for entry in log.read(0)] == [1, 3]


def keys(store):
    """What is kept of idempotency keys: user and time, in the order of their positions."""
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute("SELECT user_id, time FROM igmc_keys ORDER BY position").fetchall()


def test_a_key_names_the_user_whom_its_request_is_about_for_erasure(tmp_path):
    with RatingLog(str(tmp_path / "log.db")) as log:
        log.append(
            [Change((rate(1, 2), rate(1, 3)), "own", "d"), Change((rate(1, 4), rate(2, 4)), "both", "d")]
        )
    assert [user for user, _ in keys(tmp_path / "log.db")] == ["1", None]


def test_compaction_forgets_the_keys_of_last_week_alone(tmp_path, monkeypatch):
    days = iter([0, 2, 8])  # the two requests, and the compaction
    monkeypatch.setattr(log_module.time, "time", lambda: 1_700_000_000 + next(days) * 86_400)
    first, second = Change((rate(1, 2),), "first", "d"), Change((rate(1, 3),), "second", "d")
    with RatingLog(str(tmp_path / "log.db")) as log:
        log.append([first])
        log.append([second])
        log.compact()
    assert [time for _, time in keys(tmp_path / "log.db")] == [1_700_000_000 + 2 * 86_400]


def test_a_closed_log_holds_no_file_and_opens_again(tmp_path):
    path = tmp_path / "log.db"
    log = RatingLog(str(path))
    log.append([Change((rate(1, 2),))])
    log.close()
    assert not any(path.name in os.readlink(f"/proc/self/fd/{fd}") for fd in open_files())
    assert log.position() == 1
    log.close()


def open_files():
    return [fd for fd in os.listdir("/proc/self/fd") if os.path.islink(f"/proc/self/fd/{fd}")]


def test_a_batch_that_fails_leaves_nothing(log):
    log.append([Change((rate(1, 2),))])
    with pytest.raises(TypeError, match="JSON"):
        log.append([Change((rate(1, 3),), "key", "d"), Change((rate(1, 1j),))])
    assert (log.position(), len(log.read(0))) == (1, 1)
    assert log.append([Change((rate(1, 3),), "key", "d")]) == [Receipt(2, 1)]


def stored_bytes(store) -> bytes:
    """All that the database has in its files."""
    if "://" not in store:
        return b"".join(path.read_bytes() for path in Path(store).parent.glob(Path(store).name + "*"))
    folder = Path(store.partition("host=")[2]) / "data" / "base"
    found = subprocess.run(["cat", *map(str, folder.rglob("*"))], stdout=subprocess.PIPE, check=False)
    return found.stdout


def test_an_erased_user_is_nowhere_in_the_files(log, store):
    name = "somebody@example.org"
    for start in range(0, 600, 200):  # over many pages, some of them between others
        log.append([Change((rate(name, k), rate(f"other {k}", k))) for k in range(start, start + 200)])
    log.append(
        [Change((rate("other 1", 1),), f"key of {name}", "d"), Change((rate(name, 1),), "k", "digest of it")]
    )
    log.scrub()
    before = stored_bytes(store)
    assert before.count(name.encode()) >= 600
    assert b"key of" not in before
    log.append([Change((Draft("erase", name),), "e", "erasure")])
    log.scrub()
    found = stored_bytes(store)
    assert found.count(name.encode()) <= 4  # in the entry that says so, its key, and their index
    assert b"digest of it" not in found
    assert b"other 1" in found
    entries = log.read(0)
    assert [entry.kind for entry in entries if entry.user == name] == ["erase"]
    assert len(entries) == 602
    # The request that rated is not done again, whatever it brings.
    assert log.append([Change((rate(name, 1),), "k", "whatever")])[0].repeated


def test_compaction_leaves_what_counts_where_it_stands(log):
    about = Draft("item", None, 5, about='{"title": "new"}')
    drafts = (
        rate(1, 1, 1.0),
        rate(1, 2),
        about._replace(about="{}"),
        rate(1, 1, 2.0),
        Draft("delete", 1, 2),
        about,
    )
    log.append(
        [Change(drafts), Change((Draft("erase", 9),)), Change((rate(9, 1),)), Change((Draft("erase", 9),))]
    )
    before = log.read(0)
    assert log.compact() == 3  # the second erasure took out 7 and 8 itself
    assert log.read(0) == [entry for entry in before if entry.position in (4, 5, 6, 9)]
    assert log.append([Change((rate(2, 2),))]) == [Receipt(10, 1)]


def test_a_store_keeps_to_its_scale(log):
    log.bind([1, 2, 3])
    log.bind([1.0, 2.0, 3.0])
    with pytest.raises(ConfigError, match="different scale"):
        log.bind([1, 2])


def test_writers_side_by_side_leave_no_gap_that_a_reader_could_miss(store):
    seen, failed, end = [], [], threading.Event()

    def write(number):
        try:
            with RatingLog(store) as log:
                for k in range(15):
                    log.append([Change((rate(number, k), rate(number, -k)))])
        except Exception as error:
            failed.append(error)

    def read():
        with RatingLog(store) as log:
            while not end.is_set() or log.position() > (seen[-1] if seen else 0):
                seen.extend(entry.position for entry in log.read(seen[-1] if seen else 0, limit=7))

    reader, writers = (
        threading.Thread(target=read),
        [threading.Thread(target=write, args=(n,)) for n in range(4)],
    )
    for thread in (reader, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    end.set()
    reader.join()
    assert not failed
    assert seen == list(range(1, 4 * 30 + 1))


def test_a_database_that_is_locked_is_away_and_comes_back(tmp_path, monkeypatch):
    monkeypatch.setattr("igmc.live.database.BUSY", 0.05)
    with RatingLog(str(tmp_path / "a.db")) as log:
        log.append([Change((rate(1, 1),))])
        other = sqlite3.connect(tmp_path / "a.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(DatabaseAwayError, match="locked"):
            log.append([Change((rate(1, 2),))])
        assert len(log.read(0)) == 1  # reading goes on
        other.execute("ROLLBACK")
        other.close()
        assert log.append([Change((rate(1, 2),))]) == [Receipt(2, 1)]


def test_a_store_of_another_version_is_refused(log, store):
    log.append([])
    with log.database.transaction(log._connection) as cursor:
        cursor.execute("UPDATE igmc_head SET format = 99")
    with (
        RatingLog(store) as other,
        pytest.raises(ConfigError, match="another version of igmc; got 'format 99'"),
    ):
        other.read(0)
