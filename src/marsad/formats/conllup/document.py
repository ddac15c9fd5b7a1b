"""The lines of one document of a CoNLL-U Plus file, made into a `Document`, every problem noted by line."""

from __future__ import annotations

import re

from marsad.documents import Document, Word
from marsad.errors import AnnotationError
from marsad.formats.conllup.mentions import read_annotations
from marsad.formats.conllup.rows import DocumentLines, Row, Sentence, read_rows
from marsad.formats.conllup.spaces import unescape_spaces
from marsad.formats.problems import Problems
from marsad.schema import Schema


def build_document(part: DocumentLines, report: Problems, schema: Schema | None) -> Document | None:
    """Return the document of these lines, or None after adding what is wrong with them to `report`."""
    before = len(report.found)
    sentences, meta, spaces = read_rows(part, report)
    text, words, ranges = _rebuild(sentences, report)
    rows = [row for sentence in sentences for row in sentence.rows]
    entities, relations = read_annotations(rows, {start for start, _ in ranges}, report, schema)
    if len(report.found) > before:
        return None
    try:
        return Document(part.id, text or spaces, words, ranges, entities, relations, meta=meta)
    except AnnotationError as error:
        report.add(part.line, str(error))
        return None


def _rebuild(sentences: list[Sentence], report: Problems) -> tuple[str, list[Word], list[tuple[int, int]]]:
    """Put the text together from the tokens and the white space that MISC names; hold it against `# text`."""
    text = ""
    words: list[Word] = []
    ranges: list[tuple[int, int]] = []
    for index, sentence in enumerate(sentences):
        start = len(words)
        for position, row in enumerate(sentence.rows):
            text += unescape_spaces(row.misc.get("SpacesBefore", ""))
            words.append(Word(row.form, len(text), len(text) + len(row.form)))
            text += row.form + _spaces_after(row, position, index, sentences)
        ranges.append((start, len(words)))
        if sentence.text is not None and not sentence.broken:
            found = text[words[start].start : words[-1].end]
            _check_text(sentence.text, found, sentence.text_line, report)
    return text, words, ranges


def _spaces_after(row: Row, position: int, index: int, sentences: list[Sentence]) -> str:
    if "SpacesAfter" in row.misc:
        return unescape_spaces(row.misc["SpacesAfter"])
    last = position + 1 == len(sentences[index].rows)
    if last and index + 1 == len(sentences):
        return ""
    if last and sentences[index + 1].newpar:
        return "\n"
    return "" if row.misc.get("SpaceAfter") == "No" else " "


def _check_text(stated: str, found: str, line: int, report: Problems) -> None:
    stated, found = (re.sub(r"\s", " ", each).strip() for each in (stated, found))
    if stated == found:
        return
    at = next((i for i, (a, b) in enumerate(zip(stated, found, strict=False)) if a != b), min(len(stated), len(found)))
    report.add(
        line,
        f"# text has {stated[at : at + 20]!r} at character {at + 1} where the tokens give {found[at : at + 20]!r}: "
        "mend the tokens, # text or SpaceAfter=No",
    )
