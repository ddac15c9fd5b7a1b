"""Exchanged names: the sentence stays, the names change places, and everything still slices."""

from collections import Counter

import pytest

from marsad import Document
from marsad.clitics import join_clitic, split_clitic
from marsad.training.exchange import exchange, exchanged_copies
from notation import annotated

WORDS = "الجيش الحركة حماس المسلحين الشرطة فصائل وحدة وحدة حدة لبنان"
COUNTS = Counter(WORDS.split())


def _surfaces(document: Document) -> list[str]:
    return [document.surface(entity) for entity in document.entities]


@pytest.mark.parametrize(
    ("word", "clitic", "bare"),
    [
        ("والجيش", "و", "الجيش"),
        ("للجيش", "ل", "الجيش"),
        ("وللشرطة", "ول", "الشرطة"),
        ("وفصائل", "و", "فصائل"),
        ("فصائل", "", "فصائل"),  # its first letter is its own
        ("للبنان", "ل", "لبنان"),
        ("وللبنان", "ول", "لبنان"),
        ("لوالجيش", "", "لوالجيش"),  # a preposition before a conjunction is none
        ("وزارة", "", "وزارة"),
        ("وحدة", "", "وحدة"),  # more often than «حدة»
        ("و", "", "و"),
        ("ل", "", "ل"),
    ],
)
def test_a_clitic_is_a_letter_before_a_known_word(word: str, clitic: str, bare: str) -> None:
    assert split_clitic(word, COUNTS) == (clitic, bare)
    assert join_clitic(clitic, bare) == word


def test_names_change_places_and_clitics_stay() -> None:
    document = annotated(
        "وقصفت {a:ACTOR حماس} مواقع {b:ACTOR للجيش التركي} قرب {c:LOCATION تل الريح} .\n{d:ACTOR والشرطة} تحقق .",
        "a ATTACKS b",
        "b ATTACKED_AT c",
    )
    new = exchange(document, [(0, 1)], COUNTS)
    assert new.text == "وقصفت الجيش التركي مواقع لحماس قرب تل الريح .\nوالشرطة تحقق ."
    assert _surfaces(new) == ["الجيش التركي", "لحماس", "تل الريح", "والشرطة"]
    assert new.relations == document.relations
    assert [new.sentence_text(index) for index in range(2)] == new.text.split("\n")


def test_exchanged_twice_is_the_text_it_was() -> None:
    document = annotated("  {a:ACTOR الجيش  «الحر»} ثم {b:ACTOR المسلحين} ! ", "a ATTACKS b")
    new = exchange(document, [(0, 1)], COUNTS)
    assert new.text == "  المسلحين ثم الجيش  «الحر» ! "
    assert exchange(new, [(0, 1)], COUNTS) == document


def test_copies_are_of_what_has_two_mentions_of_one_type_in_one_sentence() -> None:
    parties = annotated("{a:ACTOR الجيش} هاجم {b:ACTOR الحركة}", "a ATTACKS b", id="parties")
    others = [
        annotated("{a:ACTOR الجيش} هاجم {b:ASSET الحاجز}", "a ATTACKS b", id="types"),
        annotated("{a:ACTOR الجيش} هاجم .\nثم {b:ACTOR الحركة}", "a ATTACKS b", id="sentences"),
        annotated("{a:ACTOR الجيش} يتبع {b:ACTOR الحركة}", "a AFFILIATED_WITH b", id="relation"),
        annotated("لا شيء", id="nothing"),
    ]
    copies = exchanged_copies([parties, *others], ["ATTACKS"], share=1.0, seed=1)
    assert [(copy.id, copy.text) for copy in copies] == [("parties-exchanged", "الحركة هاجم الجيش")]


def test_a_mention_changes_places_once() -> None:
    document = annotated(
        "{a:ACTOR الجيش} هاجم {b:ACTOR الحركة} و {c:ACTOR الشرطة}", "a ATTACKS b", "a ATTACKS c", "b ATTACKS c"
    )
    for seed in range(5):
        (copy,) = exchanged_copies([document], ["ATTACKS"], share=1.0, seed=seed)
        assert sorted(_surfaces(copy)) == sorted(_surfaces(document))
        assert sum(new != old for new, old in zip(_surfaces(copy), _surfaces(document), strict=True)) == 2


def test_the_share_and_the_seed_choose_the_articles() -> None:
    articles = [
        annotated("{a:ACTOR الجيش} هاجم {b:ACTOR الحركة}", "a ATTACKS b", id=str(number)) for number in range(20)
    ]
    chosen = exchanged_copies(articles, ["ATTACKS"], share=0.5, seed=1)
    assert len(chosen) == 10
    assert chosen == exchanged_copies(articles, ["ATTACKS"], share=0.5, seed=1)
    assert chosen != exchanged_copies(articles, ["ATTACKS"], share=0.5, seed=2)
    assert exchanged_copies(articles, ["ATTACKS"], share=0, seed=1) == []
