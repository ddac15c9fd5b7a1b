"""Text to words with character offsets, words to sentences, and normalisation for the model's eyes only.

The unit of annotation is the word: text split at white space, each punctuation mark or symbol a word of its own,
clitics left where Arabic writes them (annotation guidelines, section 1). Offsets are code points into the untouched
text. Every character that is not white space belongs to exactly one word, controls and bidi marks included: they
cling to the word they touch, so nothing is lost and nothing is invented.

Normalisation never changes a `Document`. It produces the strings that the tokenizer reads, one for each word.
Both rules carry a version that is saved with a model, so a model is never fed words of another rule in silence.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import regex

from marsad.documents import Word
from marsad.errors import ModelError

SPLITTER_VERSION = 1
NORMALISER_VERSION = 1

# A mark, a format control or a skin tone belongs to the symbol before it; a zero-width joiner glues the next one on,
# so an emoji sequence or a flag stays one word (Unicode TR51, section 1.4).
_CLINGING = r"[\p{M}\p{Cf}\U0001F3FB-\U0001F3FF]*"
_SYMBOL = rf"(?:\p{{RI}}{{2}}|[\p{{P}}\p{{S}}]){_CLINGING}(?:(?<=\u200d)\p{{So}}{_CLINGING})*"
# U+001C to U+001F are white space to Python and so to `Word`, but not to `\s` of this module.
_WORD = regex.compile(rf"{_SYMBOL}|[^\s\x1c-\x1f\p{{P}}\p{{S}}]+", regex.VERSION1)
# A line separator of any kind ends a paragraph.
_LINE_BREAK = regex.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")

_SENTENCE_END = frozenset(".؟?!۔")
_CLOSING = frozenset("»\"”’')]}›")
# A sentence without an end mark (tallies, lists, headlines run together) is still given an end somewhere.
MAX_SENTENCE_WORDS = 200


def split(text: str) -> list[Word]:
    """Split `text` into words, in order and disjoint, that cover every character that is not white space."""
    return [Word(match.group(), match.start(), match.end()) for match in _WORD.finditer(text)]


def sentences(text: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    """Group `words` of `text` into sentences: half-open ranges of word indices that cover all words in order.

    A line break always ends a sentence. So does an end mark with its closing quotation marks, unless it stands inside
    a number, after a one-letter abbreviation («د. أحمد»), or in a run of dots that the sentence goes on after.
    """
    ranges: list[tuple[int, int]] = []
    start = 0
    for index in range(len(words)):
        if index + 1 == len(words) or _ends_sentence(text, words, start, index):
            ranges.append((start, index + 1))
            start = index + 1
    return ranges


def _ends_sentence(text: str, words: Sequence[Word], start: int, index: int) -> bool:
    gap = text[words[index].end : words[index + 1].start]
    if _LINE_BREAK.search(gap) or index + 1 - start >= MAX_SENTENCE_WORDS:
        return True
    if not gap and words[index + 1].text[0] in _CLOSING | _SENTENCE_END:  # «؟!» is one end
        return False
    mark = index
    while mark > start and words[mark].text[0] in _CLOSING:
        mark -= 1
    if words[mark].text[0] not in _SENTENCE_END:
        return False
    return words[mark].text[0] != "." or _is_full_stop(text, words, mark)


def _is_full_stop(text: str, words: Sequence[Word], mark: int) -> bool:
    before = text[words[mark].start - 1 : words[mark].start]
    after = text[words[mark].end : words[mark].end + 1]
    if after == "." or before == ".":
        return False
    if before.isdigit() and after.isdigit():
        return False
    if after.isascii() and after.isalnum():
        return False
    previous = words[mark - 1] if mark else None
    return not (previous and previous.end == words[mark].start and len(previous.text) == 1 and before.isalpha())


@dataclass(frozen=True)
class Normaliser:
    """What the tokenizer sees in place of a word. Each switch is a config value and is saved with the model.

    Presentation forms are always folded (NFKC) and bidi and zero-width controls always dropped: no encoder has
    learnt them. `diacritics` drops the short vowels and shadda, `tatweel` the stretching mark, `digits` writes
    Arabic-Indic digits as ASCII, `alef` folds أ إ آ ٱ to ا and ى to ي. AraBERT and multilingual E5 were trained on
    text with its hamzas, so `alef` is off unless an encoder wants it.
    """

    diacritics: bool = True
    tatweel: bool = True
    digits: bool = True
    alef: bool = False

    def __call__(self, word: str) -> str:
        """Return the normalised form of one word; it may be empty (a lone shadda), which the model reads as unknown."""
        form = unicodedata.normalize("NFKC", word)
        return "".join(form.translate(self._table).split())

    @cached_property
    def _table(self) -> dict[int, str | None]:
        table = dict(_CONTROLS)
        for wanted, part in (
            (self.diacritics, _DIACRITICS),
            (self.tatweel, _TATWEEL),
            (self.digits, _DIGITS),
            (self.alef, _ALEF),
        ):
            if wanted:
                table |= part
        return table

    def to_dict(self) -> dict[str, bool | int]:
        """Return the switches and the version of the rule, as saved in a model folder."""
        return {
            "version": NORMALISER_VERSION,
            "diacritics": self.diacritics,
            "tatweel": self.tatweel,
            "digits": self.digits,
            "alef": self.alef,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, bool | int]) -> "Normaliser":
        """Rebuild a saved normaliser. Raises `ModelError` for a rule of a version this release does not know."""
        switches = dict(saved)
        version = switches.pop("version", None)
        if version != NORMALISER_VERSION:
            raise ModelError(
                f"this model was trained with version {version!r} of the normaliser, this release of marsad has "
                f"version {NORMALISER_VERSION}: use the release that saved the model, or train again"
            )
        return cls(**{name: bool(value) for name, value in switches.items()})


_CONTROLS: dict[int, str | None] = {
    **dict.fromkeys(range(8203, 8208)),
    **dict.fromkeys(range(8234, 8239)),
    **dict.fromkeys(range(8288, 8304)),
    0x061C: None,
    0x00AD: None,
    0xFEFF: None,
    **{code: None for code in range(0x20) if not chr(code).isspace()},
    0x7F: None,
}
_DIACRITICS: dict[int, str | None] = {
    **dict.fromkeys(range(1552, 1563)),
    **{code: None for code in range(0x064B, 0x0660) if code not in (0x0653, 0x0654, 0x0655)},
    0x0670: None,
    **{code: None for code in range(0x06D6, 0x06EE) if code not in (0x06DD, 0x06DE, 0x06E5, 0x06E6, 0x06E9)},
}
_TATWEEL: dict[int, str | None] = {0x0640: None}
_DIGITS: dict[int, str | None] = {
    **{0x0660 + digit: str(digit) for digit in range(10)},
    **{0x06F0 + digit: str(digit) for digit in range(10)},
    0x066B: ".",
    0x066C: ",",
}
_ALEF: dict[int, str | None] = {0x0622: "ا", 0x0623: "ا", 0x0625: "ا", 0x0671: "ا", 0x0649: "ي"}
