"""The answer log: what is written is read again, whatever happened to the file in between."""

import gzip
import json

import pytest

from igmc.errors import ConfigError, DataError
from igmc.experiments.answers import Answer, AnswerLog, hashed_id, read_answers

KEY = "k" * 16


def answer(number, user=7, **more):
    fields = {"kind": "list", "arm": "A", "position": 3, "items": ((1, 4.5), ("x", 2.0)), **more}
    return Answer(f"2026-01-01T00:00:{number:02d}.000+00:00", f"{number:016x}", user=user, **fields)


def written(path, *answers, key=None):
    with AnswerLog(path, key) as log:
        for one in answers:
            log.append(one)
        assert log.file.lost == 0
    return path


def test_what_was_written_is_read_by_time_from_several_files(tmp_path):
    shadow = answer(2, arm="shadow", scored=((1, 4.0),))
    old = written(tmp_path / "a.1", answer(1), answer(2, None, position=None))
    new = written(tmp_path / "a", answer(3, "ann", kind="scores"), shadow)
    packed = tmp_path / "a.2.gz"
    packed.write_bytes(gzip.compress(old.read_bytes()))
    found = read_answers([new, packed])
    assert found.answers == [
        answer(1),
        answer(2, None, position=None),
        shadow,
        answer(3, "ann", kind="scores"),
    ]
    assert (found.torn, found.repeated) == (0, 0)
    assert read_answers([new, old, packed]).answers == found.answers
    assert read_answers([new, old, packed]).repeated == 2


def test_torn_and_other_lines_are_counted(tmp_path):
    path = written(tmp_path / "a", answer(1))
    whole = path.read_text()
    wrong = [whole[:40], "[]", "\xff", "{}", json.dumps({**json.loads(whole), "items": [[1]]})]
    wrong += [json.dumps({**json.loads(whole), name: {}}) for name in ("kind", "user", "position", "time")]
    path.write_text("\n".join([*wrong, whole]), encoding="latin-1")
    found = read_answers([path])
    assert found.answers == [answer(1)]
    assert found.torn == len(wrong)


def test_a_log_continues_after_a_torn_line(tmp_path):
    path = written(tmp_path / "a", answer(1))
    path.write_text(path.read_text() + '{"time": "20')
    written(path, answer(2))
    assert read_answers([path]).answers == [answer(1), answer(2)]
    assert read_answers([path]).torn == 1


def test_a_packed_file_that_is_cut_short_is_read_as_far_as_it_goes(tmp_path, caplog):
    plain = written(tmp_path / "a", *[answer(k, f"user {k}") for k in range(60)])
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(plain.read_bytes())[:-300])
    assert 1 <= len(read_answers([path]).answers) < 60
    assert "ends too early" in caplog.text


def test_files_that_are_no_answer_logs_are_refused(tmp_path):
    with pytest.raises(DataError, match="cannot read"):
        read_answers([tmp_path / "missing"])
    access = tmp_path / "access.log"
    access.write_text('{"time": "2026", "method": "GET"}\n')
    with pytest.raises(DataError, match="not an answer log"):
        read_answers([access])
    (tmp_path / "empty").touch()
    assert read_answers([tmp_path / "empty"]).answers == []
    (tmp_path / "plain.gz").write_text("text")
    with pytest.raises(DataError, match="cannot read"):
        read_answers([tmp_path / "plain.gz"])


def test_ids_are_hashed_with_a_key(tmp_path):
    path = written(tmp_path / "a", answer(1), answer(2, "7"), answer(3, None), key=KEY)
    first, second, third = read_answers([path]).answers
    assert (first.user, first.hashed) == (hashed_id(7, KEY), True)
    assert second.user == hashed_id("7", KEY) != first.user != hashed_id(7, "j" * 16)
    assert (third.user, third.hashed) == (None, False)
    assert first.items == answer(1).items
    with pytest.raises(ConfigError, match="too short"):
        AnswerLog(path, "short")
