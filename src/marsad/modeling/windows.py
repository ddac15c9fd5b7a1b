"""Documents to windows that an encoder can hold, and back: which window decides what. No torch here.

A document is never cut: windows overlap, together they cover every word, and the window in which a word has the most
context owns its tag. A pair of mentions is scored in the window that holds both ends with the most context around
them; where no window does, the pair cannot be scored and is counted. Sizes are in pieces (subwords), bounds in words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from marsad.documents import Document
from marsad.words import Normaliser

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# A "word" of hundreds of pieces is a blob or an address; its first pieces say all that a tag needs.
MAX_WORD_PIECES = 32


@dataclass(frozen=True, slots=True)
class Window:
    """Words `[start, end)` of a document, of which `[own_start, own_end)` get their tags here."""

    start: int
    end: int
    own_start: int
    own_end: int


@dataclass(frozen=True)
class Pieces:
    """Piece ids of each word of a document; no word is without one."""

    ids: tuple[tuple[int, ...], ...]

    @property
    def counts(self) -> list[int]:
        """Number of pieces of each word."""
        return [len(each) for each in self.ids]


def tokenise(document: Document, tokenizer: Tokenizer, normaliser: Normaliser, unknown_id: int) -> Pieces:
    """Return the pieces of each word. A word that normalises to nothing, or that the tokenizer drops, is unknown."""
    forms = [normaliser(word.text) for word in document.words]
    kept = [index for index, form in enumerate(forms) if form]
    pieces: list[list[int]] = [[] for _ in forms]
    if kept:
        encoding = tokenizer.encode([forms[index] for index in kept], is_pretokenized=True, add_special_tokens=False)
        for piece, word in zip(encoding.ids, encoding.word_ids, strict=True):
            if word is not None and len(pieces[kept[word]]) < MAX_WORD_PIECES:
                pieces[kept[word]].append(piece)
    return Pieces(tuple(tuple(each) or (unknown_id,) for each in pieces))


def split(piece_counts: Sequence[int], max_pieces: int, overlap: int) -> list[Window]:
    """Split words with these piece counts into windows of at most `max_pieces`, neighbours sharing about `overlap`.

    `max_pieces` leaves room for no special pieces: subtract them first. Raises `ValueError` unless
    `MAX_WORD_PIECES <= max_pieces` and `overlap` is at most half of it.
    """
    if max_pieces < MAX_WORD_PIECES or not 0 <= overlap <= max_pieces // 2:
        raise ValueError(
            f"windows of {max_pieces} pieces overlapping by {overlap}: a window holds at least {MAX_WORD_PIECES} "
            "pieces and overlaps by half of them at most"
        )
    if max(piece_counts, default=0) > MAX_WORD_PIECES:
        raise ValueError(f"a word of {max(piece_counts)} pieces: `tokenise` keeps {MAX_WORD_PIECES} at most")
    bounds = _bounds(piece_counts, max_pieces, overlap)
    offsets = [0, *accumulate(piece_counts)]
    cuts = [0, *(_middle(offsets, left[1], right[0]) for left, right in pairwise(bounds))]
    cuts.append(len(piece_counts))
    return [Window(start, end, cuts[i], cuts[i + 1]) for i, (start, end) in enumerate(bounds)]


def _bounds(counts: Sequence[int], max_pieces: int, overlap: int) -> list[tuple[int, int]]:
    bounds: list[tuple[int, int]] = []
    start = 0
    while start < len(counts):
        end, room = start, max_pieces
        while end < len(counts) and counts[end] <= room:
            room -= counts[end]
            end += 1
        bounds.append((start, end))
        if end == len(counts):
            break
        # A long next word leaves less to share: a window without a word of its own would be one inside the last.
        back, shared, most = end, 0, min(overlap, max_pieces - counts[end])
        while back - 1 > start and shared + counts[back - 1] <= most:
            back -= 1
            shared += counts[back]
        start = back
    return bounds


def _middle(offsets: Sequence[int], end: int, start: int) -> int:
    """Return the word at which two windows, one up to `end` and one from `start`, have equal context (in pieces)."""
    target = (offsets[start] + offsets[end]) / 2
    return min(range(start, end + 1), key=lambda word: abs(offsets[word] - target))


def holder(windows: Sequence[Window], first: tuple[int, int], second: tuple[int, int]) -> int | None:
    """Return the index of the window that scores a pair of word ranges, or None where no window holds both."""
    low, high = min(first[0], second[0]), max(first[1], second[1])
    holding = [index for index, window in enumerate(windows) if window.start <= low and high <= window.end]
    return max(holding, key=lambda index: _context(windows[index], low, high), default=None)


def _context(window: Window, low: int, high: int) -> tuple[int, int]:
    sides = (low - window.start, window.end - high)
    return min(sides), sum(sides)
