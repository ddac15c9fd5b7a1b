"""White space as CoNLL-U's MISC column carries it (https://universaldependencies.org/misc.html#spacesafter)."""

from __future__ import annotations

import re

_ESCAPES = {" ": r"\s", "\t": r"\t", "\n": r"\n", "\r": r"\r", "|": r"\p", "\\": r"\\"}
_UNESCAPES = {escape: character for character, escape in _ESCAPES.items()}


def escape_spaces(spaces: str) -> str:
    """Write white space so that it can stand in a MISC cell."""
    return "".join(_ESCAPES.get(character, character) for character in spaces)


def unescape_spaces(cell: str) -> str:
    """Read what `escape_spaces` wrote; an unknown escape stays as it is."""
    return re.sub(r"\\.", lambda match: _UNESCAPES.get(match.group(), match.group()), cell)
