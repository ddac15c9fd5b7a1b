"""What requests hold and answers look like; the OpenAPI page is made of these."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from marsad.documents import Document
from marsad.formats.text import from_text
from marsad.inference.server.batching import Report
from marsad.modeling.calibration import EntitySource


class ReportRequest(BaseModel):
    """A report to read: its text, or a document whose words (and, with `entities: gold`, mentions) are kept."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"text": "قصفت قوات الحكومة بلدة الزهراء بالمدفعية أمس."}]}
    )

    text: str | None = Field(None, description="the untouched text; offsets in the answer are code points into it")
    document: dict[str, Any] | None = Field(None, description="a document as an answer holds it")
    id: str | None = Field(
        None,
        min_length=1,
        description="id of the answer's document, its position (from 1) if none; not with `document`",
    )
    meta: dict[str, str] = Field({}, description="handed through to the answer's document; not with `document`")
    entities: EntitySource = Field("predicted", description="`gold`: relations between the entities of `document`")

    @model_validator(mode="after")
    def _one_source(self) -> ReportRequest:
        if (self.text is None) is (self.document is None):
            raise ValueError("give text or document, and not both")
        if self.document is not None and self.model_fields_set & {"id", "meta"}:
            raise ValueError("a document has an id and meta of its own: leave them out")
        if self.text is not None and self.entities == "gold":
            raise ValueError("entities 'gold' are those of a document: give one in place of text")
        return self

    @property
    def characters(self) -> int:
        """Length of the text; of a document that is none, 0."""
        text = self.text if self.document is None else self.document.get("text")
        return len(text) if isinstance(text, str) else 0

    def to_report(self, position: int) -> Report:
        """Return what the batcher takes."""
        return Report(lambda: self._document(position), self.characters, self.entities)

    def _document(self, position: int) -> Document:
        if self.document is not None:
            return Document.from_dict(self.document)
        return replace(from_text(self.text or "", self.id or str(position)), meta=self.meta)


class BatchRequest(BaseModel):
    """Several reports."""

    model_config = ConfigDict(extra="forbid")

    reports: list[ReportRequest]


class Problem(BaseModel):
    """Why a request was not answered."""

    detail: str


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema of a document with its definitions inside, as OpenAPI takes it."""
    schema: dict[str, Any] = json.loads((files("marsad") / "document.schema.json").read_text(encoding="utf-8"))
    definitions = schema.pop("$defs", {})
    schema.pop("$schema", None)

    def inside(part: Any) -> Any:
        if isinstance(part, list):
            return [inside(each) for each in part]
        if not isinstance(part, dict):
            return part
        name = str(part.get("$ref", "")).removeprefix("#/$defs/")
        whole = {**definitions.get(name, {}), **{key: value for key, value in part.items() if key != "$ref"}}
        return {key: inside(value) for key, value in whole.items()}

    found: dict[str, Any] = inside(schema)
    return found
