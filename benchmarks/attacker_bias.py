"""Does the model read who attacks whom, or does it know it by the names?

The two parties of a sentence change names, and the predicted direction should stay with the sentence.

python benchmarks/attacker_bias.py MODEL [DATA...] [--count 100] [--seed 1]

Sentences: those of DATA (our test articles) with an ATTACKS from one ACTOR to another and none back, and among them
those of two organised parties (armies, groups, states: `PARTIES`). The names are exchanged whole, each leaving its
conjunction or preposition where it stood («وحماس ... للجيش» becomes «والجيش ... لحماس»). With victims or words that say
who did it («المهاجمون»), few people would write the result; the grammar still says who attacked. Relations are asked
for between the given mentions, and between those the model finds itself.
"""

import argparse
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from marsad import Document, Predictor, formats
from marsad.documents import Entity, Relation
from marsad.training.exchange import exchange

ATTACKS = "ATTACKS"
# Words that say a mention is an organised party, by their first letters after clitics and article.
PARTY_WORDS = """
جيش جيوش قوات قوة حركة حزب تنظيم جماعة جماعات ميليشيا مليشيا كتائب كتيبة لواء ألوية فصائل فصيل حشد حرس شرط تحالف حكوم
نظام سرايا هيئة جبه طالبان حماس حوثي داعش بيشمركة قسد إسرائيل روسيا تركيا إيران أوكرانيا الهند باكستان أمريكا أميركا
احتلال جهاز مخابرات أجهزة طيران طائرات سلاح بحرية مدفعية عشير عشائر قبيل قبائل مقاتل مجاهد ثوار متمرد حزام دعم فرقة
وحدات وحدة لجان درك بوكو شباب قاعدة فاغنر أنصار مقاومة بيت ولاية دولة عصائب اتحاد مجلس ناتو يونيفيل
"""
PARTIES = tuple(PARTY_WORDS.split())


@dataclass(frozen=True)
class Case:
    """A sentence as a document of its own; `head` attacks `tail`, both indices of its entities."""

    document: Document
    head: int
    tail: int


def cases(documents: Iterable[Document], *, parties: bool) -> Iterator[Case]:
    """Yield each sentence with a one-way attack between two actors (or organised `parties`): its first such pair."""
    for document in documents:
        for start, end in document.sentences:
            sentence = cut(document, start, end)
            found = {(each.head, each.tail) for each in sentence.relations if each.type == ATTACKS}
            for head, tail in sorted(found):
                actors = all(sentence.entities[end].type == "ACTOR" for end in (head, tail))
                wanted = actors and (not parties or all(_is_party(sentence, end) for end in (head, tail)))
                if wanted and (tail, head) not in found:
                    yield Case(sentence, head, tail)
                    break


def _is_party(document: Document, index: int) -> bool:
    entity = document.entities[index]
    bare = [word.text.removeprefix("ال") for word in document.words[entity.start : entity.end]]
    bare += [word.text.lstrip("وفبلك").removeprefix("ال") for word in document.words[entity.start : entity.end]]
    return any(form.startswith(PARTIES) for form in bare)


def cut(document: Document, start: int, end: int) -> Document:
    """Return words [start, end) as a document."""
    base = document.words[start].start
    text = document.text[base : document.words[end - 1].end]
    kept = [index for index, each in enumerate(document.entities) if start <= each.start and each.end <= end]
    place = {old: new for new, old in enumerate(kept)}
    entities = [document.entities[index] for index in kept]
    return Document(
        f"{document.id}-{start}",
        text,
        [replace(word, start=word.start - base, end=word.end - base) for word in document.words[start:end]],
        entities=[replace(each, start=each.start - start, end=each.end - start) for each in entities],
        relations=[
            Relation(each.type, place[each.head], place[each.tail])
            for each in document.relations
            if each.head in place and each.tail in place
        ],
    )


def exchanged(case: Case, counts: Counter[str]) -> Case:
    """Return the sentence with the names of its two parties exchanged."""
    return replace(case, document=exchange(case.document, [(case.head, case.tail)], counts))


def direction(case: Case, predicted: Document) -> str:
    """Return whether the prediction goes with the sentence, against it, both ways or nowhere."""
    here, there = (case.document.entities[index] for index in (case.head, case.tail))

    def same(found: Entity, wanted: Entity) -> bool:
        return found.start < wanted.end and wanted.start < found.end

    ends = [
        (predicted.entities[each.head], predicted.entities[each.tail])
        for each in predicted.relations
        if each.type == ATTACKS
    ]
    forth = any(same(head, here) and same(tail, there) for head, tail in ends)
    back = any(same(head, there) and same(tail, here) for head, tail in ends)
    return {(True, False): "with", (False, True): "against", (True, True): "both", (False, False): "none"}[forth, back]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("data", nargs="*", default=["data/annotations/test"])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=3, metavar="N", help="exchanged sentences to print")
    arguments = parser.parse_args()
    documents = formats.read_all(arguments.data)
    counts = Counter(word.text for document in documents for word in document.words)
    predictor = Predictor.from_pretrained(arguments.model)
    for title, parties in (("any two actors", False), ("two organised parties", True)):
        found = list(cases(documents, parties=parties))
        chosen = random.Random(arguments.seed).sample(found, min(arguments.count, len(found)))
        print(f"{title}: {len(chosen)} of {len(found)} sentences with a one-way attack")
        swapped = [exchanged(case, counts) for case in chosen]
        for kind, given in (("as written", chosen), ("names exchanged", swapped)):
            report(predictor, kind, given)
        for case in swapped[: arguments.show]:
            print(f"    {case.document.text}")


def report(predictor: Predictor, kind: str, given: Sequence[Case]) -> None:
    """Print how many attacks were found and how many of these go with the sentence."""
    for entities in ("gold", "predicted"):
        asked = [each.document if entities == "gold" else each.document.without_annotations() for each in given]
        said = [direction(*pair) for pair in zip(given, predictor.predict(asked, entities=entities), strict=True)]
        told = len(said) - said.count("none")
        share = f"{100 * said.count('with') / told:.1f} %" if told else "-"
        print(
            f"  {kind}, {entities} mentions: {told} found, {said.count('with')} with the sentence ({share}), "
            f"{said.count('against')} reversed, {said.count('both')} both ways"
        )


if __name__ == "__main__":
    main()
