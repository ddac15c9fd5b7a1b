"""How often is an attack told the wrong way round, and how often are bystanders related?

python benchmarks/directions.py MODEL [DATA...]

Two figures on DATA (our test articles). Of the ATTACKS that the model predicts from raw text, the share whose two
mentions are, in gold, attacked and attacker; only gold attacks that go one way can be reversed. And of the pairs of
gold mentions that stand in one sentence, that the schema could relate, and that gold relates in neither direction, the
share that gets a relation when the model is given the mentions.
"""

import argparse
from collections.abc import Sequence

from marsad import Document, Predictor, Schema, formats
from marsad.pairs import candidates

ATTACKS = "ATTACKS"

Ends = tuple[tuple[str, int, int], tuple[str, int, int]]


def attacks(document: Document) -> set[Ends]:
    """Return the ends of the attacks of a document, each (type, first word, last word + 1)."""
    keys = [(each.type, each.start, each.end) for each in document.entities]
    return {(keys[each.head], keys[each.tail]) for each in document.relations if each.type == ATTACKS}


def count_directions(gold: Sequence[Document], predicted: Sequence[Document]) -> tuple[int, int, int, int]:
    """Return the number of one-way gold attacks, of those found, of predicted attacks, and of those reversed."""
    one_way = found = said = turned = 0
    for truth, guess in zip(gold, predicted, strict=True):
        ours, theirs = attacks(truth), attacks(guess)
        single = {(head, tail) for head, tail in ours if (tail, head) not in ours}
        one_way += len(single)
        found += len(single & theirs)
        said += len(theirs)
        turned += len({(tail, head) for head, tail in single} & theirs)
    return one_way, found, said, turned


def count_bystanders(gold: Sequence[Document], related: Sequence[Document], schema: Schema) -> tuple[int, int]:
    """Return the number of unrelated candidate pairs of one sentence, and of those that get a relation."""
    total = wrong = 0
    for truth, guess in zip(gold, related, strict=True):
        place = [truth.sentence_of_word[each.start] for each in truth.entities]
        known = {frozenset((each.head, each.tail)) for each in truth.relations}
        said = {(each.head, each.tail) for each in guess.relations}
        for head, tail in candidates(truth.entities, schema):
            if place[head] == place[tail] and frozenset((head, tail)) not in known:
                total += 1
                wrong += (head, tail) in said
    return total, wrong


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", nargs="*", default=["data/annotations/test"])
    arguments = parser.parse_args()
    gold = [each for each in formats.read_all(arguments.data) if each.relations_annotated]
    predictor = Predictor.from_pretrained(arguments.model)
    predicted = predictor.predict([each.without_annotations() for each in gold])
    one_way, found, said, turned = count_directions(gold, predicted)
    print(f"{one_way} one-way gold ATTACKS, {found} found ({100 * found / max(one_way, 1):.1f} %)")
    print(f"{said} predicted ATTACKS, {turned} the wrong way round ({100 * turned / max(said, 1):.1f} %)")
    total, wrong = count_bystanders(gold, predictor.predict(gold, entities="gold"), predictor.schema)
    share = f"{100 * wrong / max(total, 1):.1f} %"
    print(f"{total} unrelated candidate pairs in one sentence, {wrong} get a relation ({share})")


if __name__ == "__main__":
    main()
