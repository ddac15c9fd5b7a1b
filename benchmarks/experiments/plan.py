"""What a plan file says: one recipe, the variants of it that are compared, and what they are scored on."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path
from typing import Literal

from augmentation import COPIES
from networks import NETWORKS
from pydantic import BaseModel, ConfigDict, Field, field_validator
from relation_heads import HEADS

from marsad import formats
from marsad.config import Config, load_yaml


class Variant(BaseModel):
    """One thing done differently; what is not named is as in the plan's config."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    set: list[str] = Field([], description="section.key=value, as for marsad train --set")
    articles: int | None = Field(None, description="training articles; null as the plan says")
    head: str = "library"
    without: list[str] = Field([], description="parts of the library's relation head that are put to nothing")
    network: str = "library"
    copies: list[str] = Field([], description="changed copies of training articles, see augmentation.py")
    layer_decay: float = Field(1.0, description="learning rate of an encoder layer as a share of the one above it")
    freeze_pieces: bool = Field(False, description="leave the encoder's piece embeddings as they are")
    averaging: bool = Field(False, description="end with the mean of the weights over the second half of the updates")
    of: str | None = Field(None, description="score the trained models of this variant, decoded in another way")
    decode: Literal["argmax", "dev-thresholds"] | None = None
    why: str = Field("", description="a remark for the table")

    @field_validator("head", "network", "copies")
    @classmethod
    def _known(cls, value: str | list[str]) -> str | list[str]:
        known = {"library", *HEADS, *NETWORKS, *COPIES}
        unknown = {value} - known if isinstance(value, str) else set(value) - known
        if unknown:
            raise ValueError(f"{', '.join(unknown)} is none of {', '.join(sorted(known))}")
        return value


class Plan(BaseModel):
    """A plan; the first variant is the one that the others are compared with."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    config: Path
    set: list[str] = []
    articles: int | None = None
    seeds: list[int] = [1]
    score: dict[str, Path] = Field(description="name -> file or folder of gold documents")
    variants: dict[str, Variant]

    @classmethod
    def from_file(cls, path: Path) -> Plan:
        """Read a plan; pydantic's `ValidationError` names what is wrong in it."""
        return cls.model_validate(load_yaml(path.read_text(encoding="utf-8")))

    def scored_on(self, more: list[str]) -> Plan:
        """Return the plan scored on more data, each `NAME=PATH`."""
        added = dict(each.split("=", 1) for each in more)
        return self.model_copy(update={"score": {**self.score, **{name: Path(path) for name, path in added.items()}}})

    def config_of(self, variant: Variant, seed: int, output: Path) -> Config:
        """Return the training config of a variant and seed."""
        overrides = [*self.set, *variant.set, f"training.seed={seed}", f"output={output}"]
        config = Config.from_file(self.config, overrides)
        size = variant.articles or self.articles
        if size is None:
            return config
        return config.model_copy(update={"data": config.data.model_copy(update={"train": part(config, size)})})


def part(config: Config, size: int) -> list[Path]:
    """Return the files of the first `size` training articles, in an order that depends on their names alone.

    Smaller parts are inside larger ones, their genres mixed as in the whole.
    """
    files = sorted(formats.find_files(config.data.train), key=lambda file: blake2b(file.stem.encode()).digest())
    if size > len(files):
        raise SystemExit(f"{size} articles asked for, {', '.join(map(str, config.data.train))} has {len(files)}")
    return files[:size]
