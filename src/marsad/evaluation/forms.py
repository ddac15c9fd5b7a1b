"""The form under which mentions are counted as the same: without marks, punctuation and the clitics of the first word.

No morphological analysis: a conjunction or preposition is taken off only where what remains is a word of the corpus
too, and as common, so «والجيش» counts as «جيش» and «بلدة» keeps its first letter. The article is taken off first words
of more than four letters. The result is for counting, not for reading back: offsets and annotations never see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from marsad.documents import Document, Entity
from marsad.words import Normaliser

_NORMALISE = Normaliser(diacritics=True, tatweel=True, digits=True, alef=True)
_CONJUNCTIONS = "وف"
_PREPOSITIONS = "بكل"
_ARTICLE = "ال"


class Forms:
    """Gives the counting form of mentions, by the words of a corpus."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._words = Counter(_NORMALISE(word.text) for document in documents for word in document.words)

    def of(self, document: Document, entity: Entity) -> str:
        """Return the form under which a mention is counted."""
        forms = [_NORMALISE(word.text) for word in document.words[entity.start : entity.end]]
        kept = [form for form in forms if any(map(str.isalnum, form))]
        return " ".join([self._stem(kept[0]), *kept[1:]]) if kept else document.surface(entity)

    def _stem(self, word: str) -> str:
        for clitics in (_CONJUNCTIONS, _PREPOSITIONS):
            rest = self._without(word, clitics)
            if rest:
                word = rest
        return word[2:] if word.startswith(_ARTICLE) and len(word) > 4 else word

    def _without(self, word: str, clitics: str) -> str:
        """Return what remains of a word without one clitic, where that is a word too; else nothing."""
        if word[0] not in clitics or len(word) < 4:
            return ""
        rest = word[1:]
        if word.startswith("لل"):
            rest = _ARTICLE + word[2:]
        seen = self._words[rest] + self._words[rest.removeprefix(_ARTICLE)] * rest.startswith(_ARTICLE)
        return rest if seen and seen >= self._words[word] else ""
