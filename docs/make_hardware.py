"""Prints the tables of docs/hardware.md from the capability profiles (pynn_io/vocabulary/profiles): `make docs`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from pynn_io.vocabulary import chips
from pynn_io.vocabulary.chips import Chip, Rule
from pynn_io.vocabulary.support import title

PAGE = Path(__file__).with_name("hardware.md")
#: Models whose answer stands for a dialect, or for all that are not named.
OTHERS = {"": "every other standard one", "nest:": "NEST's other ones", "nrn:": "NEURON's", "neuroml:": "NeuroML's"}
WORDS = {"exact": "yes", "approximate": "nearly", "no": "no", "note": "note"}
BEGIN = "<!-- profiles: printed by docs/make_hardware.py -->"


def page(text: str) -> str:
    """The page with everything behind its mark printed again."""
    before = text.partition(BEGIN)[0]
    return f"{before}{BEGIN}\n\n" + "\n".join(line for name in chips.NAMES for line in section(chips.chip(name)))


def section(chip: Chip) -> Iterator[str]:
    sizes = chip.resources
    yield f"## {chip.title}\n"
    yield f"`--backend {chip.name}`. From: {chip.source}.\n"
    yield (
        f"Neurons a core {sizes.neurons_per_core:,}, cores a chip {sizes.cores_per_chip:,}, chips a board "
        f"{sizes.chips_per_board:,}, boards {sizes.boards:,}. Weights have {chip.weights.bits} bits below a full scale "
        "that all synapses of a receptor of a population share.\n"
    )
    yield from _table(("models", "fits", "why not exactly", "what helps"), _models(chip))
    yield from _table(("content", "fits", "why not exactly", "what helps"), _contents(chip))
    yield from _table(("rule", "tests", "fits", "what is said", "what helps"), map(_rule, chip.rules))


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield "| " + " | ".join(header) + " |"
    yield "|---" * len(header) + "|"
    yield from ("| " + " | ".join(row) + " |" for row in rows)
    yield ""


def _models(chip: Chip) -> Iterator[tuple[str, ...]]:
    for kind, answers in (("cells, sources", chip.models), ("synapses", chip.synapses)):
        grouped: dict[tuple[str, ...], list[str]] = {}
        for name, answer in answers.items():
            shown = OTHERS.get(name, f"`{name}`")
            grouped.setdefault((WORDS[answer.level], answer.reason, answer.remedy), []).append(shown)
        for answer, names in grouped.items():
            yield (f"{kind}: {', '.join(names)}", *answer)


def _contents(chip: Chip) -> Iterator[tuple[str, ...]]:
    grouped: dict[tuple[str, ...], dict[str, None]] = {}
    for key, answer in chip.kinds.items():
        grouped.setdefault((WORDS[answer.level], answer.reason, answer.remedy), {})[title(key)] = None
    for answer, titles in grouped.items():
        yield ("; ".join(titles), *answer)


def _rule(rule: Rule) -> tuple[str, ...]:
    of = f"{', '.join(rule.names)}: " if rule.names else ""
    times = f" {rule.times:g} times" if rule.times != 1 else ""
    than = ", ".join(map(str, rule.than)) if isinstance(rule.than, list) else str(rule.than)
    test = f"{of}{rule.of}: {rule.test}{times} {than}"
    return f"`{rule.code}`", test, WORDS[rule.level], rule.message.replace("|", "\\|"), rule.remedy


def main() -> int:
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
