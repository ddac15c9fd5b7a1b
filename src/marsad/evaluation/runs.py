"""Reports kept in files: what `marsad evaluate --json` printed, or the scores of a run folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from marsad.errors import MarsadError
from marsad.evaluation.scores import Report

METRICS_FILE = "metrics.json"


def read_reports(runs: str, split: str = "test") -> list[Report]:
    """Read the reports of one system: run folders or report files, several (seeds) joined by commas.

    Of a run folder, the scores on `split` are read. Raises `MarsadError` for a file that is missing or no report.
    """
    paths = [path.strip() for path in runs.split(",") if path.strip()]
    if not paths:
        raise MarsadError(f"{runs!r} names no run: give a run folder or the output of marsad evaluate --json")
    return [_read(Path(path), split) for path in paths]


def read_history(run: str | Path) -> list[dict[str, Any]]:
    """Return the training log of a run folder, an entry a log line; empty where it has none."""
    file = Path(run) / METRICS_FILE
    history = _load(file).get("history", []) if file.is_file() else []
    return [each for each in history if isinstance(each, dict)]


def _read(path: Path, split: str) -> Report:
    file = path / METRICS_FILE if path.is_dir() else path
    content = _load(file)
    if path.is_dir():
        splits = [name for name, each in content.items() if isinstance(each, dict) and "by_document" in each]
        if split not in splits:
            raise MarsadError(
                f"{file} holds no scores of {split!r} by document (it has {', '.join(splits) or 'none'}): choose "
                "another --split, or score the model with marsad evaluate --json"
            )
        content = content[split]
    try:
        return Report.from_dict(content)
    except MarsadError as error:
        raise MarsadError(f"{file}: {error}") from error


def _load(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MarsadError(
            f"{file} cannot be read ({error}): give a run folder or the output of marsad evaluate --json"
        ) from error
    if not isinstance(content, dict):
        raise MarsadError(f"{file} holds no JSON object: give the output of marsad evaluate --json")
    return content
