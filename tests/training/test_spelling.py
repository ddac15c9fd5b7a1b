"""Copies in careless spelling."""

import random
import unicodedata

from marsad import Document
from marsad.training.spelling import respelt, respelt_copies
from notation import annotated

ARTICLE = annotated(
    "قال «{a:ACTOR أهالي القرية}» إن {b:ACTOR الجيش الأول} قصف {c:LOCATION مدرسة المنى} بـ12 قذيفة، مساء الأحد.",
    "b ATTACKS c",
    id="spelt",
)


def _copies(count: int) -> list[Document]:
    return [respelt(ARTICLE, random.Random(seed)) for seed in range(count)]


def test_words_and_annotations_stay_where_they_were() -> None:
    for copy in _copies(40):
        assert (copy.entities, copy.relations, copy.sentences) == (
            ARTICLE.entities,
            ARTICLE.relations,
            ARTICLE.sentences,
        )
        assert [word.text for word in copy.words] == [copy.text[word.start : word.end] for word in copy.words]
        gaps = [copy.text[one.end : two.start] for one, two in zip(copy.words, copy.words[1:], strict=False)]
        assert gaps == [
            ARTICLE.text[one.end : two.start] for one, two in zip(ARTICLE.words, ARTICLE.words[1:], strict=False)
        ]


def test_a_copy_reads_alike_but_for_how_hurried_people_write() -> None:
    same = str.maketrans("أإآؤئىة٠١٢٣٤٥٦٧٨٩،؛؟«»", 'اااوييه0123456789,;?""')

    def plain(text: str) -> str:
        return "".join(each for each in text if not unicodedata.combining(each)).translate(same)

    copies = _copies(40)
    assert {plain(copy.text) for copy in copies} == {plain(ARTICLE.text)}
    together = " ".join(copy.text for copy in copies)
    for form in ("اهالي", "القريه", "المني", "١٢", ",", "اً"[1:]):
        assert form in together, form


def test_so_many_are_copied_and_the_same_for_a_seed() -> None:
    documents = [annotated(f"قصف {{a:ACTOR الجيش}} البلدة {number} .", id=str(number)) for number in range(10)]
    copies = respelt_copies(documents, share=0.3, seed=5)
    assert len(copies) == 3 and all(copy.id.endswith("-respelt") for copy in copies)
    assert [copy.text for copy in copies] == [copy.text for copy in respelt_copies(documents, share=0.3, seed=5)]
    assert respelt_copies(documents, share=0.0, seed=5) == []
