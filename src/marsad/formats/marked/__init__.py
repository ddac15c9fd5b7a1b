"""Marked text: the format a person writes. Spans are marked in the running text, relations listed below it.

    # id = example-001
    # country = SY
    [[T1:ACTOR عناصر التنظيم]] هاجموا [[T2:ASSET نقطة]] في [[LOCATION البادية]]
    a second paragraph, one a line
    ---
    T1 ATTACKS T2

The leading `# key = value` lines are metadata (`id` names the document, else the file does); the text follows, to a
line `---` or the end of the file; after it one relation a line, `HEAD TYPE TAIL`, and `#` comments. A mark covers whole
words of one sentence; its id may be left out where no relation needs it. In the text a backslash takes away the meaning
of the character after it (`\\[`, `\\\\`, `\\#`, a line `\\---`); `\\n` and `\\r` are a line feed and a carriage return.
A file is one document, split by marsad's own rules, which is why `write` refuses a document that was split otherwise.
Scores are not written: what a person marks is certain.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path

from marsad import words
from marsad.documents import Document, Entity, Relation, Word
from marsad.errors import AnnotationError
from marsad.formats.marked.scan import NAME, Lines, Mark, Text, numbered, read_body, split_header, split_relations
from marsad.formats.marked.write import format_document, write
from marsad.formats.problems import Problem, Problems, raise_problems, read_text, relation_problem
from marsad.schema import Schema

SUFFIX = ".marked"
__all__ = ["SUFFIX", "format_document", "loads", "read", "word_lines", "write"]


def read(path: str | Path, *, schema: Schema | None = None, problems: list[Problem] | None = None) -> list[Document]:
    """Read the document of a file; every mistake is noted by line, in `problems` or as one `AnnotationError`."""
    report = Problems(Path(path))
    text = read_text(report.path, report)
    document = None if text is None else loads(text, report, schema)
    if problems is None:
        raise_problems(report.found)
    else:
        problems.extend(report.found)
    return [] if document is None else [document]


def loads(content: str, report: Problems, schema: Schema | None = None) -> Document | None:
    """Return the document of marked text, or None after adding what is wrong with it to `report`."""
    before = len(report.found)
    meta, lines = split_header(numbered(content), report)
    body, below = split_relations(lines)
    found = read_body(body, report)
    split = words.split(found.text)
    sentences = words.sentences(found.text, split)
    entities = _entities(found, split, sentences, report, schema)
    relations = _relations(below, found, report, schema)
    if len(report.found) > before:
        return None
    name = meta.pop("id", "") or report.path.stem
    try:
        return Document(name, found.text, split, sentences, entities, relations, meta=meta)
    except AnnotationError as error:
        report.add(0, str(error))
        return None


def word_lines(path: str | Path) -> dict[str, list[int]]:
    """Return the line of each word of a sound file, by document id."""
    report = Problems(Path(path))
    content = read_text(report.path, report) or ""
    document = loads(content, report)
    if document is None:
        return {}
    _, lines = split_header(numbered(content), report)
    begins = read_body(split_relations(lines)[0], report).lines
    starts = [start for start, _ in begins]
    return {document.id: [begins[bisect_right(starts, word.start) - 1][1] for word in document.words]}


def _entities(
    found: Text,
    split: Sequence[Word],
    sentences: Sequence[tuple[int, int]],
    report: Problems,
    schema: Schema | None,
) -> list[Entity]:
    starts = {word.start: index for index, word in enumerate(split)}
    ends = {word.end: index + 1 for index, word in enumerate(split)}
    entities, seen = [], dict[str, int]()
    for mark in found.marks:
        if schema and mark.type not in schema.entities:
            report.add(mark.line, f"entity type {mark.type!r} is not in the schema ({', '.join(schema.entities)})")
        if mark.id and not NAME.fullmatch(mark.id):
            report.add(mark.line, f"{mark.id!r} cannot be an id: use letters and digits, as in T1")
        if mark.id in seen:
            report.add(mark.line, f"id {mark.id} is used twice, first on line {seen[mark.id]}: choose another")
        if mark.id:
            seen.setdefault(mark.id, mark.line)
        problem = _span_problem(mark, found.text, split, sentences)
        if problem:
            report.add(mark.line, f"{mark.id or mark.type} {found.text[mark.start : mark.end]!r} {problem}")
        else:
            entities.append(Entity(mark.type, starts[mark.start], ends[mark.end], id=mark.id))
    return entities


def _span_problem(mark: Mark, text: str, split: Sequence[Word], sentences: Sequence[tuple[int, int]]) -> str:
    inside = [index for index, word in enumerate(split) if word.start < mark.end and mark.start < word.end]
    if not inside:
        return "marks no word"
    first, last = split[inside[0]], split[inside[-1]]
    if (first.start, last.end) != (mark.start, mark.end):
        return f"does not begin and end at whole words: mark {text[first.start : last.end]!r}, without outer spaces"
    if not any(start <= inside[0] and inside[-1] < end for start, end in sentences):
        return "crosses a sentence end: a mention stands in one sentence"
    return ""


def _relations(lines: Lines, found: Text, report: Problems, schema: Schema | None) -> list[Relation]:
    marks, unclosed = found.marks, found.unclosed
    place = {mark.id: index for index, mark in enumerate(marks) if mark.id}
    relations: dict[tuple[str, int, int], Relation] = {}
    for number, line in lines:
        cells = line.split()
        if not cells or line.startswith("#"):
            continue
        if len(cells) != 3:
            report.add(number, f"{line!r} is no relation: write HEAD TYPE TAIL, as in T1 ATTACKS T2")
            continue
        head, kind, tail = cells
        if not {head, tail} & (place.keys() | unclosed):
            report.add(number, f"{line.strip()!r} is no relation: neither {head} nor {tail} is the id of a mark")
            continue
        unknown = [name for name in dict.fromkeys((head, tail)) if name not in place]
        for name in unknown if not unclosed.intersection(unknown) else ():
            report.add(number, f"{line.strip()!r}: {name} is the id of no mark in the text")
        if unknown:
            continue
        key = (kind, place[head], place[tail])
        problem = relation_problem(kind, (head, marks[key[1]].type), (tail, marks[key[2]].type), schema)
        if problem or key in relations:
            report.add(number, problem or f"{line.strip()!r} stands twice: remove one")
        else:
            relations[key] = Relation(*key)
    return list(relations.values())
