"""Documents as marked text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from marsad import words
from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.formats.marked.scan import END, META, NAME, slip_of
from marsad.formats.metadata import metadata_lines, single_line
from marsad.formats.problems import refuse_crossing


def write(documents: Iterable[Document], path: str | Path) -> None:
    """Write one document. Raises `AnnotationError` for more than one, or one that the format cannot hold."""
    held = list(documents)
    if len(held) != 1:
        raise AnnotationError(f"a file of marked text holds one document, got {len(held)}: write each to its own file")
    Path(path).write_bytes(format_document(held[0]).encode("utf-8"))


def format_document(document: Document) -> str:
    """Return a document as marked text."""
    refuse_crossing(document)
    _check_split(document)
    ids = document.entity_ids
    lines = [f"# id = {single_line(document.id, document.id, 'id')}", *metadata_lines(document, {"id"})]
    lines += [_marked_text(document, ids), END]
    lines += [f"{ids[each.head]} {each.type} {ids[each.tail]}" for each in document.relations]
    return "\n".join(lines) + "\n"


def _check_split(document: Document) -> None:
    split = words.split(document.text)
    if tuple(split) != document.words or tuple(words.sentences(document.text, split)) != document.sentences:
        raise AnnotationError(
            f"document {document.id!r} was split into words or sentences by other rules than marsad's, which marked "
            "text cannot hold: write conllup or jsonl"
        )
    types = {*(each.type for each in document.entities), *(each.type for each in document.relations)}
    for name in (*document.entity_ids, *types):
        if not NAME.fullmatch(name):
            raise AnnotationError(
                f"document {document.id!r}: {name!r} cannot be an id or a type in marked text: rename it"
            )


def _marked_text(document: Document, ids: Sequence[str]) -> str:
    parts, place = [], 0
    for name, entity in sorted(zip(ids, document.entities, strict=True), key=lambda pair: pair[1].start):
        start, end = document.words[entity.start].start, document.words[entity.end - 1].end
        parts += [_escape(document.text[place:start]), f"[[{name}:{entity.type} {_escape(document.text[start:end])}]]"]
        place = end
    lines = _hide_outer_breaks("".join([*parts, _escape(document.text[place:])])).split("\n")
    return "\n".join(_escape_line(line, index == 0, ids) for index, line in enumerate(lines))


def _escape(text: str) -> str:
    return re.sub(r"[\\\[\]]", r"\\\g<0>", text).replace("\r", "\\r")


def _hide_outer_breaks(text: str) -> str:
    """Escape the line feeds at both ends of the text, which a reader would take for empty lines of the file."""
    inner = text.strip("\n")
    if not inner:
        return "\\n" * len(text)
    start = text.index(inner)
    return "\\n" * start + inner + "\\n" * (len(text) - start - len(inner))


def _escape_line(line: str, first: bool, ids: Sequence[str]) -> str:
    """Escape the start of a line of text that a reader would take, or suspect, to be something else."""
    if not (slip_of(line, ids) or (first and META.fullmatch(line))):
        return line
    start = len(line) - len(line.lstrip())
    return f"{line[:start]}\\{line[start:]}"
