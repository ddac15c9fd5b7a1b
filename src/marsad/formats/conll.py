"""Plain two-column CoNLL: a word and its tag a line, a blank line after each sentence.

Tags are IOB1, IOB2 or BIOES (BILOU and BMEWO are read as other spellings of it); `read` finds out which where it is not
told. The format has no white space, no ids and no relations: words are joined by one space, and documents are marked
`annotated = entities`, so they teach tags and are no evidence that relations are absent.
`-DOCSTART-` lines part documents, as in CoNLL-2003; a file without them is one document named after the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from marsad.documents import Document, Entity, Word
from marsad.errors import AnnotationError
from marsad.formats.problems import Problem, Problems, raise_problems, read_text, refuse_crossing
from marsad.schema import OUTSIDE, Schema

SUFFIX = ".conll"
Scheme = Literal["IOB1", "IOB2", "BIOES"]
# BILOU writes L- and U- for E- and S-; BMEWO writes M- and W- for I- and S-.
_SPELLINGS = {"L": "E", "U": "S", "W": "S", "M": "I"}


@dataclass(frozen=True)
class _Row:
    line: int
    form: str
    prefix: str
    type: str


def read(
    path: str | Path,
    *,
    schema: Schema | None = None,
    problems: list[Problem] | None = None,
    scheme: Scheme | None = None,
) -> list[Document]:
    """Read the documents of a file; `scheme` None finds out the tagging scheme.

    Problems are added to `problems` where given, else raised as one `AnnotationError`.
    """
    report = Problems(Path(path))
    text = read_text(report.path, report)
    sentences = [] if text is None else list(_sentences(text, report))
    rows = [row for document in sentences for sentence in document for row in sentence]
    used = scheme or _find_scheme(sentences)
    _check_types(rows, schema, report)
    documents = [
        _document(_name(report.path, index, len(sentences)), document, used, report)
        for index, document in enumerate(sentences)
    ]
    if problems is None:
        raise_problems(report.found)
    else:
        problems.extend(report.found)
    return [] if report.found else documents


def _name(path: Path, index: int, count: int) -> str:
    return path.stem if count == 1 else f"{path.stem}-{index + 1:04d}"


def _sentences(text: str, report: Problems) -> Iterator[list[list[_Row]]]:
    document: list[list[_Row]] = []
    sentence: list[_Row] = []
    parted = False
    for line, content in enumerate(text.split("\n"), start=1):
        cells = content.split()
        if cells and cells[0] != "-DOCSTART-":
            row = _row(line, cells, report)
            if row:
                sentence.append(row)
            continue
        if sentence:
            document.append(sentence)
            sentence = []
        if cells:
            if document or parted:
                yield document
            document, parted = [], True
    if sentence:
        document.append(sentence)
    if document or parted:
        yield document


def _row(line: int, cells: list[str], report: Problems) -> _Row | None:
    if len(cells) != 2:
        report.add(line, f"{len(cells)} columns, expected 2: a word and its tag")
        return None
    form, tag = cells
    prefix, _, kind = tag.partition("-")
    prefix = _SPELLINGS.get(prefix, prefix)
    if (prefix == OUTSIDE) == bool(kind) or prefix not in tuple("OBIES"):
        report.add(line, f"tag {tag!r} is none of O, B-TYPE, I-TYPE, E-TYPE, S-TYPE")
        return None
    return _Row(line, form, prefix, kind)


def _find_scheme(documents: list[list[list[_Row]]]) -> Scheme:
    """IOB1 writes B- only where an entity follows another of its type; one B- elsewhere means IOB2."""
    rows = [row for document in documents for sentence in document for row in sentence]
    if any(row.prefix in "ES" for row in rows):
        return "BIOES"
    begins = starts_inside = False
    for sentence in (each for document in documents for each in document):
        previous = ""
        for row in sentence:
            begins |= row.prefix == "B" and previous != row.type
            starts_inside |= row.prefix == "I" and previous != row.type
            previous = row.type
    return "IOB1" if starts_inside and not begins else "IOB2"


def _check_types(rows: list[_Row], schema: Schema | None, report: Problems) -> None:
    for row in rows:
        if schema and row.type and row.type not in schema.entities:
            report.add(row.line, f"entity type {row.type!r} is not in the schema ({', '.join(schema.entities)})")


def _document(name: str, sentences: list[list[_Row]], scheme: Scheme, report: Problems) -> Document:
    words: list[Word] = []
    ranges: list[tuple[int, int]] = []
    entities: list[Entity] = []
    position = 0
    for rows in sentences:
        start = len(words)
        for row in rows:
            words.append(Word(row.form, position, position + len(row.form)))
            position += len(row.form) + 1
        ranges.append((start, len(words)))
        entities += [Entity(kind, start + first, start + last) for kind, first, last in _spans(rows, scheme, report)]
    text = " ".join(word.text for word in words)
    return Document(name, text, words, ranges, entities, meta={"annotated": "entities"})


def _spans(rows: list[_Row], scheme: Scheme, report: Problems) -> Iterator[tuple[str, int, int]]:
    """Yield the (type, start, end) of each entity of a sentence; note tags that the scheme does not allow there."""
    start: int | None = None
    for index, row in enumerate(rows):
        inside = start is not None and rows[start].type == row.type and row.prefix in "IE"
        if start is not None and not inside:
            yield from _closed(rows, start, index, scheme, report)
            start = None
        if row.prefix in "BS":
            start = index
        elif row.prefix in "IE" and start is None:
            if scheme != "IOB1":
                report.add(
                    row.line, f"{row.prefix}-{row.type} on {row.form!r} continues nothing: start with B-{row.type}"
                )
            start = index
        if start is not None and row.prefix in "ES":
            yield rows[start].type, start, index + 1
            start = None
    if start is not None:
        yield from _closed(rows, start, len(rows), scheme, report)


def _closed(rows: list[_Row], start: int, end: int, scheme: Scheme, report: Problems) -> Iterator[tuple[str, int, int]]:
    if scheme == "BIOES":
        last = rows[end - 1]
        report.add(
            last.line,
            f"{last.prefix}-{last.type} on {last.form!r} is not ended: end with E-{last.type} or S-{last.type}",
        )
    yield rows[start].type, start, end


def write(documents: Iterable[Document], path: str | Path, *, scheme: Scheme = "IOB2") -> None:
    """Write words and tags. Relations, white space and metadata have no place here: use CoNLL-U Plus to keep them."""
    Path(path).write_bytes(dumps(documents, scheme=scheme).encode("utf-8"))


def dumps(documents: Iterable[Document], *, scheme: Scheme = "IOB2") -> str:
    """Return documents as the text of a file; more than one are parted by `-DOCSTART-` lines."""
    parts = [_format(document, scheme) for document in documents]
    return parts[0] if len(parts) == 1 else "".join(f"-DOCSTART- O\n\n{part}" for part in parts)


def _format(document: Document, scheme: Scheme) -> str:
    refuse_crossing(document)
    lines: list[str] = []
    for start, end in document.sentences:
        # By sentence: in IOB1 no entity touches one of another sentence.
        inside = [each for each in document.entities if start <= each.start < end]
        inside = [replace(each, start=each.start - start, end=each.end - start) for each in inside]
        tags = tags_of(inside, end - start, scheme)
        lines += [f"{word.text} {tag}" for word, tag in zip(document.words[start:end], tags, strict=True)]
        lines.append("")
    return "".join(f"{line}\n" for line in lines)


def tags_of(entities: Sequence[Entity], num_words: int, scheme: Scheme = "IOB2") -> list[str]:
    """Return the tag of each word. Raises `AnnotationError` for a scheme it does not know."""
    if scheme not in ("IOB1", "IOB2", "BIOES"):
        raise AnnotationError(f"tagging scheme {scheme!r} is none of IOB1, IOB2, BIOES")
    tags = [OUTSIDE] * num_words
    touching = {(entity.end, entity.type) for entity in entities}
    for entity in entities:
        prefixes = ["I"] * (entity.end - entity.start)
        if scheme != "IOB1" or (entity.start, entity.type) in touching:
            prefixes[0] = "B"
        if scheme == "BIOES":
            prefixes[-1] = "S" if len(prefixes) == 1 else "E"
        tags[entity.start : entity.end] = [f"{prefix}-{entity.type}" for prefix in prefixes]
    return tags
