"""The training configuration: typed, every problem in one error, every key read by something.

A config file is YAML. Floats may be written `3e-5` (YAML 1.1 alone would read that as a string). The `training:`
section holds the names of transformers' `TrainingArguments` untouched; `bf16: auto` there means "where the hardware
has it". Paths are relative to the folder the command is run in.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from marsad.errors import ConfigError
from marsad.words import Normaliser

# Set by marsad itself; a value in the config would be overruled in silence.
_OWN_ARGUMENTS = {
    "output_dir": "use `output`",
    "eval_strategy": "the dev score is taken after each epoch, or every training.eval_steps updates",
    "save_strategy": "a checkpoint is kept after each dev score",
    "save_steps": "a checkpoint is kept after each dev score: use `training.eval_steps`",
    "metric_for_best_model": "use `early_stopping.metric`",
    "load_best_model_at_end": "the model of the best dev score is always the one kept",
    "greater_is_better": "scores are better when greater",
    "remove_unused_columns": "the network reads every column",
    "train_sampling_strategy": "use `batch_by_length`",
    "resume_from_checkpoint": "use `marsad train --resume`",
}


# What this project wants where a config says nothing; the rest are transformers' own defaults.
# Two checkpoints: of one alone transformers keeps the best and not the last, which is the one to go on from.
_TRAINING_DEFAULTS = {"logging_steps": 10, "save_total_limit": 2, "report_to": ["tensorboard"], "bf16": "auto"}


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DataSection(_Section):
    """Files or folders of annotated articles."""

    train: list[Path] = Field(min_length=1)
    dev: list[Path] = Field(min_length=1)
    test: list[Path] = []

    @field_validator("*", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return [] if value is None else [value] if isinstance(value, str | Path) else value


class EncoderSection(_Section):
    """The encoder and what it is fed."""

    name: str = Field(description="a model on the hub, its copy in the cache, or a local folder")
    max_pieces: int = Field(384, ge=40, description="pieces (subwords) a window holds, special pieces included")
    overlap: int = Field(96, ge=0, description="pieces that neighbouring windows share")
    pooling: Literal["first", "mean"] = Field("first", description="a word's state: its first piece, or their mean")
    attention_dropout: float | None = Field(
        None, ge=0, lt=1, description="null keeps the encoder's own; 0 doubles the speed of training on a CPU"
    )
    diacritics: bool = Field(True, description="drop short vowels and shadda before the tokenizer")
    tatweel: bool = Field(True, description="drop the stretching mark before the tokenizer")
    digits: bool = Field(True, description="write Arabic-Indic digits as ASCII for the tokenizer")
    alef: bool = Field(False, description="fold the forms of alef and final ya for the tokenizer")

    @property
    def normaliser(self) -> Normaliser:
        """The normaliser these switches make."""
        return Normaliser(self.diacritics, self.tatweel, self.digits, self.alef)


class HeadsSection(_Section):
    """The tag head and the relation head, and how their losses are weighed against imbalance."""

    learning_rate: float = Field(1e-3, gt=0, description="of both heads; the encoder has training.learning_rate")
    dropout: float = Field(0.2, ge=0, lt=1)
    outside_weight: float = Field(1.0, gt=0, description="weight of O in the tag loss; below 1 favours recall")
    relation_hidden: int = Field(256, ge=1)
    relation_weight: float = Field(0.25, ge=0, description="weight of the relation loss beside the tag loss")
    positive_weight: float = Field(1.0, gt=0, description="weight of related pairs; above 1 favours recall")
    relation_prior: float = Field(
        0.02, gt=0, lt=1, description="share of candidate pairs taken to be related before anything is learnt"
    )
    negatives: int | None = Field(None, ge=0, description="unrelated pairs kept in a window; null keeps all")
    threshold: float = Field(0.5, gt=0, lt=1, description="probability from which a relation is reported")


class AugmentationSection(_Section):
    """Copies of training articles that differ in what the model shall not rely on."""

    exchange: list[str] = Field(
        [], description="relation types whose two mentions, where of one type, change names in the copies"
    )
    exchange_share: float = Field(
        0.5, ge=0, le=1, description="share that is copied of the articles with such a relation"
    )
    respelt_share: float = Field(
        0.0, ge=0, le=1, description="share of the articles that is copied in careless spelling (hamzas, digits, marks)"
    )


class EarlyStoppingSection(_Section):
    """When training ends before its last epoch."""

    metric: Literal["entities", "relations_strict", "mean"] = Field(
        "mean", description="micro F1 on dev; mean is that of entities and strict relations"
    )
    patience: int | None = Field(None, ge=1, description="dev scores in a row without a better one; null: all epochs")


class Config(_Section):
    """A whole configuration; `schema` in the file is `schema_path` here."""

    schema_path: Path = Field(alias="schema")
    output: Path = Field(description="the run folder")
    data: DataSection
    encoder: EncoderSection
    heads: HeadsSection = HeadsSection()
    augmentation: AugmentationSection = AugmentationSection()
    early_stopping: EarlyStoppingSection = EarlyStoppingSection()
    calibrate: bool = Field(True, description="fit curves on dev that make probabilities of the reported scores")
    batch_by_length: bool = Field(True, description="batch windows of like length")
    few_examples: int = Field(20, ge=0, description="warn of types with fewer examples in train than this")
    training: dict[str, Any] = Field(default={}, validate_default=True)

    @field_validator("training")
    @classmethod
    def _with_defaults(cls, training: dict[str, Any]) -> dict[str, Any]:
        return {**_TRAINING_DEFAULTS, **training}

    @classmethod
    def from_file(cls, path: str | Path, overrides: Iterable[str] = ()) -> Config:
        """Read a config file and apply `section.key=value` overrides. Raises `ConfigError` listing every problem."""
        try:
            content = load_yaml(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise ConfigError(f"config {path} cannot be read: {error}") from error
        if not isinstance(content, dict):
            raise ConfigError(f"config {path}: expected sections such as `data:` and `encoder:`, got {content!r}")
        for override in overrides:
            _apply(content, override)
        return cls.from_dict(content, str(path))

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], source: str = "config") -> Config:
        """Build a config from the content of a file; `source` names it in the error."""
        problems: list[str] = []
        config: Config | None = None
        try:
            config = cls.model_validate(content)
        except ValidationError as error:
            problems = [_explain(dict(each), cls) for each in error.errors()]
        training = content.get("training") or {}
        if isinstance(training, Mapping):
            problems += _training_problems(training)
        if config is not None:
            problems += _window_problems(config)
        if problems or config is None:
            raise ConfigError(
                "\n".join([f"{source} has {len(problems)} problem(s):", *(f"  {each}" for each in problems)])
            )
        return config

    def to_yaml(self) -> str:
        """Return the whole configuration, defaults included, as the text of a config file."""
        return yaml.safe_dump(self.model_dump(mode="json", by_alias=True), allow_unicode=True, sort_keys=False)


class _Loader(yaml.SafeLoader):
    """YAML 1.1 with the floats of YAML 1.2."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def load_yaml(text: str) -> Any:
    """Read YAML safely, `1e-5` as the number it looks like."""
    return yaml.load(text, Loader=_Loader)  # a SafeLoader


def _apply(content: dict[str, Any], override: str) -> None:
    path, equals, value = override.partition("=")
    if not equals or not path:
        raise ConfigError(f"override {override!r}: expected section.key=value, as in training.learning_rate=3e-5")
    *sections, key = path.split(".")
    for section in sections:
        content = content.setdefault(section, {})
        if not isinstance(content, dict):
            raise ConfigError(f"override {override!r}: {section} is a value, not a section")
    try:
        content[key] = load_yaml(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"override {override!r}: {value!r} is not a YAML value: {error}") from error


def _explain(problem: dict[str, Any], model: type[BaseModel]) -> str:
    path = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        return f"{path}: unknown key{_nearest(str(problem['loc'][-1]), _keys_at(model, problem['loc'][:-1]))}"
    if problem["type"] == "missing":
        return f"{path}: missing, and it has no default"
    return f"{path}: {problem['msg']}, got {problem['input']!r}"


def _keys_at(model: type[BaseModel], path: tuple[Any, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(str(part))
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return [field.alias or name for name, field in model.model_fields.items()]


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]}?" if close else f" (known: {', '.join(known)})" if known else ""


def _training_problems(training: Mapping[str, Any]) -> list[str]:
    known = _training_arguments()
    problems = [
        f"training.{key}: set by marsad itself: {_OWN_ARGUMENTS[key]}" for key in training if key in _OWN_ARGUMENTS
    ]
    if known:
        problems += [
            f"training.{key}: no name of TrainingArguments{_nearest(str(key), known)}"
            for key in training
            if key not in known
        ]
    problems += [
        f"training.{key}: {value!r} is no {'true or false' if known[key] is bool else 'number'}"
        for key, value in training.items()
        if key in known and not _fits(key, value, known[key])
    ]
    return problems


def _fits(key: str, value: Any, kind: type) -> bool:
    """Tell whether a value is of the type of a training argument's default, the one type that it is sure to take."""
    if key == "bf16":
        return isinstance(value, bool) or value == "auto"
    if kind is bool:
        return isinstance(value, bool)
    return kind not in (int, float) or (isinstance(value, int | float) and not isinstance(value, bool))


def _training_arguments() -> dict[str, type]:
    """Return the names of `TrainingArguments` and the types of their defaults; none where transformers is missing."""
    from dataclasses import fields

    try:
        from transformers import TrainingArguments
    except ImportError:
        return {}
    return {field.name: type(field.default) for field in fields(TrainingArguments)}


def _window_problems(config: Config) -> list[str]:
    encoder = config.encoder
    if encoder.overlap > (encoder.max_pieces - 8) // 2:
        return [
            f"encoder.overlap: {encoder.overlap} is over half of encoder.max_pieces ({encoder.max_pieces}): lower it"
        ]
    return []
