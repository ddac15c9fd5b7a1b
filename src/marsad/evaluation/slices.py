"""Parts of a report: documents by length or by any of their metadata."""

from __future__ import annotations

from collections.abc import Mapping

from marsad.errors import AnnotationError
from marsad.evaluation.scores import DocumentScores, Report

LENGTH = "length"
MISSING = "(none)"
_LENGTHS = (50, 100, 200, 400)


def slices(report: Report, key: str) -> Mapping[str, Report]:
    """Return the report on each part of the documents, by `length` in words or by a metadata key.

    Raises `AnnotationError` for a key that no document has, naming those there are.
    """
    keys = sorted({name for document in report.documents for name in document.meta})
    if key != LENGTH and key not in keys:
        raise AnnotationError(f"no document has {key!r}: slice by {', '.join([LENGTH, *keys])}")
    found = {_name(document, key) for document in report.documents}
    names = [name for name in map(_length_name, (0, *_LENGTHS)) if name in found] if key == LENGTH else sorted(found)
    return {name: _part(report, key, name) for name in names}


def _part(report: Report, key: str, name: str) -> Report:
    return report.where(lambda each: _name(each, key) == name)


def _name(document: DocumentScores, key: str) -> str:
    if key != LENGTH:
        return document.meta.get(key, MISSING)
    return _length_name(max((bound for bound in (0, *_LENGTHS) if bound <= document.num_words), default=0))


def _length_name(start: int) -> str:
    """Return the name of the lengths from a bound to the next: "under 50", "50 to 99", "400 and more"."""
    if not start:
        return f"under {_LENGTHS[0]}"
    later = [bound for bound in _LENGTHS if bound > start]
    return f"{start} to {later[0] - 1}" if later else f"{start} and more"
