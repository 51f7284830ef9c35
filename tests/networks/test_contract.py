"""What each network promises, and a third one that nothing but its own module and registration knows of."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import igmc
from igmc.cli.train import train_command
from igmc.config import NETWORKS, DataConfig, RunConfig, TransferConfig, network_with, others_settings
from igmc.errors import ConfigError
from igmc.inference.checkpoints import open_run
from igmc.networks.network import Network
from igmc.networks.registry import find_network
from igmc.ratings.load import load_dataset
from igmc.ratings.split import make_split
from igmc.training.folder import RunFolder
from tests.networks import item_mean

pytestmark = pytest.mark.usefixtures("brief_training")

THIRD = "item_mean"

# What makes a network quick, besides two epochs.
QUICK = {
    "rgcn": {
        "model": {"layers": [8, 8], "mlp_width": 8},
        "train": {"learning_rate": 0.01, "ensemble_size": 2},
        "live": True,
    },
    "neighbours": {"neighbours": {"members": 2, "max_neighbors": 10, "batch_size": 50, "estimates": "mf"}},
}


@pytest.fixture(scope="module", params=[*(name for name, one in NETWORKS.items() if one.rates), THIRD])
def network(request):
    if request.param == THIRD:
        NETWORKS[THIRD] = item_mean.REGISTRATION
    yield request.param
    NETWORKS.pop(THIRD, None)


def write(path, change=lambda rating, ids: rating):
    """The ratings of 40 users and 30 items, who differ in how high they are rated."""
    rng = np.random.default_rng(7)
    user, item = np.divmod(np.flatnonzero(rng.random(40 * 30) < 0.5), 30)
    height = np.linspace(1.5, 4.5, 30)[item] + rng.normal(0, 0.4, len(user))
    rating = np.clip(np.round(height), 1, 5)
    frame = pd.DataFrame({"user": user + 100, "item": item + 500, "rating": rating})
    frame["rating"] = change(frame.rating.to_numpy(), frame)
    frame.to_csv(path, index=False)
    return DataConfig(dataset=str(path), columns="user,item,rating")


def settings(network, data):
    chosen = {"network": network, "data": data.to_dict(), NETWORKS[network].training: {"epochs": 2}}
    for section, values in QUICK.get(network, {}).items():
        chosen[section] = chosen.get(section, {}) | values if isinstance(values, dict) else values
    return RunConfig.from_dict(chosen)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write(tmp_path_factory.mktemp("ratings") / "ratings.csv")


@pytest.fixture(scope="module")
def run(network, data, tmp_path_factory):
    """The report of a finished run, not to be written to."""
    folder = tmp_path_factory.mktemp(network) / "run"
    return igmc.train(settings(network, data), out=folder, device="cpu", progress=False)


@pytest.fixture(scope="module")
def predictor(run):
    return igmc.Predictor.from_run(run.folder, device="cpu")


def answers(folder):
    return pd.read_csv(Path(folder) / "predictions.csv.gz")


def test_its_registration_says_what_it_is(network):
    one, fields = NETWORKS[network], RunConfig.__dataclass_fields__
    assert isinstance(find_network(network), Network)
    assert set(one.sections) <= set(fields)
    assert one.training in one.sections
    config = RunConfig(network=network)
    assert {"selection", "epochs"} <= set(getattr(config, one.training).to_dict())
    assert config.training.selection == getattr(config, one.training).selection
    assert one.averages or config.training.ensemble_size == 1


def test_it_trains_and_says_so_and_how_the_others_are_run(network, run):
    assert run.network == network
    assert run.single.rmse < 1.2 * run.references["global mean"].rmse
    lines = run.format().splitlines()
    assert any(line.startswith(f"{NETWORKS[network].title}, epoch ") for line in lines)
    others = [name for name, one in NETWORKS.items() if name != network and one.rates]
    assert f"--network {' or '.join(others)} and another --out" in lines[-1]
    assert network not in lines[-1].split()


def test_its_folder_holds_its_own_settings_alone(network, run, data):
    stored = json.loads((Path(run.folder) / "config.json").read_text())["config"]
    assert set(stored) <= {"network", "data", "seed", *NETWORKS[network].sections}
    assert RunConfig.from_dict(stored) == settings(network, data)
    digests = {RunConfig(network=name).digest() for name in NETWORKS}
    assert len(digests) == len(NETWORKS)


def test_it_refuses_settings_of_other_networks(network):
    foreign = others_settings(network)
    assert foreign
    for section in foreign:
        with pytest.raises(
            ConfigError, match=f"{section} holds settings of the network {network_with(section)}"
        ):
            RunConfig.from_dict({"network": network, section: {}})


def test_the_command_line_offers_it_and_its_settings_alone(network):
    found = CliRunner().invoke(train_command, ["--network", network, "-h", "--all"])
    assert found.exit_code == 0
    titles = [line.split(" - ")[0] for line in found.output.splitlines() if " - " in line and line[0] != " "]
    sections = [name for name in NETWORKS[network].sections if name != "live"]
    assert [name for name in titles if name not in ("data", "run")] == sections
    refused = CliRunner().invoke(train_command, ["--network", "nosuch"], standalone_mode=False)
    assert network in str(refused.exception)


def test_killed_and_resumed_it_ends_with_the_same_bits(network, run, data, tmp_path, monkeypatch):
    save = RunFolder.save_epoch

    def killed(self, epoch, state, keep):
        save(self, epoch, state, keep)
        if epoch == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(RunFolder, "save_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        igmc.train(settings(network, data), out=tmp_path / "run", device="cpu", progress=False)
    assert igmc.Predictor.from_run(tmp_path / "run", device="cpu").epochs == (1,)
    monkeypatch.setattr(RunFolder, "save_epoch", save)
    again = igmc.train(settings(network, data), out=tmp_path / "run", device="cpu", progress=False)
    pd.testing.assert_frame_equal(answers(run.folder), answers(again.folder), check_exact=True)
    assert (again.single, again.ensemble, again.epochs) == (run.single, run.ensemble, 2)


def test_a_predictor_answers_as_the_run_did(run, predictor):
    known = answers(run.folder)
    found = predictor.predict(known.user_id, known.item_id, clip=False)
    assert set(found.source) == {"model"}
    np.testing.assert_allclose(found.score, known.ensemble, atol=1e-4)
    assert predictor.epochs == run.ensemble_epochs == tuple(predictor.epochs)
    assert open_run(run.folder).finished


def test_newcomers_get_lists_of_what_they_have_not_rated(predictor):
    liked = {529: 5, 528: 5, 500: 1}
    found = igmc.recommend(predictor, ratings=liked, k=5, order="score")
    assert len(found) == 5
    assert not set(found.item_id) & set(liked)
    assert found.score.tolist() == sorted(found.score, reverse=True)
    best = predictor.score_user(liked, found.item_id).score.to_numpy()
    np.testing.assert_allclose(found.score, best, atol=1e-4)
    lasting = predictor.add_ratings({"user_id": ["me"], "item_id": [529], "rating": [5]})
    assert np.isfinite(lasting.predict(["me"] * 2, [510, 520]).score).all()


@pytest.mark.parametrize("method", ["occlusion", "gradient"])
def test_explanations_name_ratings_that_were_given(predictor, data, method):
    user, item = answers_of_one(predictor)
    found = igmc.explain(predictor, user, item, method=method, top=5)
    assert found.source == "model"
    given = {(row.user, row.item): row.rating for row in pd.read_csv(data.dataset).itertuples()}
    assert found.edges
    for edge in found.edges:
        pair = int(found.users[edge.user].id), int(found.items[edge.item].id)
        assert given[pair] == edge.rating
        assert pair != (user, item), "the pair's own rating is not looked at"
        assert np.isfinite(edge.importance)
    weights = [abs(edge.importance) for edge in found.edges]
    assert weights == sorted(weights, reverse=True)
    assert len(found.users) <= 6
    assert len(found.items) <= 6
    assert found.n_links >= found.n_considered > 0


def answers_of_one(predictor):
    rated = predictor.graph.by_user.row(0)[0]
    return int(predictor.users.ids[0]), int(predictor.items.ids[int(rated[0])])


def can_be_trained_further(network):
    return type(find_network(network)).fine_tuned is not Network.fine_tuned


@pytest.mark.parametrize("adapt", ["none", "calibrate", "finetune"])
def test_it_moves_to_other_data_and_sees_no_test_rating_there(network, run, tmp_path, adapt):
    how = TransferConfig(adapt=adapt, percent=50.0, epochs=1)
    other = write(tmp_path / "other.csv", lambda rating, ids: rating * 20)
    if adapt == "finetune" and not can_be_trained_further(network):
        with pytest.raises(ConfigError, match=f"the network {network} cannot be fine-tuned"):
            igmc.transfer(run.folder, other, how, device="cpu")
        return
    report = igmc.transfer(run.folder, other, how, device="cpu", out=tmp_path / "one")
    assert report.network == network
    assert f"{NETWORKS[network].title}, unchanged" in report.format()
    assert report.zero_shot.rmse < 1.2 * report.references["global mean"].rmse
    assert (report.adapted is None) == (adapt == "none")
    test = make_split(load_dataset(other), other.replace(levels=5), how.seed).test

    def turned(rating, ids):
        rating = rating * 20
        rating[test] = 120 - rating[test]
        return rating

    igmc.transfer(run.folder, write(tmp_path / "other.csv", turned), how, device="cpu", out=tmp_path / "two")
    one, two = (answers(tmp_path / name) for name in ("one", "two"))
    assert one.rating.tolist() != two.rating.tolist()
    assert one.prediction.tolist() == two.prediction.tolist()


def test_a_third_network_is_known_while_it_is_registered_and_no_longer(monkeypatch):
    monkeypatch.delitem(NETWORKS, THIRD, raising=False)  # pytest may not be through with the fixture
    allowed = ", ".join(NETWORKS)
    with pytest.raises(ConfigError, match=f"network is not known; got '{THIRD}'; allowed: {allowed}$"):
        RunConfig(network=THIRD)
    monkeypatch.setitem(NETWORKS, THIRD, item_mean.REGISTRATION)
    assert RunConfig(network=THIRD).training == RunConfig().train.replace(ensemble_size=1)
    assert RunConfig.from_dict({"train": {}}).network == "rgcn", "what shared settings meant, they mean"
