"""Splitting a corpus into train, dev and test: by article, even in its metadata, stable when articles are added.

What stands in a split folder stays there: adding articles never moves one, so scores on dev and test stay comparable
and a model never meets in test what it was trained on before. New articles are filed one by one, in an order that
depends on their ids alone, each where its metadata values are most wanting: the greedy rule of iterative
stratification (Sechidis, Tsoumakas and Vlahavas 2011), with shares of articles. Near-duplicates go together.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from marsad import formats
from marsad.documents import Document
from marsad.errors import ConfigError
from marsad.formats import conllup
from marsad.formats.check import NEAR_DUPLICATE, SPLITS, split_of
from marsad.formats.convert import is_file_name, write_new
from marsad.formats.duplicates import find_near_duplicates
from marsad.formats.problems import Problem, raise_problems
from marsad.schema import Schema

Shares = Mapping[str, float]
_Filed = tuple[Path, Document]
# The value that every article has.
ALL = "all"


@dataclass(frozen=True)
class Split:
    """What was filed where: the new files, the articles of each value in each split, and what went together."""

    files: tuple[Path, ...]
    counts: Mapping[str, Mapping[str, int]]  # by "key = value" ("all" for every article), then by split
    together: tuple[tuple[str, ...], ...]  # ids of near-duplicates

    def to_dict(self) -> dict[str, object]:
        """Return the object that `marsad split --json` prints."""
        return {
            "files": [str(path) for path in self.files],
            "counts": {value: dict(counts) for value, counts in self.counts.items()},
            "near_duplicates": [list(ids) for ids in self.together],
        }


def split_files(
    inputs: Iterable[str | Path],
    corpus: str | Path,
    shares: Shares,
    *,
    by: Sequence[str] = (),
    seed: int = 0,
    near_duplicate: float = NEAR_DUPLICATE,
    schema: Schema | None = None,
) -> Split:
    """File the articles of `inputs` under `corpus`/train, dev and test, one `.conllup` file each.

    `shares` gives the share of each split of all articles, old and new; `by` names the metadata keys whose values are
    to be even. Inputs are copied and stay as they are; what is filed already, the same to the letter, is passed over.
    Raises `AnnotationError` with every problem of all files, for an article filed with other annotations, an id that
    is taken and a raw report; then nothing is written.
    """
    _check_shares(shares)
    corpus = Path(corpus)
    problems: list[Problem] = []
    old = _read([corpus / name for name in SPLITS if _has_files(corpus / name)], schema, problems)
    new = _only_new(_read(list(inputs), schema, problems), old, corpus, problems)
    raise_problems(problems)
    placed = {document.id: split_of(path) for path, document in old}
    documents = [document for _, document in (*old, *new)]
    groups = near_duplicate_groups(documents, near_duplicate)
    chosen = assign(documents, placed, shares, groups, by=by, seed=seed)
    plan = {corpus / chosen[each.id] / f"{each.id}{conllup.SUFFIX}": [(path, each)] for path, each in new}
    files = write_new(plan)
    together = tuple(tuple(each.id for each in group) for group in groups if len(group) > 1)
    return Split(tuple(files), _counts(documents, chosen, by), together)


def _check_shares(shares: Shares) -> None:
    whole = abs(sum(shares.values()) - 1) < 1e-6
    if set(shares) != set(SPLITS) or not whole or any(share < 0 for share in shares.values()):
        shown = ", ".join(f"{name} {share:g}" for name, share in shares.items())
        raise ConfigError(f"the shares are {shown}: {', '.join(SPLITS)} must be 0 or more and add up to 1")


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(each.suffix in formats.ANNOTATED for each in folder.rglob("*"))


def _read(paths: Sequence[str | Path], schema: Schema | None, problems: list[Problem]) -> list[_Filed]:
    return [
        (path, document)
        for path in formats.find_files(paths)
        for document in formats.read(path, schema=schema, problems=problems)
    ]


def _only_new(given: Sequence[_Filed], old: Sequence[_Filed], corpus: Path, problems: list[Problem]) -> list[_Filed]:
    """Return what is not filed yet; an id that is taken, and what cannot be filed, are noted in `problems`."""
    homes = {document.id: (path, document) for path, document in old}
    annotated = {path for path, document in given if document.entities}
    known = {path.resolve() for path, _ in old}
    new = []
    for path, document in given:
        if path.resolve() in known:
            continue
        home, filed = homes.setdefault(document.id, (path, document))
        if filed is document:
            new.append((path, document))
            problem = _unfit(path, document, corpus, path in annotated)
        else:
            problem = _taken(document, home, filed)
        if problem:
            problems.append(Problem(str(path), 0, problem))
    return new


def _unfit(path: Path, document: Document, corpus: Path, annotated: bool) -> str:
    if not is_file_name(document.id):
        return f"id {document.id!r} cannot be a file's name: rename it"
    if path.suffix not in formats.ANNOTATED and not annotated:
        return "nothing is annotated here: a raw report has no place in a corpus"
    if path.resolve().is_relative_to(corpus.resolve()):
        return f"stands in {corpus} and in none of its splits: keep what is not filed yet outside"
    return ""


def _taken(document: Document, home: Path, filed: Document) -> str:
    """Return what is wrong with a document whose id another has; nothing where both are the same."""
    if document == filed:
        return ""
    if document.words == filed.words:
        return f"{document.id!r} is filed as {home}, annotated otherwise: correct it there"
    return f"document id {document.id!r} is used twice, first in {home}: correct it there, or give yours its own"


def near_duplicate_groups(documents: Sequence[Document], share: float = NEAR_DUPLICATE) -> list[list[Document]]:
    """Return documents in groups, so that near-duplicates, and theirs, are in one; most groups hold one document."""
    same: dict[tuple[str, ...], int] = {}
    equal = [
        (same.setdefault(tuple(word.text for word in document.words), place), place)
        for place, document in enumerate(documents)
    ]
    near = [(pair.first, pair.second) for pair in find_near_duplicates(documents, share=share)]
    groups: dict[int, list[Document]] = defaultdict(list)
    for document, group in zip(documents, _components(len(documents), [*equal, *near]), strict=True):
        groups[group].append(document)
    return list(groups.values())


def _components(size: int, pairs: Sequence[tuple[int, int]]) -> Sequence[int]:
    """Return a number for each of `size` places, the same for those that pairs join, at one or more removes."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    rows, columns = [first for first, _ in pairs], [second for _, second in pairs]
    joined = coo_matrix(([1] * len(pairs), (rows, columns)), shape=(size, size))
    return [int(each) for each in connected_components(joined, directed=False)[1]] if size else []


def assign(
    documents: Sequence[Document],
    placed: Mapping[str, str],
    shares: Shares,
    groups: Iterable[Sequence[Document]],
    *,
    by: Sequence[str] = (),
    seed: int = 0,
) -> dict[str, str]:
    """Return the split of every document by id: that of `placed` where it has one, the best for its group elsewhere.

    A group of near-duplicates with members in `placed` joins them: in training, if any is there.
    """
    total = Counter(value for document in documents for value in _values(document, by))
    have = {name: Counter[str]() for name in SPLITS}
    chosen = dict(placed)
    for document in documents:
        if document.id in placed:
            have[placed[document.id]].update(_values(document, by))
    for group in sorted(groups, key=lambda group: _rank(group, seed)):
        new = [document for document in group if document.id not in placed]
        old = {placed[document.id] for document in group if document.id in placed}
        values = Counter(value for document in new for value in _values(document, by))
        best = next((name for name in SPLITS if name in old), None) or _most_wanting(values, total, have, shares)
        have[best].update(values)
        chosen |= {document.id: best for document in new}
    return chosen


def _values(document: Document, by: Sequence[str]) -> list[str]:
    return [ALL, *(f"{key} = {document.meta[key]}" for key in by if key in document.meta)]


def _rank(group: Sequence[Document], seed: int) -> bytes:
    """Order groups by ids alone, and otherwise as chance would."""
    return min(blake2b(f"{seed} {document.id}".encode(), digest_size=8).digest() for document in group)


def _most_wanting(
    values: Mapping[str, int], total: Mapping[str, int], have: Mapping[str, Mapping[str, int]], shares: Shares
) -> str:
    """Return the split that lacks most of these values, as a share of what it should have, of those not yet full."""

    def lack(name: str, value: str) -> float:
        wanted = shares[name] * total[value]
        return (wanted - have[name].get(value, 0)) / wanted

    used = [name for name in SPLITS if shares[name] > 1e-9]
    # Rare values would each ask for an article of dev and test, and together fill them beyond their share.
    open_to = [name for name in used if lack(name, ALL) > 0] or used
    return max(open_to, key=lambda name: sum(lack(name, value) for value in values))


def _counts(documents: Iterable[Document], chosen: Mapping[str, str], by: Sequence[str]) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for document in documents:
        for value in _values(document, by):
            counts[value][chosen[document.id]] += 1
    return {value: {name: counter[name] for name in SPLITS} for value, counter in sorted(counts.items())}


def format_split(split: Split) -> str:
    """Return what was filed as a table, and which articles went together."""
    lines = [f"{'':<40}" + "".join(f"{name:>8}" for name in SPLITS)]
    lines += [
        f"{value:<40}" + "".join(f"{counts[name]:>8}" for name in SPLITS) for value, counts in split.counts.items()
    ]
    lines += [f"near-duplicates, kept together: {', '.join(ids)}" for ids in split.together]
    return "\n".join(lines)
