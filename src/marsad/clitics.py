"""Conjunctions and prepositions that Arabic writes onto the next word, told from first letters by a corpus's own words.

No morphological analysis: «والجيش» is «و» and «الجيش» because «الجيش» is there too and no rarer.
"""

from collections.abc import Mapping

_CLITICS = "وفبلك"
_ARTICLE = "ال"
_SHORTEST_WORD = 3


def split_clitic(word: str, counts: Mapping[str, int]) -> tuple[str, str]:
    """Split a word into its conjunction and preposition, if any, and the rest.

    The rest must be a word of three letters or more that is in `counts` (word forms of a corpus and how often they
    occur) no less often than with the clitic: «والجيش» is «و» and «الجيش», «وحدة» is no «و» and «حدة».
    """
    if word[0] not in _CLITICS:
        return "", word
    without = _ARTICLE + word[2:] if word.startswith("لل") else word[1:]
    if len(without) < _SHORTEST_WORD:
        return "", word
    clitic, bare = split_clitic(without, counts)
    if clitic or counts.get(without, 0) >= max(1, counts.get(word, 0)):
        return word[0] + clitic, bare
    return "", word


def join_clitic(clitic: str, word: str) -> str:
    """Write a clitic onto a word; «ل» swallows the alef of the article."""
    return f"{clitic}ل{word[2:]}" if clitic.endswith("ل") and word.startswith(_ARTICLE) else clitic + word
