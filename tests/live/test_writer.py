"""Many changes in one transaction, each with its own answer."""

import threading

import pytest

from igmc.live.entries import Change, DatabaseAwayError, Draft, KeyReusedError, Receipt
from igmc.live.log import RatingLog
from igmc.live.writer import QueueFullError, Writer


def change(item, **more):
    return Change((Draft("rate", 1, item, 3.0, 0),), **more)


@pytest.fixture
def path(tmp_path):
    return str(tmp_path / "a.db")


def test_each_gets_its_own_answer_once_it_is_stored(path):
    stored = []
    writer = Writer(RatingLog(path), lambda: stored.append(1))
    waiting = [writer.submit(change(k, key=f"{k % 3}", digest=f"{k % 2}")) for k in range(6)]
    assert (writer.waiting, writer.position) == (6, 0)
    writer.start()
    answers = [one.exception(10) or one.result() for one in waiting]
    assert answers[:3] == [Receipt(1, 1), Receipt(2, 1), Receipt(3, 1)]
    assert all(isinstance(answer, KeyReusedError) for answer in answers[3:])
    assert len(stored) == 1
    assert writer.position == 3
    writer.close()
    with RatingLog(path) as log:
        assert [entry.item for entry in log.read(0)] == [0, 1, 2]


def test_what_waits_at_the_end_is_stored(path):
    writer = Writer(RatingLog(path), lambda: None)
    writer.start()
    waiting = [writer.submit(change(k)) for k in range(600)]
    writer.close()
    assert [one.result(0).position for one in waiting] == list(range(1, 601))


def test_a_queue_has_an_end(path, monkeypatch):
    monkeypatch.setattr("igmc.live.writer.WAITING", 2)
    writer = Writer(RatingLog(path), lambda: None)
    for _ in range(2):
        writer.submit(change(1))
    with pytest.raises(QueueFullError):
        writer.submit(change(1))


def test_an_erasure_is_answered_when_the_files_are_clean_and_again_after_a_failure(path):
    log, scrubbed = RatingLog(path), []

    def scrub():
        scrubbed.append(1)
        if len(scrubbed) == 1:
            raise DatabaseAwayError("the disk is full")

    log.scrub = scrub
    writer = Writer(log, lambda: None)
    writer.start()
    erase = Change((Draft("erase", 1),), "key", "digest")
    assert isinstance(writer.submit(erase).exception(10), DatabaseAwayError)
    assert writer.submit(erase).result(10) == Receipt(1, 1, repeated=True)
    assert len(scrubbed) == 2
    writer.close()


def test_requests_of_many_threads_are_answered(path):
    writer, answers = Writer(RatingLog(path), lambda: None), []
    writer.start()

    def ask(number):
        answers.extend(writer.submit(change(f"{number} {k}")).result(30).position for k in range(25))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()
    assert sorted(answers) == list(range(1, 201))
