"""The form under which mentions are counted as the same: without marks, punctuation and the clitics of the first word.

No morphological analysis: a conjunction or preposition is taken off only where what remains is a word of the corpus
too, and as common, so «والجيش» counts as «جيش» and «بلدة» keeps its first letter. The article is taken off first words
of more than four letters. The result is for counting, not for reading back: offsets and annotations never see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from marsad.clitics import split_clitic
from marsad.documents import Document, Entity
from marsad.words import Normaliser

_NORMALISE = Normaliser(diacritics=True, tatweel=True, digits=True, alef=True)
_ARTICLE = "ال"
_SHORT_WORD = 4


class Forms:
    """Gives the counting form of mentions, by the words of a corpus."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._words = Counter(_NORMALISE(word.text) for document in documents for word in document.words)

    def of(self, document: Document, entity: Entity) -> str:
        """Return the form under which a mention is counted."""
        forms = [_NORMALISE(word.text) for word in document.words[entity.start : entity.end]]
        kept = [form for form in forms if any(map(str.isalnum, form))]
        return " ".join([self._stem(kept[0]), *kept[1:]]) if kept else document.surface(entity)

    def of_word(self, word: str) -> str:
        """Return the form under which a single word is counted; a word that is all marks keeps them."""
        form = _NORMALISE(word)
        return self._stem(form) if form else word

    def _stem(self, word: str) -> str:
        word = split_clitic(word, self._words)[1]
        return word.removeprefix(_ARTICLE) if len(word) > _SHORT_WORD else word
