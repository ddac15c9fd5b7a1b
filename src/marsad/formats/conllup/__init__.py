"""CoNLL-U Plus with entities and relations (annotation guidelines, section 5), read and written without loss.

Columns: ID FORM NER ENTITY RELATION MISC. `read` understands a file with the columns in another order or with more of
them, as `# global.columns` says; `write` writes these six. White space between words is kept with CoNLL-U's
`SpaceAfter=No`, `SpacesAfter=` and `SpacesBefore=`. Scores below one travel in MISC as `Score=` (of the entity that
starts there) and `RelationScores=` (in the order of the RELATION cell). Events are not written: the schema assembles
them again from the relations. See https://universaldependencies.org/ext-format.html for the container format.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from marsad.documents import Document
from marsad.errors import AnnotationError
from marsad.formats.conllup.document import build_document
from marsad.formats.conllup.rows import COLUMNS, DocumentLines, read_rows
from marsad.formats.conllup.spaces import escape_spaces
from marsad.formats.metadata import metadata_lines, single_line
from marsad.formats.problems import Problem, Problems, raise_problems, read_text, refuse_crossing
from marsad.schema import Schema

SUFFIX = ".conllup"
_LINE_BREAK = re.compile(r"[\n\r]")
_COLUMNS_LINE = re.compile(r"#\s*global\.columns\s*=(?P<names>.*)")
NEWDOC = re.compile(r"#\s*newdoc(?:\s+id\s*=\s*(?P<id>.*))?\s*$")
# Keys that the format itself uses and metadata therefore cannot.
_RESERVED = frozenset({"newdoc", "newdoc id", "newpar", "newpar id", "sent_id", "text", "global.columns", "spaces"})


def read(path: str | Path, *, schema: Schema | None = None, problems: list[Problem] | None = None) -> list[Document]:
    """Read the documents of a file.

    With a `schema`, entity types, relation types and the pairs they join are held against it. Every problem is found
    in one reading: they are added to `problems` where that is given (a broken document is then left out), and raised
    as one `AnnotationError` of `file:line` messages where it is not.
    """
    report = Problems(Path(path))
    text = read_text(report.path, report)
    documents = [] if text is None else list(loads(text, report, schema))
    if problems is None:
        raise_problems(report.found)
    else:
        problems.extend(report.found)
    return documents


def loads(text: str, report: Problems, schema: Schema | None = None) -> Iterator[Document]:
    """Yield the sound documents in the text of a file; what is wrong with the others goes to `report`."""
    for part in _split_documents(text, report):
        before = len(report.found)
        document = build_document(part, report, schema)
        if document is not None and len(report.found) == before:
            yield document


def word_lines(path: str | Path) -> dict[str, list[int]]:
    """Return the line of each word of a sound file, by document id."""
    report = Problems(Path(path))
    parts = list(_split_documents(read_text(report.path, report) or "", report))
    return {part.id: [row.line for sentence in read_rows(part, report)[0] for row in sentence.rows] for part in parts}


def _split_documents(text: str, report: Problems) -> Iterator[DocumentLines]:
    lines = [(number, line.removesuffix("\r")) for number, line in enumerate(text.split("\n"), start=1)]
    columns: tuple[str, ...] = COLUMNS
    current: DocumentLines | None = None
    implicit = True
    for number, line in lines:
        if named := _COLUMNS_LINE.match(line):
            columns = tuple(named["names"].split())
            missing = [name for name in ("FORM", "NER") if name not in columns]
            if missing:
                report.add(number, f"columns are {' '.join(columns)}: {' and '.join(missing)} must be among them")
                return
            continue
        match = NEWDOC.match(line)
        if match:
            # Comments above the first newdoc ("# made by ...") are no document.
            if current is not None and not (implicit and all(_is_comment(each) for _, each in current.lines)):
                yield current
            implicit = False
            name = (match["id"] or "").strip() or report.path.stem
            current = DocumentLines(name, columns, number)
            continue
        if current is None:
            if not line.strip():
                continue
            current = DocumentLines(report.path.stem, columns, number)
        current.lines.append((number, line))
    if current is not None:
        yield current


def _is_comment(line: str) -> bool:
    return not line.strip() or line.startswith("#")


def write(documents: Iterable[Document], path: str | Path) -> None:
    """Write documents to a file. Raises `AnnotationError` for one that the format cannot hold."""
    content = dumps(documents)
    Path(path).write_bytes(content.encode("utf-8"))


def dumps(documents: Iterable[Document]) -> str:
    """Return documents as the text of a file."""
    return "".join([f"# global.columns = {' '.join(COLUMNS)}\n", *(format_document(each) for each in documents)])


def format_document(document: Document) -> str:
    """Return one document as lines, without the line that names the columns."""
    lines = [f"# newdoc id = {single_line(document.id, document.id, 'id')}", *metadata_lines(document, _RESERVED)]
    if document.text and not document.words:
        lines.append(f"# spaces = {escape_spaces(document.text)}")
    cells = _annotation_cells(document)
    for index, (start, end) in enumerate(document.sentences):
        if index == 0 or _LINE_BREAK.search(_gap(document, start - 1)):
            lines.append("# newpar")
        lines.append(f"# sent_id = {document.id}-{index + 1}")
        lines.append("# text = " + re.sub(r"\s", " ", document.sentence_text(index)))
        for word in range(start, end):
            misc = "|".join(filter(None, (_spaces(document, word, start, end), cells[word][3]))) or "_"
            form = document.words[word].text
            lines.append("\t".join((str(word - start + 1), form, *cells[word][:3], misc)))
        lines.append("")
    if not document.sentences:
        lines.append("")
    return "\n".join(lines) + "\n"


def _annotation_cells(document: Document) -> list[tuple[str, str, str, str]]:
    """Return NER, ENTITY, RELATION and the scores of MISC for each word."""
    ids = document.entity_ids
    refuse_crossing(document)
    _check_names(document, ids)
    cells = [("O", "_", "_", "")] * len(document.words)
    for index, entity in enumerate(document.entities):
        relations = [each for each in document.relations if each.head == index]
        links = "|".join(f"{each.type}:{ids[each.tail]}" for each in relations) or "_"
        scores = []
        if entity.score != 1.0:
            scores.append(f"Score={float(entity.score)!r}")
        if any(each.score != 1.0 for each in relations):
            scores.append("RelationScores=" + ",".join(repr(float(each.score)) for each in relations))
        cells[entity.start] = (f"B-{entity.type}", ids[index], links, "|".join(scores))
        for word in range(entity.start + 1, entity.end):
            cells[word] = (f"I-{entity.type}", ids[index], "_", "")
    return cells


def _check_names(document: Document, ids: Iterable[str]) -> None:
    """Raise `AnnotationError` for an id or a type that would read back as something else."""
    relation_types = {each.type for each in document.relations}
    for name in (*ids, *(each.type for each in document.entities), *relation_types):
        if name in ("", "_") or set(name) & set("|\t\n\r") or (":" in name and name in relation_types):
            raise AnnotationError(
                f"document {document.id!r}: {name!r} cannot be an id or a type in this format: "
                "it is empty, '_', or holds '|', a tab or a line break (a relation type: ':'); rename it"
            )


def _gap(document: Document, word: int) -> str:
    """Return the white space after `word`, up to the next word or the end of the text; word -1 is the start."""
    start = document.words[word].end if word >= 0 else 0
    end = document.words[word + 1].start if word + 1 < len(document.words) else len(document.text)
    return document.text[start:end]


def _spaces(document: Document, word: int, start: int, end: int) -> str:
    """Return the MISC entries for the white space around `word`, where it is not what a reader expects."""
    entries = []
    if word == 0 and _gap(document, -1):
        entries.append(f"SpacesBefore={escape_spaces(_gap(document, -1))}")
    gap = _gap(document, word)
    if word + 1 == len(document.words):
        expected = ""
    elif word + 1 == end:
        expected = "\n" if _LINE_BREAK.search(gap) else " "
    else:
        expected = " "
    if gap != expected:
        entries.append(f"SpacesAfter={escape_spaces(gap)}" if gap else "SpaceAfter=No")
    return "|".join(entries)
