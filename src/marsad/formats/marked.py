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

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from marsad import words
from marsad.documents import Document, Entity, Relation, Word
from marsad.errors import AnnotationError
from marsad.formats.metadata import metadata_lines, single_line
from marsad.formats.problems import Problem, Problems, raise_problems, read_text, refuse_crossing, relation_problem
from marsad.schema import Schema

SUFFIX = ".marked"
_META = re.compile(r"# (?P<key>[\w.:-]+) ?=(?P<value>.*)")
_TOKEN = re.compile(
    r"\\(?P<escaped>.?)|\[\[(?:(?P<id>[^\s:\[\]]+):)?(?P<type>[^\s:\[\]]+) |(?P<bad>\[\[)|(?P<close>\]\])"
)
_END = "---"
# What an id or a type may be, here and in CoNLL-U Plus.
_NAME = re.compile(r"(?!_$)[^\s:|\[\]#\\][^\s:|\[\]]*")
_DASHES = re.compile(r"\s*[-\u2013\u2014]{2,}\s*")
# ASCII keys alone: «# عاجل: ...» is a post's own line.
_LOST_META = re.compile(r"\s*# ?[a-z_]+ ?[:=].*")
_ESCAPES = {"n": "\n", "r": "\r"}


@dataclass(frozen=True)
class _Mark:
    line: int
    id: str
    type: str
    start: int  # code points of the text, half-open
    end: int


@dataclass
class _Text:
    """The text of a document as it is read, and the marks in it."""

    text: str = ""
    marks: list[_Mark] = field(default_factory=list)
    lines: list[tuple[int, int]] = field(default_factory=list)  # where in the text a line of the file begins
    unclosed: set[str] = field(default_factory=set)  # ids of marks that are known and have no end


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
    meta, lines = _split_header(_numbered(content), report)
    body, below = _split_relations(lines)
    found = _read_body(body, report)
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


_Lines = list[tuple[int, str]]


def word_lines(path: str | Path) -> dict[str, list[int]]:
    """Return the line of each word of a sound file, by document id."""
    report = Problems(Path(path))
    content = read_text(report.path, report) or ""
    document = loads(content, report)
    if document is None:
        return {}
    _, lines = _split_header(_numbered(content), report)
    begins = _read_body(_split_relations(lines)[0], report).lines
    starts = [start for start, _ in begins]
    return {document.id: [begins[bisect_right(starts, word.start) - 1][1] for word in document.words]}


def _numbered(content: str) -> _Lines:
    return [(number, line.removesuffix("\r")) for number, line in enumerate(content.split("\n"), start=1)]


def _split_header(lines: _Lines, report: Problems) -> tuple[dict[str, str], _Lines]:
    meta: dict[str, str] = {}
    for index, (number, line) in enumerate(lines):
        match = _META.fullmatch(line)
        if not match and (line or meta):
            return meta, lines[index:]
        if match and match["key"] in meta:
            report.add(number, f"metadata {match['key']!r} stands twice: keep one")
        if match:
            meta[match["key"]] = match["value"].strip()
    return meta, []


def _split_relations(lines: _Lines) -> tuple[_Lines, _Lines]:
    """Part the text from the relations; empty lines around the text are the writer's, not the text's."""
    ends = [index for index, (_, line) in enumerate(lines) if line.strip() == _END]
    end = ends[0] if ends else len(lines)
    body, below = lines[:end], lines[end + 1 :]
    filled = [index for index, (_, line) in enumerate(body) if line]
    return (body[filled[0] : filled[-1] + 1] if filled else []), below


def _read_body(lines: _Lines, report: Problems) -> _Text:
    found = _Text()
    for index, (number, line) in enumerate(lines):
        if index:
            found.text += "\n"
        found.lines.append((len(found.text), number))
        _read_line(number, line, found, report)
    _check_slips(lines, {mark.id for mark in found.marks}, report)
    return found


def _check_slips(lines: _Lines, ids: Collection[str], report: Problems) -> None:
    """Note lines of text that were surely meant to be something else, and would be read as the article's words."""
    for number, line in lines:
        slip = _is_slip(line, ids)
        if slip:
            report.add(number, f"{line.strip()[:40]!r} is read as text: {slip}, or write a \\ before it")


def _is_slip(line: str, ids: Collection[str]) -> str:
    """Return what a line of text was probably meant to be, and how that is written; nothing for a line of text."""
    cells = line.split()
    if _DASHES.fullmatch(line):
        return "the line above the relations is ---"
    if len(cells) == 3 and cells[0] in ids and cells[2] in ids:
        return "relations stand below a line ---"
    if _LOST_META.fullmatch(line):
        return "metadata lines are # key = value, above the text"
    return ""


def _read_line(number: int, line: str, found: _Text, report: Problems) -> None:
    opened: re.Match[str] | None = None
    start = place = 0
    for token in _TOKEN.finditer(line):
        found.text += line[place : token.start()]
        place = token.end()
        if token["escaped"] is not None:
            found.text += _ESCAPES.get(token["escaped"], token["escaped"]) or "\\"
        elif token["bad"]:
            opens = line[token.start() :][:20]
            report.add(number, f"{opens!r} opens no mark: write [[T1:TYPE words]], or \\[[ for the brackets")
        elif token["close"]:
            if opened is None:
                report.add(
                    number, f"]] after {line[: token.start()][-20:]!r} closes nothing: take it out, or write \\]]"
                )
                continue
            found.marks.append(_Mark(number, opened["id"] or "", opened["type"], start, len(found.text)))
            opened = None
        else:
            if opened is not None:
                report.add(number, f"{token[0]!r} opens inside {opened[0]!r}: close one mark before the next")
            opened, start = token, len(found.text)
    found.text += line[place:]
    if opened is not None:
        report.add(number, f"{opened[0]!r} is not closed on its line: add ]] after its last word")
        found.unclosed.add(opened["id"] or "")


def _entities(
    found: _Text,
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
        if mark.id and not _NAME.fullmatch(mark.id):
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


def _span_problem(mark: _Mark, text: str, split: Sequence[Word], sentences: Sequence[tuple[int, int]]) -> str:
    inside = [index for index, word in enumerate(split) if word.start < mark.end and mark.start < word.end]
    if not inside:
        return "marks no word"
    first, last = split[inside[0]], split[inside[-1]]
    if (first.start, last.end) != (mark.start, mark.end):
        return f"does not begin and end at whole words: mark {text[first.start : last.end]!r}, without outer spaces"
    if not any(start <= inside[0] and inside[-1] < end for start, end in sentences):
        return "crosses a sentence end: a mention stands in one sentence"
    return ""


def _relations(lines: _Lines, found: _Text, report: Problems, schema: Schema | None) -> list[Relation]:
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
    lines += [_marked_text(document, ids), _END]
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
        if not _NAME.fullmatch(name):
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
    if not (_is_slip(line, ids) or (first and _META.fullmatch(line))):
        return line
    start = len(line) - len(line.lstrip())
    return f"{line[:start]}\\{line[start:]}"
