"""What a notebook shows of a document."""

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

from marsad import Document
from marsad.documents import Event
from notation import annotated


class _Text(HTMLParser):
    """The text of the first block, without the small print."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.marks: list[str] = []
        self.all = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag == "mark":
            self.marks.append(dict(attrs)["title"] or "")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "small" not in self.open:
            self.all += data


def _read(document: Document) -> _Text:
    shown = _Text()
    shown.feed(document._repr_html_())
    assert not shown.open
    return shown


ARTICLE = annotated("{a:ACTOR قوات الحكومة} قصفت {b:LOCATION بلدة الزهراء} أمس .", "a ATTACKS b", id="shown")


def test_the_text_stands_right_to_left_with_its_mentions_marked() -> None:
    shown = _read(ARTICLE)
    assert shown.all.startswith(ARTICLE.text)
    assert [title.split()[0] for title in shown.marks] == ["ACTOR", "LOCATION"]
    assert ARTICLE._repr_html_().startswith('<div dir="rtl"')


def test_an_incident_shows_the_sentence_it_was_read_from() -> None:
    event = Event({"attacker": (0,), "place": (1,)}, score=0.75, evidence=(0,))
    html = unescape(replace(ARTICLE, events=(event,))._repr_html_())
    incident = html[html.index("border: 1px") :]
    assert ARTICLE.sentence_text(0) in incident
    assert re.search(r">attacker</th><td[^>]*>\u2068قوات الحكومة\u2069<", incident)
    assert "0.75" in incident


def test_without_incidents_the_relations_are_shown() -> None:
    assert re.search(
        r"ATTACKS 1\.00</th><td[^>]*>\u2068قوات الحكومة\u2069 ← \u2068بلدة الزهراء\u2069<",
        unescape(ARTICLE._repr_html_()),
    )


def test_text_cannot_become_markup() -> None:
    document = annotated("{a:ACTOR <script>} & <b>", id="<i>")
    assert "<script>" not in document._repr_html_()
    assert _read(document).all.startswith(document.text)


def test_an_empty_document_is_shown_as_nothing() -> None:
    assert _read(Document("empty", "", ())).all == ""
