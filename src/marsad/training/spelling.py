"""Copies of annotated articles as hurried people write: orthographic noise, annotations kept.

Posts leave out hamzas («الامن»), write «ه» for «ة» and «ى» for «ي», mix digits and marks, and now and then vowel a
word; newspapers of some countries do some of it by rule. Each copy does some of it throughout, as one writer would.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

from marsad.documents import Document, Word

_WITHOUT_HAMZA = str.maketrans("أإآؤئ", "اااوي")
_FINAL = {"ى": "ي", "ي": "ى", "ة": "ه", "ه": "ة"}
_OTHER_DIGITS = str.maketrans("0123456789٠١٢٣٤٥٦٧٨٩", "٠١٢٣٤٥٦٧٨٩0123456789")
_OTHER_MARKS = {"،": ",", "؛": ";", "؟": "?", "«": '"', "»": '"', '"': "«"}
_VOWELS = "ًٌٍَُِّ"
_LETTERS = ("ء", "ي")

# How often a writer has a habit, and for those that come and go, how often it shows.
_HAMZA_HABIT, _FINAL_HABIT, _DIGIT_HABIT, _VOWEL_HABIT = 0.7, 0.3, 0.5, 0.2
_VOWELLED_LETTERS, _CHANGED_MARKS = 0.2, 0.3


def respelt_copies(documents: Sequence[Document], *, share: float, seed: int) -> list[Document]:
    """Return carelessly spelt copies of a `share` (0 to 1) of the documents.

    Words stay words and keep their tags; the text and its offsets are new. The same seed gives the same copies; ids end
    in `-respelt`.
    """
    rng = random.Random(seed)
    return [
        replace(respelt(document, rng), id=f"{document.id}-respelt")
        for document in rng.sample(list(documents), round(share * len(documents)))
    ]


def respelt(document: Document, rng: random.Random) -> Document:
    """Return the document in the spelling of a writer drawn by `rng`."""
    spell = _writer(rng)
    text, words, end = "", [], 0
    for word in document.words:
        form = spell(word.text)
        text += document.text[end : word.start]
        words.append(Word(form, len(text), len(text) + len(form)))
        text, end = text + form, word.end
    return replace(document, text=text + document.text[end:], words=words, events=())


def _writer(rng: random.Random) -> Callable[[str], str]:
    """Return how someone with some of the habits spells a word."""
    hamza, final = rng.random() < _HAMZA_HABIT, rng.random() < _FINAL_HABIT
    digits, vowels = rng.random() < _DIGIT_HABIT, rng.random() < _VOWEL_HABIT

    def spell(word: str) -> str:
        if word in _OTHER_MARKS:
            return _OTHER_MARKS[word] if rng.random() < _CHANGED_MARKS else word
        form = word.translate(_WITHOUT_HAMZA) if hamza else word
        if final and len(form) > 2 and form[-1] in _FINAL:
            form = form[:-1] + _FINAL[form[-1]]
        form = form.translate(_OTHER_DIGITS) if digits else form
        return "".join(each + _vowel(each, rng) for each in form) if vowels else form

    return spell


def _vowel(letter: str, rng: random.Random) -> str:
    is_letter = _LETTERS[0] <= letter <= _LETTERS[1]
    return rng.choice(_VOWELS) if is_letter and rng.random() < _VOWELLED_LETTERS else ""
