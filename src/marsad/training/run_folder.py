"""The run folder before training starts: what an earlier run left, and what becomes of it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping
from typing import Any

from transformers.trainer_utils import get_last_checkpoint

from marsad.config import Config
from marsad.errors import ConfigError

logger = logging.getLogger(__name__)


def find_checkpoint(config: Config, resume: bool, overwrite: bool) -> str | None:
    """Return the checkpoint to go on from, None for a new run.

    Raises `ConfigError` where a run is there and is neither to be gone on with nor to be replaced, and the other way
    round. Says which settings are not those that the run was started with.
    """
    run = config.output
    folder = run / "checkpoints"
    found = get_last_checkpoint(str(folder)) if folder.is_dir() else None
    if resume and overwrite:
        raise ConfigError("--resume goes on with a run, --overwrite replaces it: choose one")
    if (found or (run / "model").is_dir()) and not resume and not overwrite:
        raise ConfigError(f"{run} holds a run already: --resume goes on with it, --overwrite replaces it")
    if resume and found is None:
        raise ConfigError(f"--resume: {folder} holds no checkpoint: train without it")
    if resume:
        _say_what_changed(config)
    return found if resume else None


def _say_what_changed(config: Config) -> None:
    """Warn of settings that differ from those which a run that is gone on with was started with."""
    file = config.output / "config.yaml"
    if file.is_file():
        before, now = (_flat(each.model_dump(mode="json", by_alias=True)) for each in (Config.from_file(file), config))
        for key in {**before, **now}:
            if before.get(key) != now.get(key):
                logger.warning("%s was %r when this run was started, now it is %r", key, before.get(key), now.get(key))


def _flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in content.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return flat


def start_run(config: Config, resume: bool) -> None:
    """Write the configuration into the run folder and, for a new run, remove what an earlier one left there."""
    config.output.mkdir(parents=True, exist_ok=True)
    (config.output / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    if not resume:
        (config.output / "train.log").unlink(missing_ok=True)
        # Checkpoints of an earlier run would be counted among this one's, and the wrong ones kept.
        shutil.rmtree(config.output / "checkpoints", ignore_errors=True)
