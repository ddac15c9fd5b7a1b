"""Which pieces of a multilingual vocabulary reports in Arabic use, and the tokenizer rebuilt from a list of pieces.

A vocabulary of 250,000 pieces is most of a small encoder's weight, and nine tenths of it is other scripts. Kept are
Arabic, digits, punctuation, symbols and emoji, and Latin pieces of up to three letters: longer Latin words cost a
few pieces more, Arabic ones none. Decided on the text of the piece alone, so the same rule serves every source.

The tokenizer is that of XLM-R: Unigram on words that carry `▁` in front, `<s> A </s>`. Knows nothing of torch.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache

from tokenizers import AddedToken, Regex, Tokenizer, decoders, normalizers, pre_tokenizers, processors
from tokenizers.models import Unigram

from marsad.errors import ModelError

BOS, PAD, EOS, UNK, MASK = "<s>", "<pad>", "</s>", "<unk>", "<mask>"
SPECIAL_PIECES = (BOS, PAD, EOS, UNK, MASK)
WORD_START = "▁"

# The letters and marks of Arabic itself: hamza to ghain, tatweel to sukun, dagger alef, alef wasla, digits.
ARABIC_LETTERS = frozenset(map(chr, [*range(0x621, 0x63B), *range(0x640, 0x653), 0x670, 0x671]))
ARABIC_DIGITS = frozenset(map(chr, [*range(0x660, 0x66A), *range(0x6F0, 0x6FA)]))
# Letters of other languages that occur in names and dialect. They stay as single letters: a longer piece that
# holds one is a word of Persian, Urdu, Kurdish and the like.
LOAN_LETTERS = frozenset("پچڤگکیژڨڭ")
MAX_LATIN_LETTERS = 3

# Punctuation, symbols and emoji: ASCII and Latin-1, Arabic, general punctuation to arrows and dingbats, emoji.
_SYMBOL_BLOCKS = ((0x21, 0xBF), (0x2B0, 0x2FF), (0x60C, 0x6DF), (0x2010, 0x24FF), (0x25A0, 0x2BFF), (0x1F000, 0x1FAFF))
_EMOJI_PARTS = frozenset("\u20e3\ufe0f")  # key cap and emoji presentation, marks rather than symbols
_ACCENTED = re.compile("[\u00c0-\u024f]")


def keeps(piece: str) -> bool:
    """Tell whether `piece` (with or without its `▁`) can occur in reports in Arabic."""
    body = piece.removeprefix(WORD_START)
    if piece in SPECIAL_PIECES or not body:
        return True
    if len(body) == 1 and (body in LOAN_LETTERS or _ACCENTED.fullmatch(body)):
        return True
    letters = [character for character in body if not _is_common(character)]
    if all(character in ARABIC_LETTERS for character in letters):
        return True
    return len(letters) <= MAX_LATIN_LETTERS and all(character.isascii() for character in letters)


@cache
def _is_common(character: str) -> bool:
    """Tell whether `character` is a digit, a punctuation mark or a symbol that Arabic text uses."""
    if character in "0123456789" or character in ARABIC_DIGITS or character in _EMOJI_PARTS:
        return True
    in_block = any(first <= ord(character) <= last for first, last in _SYMBOL_BLOCKS)
    return in_block and unicodedata.category(character)[0] in "PS"


def select(pieces: Sequence[str]) -> list[int]:
    """Return the ids of the pieces that `keeps` keeps, in order, so that special pieces stay where they were."""
    return [index for index, piece in enumerate(pieces) if keeps(piece)]


def create_normalizer(characters: Mapping[str, str]) -> normalizers.Normalizer:
    """Return NFKC with the exceptions of a character map (character -> replacement), as `tokenizers` can run it.

    The map of a SentencePiece model is NFKC, written out character by character, plus rules for controls and spaces.
    NFKC proper also composes (alef and a combining hamza become one letter), as SentencePiece does.
    """
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in sorted(characters.items()):
        if unicodedata.normalize("NFKC", source) != target:
            sources[target].append(source)
    replaced = [normalizers.Replace(Regex(_one_of(group)), target) for target, group in sorted(sources.items())]
    return normalizers.Sequence([*replaced, normalizers.NFKC()])


def _one_of(characters: Sequence[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(character):x}}}" for character in characters) + "]"


def create_tokenizer(pieces: Sequence[tuple[str, float]], normalizer: normalizers.Normalizer) -> Tokenizer:
    """Build the tokenizer of `pieces`, (text, score) in order of id, with the special pieces among them.

    Every word that is not white space gets at least one piece, a control character too: a word without a piece would
    shift every tag after it. White space around a text gets none.
    """
    ids = {piece: index for index, (piece, _) in enumerate(pieces)}
    missing = [piece for piece in SPECIAL_PIECES if piece not in ids]
    if missing:
        raise ModelError(f"a vocabulary of {len(pieces)} pieces lacks {', '.join(missing)}: it is not one of XLM-R")
    tokenizer = Tokenizer(Unigram(list(pieces), unk_id=ids[UNK], byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [
            normalizers.Replace(Regex(r"^\p{Cc}+$"), " "),  # a word of nothing but controls becomes a lone `▁`
            normalizer,
            normalizers.Replace(Regex(" {2,}"), " "),
            normalizers.Replace(Regex(r"(?<=[^ ]) $"), ""),
        ]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement=WORD_START, prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement=WORD_START, prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A {EOS}",
        pair=f"{BOS} $A {EOS} {EOS} $B {EOS}",
        special_tokens=[(BOS, ids[BOS]), (EOS, ids[EOS])],
    )
    tokenizer.add_special_tokens(
        [AddedToken(piece, lstrip=piece == MASK, normalized=False) for piece in SPECIAL_PIECES]
    )
    return tokenizer
