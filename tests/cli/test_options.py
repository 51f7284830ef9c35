"""Options come from the knobs, and a flag goes before a file, that before a preset, that before a default."""

import dataclasses
import json
import shlex

import click
import pytest
from click.testing import CliRunner

from igmc.cli.options import as_typed, config_options, network_sections, read_config
from igmc.cli.train import train_command
from igmc.config import NETWORKS, Config, RunConfig, network_with
from igmc.errors import ConfigError

SECTIONS = {f.name: getattr(RunConfig(), f.name) for f in dataclasses.fields(RunConfig)}
KNOBS = [
    (section, field)
    for section, config in {**SECTIONS, "run": RunConfig()}.items()
    if isinstance(config, Config)
    for field in dataclasses.fields(config)
    if "help" in field.metadata
]
# What to type for each knob so that it is not at its default, and the setting that this is.
TYPED = {
    "dataset": ("Flixster", "flixster"),
    "columns": ("u,i,r", "u,i,r"),
    "implicit": (None, True),
    "min_rating": ("3", 3.0),
    "separator": ("||", "||"),
    "encoding": ("cp1252", "cp1252"),
    "header": (None, True),
    "matrix": (None, True),
    "missing": ("99", 99.0),
    "zero_is_missing": (None, True),
    "item_info": ("films.csv", "films.csv"),
    "item_features": ("vectors.csv", "vectors.csv"),
    "allow_changed": (None, True),
    "estimates": ("mf", "mf"),
    "dates": ("both", "both"),
    "duplicates": ("mean", "mean"),
    "split": ("u3", "u3"),
    "test_ratio": ("0.25", 0.25),
    "validation_ratio": ("0", 0.0),
    "keep_ratio": ("5e-1", 0.5),
    "levels": ("5", 5),
    "level_method": ("quantile", "quantile"),
    "hops": ("2", 2),
    "max_nodes_per_hop": ("7", 7),
    "sample_ratio": ("0.5", 0.5),
    "layers": ("8, 16", (8, 16)),
    "bases": ("none", None),
    "norm": ("degree", "degree"),
    "init": ("uniform", "uniform"),
    "edge_dropout": (".1", 0.1),
    "edge_dropout_mode": ("both", "both"),
    "batch_norm": (None, True),
    "edge_weight": ("rating", "rating"),
    "mlp_width": ("9", 9),
    "mlp_dropout": ("0", 0.0),
    "side_features": (None, True),
    "selection": ("fixed", "fixed"),
    "epochs": ("3", 3),
    "batch_size": ("11", 11),
    "learning_rate": ("1e-4", 1e-4),
    "decay_factor": ("1", 1.0),
    "decay_every": ("2", 2),
    "arr": ("0", 0.0),
    "patience": ("1", 1),
    "ensemble_size": ("2", 2),
    "ensemble_every": ("3", 3),
    "support_dropout": ("0.5", 0.5),
    "support_dropout_side": ("both", "both"),
    "support_dropout_max": ("4", 4),
    "live": (None, True),
    "seed": ("0", 0),
    "max_neighbors": ("7", 7),
    "members": ("3", 3),
    "pairs_per_epoch": ("99", 99),
    "weight_decay": ("0", 0.0),
    "dropout": (".4", 0.4),
    "newcomers": ("0", 0.0),
    "shrinkage": ("0.5", 0.5),
    "target": ("liked", "liked"),
    "folds": ("2", 2),
    "hidden": ("0.2", 0.2),
    "candidates": ("50", 50),
}


def config_of(line: str) -> RunConfig:
    """The configuration that a command line adds up to."""
    caught = []

    @click.command()
    @config_options("run.network", "data", *network_sections(), "run")
    @click.pass_context
    def command(ctx, file):
        caught.append(read_config(ctx, file))

    command.main(shlex.split(line), standalone_mode=False)
    return caught[0]


OWN = [(section, field) for section, field in KNOBS if field.name != "network"]  # see tests/cli/test_train.py


@pytest.mark.parametrize(("section", "field"), OWN, ids=[field.name for _, field in OWN])
def test_every_knob_has_an_option_that_sets_it_and_nothing_else(section, field):
    assert field.name in TYPED, f"TYPED needs a value to type for {field.name}, other than its default"
    text, value = TYPED[field.name]
    flag = "--" + field.name.replace("_", "-")
    network = network_with(section) or "rgcn"
    base = f"--dataset douban --network {network}"  # which has no preset
    config = config_of(f"{base} {flag}" if text is None else f"{base} {flag} '{text}'")
    usual = expected = RunConfig.from_dict({"data": {"dataset": "douban"}, "network": network})
    if section == "run":
        expected = expected.replace(**{field.name: value})
    else:
        expected = expected.replace(**{section: getattr(expected, section).replace(**{field.name: value})})
    assert config == expected
    assert config != usual


def test_switches_have_both_positions():
    assert config_of("--network rgcn").live is None
    assert config_of("--network rgcn --live").live is True
    assert config_of("--network rgcn --store").live is False
    assert config_of("--network rgcn --no-side-features").model.side_features is False


@pytest.mark.parametrize("name", ["ml_100k", "ML-100K", "Ml-100k"])
def test_the_preset_is_found_under_any_spelling_and_the_name_made_canonical(name):
    config = config_of(f"--dataset {name}")
    assert (config.data.dataset, config.extract.max_nodes_per_hop, config.train.epochs) == (
        "ml_100k",
        200,
        80,
    )


def test_precedence(tmp_path):
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"data": {"dataset": "ml_1m"}, "train": {"epochs": 7, "arr": 0.5}}))
    config = config_of(f"--config {file} --arr 0.25")
    assert config.train.decay_every == 20, "from the preset of the data set that the file names"
    assert config.train.epochs == 7, "the file goes before the preset"
    assert config.train.arr == 0.25, "a flag goes before the file"
    assert config.train.batch_size == 50, "the default"
    other = config_of(f"--config {file} --dataset ml_100k")
    assert (other.train.epochs, other.train.decay_every) == (7, 50)


def test_a_flag_that_repeats_the_default_still_goes_before_the_preset():
    assert config_of("--dataset ml_100k --epochs 40").train.epochs == 40
    assert config_of("--dataset ml_100k --max-nodes-per-hop none").extract.max_nodes_per_hop is None


def test_a_file_can_hold_a_whole_configuration(tmp_path):
    config = config_of("--dataset ml_1m --layers 4,4 --live --seed 9")
    file = tmp_path / "all.json"
    file.write_text(json.dumps(config.to_dict()))
    assert config_of(f"--config {file}") == config
    file.write_text(json.dumps({"format": 1, "config": config.to_dict(), "machine": "this one"}))
    assert config_of(f"--config {file}") == config, "the config.json of a run folder"


@pytest.mark.parametrize(("former", "value"), [("paper", "fixed"), ("validated", "validation")])
def test_the_former_name_of_an_option_is_read_with_a_line_on_what_it_is_now(former, value, capsys):
    assert config_of(f"--protocol {former}") == config_of(f"--selection {value}")
    rgcn = config_of(f"--protocol {former} --network rgcn")
    assert rgcn.train.selection == value
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 2
    assert said[0].endswith(f": warning: --protocol {former} is now --selection {value}")


def test_items_are_ids_and_a_file_about_them_has_another_name(capsys):
    assert config_of("--items films.csv") == config_of("--item-info films.csv")
    assert capsys.readouterr().err.endswith(": warning: --items films.csv is now --item-info films.csv\n")


def test_former_names_in_a_file_are_read_with_a_warning_and_a_flag_goes_before_them(tmp_path, caplog):
    file = tmp_path / "f.json"
    file.write_text('{"train": {"protocol": "paper", "epochs": 7}}')
    config = config_of(f"--config {file}").train
    assert (config.selection, config.epochs) == ("fixed", 7)
    assert config_of(f"--config {file} --selection validation").train.selection == "validation"
    assert caplog.messages == [f"--config {file} holds former names of settings, which are still read"] * 2


def test_former_names_are_not_in_the_help_and_their_values_are_checked():
    assert "--protocol" not in CliRunner().invoke(train_command, ["-h", "--all"]).output
    with pytest.raises(ConfigError, match=r"selection is not known; got 'papr'; allowed: fixed, validation"):
        config_of("--protocol papr")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"train": {"epochs": 0}}',
            r"--config .*f\.json: train\.epochs is out of range; got 0; allowed: at least 1",
        ),
        (
            '{"train": {"epoch": 1}}',
            r"--config .*f\.json: unknown setting in train; got 'epoch'; allowed: selection",
        ),
        ('{"epochs": 1}', r"f\.json: unknown setting in run; got 'epochs'; allowed: network, data, extract"),
        ("[1]", r"f\.json: run is not a mapping; got \[1\]; allowed: a JSON object"),
        ("{", r"f\.json is not JSON: .* line 1"),
        ("\ufeff\udcff", r"f\.json is not JSON"),
    ],
)
def test_a_wrong_file_is_refused_by_name(tmp_path, content, message):
    file = tmp_path / "f.json"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(ConfigError, match=message):
        config_of(f"--config {file}")


def test_a_missing_file_and_a_folder_are_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"--config: no such file: .*missing\.json"):
        config_of(f"--config {tmp_path / 'missing.json'}")
    with pytest.raises(OSError, match=str(tmp_path)):
        config_of(f"--config {tmp_path}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--epochs x", "'x' is not a whole number"),
        ("--epochs none", "'none' is not a whole number"),
        ("--bases x", "'x' is not a whole number or none"),
        ("--arr x", "'x' is not a number"),
        ("--layers 3,,3", "'3,,3' is not whole numbers with commas between"),
    ],
)
def test_text_that_is_no_value_is_a_usage_error(line, message):
    with pytest.raises(click.BadParameter, match=message):
        config_of(line)


def test_a_value_out_of_range_is_named_as_typed():
    with pytest.raises(ConfigError) as caught:
        config_of("--network rgcn --max-nodes-per-hop 0")
    assert as_typed(str(caught.value)) == "--max-nodes-per-hop is out of range; got 0; allowed: at least 1"


def test_help_states_range_default_and_presets_of_a_knob():
    pages = {
        network: CliRunner()
        .invoke(train_command, ["--network", network, "-h", "--all"], terminal_width=1000)
        .output
        for network in NETWORKS
    }
    page = " ".join(pages["rgcn"].split())
    assert "Passes over the training pairs [>= 1; default 40; ml_100k 80;" in page
    assert "Fraction of edges dropped in training [0..0.99; default 0.2; ml_1m 0]" in page
    for title in (
        "data - Which ratings",
        "extract - What",
        "model - The IGMC",
        "train - How",
        "run - Settings",
    ):
        assert title in page
    assert (
        "[default neighbours; rgcn for ml_100k, ml_1m, flixster, douban, yahoo_music; ranker with --implicit]"
        in page
    )
    for section, field in KNOBS:
        own = pages[network_with(section) or "rgcn"]
        assert "--" + field.name.replace("_", "-") in own


@pytest.mark.parametrize(
    ("network", "section", "name"),
    [("rgcn", "extract", "max_nodes_per_hop"), ("neighbours", "neighbours", "max_neighbors")],
)
def test_the_cap_is_that_of_the_network(network, section, name):
    config = config_of(f"--network {network} --cap 7")
    assert getattr(getattr(config, section), name) == 7


def test_implicit_data_bring_the_ranker_unless_another_network_is_named(tmp_path):
    assert config_of("--dataset clicks.csv --implicit").network == "ranker"
    assert config_of("--dataset clicks.csv --implicit --folds 2").ranker.folds == 2
    assert config_of("--dataset clicks.csv --implicit --network rgcn").network == "rgcn"
    file = tmp_path / "settings.json"
    file.write_text(json.dumps({"data": {"dataset": "clicks.csv", "implicit": True}}))
    assert config_of(f"--config {file}").network == "ranker"
