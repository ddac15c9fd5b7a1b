"""Metadata as `# key = value` lines, the same in every format that has them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from marsad.documents import Document
from marsad.errors import AnnotationError

_KEY = re.compile(r"[\w.:-]+(?: id)?")
_LINE_BREAK = re.compile(r"[\n\r]")


def metadata_lines(document: Document, reserved: Collection[str]) -> Iterator[str]:
    """Yield a line for each entry of `meta`. Raises `AnnotationError` for a key that is `reserved` or no name."""
    for key, value in document.meta.items():
        if key in reserved or not _KEY.fullmatch(key):
            raise AnnotationError(f"document {document.id!r}: {key!r} cannot be the name of a metadata line: rename it")
        yield f"# {key} = {single_line(str(value), document.id, key)}"


def single_line(value: str, document_id: str, key: str) -> str:
    """Return `value` as it is. Raises `AnnotationError` where a comment line cannot hold it."""
    if _LINE_BREAK.search(value) or value != value.strip():
        raise AnnotationError(
            f"document {document_id!r}: {key} is {value!r}, which does not fit on one comment line: "
            "take out line breaks and outer white space"
        )
    return value
