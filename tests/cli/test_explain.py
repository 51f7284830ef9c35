"""igmc-explain: as text, as JSON and drawn; for a user, for a newcomer; and what is wrong, in one line."""

import json

import pytest

import igmc
from igmc.inference.predictor import Predictor
from igmc.ratings.split import Split
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData


@pytest.fixture
def run(demo_run):
    return demo_run


@pytest.fixture
def explain(command, home, run):
    """Runs igmc-explain on the run of the package's tests."""
    return lambda *arguments: command("igmc-explain", "--run", run, *arguments)


def test_text_and_json_are_the_explanation(explain, command, run, tmp_path):
    expected = igmc.explain(run, 3, "f007", top=4)
    code, out, err = explain("--user", 3, "--item", "f007", "--top", 4)
    assert (code, out, err) == (0, expected.format() + "\n", "")
    value = json.loads(explain("--user", 3, "--item", "f007", "--top", 4, "--json")[1])
    assert value.pop("figures") == []
    assert value.pop("run") == str(run)
    assert len(value.pop("epochs")) == 2
    assert value == json.loads(json.dumps(expected.to_dict()))
    assert command("igmc", "explain", "--run", run, "--user", 3, "--item", "f007", "--top", 4)[1] == out


def test_settings_reach_the_explanation(explain, run):
    asked = ("--user", 3, "--item", "f007", "--json")
    gradient = json.loads(explain(*asked, "--method", "gradient")[1])
    assert gradient["method"] == "gradient"
    assert json.loads(explain(*asked, "--limit", 3)[1])["links"]["considered"] == 3
    single = json.loads(explain(*asked, "--checkpoints", "single")[1])
    assert len(single["epochs"]) == 1


def test_a_newcomer_and_a_figure(explain, run, tmp_path):
    asked = (
        "--ratings",
        "f001=5,f002=1,f003=4",
        "--item",
        "f007",
        "--plots",
        tmp_path / "new",
        "--json",
    )
    code, out, err = explain(*asked)
    value = json.loads(out)
    assert code == 0, err
    expected = Predictor.from_run(run).score_user({"f001": 5, "f002": 1, "f003": 4}, ["f007"])
    assert value["score"] == pytest.approx(expected.score[0], abs=1e-4)
    assert value["user_id"] is None
    assert [f.endswith(end) for f, end in zip(value["figures"], (".png", ".svg"), strict=True)] == [
        True,
        True,
    ]
    assert (tmp_path / "new" / "explain-newcomer-f007.png").stat().st_size > 10_000


def test_attention_is_drawn_beside_it(explain, run, tmp_path):
    data = TrainingData.from_split(Split.load(run / "split.npz")).merged()
    settings = {"epochs": 1, "dim": 4, "heads": 2, "inputs": "ids", "batch_size": 2000}
    model = make_recommender("gat", settings).fit(data)
    model.save(tmp_path / "gat.ckpt")
    plain, both = (tmp_path / name for name in ("plain", "both"))
    asked = ("--user", 3, "--item", "f007", "--top", 3, "--plots")
    assert explain(*asked, plain)[0] == 0
    code, _, err = explain(*asked, both, "--attention", tmp_path / "gat.ckpt")
    assert code == 0, err
    from matplotlib.image import imread

    small, large = (imread(folder / "explain-3-f007.png") for folder in (plain, both))
    assert large.shape[0] > 1.5 * small.shape[0]


def test_the_former_name_of_plots_is_read_with_a_warning(explain, tmp_path):
    code, _, err = explain("--user", 3, "--item", "f007", "--top", 1, "--plot", tmp_path / "why")
    assert code == 0
    assert "warning: --plot is now --plots" in err
    assert (tmp_path / "why.svg").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--item", "f001"], 2, "no user given: use --user ID, --ratings FILE or --ratings 'ID=5,ID=3'"),
        (["--user", "3"], 2, "Missing option '--item'"),
        (["--user", "3", "--item", "f001", "--method", "shap"], 2, "--method"),
        (["--user", "3", "--item", "f001", "--top", "0"], 2, "--top is out of range; got 0"),
        (
            ["--user", "3", "--item", "f001", "--attention", "x"],
            2,
            "--attention needs --plots",
        ),
        (["--ratings", "f001=9", "--item", "f002"], 3, "a rating is not on the scale; got 9"),
        (["--user", "3", "--item", "f001", "--run", "nowhere"], 3, "nowhere is not a run folder"),
        (["--user", "3", "--item", "f001", "--plots", "p", "--attention", "x.ckpt"], 3, "x.ckpt"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(explain, arguments, code, message):
    got, out, err = explain(*arguments)
    assert (got, out) == (code, "")
    assert message in err.splitlines()[-1]
