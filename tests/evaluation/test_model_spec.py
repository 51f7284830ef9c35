import json

import pytest

from igmc.errors import ConfigError
from igmc.evaluation.model_spec import ModelSpec


@pytest.mark.parametrize(
    ("text", "name", "settings", "label"),
    [
        ("biases", "biases", {}, "biases"),
        ("Item-Mean:damping=5", "item_mean", {"damping": 5}, "item_mean"),
        ("strong=biases:damping=30", "biases", {"damping": 30}, "strong"),
        (
            "igmc:train.epochs=3,model.layers=[8,8]",
            "igmc",
            {"train": {"epochs": 3}, "model": {"layers": [8, 8]}},
            "igmc",
        ),
        ("mf:objective=ranking", "mf", {"objective": "ranking"}, "mf"),
    ],
)
def test_a_model_is_read_from_text(text, name, settings, label):
    model = ModelSpec.parse(text)
    assert (model.name, model.settings, model.label) == (name, settings, label)


def test_settings_come_from_a_file(tmp_path):
    path = tmp_path / "best.json"
    path.write_text(json.dumps({"damping": 7.0}))
    model = ModelSpec.parse(f"tuned=biases@{path}")
    assert (model.label, model.make("demo", 1).config.damping) == ("tuned", 7.0)


def test_settings_go_above_the_preset_of_the_data_set():
    config = ModelSpec.parse("igmc:train.batch_size=7").make("ml_100k", 3).config
    assert (config.train.batch_size, config.train.epochs, config.extract.max_nodes_per_hop) == (7, 80, 200)


def test_a_setting_under_its_former_name_is_read():
    text = "igmc:train.{}=paper,train.epochs=3"
    former = ModelSpec.parse(text.format("protocol")).make("demo", 1).config
    assert (former.train.selection, former.train.epochs) == ("fixed", 3)
    with pytest.raises(ConfigError, match=r"model igmc: .*given twice; got 'protocol and selection'"):
        ModelSpec.parse("igmc:train.protocol=paper,train.selection=fixed").make("demo", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nosuch", r"unknown recommender; got 'nosuch'; allowed: global_mean"),
        ("bias", r"did you mean biases\b"),
        (
            "biases:damping",
            r"cannot read the settings of a model; got 'biases:damping'; allowed: NAME:setting",
        ),
        ("biases@missing.json", r"cannot read the settings missing.json"),
    ],
)
def test_what_cannot_be_read_says_why(text, message):
    with pytest.raises(ConfigError, match=message):
        ModelSpec.parse(text)


def test_a_wrong_setting_is_found_when_the_model_is_made():
    with pytest.raises(ConfigError, match=r"unknown setting in BiasConfig; got 'dampin'"):
        ModelSpec.parse("biases:dampin=3").make("demo", 1)
