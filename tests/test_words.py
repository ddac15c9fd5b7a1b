"""Text to words and sentences, and what the tokenizer is shown in place of a word."""

import random

import pytest

from marsad import words
from marsad.errors import ModelError
from marsad.words import MAX_SENTENCE_WORDS, Normaliser

RLM, LRM, ZWNJ, ALM, BOM = "\u200f", "\u200e", "\u200c", "\u061c", "\ufeff"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
BURNING_HEART = "\u2764\ufe0f\u200d\U0001f525"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
SYRIA, IRAQ = "\U0001f1f8\U0001f1fe", "\U0001f1ee\U0001f1f6"
ALPHABET = [
    *"ابتثجحخدذرزسشصضطظعغفقكلمنهويءآأؤإئةىٱپچگ",
    *"\u064b\u064e\u064f\u0650\u0651\u0652\u0653\u0654\u0670\u06e1ـ",
    *(
        RLM,
        LRM,
        ALM,
        ZWNJ,
        "\u200d",
        "\u2067",
        "\u2069",
        "\u202b",
        "\u202c",
        BOM,
        "\xad",
        "\x00",
        "\x07",
        "\x1c",
        "\x1f",
    ),
    *"\x7f\x85",
    *"0123456789٠١٢٣٤٥٦٧٨٩۴٫٬٪",
    *"abcXYZéß",
    *".،؛؟!:\"'«»()[]{}“”…-–_@#/\\|$<>^`ـ۔",
    *(
        FAMILY,
        BURNING_HEART,
        SYRIA,
        IRAQ,
        "\U0001f1f8",
        "1\ufe0f\u20e3",
        "\U0001f44d\U0001f3fd",
        "\U0001f3fe",
        "\ufe0f",
    ),
    *"ﷺﻻﹼﷲ",
    *(" ", " ", " ", " ", "\n", "\r\n", "\t", "\xa0", "\u3000", "\u2028", "\u2029", "\v", "\f"),
]


def split(text: str) -> list[str]:
    return [word.text for word in words.split(text)]


def sentences(text: str) -> list[str]:
    found = words.split(text)
    return [text[found[start].start : found[end - 1].end] for start, end in words.sentences(text, found)]


@pytest.mark.parametrize("block", range(20))
def test_words_are_in_order_disjoint_and_cover_all_that_is_not_white_space(block: int) -> None:
    dice = random.Random(block)
    for _ in range(100):
        text = "".join(dice.choices(ALPHABET, k=dice.randint(0, 80)))
        found = words.split(text)
        covered = [position for word in found for position in range(word.start, word.end)]
        assert covered == [position for position, character in enumerate(text) if not character.isspace()], ascii(text)
        assert all(text[word.start : word.end] == word.text for word in found)
        ranges = words.sentences(text, found)
        assert [index for start, end in ranges for index in range(start, end)] == list(range(len(found))), ascii(text)


def test_every_code_point_is_part_of_a_word_or_white_space() -> None:
    for block in range(0, 0x110000, 0x1000):
        text = " ".join(f"ب{chr(code)}ب" for code in range(block, block + 0x1000))
        assert "".join(word.text for word in words.split(text)) == "".join(text.split()), hex(block)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\xa0", []),
        ("والميليشيات بالقصف للجيش", ["والميليشيات", "بالقصف", "للجيش"]),
        ("قالوا:«لا»،وذهبوا.", ["قالوا", ":", "«", "لا", "»", "،", "وذهبوا", "."]),
        ("وقف...", ["وقف", ".", ".", "."]),
        ("الشمال-شرقي", ["الشمال", "-", "شرقي"]),
        ("3.5 ٣٫٥ ٥٠٪", ["3", ".", "5", "٣", "٫", "٥", "٥٠", "٪"]),
        ("كتــــاب كَتَبَ", ["كتــــاب", "كَتَبَ"]),
        ("مد ّ مد", ["مد", "ّ", "مد"]),
        ("ﻻﺑﺪ ﷺ", ["ﻻﺑﺪ", "ﷺ"]),
        (f"{RLM}حلب{LRM} ({RLM}درعا{RLM}){RLM}.", [f"{RLM}حلب{LRM}", f"({RLM}", f"درعا{RLM}", f"){RLM}", "."]),
        (f"می{ZWNJ}رود", [f"می{ZWNJ}رود"]),
        (f"{BOM}خبر {RLM} عاجل", [f"{BOM}خبر", RLM, "عاجل"]),
        ("حلب\x1cدرعا", ["حلب", "درعا"]),
        (f"{FAMILY}{BURNING_HEART}", [FAMILY, BURNING_HEART]),
        (f"{SYRIA}{IRAQ}حلب", [SYRIA, IRAQ, "حلب"]),
        (SCOTLAND, [SCOTLAND]),
        ("1\ufe0f\u20e3 #\ufe0f\u20e3", ["1\ufe0f\u20e3", "#\ufe0f\u20e3"]),
        ("\U0001f44d\U0001f3fd\U0001f44d", ["\U0001f44d\U0001f3fd", "\U0001f44d"]),
        ("@user #حلب", ["@", "user", "#", "حلب"]),
    ],
)
def test_split_parts_marks_from_words_and_keeps_clitics_and_emoji_whole(text: str, expected: list[str]) -> None:
    assert split(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("وصل د. أحمد إلى حلب.", id="abbreviation"),
        pytest.param("وصل أ.د. سامي.", id="two letters"),
        pytest.param("نقلت أ.ف.ب عن مصدر.", id="agency"),
        pytest.param("على بعد 3.5 كم.", id="number"),
        pytest.param("على بعد ٣.٥ كم.", id="Arabic-Indic number"),
        pytest.param("زوروا www.example.com اليوم", id="address"),
        pytest.param("انتظروا... ثم رحلوا.", id="dots"),
        pytest.param("حلب ، درعا ؛ حمص : كلها", id="no end mark"),
        pytest.param("ماذا؟!", id="two marks are one end"),
        pytest.param("ماذا!!!", id="three marks are one end"),
        pytest.param("قال «نعم.».", id="a full stop on either side of the quote"),
    ],
)
def test_a_sentence_goes_on_where_nothing_ends_it(text: str) -> None:
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "expected",
    [
        ["وصل الرتل.", "عاد الرتل."],
        ["هل عاد؟", "نعم!", "عاد۔", "انتهى"],
        ["ماذا؟!", "لا شيء."],
        ["قال «عاد الرتل.»", "ثم صمت."],
        ['قال "عاد."', "ثم صمت."],
        ["(عاد الرتل.)", "ثم صمت."],
        ["بلغت 5.", "ثم توقفت."],
        [f"عاد.{RLM}", f"{RLM}ثم رحل."],
        ["عنوان بلا نقطة\n".strip(), "متن"],
    ],
)
def test_a_sentence_ends_with_its_mark_and_its_closing_quotes(expected: list[str]) -> None:
    assert sentences(("\n" if "متن" in expected else " ").join(expected)) == expected


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\n\n \n", "\v", "\f", "\x85", "\u2028", "\u2029", "\x1c"])
def test_a_line_break_of_any_kind_ends_a_sentence(line_break: str) -> None:
    assert sentences(f"عنوان الخبر{line_break}متن الخبر") == ["عنوان الخبر", "متن الخبر"]


def test_a_space_that_is_no_line_break_ends_nothing() -> None:
    assert sentences("متن\xa0الخبر\tكله\u3000هنا") == ["متن\xa0الخبر\tكله\u3000هنا"]


def test_a_list_without_end_marks_is_still_given_an_end() -> None:
    text = "قرية " * (2 * MAX_SENTENCE_WORDS + 1)
    assert [each.count("قرية") for each in sentences(text)] == [MAX_SENTENCE_WORDS, MAX_SENTENCE_WORDS, 1]


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("كَتَّبَ", "كتب"),
        ("هٰذا", "هذا"),
        ("عـــاجل", "عاجل"),
        ("ﻻ", "لا"),
        ("ﺣﻠﺐ", "حلب"),
        ("ﷲ", "الله"),
        ("ﷺ", "صلىاللهعليهوسلم"),
        ("١٢۳", "123"),
        ("٫", "."),
        ("ا\u0654حمد", "أحمد"),
        (f"{RLM}حلب{ALM}", "حلب"),
        ("أإآٱى", "أإآٱى"),
        ("Grad", "Grad"),
        ("ّ", ""),
        ("ﹼ", ""),
        ("ـ", ""),
        (RLM, ""),
        ("\x00", ""),
    ],
)
def test_the_tokenizer_sees_plain_letters(word: str, expected: str) -> None:
    assert Normaliser()(word) == expected


@pytest.mark.parametrize(
    ("switch", "word", "off", "on"),
    [
        ("diacritics", "حَلَب", "حَلَب", "حلب"),
        ("tatweel", "حلـب", "حلـب", "حلب"),
        ("digits", "٤", "٤", "4"),
        ("alef", "آٱأإى", "آٱأإى", "اااا" + "ي"),
    ],
)
def test_each_switch_does_its_own_part_and_is_saved(switch: str, word: str, off: str, on: str) -> None:
    for value, expected in ((False, off), (True, on)):
        normaliser = Normaliser(**{switch: value})
        assert normaliser(word) == expected
        assert Normaliser.from_dict(normaliser.to_dict()) == normaliser


def test_a_normalised_word_is_never_two_words() -> None:
    dice = random.Random(7)
    normaliser = Normaliser(alef=True)
    for _ in range(300):
        text = "".join(dice.choices(ALPHABET, k=60))
        assert all(len(normaliser(word).split()) <= 1 for word in split(text)), ascii(text)


@pytest.mark.parametrize("version", [None, 0, 2])
def test_a_normaliser_of_another_version_is_refused(version: int | None) -> None:
    with pytest.raises(ModelError, match=r"version .* of the normaliser"):
        Normaliser.from_dict({**Normaliser().to_dict(), "version": version})
