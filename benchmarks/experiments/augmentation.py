"""Changed copies of training articles that were tried: other names of the same type, and careless spelling."""

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from marsad.documents import Document, Word
from marsad.training.exchange import rename

_HAMZA = str.maketrans("أإآؤئ", "اااوي")
_FINAL = {"ى": "ي", "ي": "ى", "ة": "ه", "ه": "ة"}
_DIGITS = str.maketrans("0123456789٠١٢٣٤٥٦٧٨٩", "٠١٢٣٤٥٦٧٨٩0123456789")
_VOWELS = "ًٌٍَُِّ"
_MARKS = {"،": ",", "؛": ";", "؟": "?", "«": '"', "»": '"', '"': "«"}
SHARE = 0.5  # of the articles that are copied, and of the mentions renamed in a copy


def other_names(documents: Sequence[Document], seed: int) -> list[Document]:
    """Copies of a share of the articles in which a share of the actors and places have names from other articles."""
    rng = random.Random(seed)
    counts = Counter(word.text for document in documents for word in document.words)
    known: dict[str, list[tuple[Document, int]]] = {"ACTOR": [], "LOCATION": []}
    for document in documents:
        for index, entity in enumerate(document.entities):
            if entity.type in known:
                known[entity.type].append((document, index))
    copies = []
    for document in rng.sample(list(documents), round(SHARE * len(documents))):
        names = {
            index: rng.choice(known[entity.type])
            for index, entity in enumerate(document.entities)
            if entity.type in known and rng.random() < SHARE
        }
        copies.append(replace(rename(document, names, counts), id=f"{document.id}-renamed"))
    return copies


def careless_spelling(documents: Sequence[Document], seed: int) -> list[Document]:
    """Copies of a share of the articles as hurried people write: no hamzas, other digits, some vowels, other marks."""
    rng = random.Random(seed)
    return [
        replace(_respelled(document, rng), id=f"{document.id}-careless")
        for document in rng.sample(list(documents), round(SHARE * len(documents)))
    ]


def _respelled(document: Document, rng: random.Random) -> Document:
    hamza, final, digits, vowels = rng.random() < 0.7, rng.random() < 0.3, rng.random() < 0.5, rng.random() < 0.2
    text, words, end = "", [], 0
    for word in document.words:
        form = word.text.translate(_HAMZA) if hamza else word.text
        if final and form[-1] in _FINAL and len(form) > 2:
            form = form[:-1] + _FINAL[form[-1]]
        form = form.translate(_DIGITS) if digits else form
        if vowels:
            form = "".join(
                each + (rng.choice(_VOWELS) if "ء" <= each <= "ي" and rng.random() < 0.2 else "") for each in form
            )
        if rng.random() < 0.3:
            form = _MARKS.get(form, form)
        text += document.text[end : word.start]
        words.append(Word(form, len(text), len(text) + len(form)))
        text, end = text + form, word.end
    return replace(document, text=text + document.text[end:], words=words, events=())


COPIES = {"other_names": other_names, "careless_spelling": careless_spelling}
