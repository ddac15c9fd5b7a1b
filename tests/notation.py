"""The smallest notation that shows a case: `annotated("{a:ACTOR الجيش} هاجم {b:ASSET نقطة}", "a ATTACKS b")`."""

import re

from marsad import words
from marsad.documents import Document, Entity, Relation

_MARK = re.compile(r"\{(?P<name>\w+):(?P<type>\w+) (?P<text>[^}]*)\}")


def annotated(marked: str, *relations: str, id: str = "d", **meta: str) -> Document:
    """Return the document that the marks in a text describe; each relation is `HEAD TYPE TAIL`."""
    text, spans, end = "", {}, 0
    for match in _MARK.finditer(marked):
        text += marked[end : match.start()]
        spans[match["name"]] = (match["type"], len(text), len(text) + len(match["text"]))
        text += match["text"]
        end = match.end()
    text += marked[end:]
    split = words.split(text)
    starts = {word.start: index for index, word in enumerate(split)}
    ends = {word.end: index + 1 for index, word in enumerate(split)}
    entities = [Entity(kind, starts[start], ends[stop]) for kind, start, stop in spans.values()]
    place = {name: index for index, name in enumerate(spans)}
    related = [Relation(kind, place[head], place[tail]) for head, kind, tail in map(str.split, relations)]
    return Document(id, text, split, words.sentences(text, split), entities, related, meta=meta)
