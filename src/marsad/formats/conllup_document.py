"""The lines of one document of a CoNLL-U Plus file, made into a `Document`, every problem noted by line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from marsad.documents import Document, Entity, Relation, Word
from marsad.errors import AnnotationError
from marsad.formats.conllup_spaces import unescape_spaces
from marsad.formats.problems import Problems
from marsad.schema import Schema

COLUMNS = ("ID", "FORM", "NER", "ENTITY", "RELATION", "MISC")
_COMMENT = re.compile(r"#\s*(?P<key>[\w.:-]+(?: id)?)(?:\s*=\s?(?P<value>.*))?$")


@dataclass
class DocumentLines:
    """The numbered lines of one document, as they stand in the file."""

    id: str
    columns: tuple[str, ...]
    line: int
    lines: list[tuple[int, str]] = field(default_factory=list)


@dataclass
class _Row:
    line: int
    id: str
    form: str
    ner: str
    entity: str
    relation: str
    misc: dict[str, str]


@dataclass
class _Sentence:
    line: int
    rows: list[_Row] = field(default_factory=list)
    text: str | None = None
    text_line: int = 0
    newpar: bool = False
    last_id: int = 0
    broken: bool = False


@dataclass
class _Mention:
    line: int
    id: str
    type: str
    start: int
    end: int
    links: str
    misc: dict[str, str]


def build_document(part: DocumentLines, report: Problems, schema: Schema | None) -> Document | None:
    """Return the document of these lines, or None after adding what is wrong with them to `report`."""
    before = len(report.found)
    sentences, meta, spaces = _parse(part, report)
    sentences = _with_tokens(sentences, report)
    text, words, ranges = _rebuild(sentences, report)
    rows = [row for sentence in sentences for row in sentence.rows]
    breaks = {start for start, _ in ranges}
    mentions = _mentions(rows, breaks, report, schema)
    entities = [_entity(mention, report) for mention in mentions]
    relations = _relations(mentions, report, schema)
    if len(report.found) > before:
        return None
    try:
        return Document(part.id, text or spaces, words, ranges, entities, relations, meta=meta)
    except AnnotationError as error:
        report.add(part.line, str(error))
        return None


def _parse(part: DocumentLines, report: Problems) -> tuple[list[_Sentence], dict[str, str], str]:
    sentences: list[_Sentence] = []
    meta: dict[str, str] = {}
    spaces = ""
    current: _Sentence | None = None
    newpar = False
    for line, content in part.lines:
        if not content.strip():
            current = None
            continue
        if content.startswith("#"):
            match = _COMMENT.match(content)
            key, value = (match["key"], match["value"]) if match else ("", None)
            if key in ("newpar", "newpar id"):
                newpar, current = True, None
            elif key in ("sent_id", "text"):
                if current is None or current.rows:
                    current = _Sentence(line, newpar=newpar)
                    newpar = False
                    sentences.append(current)
                if key == "text":
                    current.text, current.text_line = value or "", line
            elif key == "spaces":
                spaces = unescape_spaces(value or "")
            elif match and value is not None and not sentences and not newpar:
                meta[key] = value.strip()
            continue
        if current is None:
            current = _Sentence(line, newpar=newpar)
            newpar = False
            sentences.append(current)
        _add_row(current, _row(line, content, part.columns, report), report)
    return sentences, meta, spaces


def _with_tokens(sentences: list[_Sentence], report: Problems) -> list[_Sentence]:
    for sentence in sentences:
        if sentence.text and not sentence.rows and not sentence.broken:
            report.add(sentence.text_line, "# text has no tokens below it: add them or remove the line")
    return [sentence for sentence in sentences if sentence.rows]


def _add_row(sentence: _Sentence, row: _Row | None, report: Problems) -> None:
    """Add a row; of one that could not be read, remember that its place in the sentence is taken."""
    sentence.last_id += 1
    if row is None:
        sentence.broken = True
        return
    _check_id(row, sentence.last_id, report)
    if row.id.isdecimal():
        sentence.last_id = int(row.id)  # one wrong id is one problem, not one on every line below
    sentence.rows.append(row)


def _row(line: int, content: str, columns: tuple[str, ...], report: Problems) -> _Row | None:
    cells = content.split("\t")
    if len(cells) != len(columns):
        hint = " (columns are parted by one tab, not by spaces)" if len(cells) == 1 else ""
        report.add(line, f"{len(cells)} columns, expected {len(columns)}: {' '.join(columns)}{hint}")
        return None
    cell = dict(zip(columns, cells, strict=True))
    form = cell["FORM"]
    if not form or any(character.isspace() for character in form):
        report.add(line, f"the form is {form!r}: a token is a word without white space")
        return None
    misc = dict(entry.partition("=")[::2] for entry in cell.get("MISC", "_").split("|") if "=" in entry)
    return _Row(line, cell.get("ID", ""), form, cell["NER"], cell.get("ENTITY", "_"), cell.get("RELATION", "_"), misc)


def _check_id(row: _Row, expected: int, report: Problems) -> None:
    if row.id and row.id != str(expected):
        report.add(row.line, f"token id is {row.id!r}, expected {expected}: ids count from 1 in each sentence")


def _rebuild(sentences: list[_Sentence], report: Problems) -> tuple[str, list[Word], list[tuple[int, int]]]:
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


def _spaces_after(row: _Row, position: int, index: int, sentences: list[_Sentence]) -> str:
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


def _mentions(rows: list[_Row], breaks: set[int], report: Problems, schema: Schema | None) -> list[_Mention]:
    mentions: list[_Mention] = []
    current: _Mention | None = None
    for index, row in enumerate(rows):
        prefix, _, kind = row.ner.partition("-")
        current = _continued(current, row, prefix, kind, index in breaks, report)
        if prefix == "B" and kind:
            if schema and kind not in schema.entities:
                report.add(row.line, f"entity type {kind!r} is not in the schema ({', '.join(schema.entities)})")
            current = _Mention(row.line, row.entity, kind, index, index + 1, row.relation, row.misc)
            mentions.append(current)
        elif current is not None:
            current.end = index + 1
        elif row.ner != "O" and not (prefix == "I" and kind):
            report.add(row.line, f"tag {row.ner!r} is not IOB2: expected O, B-TYPE or I-TYPE")
        _check_cells(row, current, prefix, report)
    _check_ids(mentions, rows, report)
    return mentions


def _continued(
    current: _Mention | None, row: _Row, prefix: str, kind: str, new_sentence: bool, report: Problems
) -> _Mention | None:
    """Return the mention that this row goes on with, if any; note an I- tag that goes on with nothing."""
    if prefix != "I" or not kind:
        return None
    if current is None or current.type != kind or new_sentence:
        why = "a sentence begins here" if new_sentence else f"the tag before is not B-{kind} or I-{kind}"
        report.add(row.line, f"{row.ner} on {row.form!r} continues nothing ({why}): an entity starts with B-{kind}")
        return None
    return current


def _check_cells(row: _Row, current: _Mention | None, prefix: str, report: Problems) -> None:
    if row.ner == "O" and row.entity != "_":
        report.add(
            row.line, f"id {row.entity} stands on {row.form!r}, which is outside any entity (O): clear it or tag it"
        )
    if prefix == "I" and current is not None and row.entity != current.id:
        report.add(row.line, f"{row.form!r} is inside entity {current.id} but carries id {row.entity}: use one id")
    if prefix != "B" and row.relation != "_":
        report.add(row.line, f"relation {row.relation} stands on {row.form!r}: it belongs on an entity's first token")


def _check_ids(mentions: list[_Mention], rows: list[_Row], report: Problems) -> None:
    numbered = any(row.entity != "_" for row in rows)
    seen: dict[str, _Mention] = {}
    for mention in mentions:
        if mention.id == "_":
            if numbered or mention.links != "_":
                report.add(mention.line, f"entity {mention.type} has no id: give it one that is unique in the document")
        elif mention.id in seen:
            report.add(
                mention.line, f"id {mention.id} is used twice, first on line {seen[mention.id].line}: choose another"
            )
        seen.setdefault(mention.id, mention)


def _entity(mention: _Mention, report: Problems) -> Entity:
    name = "" if mention.id == "_" else mention.id
    return Entity(
        mention.type, mention.start, mention.end, _score(mention.misc.get("Score", "1"), mention, report), name
    )


def _score(cell: str, mention: _Mention, report: Problems) -> float:
    try:
        score = float(cell)
    except ValueError:
        score = -1.0
    if not 0 <= score <= 1:
        report.add(mention.line, f"score {cell!r} is not a number from 0 to 1")
        return 1.0
    return score


def _relations(mentions: list[_Mention], report: Problems, schema: Schema | None) -> list[Relation]:
    index = {mention.id: position for position, mention in enumerate(mentions)}
    relations: dict[tuple[str, int, int], Relation] = {}
    for head, mention in enumerate(mentions):
        if mention.links == "_":
            continue
        links = mention.links.split("|")
        scores = mention.misc.get("RelationScores", ",".join(["1"] * len(links))).split(",")
        if len(scores) != len(links):
            report.add(mention.line, f"{len(scores)} relation scores for {len(links)} relations: one each")
            scores = ["1"] * len(links)
        for link, score in zip(links, scores, strict=True):
            kind, _, target = link.partition(":")
            tail = index.get(target)
            problem = _link_problem(link, kind, target, mention, None if tail is None else mentions[tail], schema)
            if problem is None and (kind, head, tail) in relations:
                problem = f"relation {link} stands twice on {mention.id}: remove one"
            if problem is not None:
                report.add(mention.line, problem)
            elif tail is not None:
                relations[kind, head, tail] = Relation(kind, head, tail, _score(score, mention, report))
    return list(relations.values())


def _link_problem(
    link: str, kind: str, target: str, head: _Mention, tail: _Mention | None, schema: Schema | None
) -> str | None:
    if not kind or not target:
        return f"relation {link!r} is not of the form TYPE:Tn"
    if tail is None or target == "_":
        return f"relation {link} points to {target}, which is on no token of this document"
    if tail is head:
        return f"relation {link} joins {target} to itself"
    return _schema_problem(kind, head, tail, schema) if schema else None


def _schema_problem(kind: str, head: _Mention, tail: _Mention, schema: Schema) -> str | None:
    if kind not in schema.relations:
        return f"relation type {kind!r} is not in the schema ({', '.join(schema.relations)})"
    if not schema.allows(kind, head.type, tail.type):
        rule = schema.relations[kind]
        return (
            f"{kind} cannot go from {head.type} ({head.id}) to {tail.type} ({tail.id}): "
            f"the schema allows {'/'.join(rule.head)} -> {'/'.join(rule.tail)}"
        )
    return None
