"""Any string is ordinary input: strings over Arabic letters, marks, controls, digits, Latin and emoji, and what must
hold of each. The tests use 2,000, `benchmarks/strings.py` as many as it is told."""

import random
from collections.abc import Iterator

from marsad.documents import Document, Word

ALPHABET = (
    "ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأإؤئةىپچڤگکی"
    "\u064b\u064c\u064e\u0650\u0651\u0652\u0670\u0640\u0615\u06dd\u08d3"
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u2066\u2069\u061c\ufeff\u00ad\u0000\u0007\u001b\u0085"
    "0123456789٠١٢٣٤٥٦٧٨٩۰۱abcXYZéß«»“”‘’\"'.,،؛؟!?:;()[]{}…–-_#@%/\\|+=<>~^`$€"
    "\U0001f534\U0001f3fd\u2b50\ufe0f\U0001f1f8\U0001f1fe\U0001f468\U0001f469\u20e3\u2764ﷲﷺﻻﺍﭐ"
    "    \t\n\r\u00a0\u2028\u3000\u001e"
)


def generate(count: int, seed: int) -> Iterator[str]:
    """Yield `count` strings of up to 60 characters."""
    rng = random.Random(seed)
    for _ in range(count):
        yield "".join(rng.choices(ALPHABET, k=rng.randint(0, 60)))


def check_words(text: str, found: list[Word]) -> None:
    """Assert that the words are in order, disjoint, and cover every character that is not white space."""
    covered = [place for word in found for place in range(word.start, word.end)]
    assert covered == [place for place, character in enumerate(text) if not character.isspace()], repr(text)
    assert all(word.text == text[word.start : word.end] for word in found), repr(text)


def check_prediction(text: str, document: Document) -> None:
    """Assert that the text is untouched, every word is in one entity at most, and every mention slices the text."""
    assert document.text == text
    check_words(text, list(document.words))
    tagged = [word for entity in document.entities for word in range(entity.start, entity.end)]
    assert len(tagged) == len(set(tagged))
    for record in document.to_dict()["entities"]:
        assert text[record["start"] : record["end"]] == record["text"]
