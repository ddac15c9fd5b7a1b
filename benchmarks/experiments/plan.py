"""What a plan file says: one recipe, the variants of it that are compared, and what they are scored on."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Any, Literal

from augmentation import COPIES
from networks import NETWORKS
from pydantic import BaseModel, ConfigDict, Field, model_validator
from relation_heads import HEADS

from marsad import formats
from marsad.config import Config, load_yaml

LIBRARY = "library"


class Variant(BaseModel):
    """One thing done differently; what is not named is as in the plan's config."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: list[str] = Field([], description="section.key=value, as for marsad train --set")
    articles: int | None = Field(None, ge=1, description="training articles; null as the plan says")
    head: str = LIBRARY
    without: list[str] = Field([], description="parts of the library's relation head that are put to nothing")
    network: str = LIBRARY
    copies: list[str] = Field([], description="changed copies of training articles, see augmentation.py")
    layer_decay: float = Field(1.0, description="learning rate of an encoder layer as a share of the one above it")
    freeze_pieces: bool = Field(False, description="leave the encoder's piece embeddings as they are")
    averaging: bool = Field(False, description="end with the mean of the weights over the second half of the updates")
    of: str | None = Field(None, description="score the trained models of this variant, decoded in another way")
    decode: Literal["argmax", "dev-thresholds"] | None = None
    why: str = Field("", description="a remark for the table")

    @model_validator(mode="after")
    def _fits_together(self) -> Variant:
        for key, value, known in (("head", self.head, HEADS), ("network", self.network, NETWORKS)):
            if value != LIBRARY and value not in known:
                raise ValueError(f"{key} {value!r} is none of {', '.join([LIBRARY, *known])}")
        unknown = set(self.copies) - set(COPIES)
        if unknown:
            raise ValueError(f"copies {', '.join(unknown)}: none of {', '.join(COPIES)}")
        if self.network != LIBRARY and (self.head != LIBRARY or self.without):
            raise ValueError(f"network {self.network!r} has a relation head of its own: leave head and without out")
        if self.without and self.head == "spert":
            raise ValueError("without names parts of the library's head")
        if self.of is not None and set(self.model_fields_set) - {"of", "decode", "why"}:
            raise ValueError("a variant of another is decoded in another way; nothing else may differ")
        return self

    @property
    def is_saved(self) -> bool:
        """Whether its models are kept: those that the library can load."""
        return self.head == self.network == LIBRARY and not self.without


class Plan(BaseModel):
    """A plan; the first variant is the one that the others are compared with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    config: Path
    set: list[str] = []
    articles: int | None = Field(None, ge=1)
    seeds: list[int] = [1]
    score: dict[str, Path] = Field(description="name -> file or folder of gold documents")
    compared_on: list[str] = Field([], description="names of data that differences are taken on; none: on all of them")
    variants: dict[str, Variant] = Field(min_length=1)

    @model_validator(mode="after")
    def _others_exist(self) -> Plan:
        for name, variant in self.variants.items():
            if variant.of is not None and not (variant.of in self.variants and self.variants[variant.of].is_saved):
                raise ValueError(f"{name} is of {variant.of!r}, which is no variant whose models are saved")
        return self

    @classmethod
    def from_file(cls, path: Path) -> Plan:
        """Read a plan; pydantic's `ValidationError` names what is wrong in it."""
        return cls.model_validate(load_yaml(path.read_text(encoding="utf-8")))

    def scored_on(self, more: list[str]) -> Plan:
        """Return the plan scored on more data, each `NAME=PATH`."""
        added = {}
        for each in more:
            name, _, path = each.partition("=")
            if not path:
                raise SystemExit(f"--score {each!r}: expected NAME=PATH")
            added[name] = path
        score = {**self.score, **{name: Path(path) for name, path in added.items()}}
        unknown = set(self.compared_on) - set(score)
        if unknown:
            raise SystemExit(f"compared_on {', '.join(unknown)}: none of {', '.join(score)}; give it with --score")
        return self.model_copy(update={"score": score})

    def config_of(self, variant: Variant, seed: int, output: Path) -> Config:
        """Return the training config of a variant and seed."""
        overrides = [*self.set, *variant.set, f"training.seed={seed}", f"output={output}"]
        config = Config.from_file(self.config, overrides)
        size = self.articles if variant.articles is None else variant.articles
        if size is None:
            return config
        return config.model_copy(update={"data": config.data.model_copy(update={"train": part(config, size)})})

    def recipe(self, name: str, seed: int) -> dict[str, Any]:
        """Return all that makes a run what it is, but for where it lies and what it is scored on."""
        variant = self.variants[name]
        config = self.config_of(variant, seed, Path())
        return {
            "variant": variant.model_dump(mode="json", exclude={"why"}),
            "config": config.model_dump(mode="json", by_alias=True, exclude={"output"}),
        }


def part(config: Config, size: int) -> list[Path]:
    """Return the files of the first `size` training articles, in an order that depends on their names alone.

    Smaller parts are inside larger ones, their genres mixed as in the whole.
    """
    files = sorted(formats.find_files(config.data.train), key=lambda file: blake2b(file.stem.encode()).digest())
    if size > len(files):
        raise SystemExit(f"{size} articles asked for, {', '.join(map(str, config.data.train))} has {len(files)}")
    return files[:size]
