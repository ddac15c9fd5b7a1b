"""A document as a piece of HTML for a notebook: its text right to left with its mentions marked, and its incidents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from marsad.documents import Document, Entity, Event

_GOLDEN_ANGLE = 137.508  # hues of successive numbers lie far apart
_ISOLATED = "\u2068{}\u2069"  # a mention keeps its own direction: between Latin names an arrow would turn round


def to_html(document: Document) -> str:
    """Return `document` as HTML in one element; what it says is escaped, and its text is there to the letter.

    Each mention carries its type; a pointer over it shows its score. Incidents, or relations where there are no
    incidents, stand below with the sentences they were read from.
    """
    below = [_event(document, each) for each in document.events] or [_relations(document)]
    return (
        '<div dir="rtl" style="text-align: right; line-height: 2.1; color: #1d2733; background: #fff; padding: .6em">'
        f'<div style="white-space: pre-wrap">{"".join(_marked(document))}</div>{"".join(below)}</div>'
    )


def _marked(document: Document) -> Iterator[str]:
    place = 0
    for entity in sorted(document.entities, key=lambda each: each.start):
        start, end = document.words[entity.start].start, document.words[entity.end - 1].end
        yield escape(document.text[place:start])
        yield _mark(document, entity)
        place = end
    yield escape(document.text[place:])


def _mark(document: Document, entity: Entity) -> str:
    hue = sorted({each.type for each in document.entities}).index(entity.type) * _GOLDEN_ANGLE % 360
    return (
        f'<mark title="{escape(entity.type)} {entity.score:.2f}" style="background: hsl({hue:.0f}, 70%, 86%); '
        f'color: inherit; padding: .1em .25em; border-radius: .25em">{escape(document.surface(entity))}'
        f'<small dir="ltr" style="color: #5b6875; font: 65% sans-serif; margin-inline-start: .4em">'
        f"{escape(entity.type)}</small></mark>"
    )


def _isolated(document: Document, index: int) -> str:
    return _ISOLATED.format(document.surface(document.entities[index]))


def _event(document: Document, event: Event) -> str:
    rows = [
        (role, " | ".join(_isolated(document, index) for index in fillers))
        for role, fillers in event.roles.items()
        if fillers
    ]
    return _box(rows, [document.sentence_text(index) for index in event.evidence], event.score)


def _relations(document: Document) -> str:
    rows = []
    for each in document.relations:
        head, tail = (_isolated(document, index) for index in (each.head, each.tail))
        rows.append((f"{each.type} {each.score:.2f}", f"{head} \N{LEFTWARDS ARROW} {tail}"))
    return _box(rows, [], None) if rows else ""


def _box(rows: Iterable[tuple[str, str]], sentences: Iterable[str], score: float | None) -> str:
    lines = "".join(
        f'<tr><th dir="ltr" style="font: 80% sans-serif; color: #5b6875; text-align: right">{escape(name)}</th>'
        f'<td style="text-align: right">{escape(value)}</td></tr>'
        for name, value in rows
    )
    quotes = "".join(f'<div style="color: #5b6875">{escape(each)}</div>' for each in sentences)
    shown = "" if score is None else f'<small dir="ltr" style="font: 80% sans-serif">{score:.2f}</small>'
    return (
        '<div style="border: 1px solid #d5dae0; border-radius: .4em; margin: .5em 0; padding: .3em .8em">'
        f'{quotes}<table style="direction: rtl; background: none">{lines}</table>{shown}</div>'
    )
