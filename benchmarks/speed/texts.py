"""What is read: pieces of the test articles."""

from marsad import formats


def texts_of(num_words: int, total: int) -> list[str]:
    """Return texts of `num_words` words each, about `total` words in all, from the test articles in their order.

    Where the articles have fewer words than that, they are read again from another word on.
    """
    words = [word.text for document in formats.read_all(["data/annotations/test"]) for word in document.words]
    if num_words > len(words):
        raise SystemExit(f"--words {num_words}: the test articles have {len(words)}")
    texts: list[str] = []
    shift = 0
    while len(texts) * num_words < total:
        for start in range(shift % num_words, len(words) - num_words + 1, num_words):
            texts.append(" ".join(words[start : start + num_words]))
        shift += 7
    return texts[: max(1, total // num_words)]
