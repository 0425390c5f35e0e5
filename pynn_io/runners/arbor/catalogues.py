"""Arbor's own mechanisms that stand for those of NEURON: which there are, and what can be set of each.

The names of the Allen and BBP catalogues are those of the ``.mod`` files that they were made from, so are their
parameters and units. A global parameter is a part of a mechanism's name in Arbor (``pas/e=-70``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Known:
    """A mechanism of a catalogue. writes: the ion whose concentration it sets."""

    catalogue: str
    name: str
    ranges: tuple[str, ...]
    globals: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    writes: str = ""

    @property
    def full_name(self) -> str:
        """Its name in a catalogue that has all of Arbor's, each with its own prefix."""
        return f"{PREFIXES[self.catalogue]}{self.name}"


#: What the names of a catalogue begin with, since two have an ``Ih``, an ``Im`` and a ``Ca_HVA``.
PREFIXES: Mapping[str, str] = MappingProxyType({"default": "", "allen": "allen_", "bbp": "bbp_"})
#: catalogue, mechanism, range parameters, globals, ions that it reads or whose current it carries, ion that it writes.
_ROWS = (
    ("default", "pas", "g", "e", "", ""),
    ("default", "hh", "gnabar gkbar gl el", "", "na k", ""),
    ("default", "exp2syn", "tau1 tau2 e", "", "", ""),
    ("default", "expsyn", "tau e", "", "", ""),
    ("allen", "CaDynamics", "gamma decay depth minCai", "F", "", "ca"),
    ("allen", "Ca_HVA", "gbar", "", "ca", ""),
    ("allen", "Ca_LVA", "gbar", "", "ca", ""),
    ("allen", "Ih", "gbar", "ehcn", "", ""),
    ("allen", "Im", "gbar", "", "k", ""),
    ("allen", "Im_v2", "gbar", "", "k", ""),
    ("allen", "K_P", "gbar vshift tauF", "", "k", ""),
    ("allen", "K_T", "gbar vshift mTauF hTauF", "", "k", ""),
    ("allen", "Kd", "gbar", "", "k", ""),
    ("allen", "Kv2like", "gbar", "", "k", ""),
    ("allen", "Kv3_1", "gbar", "vshift", "k", ""),
    ("allen", "NaTa", "gbar", "malphaF mbetaF mvhalf mk halphaF hbetaF hvhalf hk", "na", ""),
    ("allen", "NaTs", "gbar", "malphaF mbetaF mvhalf mk halphaF hbetaF hvhalf hk", "na", ""),
    ("allen", "NaV", "gbar", "Con Coff Oon Ooff alpha beta gamma delta alfac btfac x1 x2", "na", ""),
    ("allen", "Nap", "gbar", "", "na", ""),
    ("allen", "SK", "gbar", "zTau", "k ca", ""),
    ("bbp", "CaDynamics_E2", "gamma decay depth minCai initCai", "F", "", "ca"),
    ("bbp", "Ca_HVA", "gCa_HVAbar", "", "ca", ""),
    ("bbp", "Ca_LVAst", "gCa_LVAstbar", "", "ca", ""),
    ("bbp", "Ih", "gIhbar", "ehcn", "", ""),
    ("bbp", "Im", "gImbar", "", "k", ""),
    ("bbp", "K_Pst", "gK_Pstbar", "", "k", ""),
    ("bbp", "K_Tst", "gK_Tstbar", "", "k", ""),
    ("bbp", "NaTa_t", "gNaTa_tbar", "", "na", ""),
    ("bbp", "NaTs2_t", "gNaTs2_tbar", "", "na", ""),
    ("bbp", "Nap_Et2", "gNap_Et2bar", "", "na", ""),
    ("bbp", "SK_E2", "gSK_E2bar", "zTau", "k ca", ""),
    ("bbp", "SKv3_1", "gSKv3_1bar", "", "k", ""),
)
MECHANISMS: tuple[Known, ...] = tuple(
    Known(catalogue, name, tuple(ranges.split()), tuple(shared.split()), tuple(reads.split()), writes)
    for catalogue, name, ranges, shared, reads, writes in _ROWS
)
#: Point processes of NEURON that are Arbor's under another name.
SYNAPSES: Mapping[str, str] = MappingProxyType({"Exp2Syn": "exp2syn", "ExpSyn": "expsyn"})


def find(name: str, parameters: Iterable[str] = ()) -> Known | None:
    """The mechanism of that name; of two, the one that has more of some parameters, Allen's if both have as many."""
    wanted = set(parameters)
    named = [item for item in MECHANISMS if item.name == name]
    return max(named, key=lambda item: len(wanted & {*item.ranges, *item.globals}), default=None)
