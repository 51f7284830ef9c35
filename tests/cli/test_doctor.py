"""``igmc doctor`` for people and for programs, with an exit code."""

import json

from igmc.doctor import Finding


def test_a_table_and_json_and_an_exit_code(command, home, monkeypatch):
    found = [Finding("cores", "2"), Finding("home", "/x: no", ok=False, remedy="free some space")]
    monkeypatch.setattr("igmc.doctor.examine", lambda home: iter(found))
    code, out, _ = command("igmc", "doctor")
    assert code == 1
    assert out.splitlines()[1:] == ["ok  cores  2", "NO  home   /x: no", "home: free some space"]
    code, out, _ = command("igmc", "doctor", "--json")
    assert code == 1
    assert json.loads(out) == {"ok": False, "findings": [one.to_dict() for one in found]}
    found.pop()
    assert command("igmc", "doctor")[0] == 0


def test_this_machine_is_sound(command, home):
    code, out, _ = command("igmc", "doctor", "--json")  # which may say that it compiles kernels
    assert code == 0
    assert json.loads(out)["ok"]
