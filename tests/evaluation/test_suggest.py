"""What to annotate next: doubt counts, likeness and length discount it, rare types weigh more."""

import json
from dataclasses import asdict, replace

from marsad.documents import Document
from marsad.evaluation.suggest import new_reports, rank
from notation import annotated

SURE = annotated("{a:ACTOR الجيش} قصف {b:LOCATION البلدة} ليلا", "a ATTACKS b", id="sure")


def doubtful(document: Document, score: float, id: str = "doubtful") -> Document:
    entities = [replace(each, score=score) for each in document.entities]
    return replace(document, id=id, entities=entities)


def order(pool: list[Document], annotated: list[Document] | None = None) -> list[str]:
    return [pool[each.position].id for each in rank(pool, annotated or [])]


def test_what_the_model_doubts_comes_first() -> None:
    half, most = doubtful(SURE, 0.5, "half"), doubtful(SURE, 0.8, "most")
    assert order([SURE, most, half]) == ["half", "most", "sure"]
    assert rank([SURE])[0].worth == 0
    record = json.loads(json.dumps(asdict(rank([half])[0])))
    assert record["unsure"] == {"ACTOR": 1, "LOCATION": 1}


def test_a_longer_report_with_the_same_doubts_comes_later() -> None:
    short = doubtful(SURE, 0.5, "short")
    long = doubtful(annotated("{a:ACTOR الجيش} قصف {b:LOCATION البلدة} ليلا " + "ثم عاد " * 20, id="long"), 0.5, "long")
    assert order([long, short]) == ["short", "long"]


def test_a_second_telling_comes_after_something_else() -> None:
    other = doubtful(annotated("سقطت {a:WEAPON قذيفة} قرب {b:ASSET مدرسة} صباحا"), 0.6, "other")
    first, second = doubtful(SURE, 0.5, "first"), doubtful(SURE, 0.5, "second")
    assert order([first, second, other]) == ["first", "other", "second"]


def test_what_is_like_an_annotated_article_is_worth_less() -> None:
    other = doubtful(annotated("سقطت {a:ACTOR قذيفة} قرب {b:LOCATION مدرسة} صباحا"), 0.6, "other")
    pool = [doubtful(SURE, 0.5, "known"), other]
    assert order(pool) == ["known", "other"]
    assert order(pool, [SURE]) == ["other", "known"]


def test_rare_types_weigh_more() -> None:
    common = doubtful(annotated("وصل {a:ACTOR الوفد} مساء"), 0.5, "common")
    rare = doubtful(annotated("سقطت {a:WEAPON قذيفة} صباحا"), 0.5, "rare")
    many = annotated(" ".join(f"{{a{n}:ACTOR فصيل}} تحرك" for n in range(9)) + " {w:WEAPON بالمدفع} و {d:DATE أمس}")
    assert order([common, rare], [many]) == ["rare", "common"]


def test_an_empty_pool_gives_nothing_and_count_bounds_the_list() -> None:
    assert rank([]) == []
    assert len(rank([SURE, doubtful(SURE, 0.5)], count=1)) == 1


def test_what_is_annotated_already_or_twice_in_the_pool_is_left_out() -> None:
    other = annotated("وصل {a:ACTOR الوفد} مساء", id="other")
    pool = [replace(SURE, id="copy"), other, replace(other, id="twice")]
    assert [each.id for each in new_reports(pool, [SURE])] == ["other"]
