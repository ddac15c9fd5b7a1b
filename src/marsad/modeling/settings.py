"""What a saved model folder says about itself, readable without torch.

model/
  marsad.json          ModelSettings: format version, heads, windows, word rules, thresholds, calibration
  schema.yaml          the schema it was trained on
  tokenizer.json       the whole tokenizer, as the `tokenizers` library reads it
  encoder/config.json  the encoder's architecture, without its weights
  model.safetensors    every weight, encoder included
  README.md            the model card

An exported model has tag.onnx and relate.onnx in place of encoder/ and model.safetensors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from marsad.errors import ConfigError, ModelError
from marsad.modeling.calibration import Calibration
from marsad.schema import Schema
from marsad.words import SPLITTER_VERSION, Normaliser

if TYPE_CHECKING:
    from tokenizers import Tokenizer

FORMAT_VERSION = 1
SETTINGS_FILE = "marsad.json"
SCHEMA_FILE = "schema.yaml"
TOKENIZER_FILE = "tokenizer.json"
WEIGHTS_FILE = "model.safetensors"
ENCODER_FOLDER = "encoder"
CARD_FILE = "README.md"
TAG_FILE = "tag.onnx"
RELATE_FILE = "relate.onnx"
# What `marsad encoder` leaves in the folder of an embedded encoder.
ENCODER_RECORD = "marsad_encoder.json"


class SpecialPieces(BaseModel):
    """Piece ids that the tokenizer puts around a window, and those for padding and the unknown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    before: tuple[int, ...]
    after: tuple[int, ...]
    pad: int
    unknown: int


class HeadSettings(BaseModel):
    """Shape of what stands on the encoder; the same names as in a training config."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pooling: Literal["first", "mean"] = "first"
    dropout: float = Field(0.2, ge=0, lt=1)
    relation_hidden: int = Field(256, ge=1)


class ModelSettings(BaseModel):
    """Everything a predictor needs beside weights, schema and tokenizer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: int = FORMAT_VERSION
    marsad_version: str
    encoder: str = Field(description="the model that the encoder was before training")
    splitter_version: int = SPLITTER_VERSION
    normaliser: dict[str, bool | int]
    max_pieces: int = Field(ge=40, description="pieces a window holds, special pieces included")
    overlap: int = Field(ge=0, description="pieces that neighbouring windows share")
    special: SpecialPieces
    heads: HeadSettings
    thresholds: dict[str, float] = Field(
        description="relation type -> probability from which it is reported; above 1, never"
    )
    calibration: Calibration | None = Field(None, description="what makes probabilities of reported scores")
    exported: Literal["fp32", "int8"] | None = Field(None, description="precision of the ONNX graphs; none: torch")


@dataclass(frozen=True)
class ModelFolder:
    """The torch-free contents of a model folder."""

    path: Path
    settings: ModelSettings
    schema: Schema
    normaliser: Normaliser
    tokenizer: Tokenizer

    @property
    def thresholds(self) -> list[float]:
        """Thresholds in the order of the schema's relation types."""
        return [self.settings.thresholds[name] for name in self.schema.relation_types]

    @property
    def window_pieces(self) -> int:
        """Pieces of words that a window holds, special pieces not counted."""
        special = self.settings.special
        return self.settings.max_pieces - len(special.before) - len(special.after)


def read_folder(path: str | Path) -> ModelFolder:
    """Read a model folder, all but its weights. Raises `ModelError` that says what is missing or does not fit."""
    folder = Path(path)
    settings = _read_settings(folder)
    if settings.splitter_version != SPLITTER_VERSION:
        raise ModelError(
            f"{folder}: trained on words of splitter version {settings.splitter_version}, this release has "
            f"{SPLITTER_VERSION}: use the release that saved it (marsad {settings.marsad_version}) or train again"
        )
    try:
        schema = Schema.from_file(folder / SCHEMA_FILE)
    except ConfigError as error:
        raise ModelError(str(error)) from error
    missing = [name for name in schema.relation_types if name not in settings.thresholds]
    if missing:
        raise ModelError(f"{folder / SETTINGS_FILE}: thresholds lack {', '.join(missing)}: the folder is not whole")
    normaliser = Normaliser.from_dict(settings.normaliser)
    return ModelFolder(folder, settings, schema, normaliser, read_tokenizer(folder / TOKENIZER_FILE))


def write_settings(path: str | Path, settings: ModelSettings) -> None:
    """Write `marsad.json` of the model folder at `path`."""
    # Without a calibration the file is one that every release of this format version reads.
    content = json.dumps(settings.model_dump(mode="json", exclude_none=True), ensure_ascii=False, indent=2)
    unfinished = Path(path) / f"{SETTINGS_FILE}.new"
    unfinished.write_text(content + "\n", encoding="utf-8")
    unfinished.replace(Path(path) / SETTINGS_FILE)


def _read_settings(folder: Path) -> ModelSettings:
    file = folder / SETTINGS_FILE
    if not folder.is_dir():
        raise ModelError(f"{folder} is not a folder: give the model folder that training left (RUN/model)")
    if not file.is_file():
        hint = f"; try {folder / 'model'}" if (folder / "model" / SETTINGS_FILE).is_file() else ""
        raise ModelError(f"{folder} holds no {SETTINGS_FILE}, so it is not a marsad model{hint}")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        version = content.get("format_version")
        if version != FORMAT_VERSION:
            raise ModelError(
                f"{file}: format_version is {version!r}, this release reads {FORMAT_VERSION}: update marsad"
            )
        return ModelSettings.model_validate(content)
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, ValidationError) as error:
        raise ModelError(f"{file} is damaged: {error}") from error


def read_tokenizer(file: Path) -> Tokenizer:
    """Read a tokenizer file, with truncation and padding off: windows do both."""
    from tokenizers import Tokenizer

    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises bare Exception
        raise ModelError(f"{file} cannot be read as a tokenizer: {error}") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer
