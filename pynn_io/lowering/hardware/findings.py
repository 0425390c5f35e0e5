"""What a check says: findings, each with its place, its number and a remedy, and the size of what a network needs."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from pynn_io.report import EXAMPLES, Kind, Report
from pynn_io.vocabulary.chips import Chip

#: What a level is in a report of losses; a note changes nothing.
KINDS = {"no": Kind.LOST, "approximate": Kind.APPROXIMATED}
LEVELS = ("no", "approximate", "note")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing at one place.

    level: ``no`` (the chip cannot hold it), ``approximate`` (it computes something else), ``note`` (it costs more).
    count, total: how many of how many cells, connections, spikes ... examples: up to `EXAMPLES` names.
    """

    code: str
    level: str
    where: str
    message: str
    remedy: str = ""
    count: int = 1
    total: int = 1
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """An estimate, before anything is mapped. neurons: without sources. sdram: bytes of the synapses."""

    neurons: int
    synapses: int
    cores: int
    chips: int
    boards: int
    sdram: int


@dataclass(frozen=True, slots=True)
class Check:
    """The answer for one network, plan and chip; findings that refuse come first."""

    chip: Chip
    timestep: float
    findings: tuple[Finding, ...]
    needs: Needs

    def refusals(self, *, strict: bool = False, allowed: Collection[str] = ()) -> tuple[Finding, ...]:
        """What cannot be held; with ``strict`` also what would compute something else. allowed: codes to pass over."""
        levels = {"no", "approximate"} if strict else {"no"}
        return tuple(one for one in self.findings if one.level in levels and one.code not in allowed)

    def add_to(self, report: Report) -> None:
        """As losses: LOST and APPROXIMATED, with the remedy in the message."""
        for one in self.findings:
            if one.level in KINDS:
                report.add(
                    one.code, KINDS[one.level], one.where, _sentence(one), count=one.count, examples=one.examples
                )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "chip": self.chip.name,
            "title": self.chip.title,
            "source": self.chip.source,
            "timestep": self.timestep,
            "fits": not self.refusals(),
            "needs": asdict(self.needs),
            "findings": [{**asdict(one), "examples": list(one.examples)} for one in self.findings],
        }


def _sentence(one: Finding) -> str:
    return f"{one.message}; what helps: {one.remedy}." if one.remedy else f"{one.message}."


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Refusals, then approximations, then notes; within a level as they came."""
    return tuple(sorted(findings, key=lambda one: LEVELS.index(one.level)))


def examples(names: Iterable[object]) -> tuple[str, ...]:
    """The first of distinct names, as text."""
    return tuple(dict.fromkeys(map(str, names)))[:EXAMPLES]
