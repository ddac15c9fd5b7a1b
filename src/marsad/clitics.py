"""Conjunctions and prepositions that Arabic writes onto the next word, told from first letters by a corpus's own words.

No morphological analysis: «والجيش» is «و» and «الجيش» because «الجيش» is there too and no rarer.
"""

from collections.abc import Mapping

_CONJUNCTIONS = "وف"
_PREPOSITIONS = "بكل"
_ARTICLE = "ال"
_SHORTEST_WORD = 3


def split_clitic(word: str, counts: Mapping[str, int]) -> tuple[str, str]:
    """Split a word into its conjunction, then its preposition, if it has them, and the rest.

    The rest must be a word of three letters or more that is in `counts` (word forms of a corpus and how often they
    occur) no less often than with the clitic: «والجيش» is «و» and «الجيش», «وحدة» is no «و» and «حدة».
    """
    if word[0] in _CONJUNCTIONS:
        preposition, bare = _split_preposition(word[1:], counts)
        if preposition or _stands_alone(bare, word, counts):
            return word[0] + preposition, bare
    return _split_preposition(word, counts)


def _split_preposition(word: str, counts: Mapping[str, int]) -> tuple[str, str]:
    if word and word[0] in _PREPOSITIONS:
        # «للجيش» is «ل» and «الجيش», «للبنان» is «ل» and «لبنان».
        rests = [_ARTICLE + word[2:], word[1:]] if word.startswith("لل") else [word[1:]]
        for rest in rests:
            if _stands_alone(rest, word, counts):
                return word[0], rest
    return "", word


def _stands_alone(rest: str, word: str, counts: Mapping[str, int]) -> bool:
    return len(rest) >= _SHORTEST_WORD and counts.get(rest, 0) >= max(1, counts.get(word, 0))


def join_clitic(clitic: str, word: str) -> str:
    """Write a clitic onto a word; «ل» swallows the alef of the article."""
    return f"{clitic}ل{word[2:]}" if clitic.endswith("ل") and word.startswith(_ARTICLE) else clitic + word
