"""Run folders: settings, checkpoints and metrics of one run."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from igmc.checked_json import dump_checked, load_checked
from igmc.config import NETWORKS, RunConfig
from igmc.errors import CheckpointError, ConfigError, DataError
from igmc.files import locked, replace_file, sweep, writing
from igmc.training.checkpoint import load_checkpoint, save_checkpoint
from igmc.training.ensemble import chosen_epochs

__all__ = ["RunFolder"]

logger = logging.getLogger(__name__)

FORMAT = 1


class RunFolder:
    """Reads and writes a run folder; every file in it is written atomically.

    Holds ``config.json``, ``split.npz``, ``items.json.gz`` (titles and genres, where the data set has any),
    ``checkpoints/epoch-NNNN.ckpt``, ``metrics.jsonl`` (one line per epoch), and once the run is done
    ``metrics.json`` and ``predictions.csv.gz``; ``log.txt`` goes along.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def claimed(self, config: RunConfig, facts: Mapping[str, Any]) -> Iterator[None]:
        """Lock the folder for this run: a new folder, or one with the same run.

        A finished run may be given more epochs: it becomes unfinished and resumes from its last checkpoint.
        With a stepwise learning rate the result equals that of training for all epochs at once; with a
        one-cycle schedule it does not, see `igmc.training.neighbours_loop.fit_neighbours`. ``continued`` in
        ``config.json`` lists the numbers of epochs at which it was finished before.

        Args:
            config: of the run.
            facts: what else determines it: ``data_digest``, ``split_digest`` and, where it begins with the
                weights of another run, ``start``.

        Raises:
            ConfigError: if the folder holds a run with other settings, or something else.
            DataError: if it holds a run on other data, or is damaged.
            IgmcError: if it cannot be written, or another process uses it.
        """
        with writing(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        with locked(self.path):
            if (self.path / "config.json").exists():
                self._check_same(config, facts)
            else:
                self._begin(config, facts)
            with writing(self.path):
                (self.path / "checkpoints").mkdir(exist_ok=True)
            for folder in (self.path, self.path / "checkpoints"):
                sweep(folder)
            yield

    def _begin(self, config: RunConfig, facts: Mapping[str, Any]) -> None:
        # All but what a run leaves that was killed while it wrote its first file.
        strangers = [p.name for p in self.path.iterdir() if not p.match("config.json.*.partial")]
        if strangers:
            raise ConfigError(
                f"{self.path} is not empty and not a run folder",
                got=sorted(strangers)[0],
                allowed="an empty or new folder",
                remedy="choose another with --out",
            )
        self.write_json("config.json", {"format": FORMAT, "config": config.to_dict(), **facts})

    def settings(self) -> dict[str, Any]:
        """What ``config.json`` holds: ``config``, the settings, and the facts that came with them.

        Raises:
            CheckpointError: if the file is missing, damaged, or of another version.
        """
        found = self.read_json("config.json")
        if found.get("format") != FORMAT or not isinstance(found.get("config"), dict):
            raise CheckpointError(
                f"{self.path / 'config.json'} is damaged, or of another version of igmc",
                got=found.get("format"),
                allowed=f"format {FORMAT}",
                remedy="train again, into another folder (igmc-train --out)",
            )
        return found

    def config(self) -> RunConfig:
        """The settings of the run.

        Raises:
            CheckpointError: if the file is missing or damaged, or names what this version does not know.
        """
        found = self.settings()["config"]
        try:
            return RunConfig.from_dict(found)
        except ConfigError as error:
            raise CheckpointError(
                f"{self.path / 'config.json'}: {error.what}",
                got=error.got,
                allowed=error.allowed,
                remedy="use the version of igmc that made the run, or restore the file from a copy",
            ) from error

    def _check_same(self, config: RunConfig, facts: Mapping[str, Any]) -> None:
        found = self.settings()
        before = self.config()
        # As objects: a setting that one of them does not name has its default.
        old, new = (_flat(asdict(one)) for one in (before, config))
        old["data.allow_changed"] = new["data.allow_changed"]  # a permission, no setting
        changed = [key for key in new if old[key] != new[key]]
        more = config.training.epochs > before.training.epochs
        if changed == [f"{NETWORKS[config.network].training}.epochs"] and more and self.finished:
            self._check_facts(found, facts)
            self._go_on(config, before, found)
            return
        if changed:
            told = ", ".join(f"{key} ({old[key]!r} there, {new[key]!r} now)" for key in changed)
            raise ConfigError(
                f"{self.path} holds a run with other settings: {told}",
                remedy="choose another folder with --out, or repeat the settings of that run; "
                "a finished run may be given more --epochs",
            )
        self._check_facts(found, facts)

    def _check_facts(self, found: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        for name in ("data_digest", "split_digest"):
            if found.get(name) != facts[name]:
                raise DataError(
                    f"{self.path} holds a run on other ratings: its {name.replace('_', ' ')} differs",
                    got=facts[name],
                    allowed=str(found.get(name)),
                    remedy="choose another folder with --out, or restore the data of that run",
                )

        starts = [one.get("start", {}).get("digest") for one in (found, facts)]
        if starts[0] != starts[1]:
            raise ConfigError(
                f"{self.path} holds a run that began with other weights",
                got=facts.get("start", {}).get("run"),
                allowed=found.get("start", {}).get("run", "weights of its own"),
                remedy="choose another folder with --out, or start from the same run",
            )

    def _go_on(self, config: RunConfig, before: RunConfig, found: Mapping[str, Any]) -> None:
        """Make a finished run an unfinished one of more epochs."""
        done = before.training.epochs
        kept = self.epochs() if (self.path / "checkpoints").is_dir() else []
        fixed = config.training.selection == "fixed"
        averaged = chosen_epochs(config.training, []) if fixed else []
        missing = [epoch for epoch in averaged if epoch <= done and epoch not in kept]
        if missing:
            every = config.training.ensemble_every
            raise ConfigError(
                f"the run in {self.path} lacks checkpoints for the average over the last ones",
                got=f"epochs {', '.join(map(str, missing))}",
                allowed=f"{done} epochs and a multiple of {every} more (--ensemble-every)",
            )
        logger.info(
            "%s is finished with %d epochs and continues to %d", self.path, done, config.training.epochs
        )
        with writing(self.path):
            (self.path / "metrics.json").unlink()  # first: a run that is not finished can always be resumed
        told = {**found, "config": config.to_dict(), "continued": [*found.get("continued", []), done]}
        self.write_json("config.json", told)

    @property
    def finished(self) -> bool:
        """Whether the run has finishes."""
        return (self.path / "metrics.json").exists()

    def write_json(self, name: str, value: Mapping[str, Any]) -> None:
        """Write a file of the folder as JSON, with a checksum."""
        replace_file(self.path / name, dump_checked(value))

    def read_json(self, name: str) -> dict[str, Any]:
        """Read a JSON file of the folder.

        Raises:
            CheckpointError: if it is missing or damaged.
        """
        try:
            return load_checked((self.path / name).read_bytes())
        except DataError as error:
            raise CheckpointError(
                f"{self.path / name} is damaged: {error.what}",
                got=error.got,
                allowed=error.allowed,
                remedy=error.remedy,
            ) from error
        except (OSError, ValueError) as error:
            made_again = f"delete {name}: the same command makes it again from the checkpoints"
            raise CheckpointError(
                f"cannot read {self.path / name}: {error}",
                remedy=made_again
                if name == "metrics.json"
                else "train again, into another folder (igmc-train --out)",
            ) from error

    def save_epoch(self, epoch: int, state: dict[str, Any], keep: set[int]) -> None:
        """Write the history and the checkpoint of an epoch; remove the checkpoints that are not in `keep`."""
        lines = (json.dumps(record, allow_nan=False) + "\n" for record in state["history"])
        # Before the checkpoint: a run that is killed in between repeats the epoch and writes both again.
        replace_file(self.path / "metrics.jsonl", "".join(lines).encode())
        save_checkpoint(self._checkpoint(epoch), state)
        for other in self.epochs():
            if other not in keep:
                self._checkpoint(other).unlink()

    def latest(self) -> dict[str, Any] | None:
        """The checkpoint of the last epoch, to resume from; None if there is none.

        Raises:
            CheckpointError: if it is damaged.
        """
        epochs = self.epochs()
        return self.load_epoch(epochs[-1]) if epochs else None

    def load_epoch(self, epoch: int) -> dict[str, Any]:
        """The checkpoint of an epoch.

        Raises:
            CheckpointError: if it is missing or damaged.
        """
        return load_checkpoint(self._checkpoint(epoch))

    def epochs(self) -> list[int]:
        """The epochs with checkpoints, ascending."""
        found = (re.fullmatch(r"epoch-(\d+)\.ckpt", p.name) for p in (self.path / "checkpoints").iterdir())
        return sorted(int(match[1]) for match in found if match)

    def _checkpoint(self, epoch: int) -> Path:
        return self.path / "checkpoints" / f"epoch-{epoch:04d}.ckpt"


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
