"""The NER, ENTITY and RELATION cells of a document, made into entities and relations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from marsad.documents import Entity, Relation
from marsad.formats.conllup.rows import Row
from marsad.formats.problems import Problems, relation_problem
from marsad.schema import Schema


@dataclass
class _Mention:
    line: int
    id: str
    type: str
    start: int
    end: int
    links: str
    misc: dict[str, str]


def read_annotations(
    rows: Sequence[Row], sentence_starts: set[int], report: Problems, schema: Schema | None
) -> tuple[list[Entity], list[Relation]]:
    """Return what the cells of all rows annotate; what contradicts itself or the schema goes to `report`."""
    mentions = _mentions(rows, sentence_starts, report, schema)
    return [_entity(mention, report) for mention in mentions], _relations(mentions, report, schema)


def _mentions(rows: Sequence[Row], breaks: set[int], report: Problems, schema: Schema | None) -> list[_Mention]:
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
    current: _Mention | None, row: Row, prefix: str, kind: str, new_sentence: bool, report: Problems
) -> _Mention | None:
    """Return the mention that this row goes on with, if any; note an I- tag that goes on with nothing."""
    if prefix != "I" or not kind:
        return None
    if current is None or current.type != kind or new_sentence:
        why = "a sentence begins here" if new_sentence else f"the tag before is not B-{kind} or I-{kind}"
        report.add(row.line, f"{row.ner} on {row.form!r} continues nothing ({why}): an entity starts with B-{kind}")
        return None
    return current


def _check_cells(row: Row, current: _Mention | None, prefix: str, report: Problems) -> None:
    if row.ner == "O" and row.entity != "_":
        report.add(
            row.line, f"id {row.entity} stands on {row.form!r}, which is outside any entity (O): clear it or tag it"
        )
    if prefix == "I" and current is not None and current.id not in (row.entity, "_"):
        report.add(row.line, f"{row.form!r} is inside entity {current.id} but carries id {row.entity}: use one id")
    if prefix != "B" and row.relation != "_":
        report.add(row.line, f"relation {row.relation} stands on {row.form!r}: it belongs on an entity's first token")


def _check_ids(mentions: list[_Mention], rows: Sequence[Row], report: Problems) -> None:
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
    return relation_problem(kind, (head.id, head.type), (tail.id, tail.type), schema)
