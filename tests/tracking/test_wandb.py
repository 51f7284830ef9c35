"""What an offline run of Weights & Biases holds of a training."""

import json
import os
import struct
import subprocess
import sys
from importlib.util import find_spec

import pytest

pytestmark = pytest.mark.skipif(find_spec("wandb") is None, reason="needs the extra wandb")

HEADER, PIECE_HEADER, BLOCK, WHOLE, LAST = 7, 7, 32_768, 1, 4
TRAINING = """
from igmc.tracking import TrackedTraining, callbacks_for
callbacks = callbacks_for("wandb:films")
with TrackedTraining(callbacks, "demo/mf", {"train": {"epochs": 2}}) as tracked:
    tracked.monitor({"epoch": 1, "mse": 1.0, "validation_rmse": None})
    tracked.monitor({"epoch": 2, "mse": 0.5, "validation_rmse": 0.9})
    tracked.finish({"test_rmse": 0.8})
with TrackedTraining(callbacks, "demo/bad", {}):
    raise ZeroDivisionError
"""


def run(code, place, **environment):
    """Run code in a process of its own, since wandb leaves a service running."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("WANDB")}
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**known, "WANDB_SILENT": "true", "HOME": str(place), **environment},
        cwd=place,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def records(file):
    """The records of a run: a LevelDB log of blocks, each record whole or in pieces."""
    from wandb.proto import wandb_internal_pb2

    data, at, pieces = file.read_bytes(), HEADER, b""
    while at + PIECE_HEADER <= len(data):
        left = BLOCK - at % BLOCK
        if left < PIECE_HEADER:
            at += left
            continue
        _, length, kind = struct.unpack("<IHB", data[at : at + PIECE_HEADER])
        pieces += data[at + PIECE_HEADER : at + PIECE_HEADER + length]
        at += PIECE_HEADER + length
        if kind in (WHOLE, LAST):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(pieces)
            yield record
            pieces = b""


def as_dict(items):
    return {one.key or "/".join(one.nested_key): json.loads(one.value_json) for one in items}


def test_settings_curves_and_final_figures(tmp_path):
    path = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
    done = run(TRAINING, tmp_path, WANDB_MODE="offline", PYTHONPATH=path)
    assert done.stderr.rstrip().endswith("ZeroDivisionError")
    files = [list(records(file)) for file in tmp_path.glob("wandb/offline-run-*/*.wandb")]
    both = {
        run.display_name: all_ for all_ in files for run in (one.run for one in all_ if one.HasField("run"))
    }
    assert [one.exit.exit_code for one in both["demo/bad"] if one.HasField("exit")] == [1]
    found = both["demo/mf"]
    (begun,) = (one.run for one in found if one.HasField("run"))
    assert (begun.project, begun.display_name, begun.run_group) == ("films", "demo/mf", "demo")
    assert as_dict(begun.config.update)["train"] == {"epochs": 2}
    history = [as_dict(one.history.item) for one in found if one.HasField("history")]
    assert [(one["_step"], one["train/mse"], one.get("validation/rmse")) for one in history] == [
        *((1, 1.0, None), (2, 0.5, 0.9))
    ]
    summaries = [as_dict(one.summary.update) for one in found if one.HasField("summary")]
    assert {"test/rmse": 0.8}.items() <= {k: v for one in summaries for k, v in one.items()}.items()
    assert [one.exit.exit_code for one in found if one.HasField("exit")] == [0]


def test_without_a_key_the_error_says_what_to_do(tmp_path):
    path = os.pathsep.join(filter(None, (os.getcwd(), os.environ.get("PYTHONPATH"))))
    done = run(TRAINING, tmp_path, PYTHONPATH=path)
    assert done.returncode != 0
    assert "hint: run 'wandb login', or set WANDB_MODE=offline" in done.stderr
