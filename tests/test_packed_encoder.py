"""The packed file, the choice of pieces and the tokenizer made of them: all that needs no torch."""

import struct

import numpy as np
import pytest

from marsad.errors import ModelError
from marsad.modeling.embedded import q4, vocabulary
from packed_encoder import CHARACTERS, HIDDEN, KEPT, PIECES, POSITIONS, ROWS, block, packed_file

# The packed file


@pytest.mark.parametrize(
    ("raw", "weights"),
    [
        (block(1.0, [0x88] * 16), [0.0] * 32),
        (block(0.5, [0x0F] * 16), [3.5] * 16 + [-4.0] * 16),
        (block(-2.0, [0x91, *[0x88] * 15]), [14.0, *[0.0] * 15, -2.0, *[0.0] * 15]),
        (block(0.25, range(16)), [(low - 8) / 4 for low in range(16)] + [-2.0] * 16),
    ],
)
def test_a_q4_0_block_decodes_to_the_weights_computed_by_hand(raw: bytes, weights: list[float]) -> None:
    assert q4.decode_q4_0(np.frombuffer(raw, q4.BLOCK)).tolist() == weights


def test_blocks_of_several_rows_keep_their_order() -> None:
    raw = b"".join(block(float(scale), [0x99] * 16) for scale in (1, 2, 3, 4))
    decoded = q4.decode_q4_0(np.frombuffer(raw, q4.BLOCK).reshape(2, 2))
    assert decoded.shape == (2, 64)
    assert decoded[:, ::32].tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_packed_file_is_read_back() -> None:
    packed = q4.read_packed(packed_file(), "small.bin")
    assert packed.sizes == q4.Sizes(HIDDEN, 1, 2, HIDDEN, ROWS, POSITIONS, 2)
    assert packed.layer_norm_eps == 1e-12
    assert list(packed.pieces) == PIECES
    assert packed.special_ids == (0, 2, 1, 3)
    assert packed.characters == CHARACTERS
    assert packed.vector("emb.ln.w", HIDDEN).tolist() == [1.0] * HIDDEN
    assert packed.matrix("emb.pos", POSITIONS, HIDDEN).shape == (POSITIONS, HIDDEN)
    whole = packed.matrix("emb.word", ROWS, HIDDEN)
    np.testing.assert_array_equal(packed.matrix("emb.word", ROWS, HIDDEN, [5, 0]), whole[[5, 0]])


def test_a_file_cut_anywhere_or_mangled_is_an_error_that_names_it() -> None:
    content = packed_file()
    mangled = [content[:length] for length in (*range(0, len(content), 97), len(content) - 1)]
    mangled += [b"GGUF" + content[4:], content[:4] + struct.pack("<i", 2) + content[8:]]
    mangled += [content[:8] + struct.pack("<i", -32) + content[12:], content.replace("▁في".encode(), b"\xff" * 7)]
    for broken in mangled:
        with pytest.raises(ModelError, match=r"^small\.bin cannot be read"):
            q4.read_packed(broken, "small.bin")


def test_a_tensor_that_is_missing_or_of_another_size_is_named() -> None:
    packed = q4.read_packed(packed_file(), "small.bin")
    with pytest.raises(ModelError, match=r"no tensor 'l9\.q\.w'"):
        packed.matrix("l9.q.w", HIDDEN, HIDDEN)
    with pytest.raises(ModelError, match=r"'emb\.ln\.w' holds 32 numbers, 64 of float32"):
        packed.vector("emb.ln.w", 64)


# Which pieces are kept


KEPT_EXAMPLES = "<s> <mask> ▁ ▁الجيش ة ـ َّ ▁على ▁14 ١٤ ۱ ، ؟؟ ▁« … ▁F -16 ▁the (2011) 😂 🇮 % é ▁ک گ ▁پ"
DROPPED_EXAMPLES = "▁کتاب ▁پوتین ہے ▁کہ گا ڀيٽ ▁خەۋەر ▁Reuters from 中 。 の ▁при १० éa ─ ᠀ סי"


@pytest.mark.parametrize("piece", KEPT_EXAMPLES.split())
def test_pieces_that_arabic_reports_use_are_kept(piece: str) -> None:
    assert vocabulary.keeps(piece)


@pytest.mark.parametrize("piece", DROPPED_EXAMPLES.split())
def test_pieces_of_other_languages_are_not(piece: str) -> None:
    assert not vocabulary.keeps(piece)


def test_selection_keeps_ids_in_order() -> None:
    assert vocabulary.select([piece for piece, _ in PIECES]) == KEPT


# The tokenizer


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("في الجيش.", "▁في ▁ال جيش ."),
        ("  في   الجيش ", "▁في ▁ال جيش"),
        ("في\u200bب", "▁في ▁ ب"),
        ("ﻻ", "▁ لا"),  # two letters without a piece become one unknown; tokens keep their text
        ("\x01", "▁"),
        ("", ""),
    ],
)
def test_a_tokenizer_of_a_few_pieces_splits_as_xlm_r_does(text: str, pieces: str) -> None:
    tokenizer = vocabulary.create_tokenizer(PIECES, vocabulary.create_normalizer(CHARACTERS))
    assert tokenizer.encode(text).tokens == ["<s>", *pieces.split(), "</s>"]
    assert tokenizer.encode("في", "ب").tokens == ["<s>", "▁في", "</s>", "</s>", "▁", "ب", "</s>"]
    assert tokenizer.decode(tokenizer.encode("في الجيش").ids) == "في الجيش"


def test_a_vocabulary_without_its_special_pieces_is_refused() -> None:
    with pytest.raises(ModelError, match="lacks <s>, <pad>"):
        vocabulary.create_tokenizer(PIECES[4:], vocabulary.create_normalizer({}))
