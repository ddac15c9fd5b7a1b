"""The page: whole in one file, safe with any text, and every mistake on it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from marsad.documents import Document, Entity, Relation
from marsad.evaluation import calibration, page
from marsad.evaluation.metrics import evaluate
from marsad.evaluation.page.charts import line_chart
from marsad.schema import Schema
from notation import annotated

HISTORY = [
    {"step": 10, "tag_loss": 1.0, "relation_loss": 2.0},
    {"step": 20, "eval_entities": 0.5, "eval_relations_strict": 0.25},
]


class _Tags(HTMLParser):
    """Collects the start tags of a page and checks that all that must be closed are."""

    VOID = ("meta", "input", "br", "polyline", "circle")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


@pytest.fixture
def gold() -> Document:
    text = "{a:ACTOR فصيل مسلح} ضرب {x:ASSET مخفرا} في {p:LOCATION تلعة} <script>alert(1)</script> & «قال»"
    return annotated(text, "a ATTACKS x", "x ATTACKED_AT p", id="</script><b>", country="سوريا")


def rendered(gold: Document, predicted: Document, schema: Schema, history: Sequence[Mapping[str, float]] = ()) -> str:
    report = evaluate([gold], [predicted], schema, with_gold_entities=[predicted])
    found = calibration.outcomes([gold], [predicted], [predicted])
    return page.render("runs/x", [gold], [predicted], report, schema, outcomes=found, history=history)


def tags(text: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = _Tags()
    parser.feed(text)
    assert parser.open == []
    return parser.seen


def test_the_page_is_whole_and_reaches_for_nothing_outside(gold: Document, schema: Schema) -> None:
    text = rendered(gold, gold, schema, history=HISTORY)
    seen = tags(text)
    html = next(attributes for tag, attributes in seen if tag == "html")
    assert html == {"lang": "ar", "dir": "rtl"}
    assert not [tag for tag, attributes in seen if tag in ("link", "img", "iframe") or "src" in attributes]
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)
    assert text.count('<figure class="chart"') == 3


def test_a_text_cannot_run_as_code(gold: Document, schema: Schema) -> None:
    text = rendered(gold, gold, schema)
    assert "<script>alert" not in text
    assert "</script><b>" not in text
    assert [tag for tag, _ in tags(text)].count("script") == 1


def test_the_text_of_an_article_is_untouched(gold: Document, schema: Schema) -> None:
    shown: list[str] = []

    class Text(HTMLParser):
        inside = False

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.inside = self.inside or dict(attrs).get("class") == "text"

        def handle_endtag(self, tag: str) -> None:
            self.inside = self.inside and tag != "p"

        def handle_data(self, data: str) -> None:
            if self.inside:
                shown.append(data)

    Text().feed(rendered(gold, gold, schema))
    assert "".join(shown).split("\n")[1].strip() == gold.text


def test_every_mistake_stands_where_it_is(gold: Document, schema: Schema) -> None:
    entities = [replace(gold.entities[0], start=1), gold.entities[1], Entity("LOCATION", 5, 6, 0.7)]
    predicted = replace(gold, entities=entities, relations=[Relation("ATTACKED_AT", 1, 2, 0.6)])
    seen = tags(rendered(gold, predicted, schema))
    marks = [attributes.get("data-kind") for tag, attributes in seen if tag == "mark"]
    arcs = [attributes.get("data-kind") for tag, attributes in seen if tag == "li"]
    assert marks == ["entity-boundary", None, None, "entity-boundary", None, None]
    assert arcs == ["relation-entity_lost", None, None]
    (article,) = (attributes for tag, attributes in seen if tag == "details")
    assert (article["data-mistakes"], article["data-kinds"]) == ("2", "entity-boundary relation-entity_lost")


def test_worse_articles_stand_first(gold: Document, schema: Schema) -> None:
    other = replace(gold, id="worse")
    report = evaluate([gold, other], [gold, other.without_annotations()], schema)
    predicted = [gold, other.without_annotations()]
    text = page.render("x", [gold, other], predicted, report, schema, outcomes={})
    assert [attributes["data-id"] for tag, attributes in tags(text) if tag == "details"] == ["worse", "</script><b>"]


def test_an_article_in_which_nothing_is_there_and_nothing_was_said_is_right(schema: Schema) -> None:
    nothing = annotated("وصل الوفد مساء", id="nothing")
    text = rendered(nothing, nothing, schema)
    (article,) = (attributes for tag, attributes in tags(text) if tag == "details")
    assert article["data-f1"] == "1.0000"
    assert "F1 entities –" in text


def test_no_points_make_no_chart() -> None:
    assert line_chart({"loss": []}, x_title="update", y_title="loss") == ""
    assert line_chart({"loss": [(0, 0.0)]}, x_title="update", y_title="loss").count("<circle") == 1
