"""Which model answers: a run, or the demo's."""

import igmc.run

SMALL = {
    "extract": {"max_nodes_per_hop": 10},
    "model": {"layers": [4, 4], "mlp_width": 4},
    "train": {"epochs": 2, "ensemble_size": 2, "ensemble_every": 1, "batch_size": 300},
}


def test_the_demo_answers_at_once_for_a_newcomer_and_for_its_users(command, home, monkeypatch):
    monkeypatch.setattr(igmc.run, "preset_settings", lambda name: SMALL)
    code, out, err = command("igmc-recommend", "--demo", "-k", 3)
    assert code == 0
    assert len(out.splitlines()) == 4
    assert "rated 5: f087, The Last Ferry (2014) (Fantasy|Sci-Fi)" in err
    assert "training a model on the data set demo, once, in " in err
    assert (home / "demo-run").is_dir()
    code, out, err = command("igmc-recommend", "--demo", "--user", 3, "-k", 3)
    assert (code, err) == (0, "")
    assert len(out.splitlines()) == 4
    code, out, err = command("igmc-predict", "--demo", "--user", 3, "--items", "f001,f002")
    assert (code, len(out.splitlines()), err) == (0, 3, "")
    code, out, err = command("igmc-explain", "--demo", "--user", 3, "--item", "f005")
    assert (code, err) == (0, "")
    assert out.startswith("The Paper Lantern (2007), user 3: ")
