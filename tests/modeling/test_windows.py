"""Windows: nothing is cut, nothing is owned twice, and whoever decides has the most context."""

import random
from itertools import accumulate, combinations_with_replacement, pairwise

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.pre_tokenizers import WhitespaceSplit

from marsad import words
from marsad.documents import Document
from marsad.modeling.windows import MAX_WORD_PIECES, Window, holder, split, tokenise
from marsad.words import Normaliser

UNKNOWN = 0


def random_cases(number: int = 300) -> list[tuple[list[int], int, int]]:
    """Piece counts, window size, overlap: short words, long words, a mixture; documents of every length."""
    rng = random.Random(2)
    cases = []
    for _ in range(number):
        longest = rng.choice([1, 3, 10, MAX_WORD_PIECES])
        counts = [rng.randint(1, longest) for _ in range(rng.choice([1, 2, 7, 40, 150]))]
        size = rng.choice([MAX_WORD_PIECES, MAX_WORD_PIECES + 6, 64, 100, 256])
        cases.append((counts, size, rng.randint(0, size // 2)))
    return cases


CASES = random_cases()


def context(offsets: list[int], start: int, end: int, word: int) -> int:
    """Pieces on the narrower side of a word in the window [start, end)."""
    return min(offsets[word] - offsets[start], offsets[end] - offsets[word + 1])


def test_every_word_is_owned_exactly_once_by_a_window_that_holds_it() -> None:
    for counts, size, overlap in CASES:
        windows = split(counts, size, overlap)
        assert [word for each in windows for word in range(each.own_start, each.own_end)] == list(range(len(counts)))
        assert all(each.start <= each.own_start <= each.own_end <= each.end for each in windows)


def test_no_window_is_over_the_limit_or_without_a_word_of_its_own() -> None:
    for counts, size, overlap in CASES:
        windows = split(counts, size, overlap)
        assert all(0 < sum(counts[each.start : each.end]) <= size for each in windows)
        assert all(left.start < right.start and left.end < right.end for left, right in pairwise(windows))


def test_neighbours_share_what_was_asked_less_a_word_at_most() -> None:
    for counts, size, overlap in CASES:
        for left, right in pairwise(split(counts, size, overlap)):
            shared = sum(counts[right.start : left.end])
            next_word = counts[left.end]  # has to fit beside what is shared
            assert shared <= overlap
            assert shared + counts[right.start - 1] > min(overlap, size - next_word) or right.start == left.start + 1


def test_windows_are_as_full_as_their_words_let_them() -> None:
    for counts, size, overlap in CASES:
        for window in split(counts, size, overlap)[:-1]:
            assert sum(counts[window.start : window.end + 1]) > size


def test_the_owner_of_a_word_is_the_window_that_gives_it_most_context() -> None:
    for counts, size, overlap in CASES:
        windows = split(counts, size, overlap)
        offsets = [0, *accumulate(counts)]
        for owner in windows:
            for word in range(owner.own_start, owner.own_end):
                holding = [each for each in windows if each.start <= word < each.end]
                best = max(context(offsets, each.start, each.end, word) for each in holding)
                assert context(offsets, owner.start, owner.end, word) == best


def test_the_holder_of_a_pair_is_the_window_that_gives_it_most_context() -> None:
    for counts, size, overlap in CASES[:60]:
        windows = split(counts, size, overlap)
        for low, last in combinations_with_replacement(range(0, len(counts), 3), 2):
            holding = {
                index: min(low - each.start, each.end - last - 1)
                for index, each in enumerate(windows)
                if each.start <= low and last < each.end
            }
            found = holder(windows, (low, low + 1), (last, last + 1))
            assert found == holder(windows, (last, last + 1), (low, low + 1))
            if found is None:
                assert not holding
            else:
                assert holding[found] == max(holding.values())


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ((0, 1), (9, 10), 0),
        ((6, 7), (8, 9), 0),
        ((8, 9), (6, 7), 0),
        ((7, 9), (9, 10), 1),
        ((6, 8), (9, 12), 1),
        ((14, 15), (10, 11), 1),
        ((5, 6), (10, 11), None),
        ((0, 1), (15, 16), None),
        ((5, 11), (7, 8), None),
    ],
)
def test_a_pair_is_held_where_both_ends_lie_inside(
    first: tuple[int, int], second: tuple[int, int], expected: int | None
) -> None:
    windows = [Window(0, 10, 0, 8), Window(6, 16, 8, 16)]
    assert holder(windows, first, second) == expected


def test_no_windows_hold_no_pair() -> None:
    assert holder([], (0, 1), (1, 2)) is None


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([], []),
        ([1], [Window(0, 1, 0, 1)]),
        ([32], [Window(0, 1, 0, 1)]),
        ([1] * 32, [Window(0, 32, 0, 32)]),
        ([1] * 33, [Window(0, 32, 0, 28), Window(24, 33, 28, 33)]),
        ([32, 32, 32], [Window(0, 1, 0, 1), Window(1, 2, 1, 2), Window(2, 3, 2, 3)]),
        # A long word after short ones gets the room it needs.
        ([8, 8, 8, 8, 32], [Window(0, 4, 0, 4), Window(4, 5, 4, 5)]),
    ],
)
def test_windows_of_32_pieces_overlapping_by_8(counts: list[int], expected: list[Window]) -> None:
    assert split(counts, 32, 8) == expected


@pytest.mark.parametrize(("size", "overlap"), [(31, 0), (0, 0), (32, 17), (100, 51), (100, -1), (100, 100)])
def test_sizes_that_cannot_work_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match=str(size)):
        split([1, 2, 3], size, overlap)


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    """WordPiece over single letters, a piece for each."""
    letters = "ابتجحدرسعفقلمنهوي123"
    vocabulary = {"[UNK]": UNKNOWN}
    for letter in letters:
        vocabulary[letter] = len(vocabulary)
        vocabulary[f"##{letter}"] = len(vocabulary)
    model = WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=10_000)
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = WhitespaceSplit()
    return tokenizer


def pieces_of(text: str, tokenizer: Tokenizer) -> tuple[tuple[int, ...], ...]:
    split_words = words.split(text)
    document = Document("d", text, split_words, words.sentences(text, split_words))
    pieces = tokenise(document, tokenizer, Normaliser(), UNKNOWN)
    assert pieces.counts == [len(each) for each in pieces.ids]
    return pieces.ids


@pytest.mark.parametrize(
    ("text", "counts"),
    [
        ("", []),
        (" \n\t", []),
        ("مدن", [3]),
        ("مدن سعف", [3, 3]),
        ("مـــدن", [3]),  # tatweel
        ("مُدُنٌ", [3]),  # short vowels
        ("\u200fمدن\u200e", [3]),  # bidi marks
        ("\ufeffمدن", [3]),
        ("ﻣﺪﻥ", [3]),  # presentation forms
        ("١٢٣", [3]),  # Arabic-Indic digits
        ("مدن \u0640 سعف", [3, 1, 3]),  # a lone tatweel is a word and stays one
        ("مدن \u0651 سعف", [3, 1, 3]),  # a lone shadda
        ("مدن \u200b سعف", [3, 1, 3]),
        ("\u200f", [1]),
        ("مدن 🔥 سعف .", [3, 1, 3, 1]),
        ("م" * 32, [32]),
        ("م" * 33 + " ب", [32, 1]),
        ("م" * 500 + " ب", [32, 1]),
    ],
)
def test_each_word_has_its_pieces_and_none_is_without(tokenizer: Tokenizer, text: str, counts: list[int]) -> None:
    assert [len(each) for each in pieces_of(text, tokenizer)] == counts


def test_a_word_that_vanishes_is_unknown_and_shifts_no_other(tokenizer: Tokenizer) -> None:
    plain = pieces_of("مدن سعف", tokenizer)
    assert pieces_of("مدن \u0640\u0651 سعف", tokenizer) == (plain[0], (UNKNOWN,), plain[1])


def test_a_long_word_keeps_its_first_pieces(tokenizer: Tokenizer) -> None:
    (word,) = pieces_of("م" + "ب" * 100, tokenizer)
    assert word == pieces_of("م" + "ب" * (MAX_WORD_PIECES - 1), tokenizer)[0]


def test_any_tokenised_text_can_be_split_into_the_smallest_windows(tokenizer: Tokenizer) -> None:
    ids = pieces_of(("م" * 400 + " ب ") * 20, tokenizer)
    windows = split([len(each) for each in ids], MAX_WORD_PIECES, MAX_WORD_PIECES // 2)
    assert windows[-1].own_end == len(ids)
