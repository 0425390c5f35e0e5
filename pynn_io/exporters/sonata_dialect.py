"""What distinguishes the dialects of SONATA for a writer, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pynn_io.errors import FormatError
from pynn_io.graph.sections import AXON_REPLACED, SPECIFICATION


@dataclass(frozen=True, slots=True)
class Dialect:
    """One dialect.

    types: attributes of a type stand in a CSV. flat: every attribute stands in group 0 of the HDF5 file, text as
    ``@library``. groups: several attribute groups are kept. rows_as_ids: a node's id is its row (libsonata knows no
    other). section_order: what section ids count; None keeps the source's. conductance: the weight column is
    ``conductance``, nS.
    """

    name: str
    types: bool
    flat: bool
    groups: bool
    rows_as_ids: bool
    section_order: str | None
    conductance: bool


DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "": Dialect("", True, True, False, True, None, False),
        "allen": Dialect("allen", True, False, True, False, AXON_REPLACED, False),
        "obi": Dialect("obi", False, True, False, True, SPECIFICATION, True),
    }
)


def dialect_of(name: str) -> Dialect:
    """Raises FormatError for an unknown one."""
    if name not in DIALECTS:
        known = ", ".join(repr(key) for key in DIALECTS)
        raise FormatError(f"SONATA has no dialect {name!r} here", hint=f"known: {known}")
    return DIALECTS[name]
