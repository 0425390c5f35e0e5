"""The NeuroML that stands beside a SONATA circuit: ``components/neuroml/circuit.json`` and the document that it names.

SONATA's simulators run templates and mechanisms, which are all that is left of a NeuroML cell there. So a circuit that
was NeuroML keeps its definitions as a NeuroML document. The configuration points to it (``components.neuroml``), a
column of the types names each type's component, and this file says what the tables cannot: which columns of edges the
source stated, what weights were multiplied by, and digests of the component files that stand for the definitions. Where
one of those was changed since, the definitions no longer say what the circuit is, and are not used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pynn_io.errors import ReadError

#: Key of ``components``, of an entry of ``networks.edges`` and of a simulation configuration; the folder's name, too.
KEY = "neuroml"
FILE = "circuit.json"
#: Column of node types and edge types: the id of the NeuroML component that each stands for.
COMPONENT = "neuroml_component"
#: What a plan keeps of a LEMS simulation, in the key of a simulation configuration: lists of attributes.
LEMS_WORDS = ("displays", "meta")
#: How much of a column the source stated.
ALL, SOME = "all", "some"
#: What a connection of NeuroML means that does not state it.
UNSTATED: Mapping[str, float] = MappingProxyType({"weight": 1.0, "delay": 0.0})


@dataclass(frozen=True, slots=True)
class SynapseForm:
    """factor: what the component's weight was multiplied by. unit: of the component's weight. written: of the product;
    empty where nothing was multiplied."""

    factor: float = 1.0
    unit: str = "1"
    written: str = ""


@dataclass(frozen=True, slots=True)
class ProjectionForm:
    """What a projection was. stated: column of the graph -> `ALL` or `SOME`. synapses: by component."""

    kind: str = "chemical"
    stated: Mapping[str, str] = field(default_factory=dict)
    synapses: Mapping[str, SynapseForm] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beside:
    """document: file name of the NeuroML document. files: path below the components -> SHA-256 of its bytes."""

    document: str
    projections: Mapping[str, ProjectionForm] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """As `of` reads it."""
        projections = {
            name: {
                "kind": form.kind,
                "stated": dict(form.stated),
                "synapses": {key: asdict(each) for key, each in form.synapses.items()},
            }
            for name, form in self.projections.items()
        }
        return {"document": self.document, "projections": projections, "files": dict(self.files)}

    def changed(self, components: Path) -> list[str]:
        """The files below the components' folder that are gone or not what they were."""
        return [name for name, digest in self.files.items() if digest_of(components / name) != digest]


def of(content: Any, where: Path) -> Beside:
    """What a ``circuit.json`` says. Raises ReadError for one that is not of this form."""
    document = _get(content, "document", str, where)
    if Path(document).name != document:
        raise ReadError(f"'document' must be the name of a file in this folder, not {document!r}", where=where)
    projections = {
        name: ProjectionForm(
            _get(form, "kind", str, where),
            _texts(_get(form, "stated", dict, where), "stated", where),
            {
                key: SynapseForm(
                    float(_get(each, "factor", (int, float), where)),
                    _get(each, "unit", str, where),
                    _get(each, "written", str, where),
                )
                for key, each in _get(form, "synapses", dict, where).items()
            },
        )
        for name, form in _get(content, "projections", dict, where).items()
    }
    return Beside(document, projections, _texts(_get(content, "files", dict, where), "files", where))


def _get(content: Any, key: str, kind: type | tuple[type, ...], where: Path) -> Any:
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ReadError(f"{key!r} is missing, or of another kind than pynn_io writes", where=where)
    return value


def _texts(content: dict[str, Any], key: str, where: Path) -> dict[str, str]:
    if not all(isinstance(value, str) for value in content.values()):
        raise ReadError(f"{key!r} must hold texts", where=where)
    return content


def digest_of(path: Path) -> str:
    """SHA-256 of a file, as hexadecimal; empty where there is none that can be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""
