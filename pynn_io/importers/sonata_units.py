"""What SONATA leaves unsaid about weights and synapse models, as data.

SONATA states no unit for ``syn_weight``: it is what the target simulator takes. The unit follows from the kind of the
target cell and from the synapse model. Sources: BMTK 1.2 (bionet: ``NetCon.weight``, uS for conductance synapses, 1
for artificial cells; pointnet: NEST's unit for the cell model), the OBI extension ("conductance", nS), and neurodamus,
which hands the conductance of ``Exp2Syn_synapse`` and ``point_process`` edges to ``NetCon.weight`` unscaled.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from pynn_io.graph.cells import CableCell, Cell, PointCell
from pynn_io.vocabulary import models

#: Population type of the OBI extension -> unit of ``conductance`` (``weight`` for TM_synapse).
OBI_UNITS = {
    "chemical": "nS",
    "electrical": "nS",
    "Exp2Syn_synapse": "uS",
    "point_process": "1",
    "TM_synapse": "nS",
}
#: (target, synapse) patterns -> unit; the first match counts, after `pynn_io.vocabulary` was asked.
UNITS = (
    ("cable", "*", "uS"),
    ("nest:*_psc_delta*", "*", "mV"),
    ("nest:izhikevich", "*", "mV"),
    ("nest:*cond*", "*", "nS"),
    ("nest:*", "*", "pA"),
    ("nrn:*", "*", "1"),
    ("hoc:*", "*", "1"),
    ("*_cond_*", "*", "uS"),
    ("*_curr_delta", "*", "mV"),
    ("*_curr_*", "*", "nA"),
)
#: Spellings of synapse models in the corpus -> model. Anything else follows the target's simulator.
SYNAPSES = {
    "static_synapse": "nest:static_synapse",
    "exp2syn": "nrn:Exp2Syn",
    "expsyn": "nrn:ExpSyn",
}
#: Population type of the OBI extension -> (kind of the projection, synapse model, parameters that stand as columns).
OBI_KINDS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "chemical": ("chemical", "", ()),
    "electrical": ("electrical", "", ()),
    "Exp2Syn_synapse": ("chemical", "nrn:Exp2Syn", ("tau1", "tau2", "erev")),
    "point_process": ("chemical", "", ()),
    "TM_synapse": ("chemical", "nest:tsodyks2_synapse", ("U", "tau_fac", "tau_rec")),
}


def weight_unit(target: Cell, synapse: str, obi_type: str) -> str:
    """The unit of a weight onto a cell; empty where nothing is known."""
    if obi_type:
        return OBI_UNITS.get(obi_type, "")
    if isinstance(target, PointCell):
        # A static synapse only passes the weight on, so its target decides.
        stated = models.weight_unit(synapse, target.model)
        if stated:
            return stated
    name = "cable" if isinstance(target, CableCell) else target.model if isinstance(target, PointCell) else "?"
    return next((unit for cell, model, unit in UNITS if fnmatchcase(name, cell) and fnmatchcase(synapse, model)), "")


def synapse_model(template: str | None, nest: bool) -> str:
    """The model behind ``model_template`` of an edge type; empty where the source names none.

    nest: whether the targets are NEST's cells, or the circuit's target simulator is NEST.
    """
    if not template:
        return ""
    prefix, _, name = template.rpartition(":")
    if prefix:
        bare = name if prefix.lower() != "pynn" else ""
        return f"{prefix.lower()}:{bare}" if bare else name
    if name.lower() in SYNAPSES:
        return SYNAPSES[name.lower()]
    return f"nest:{name}" if nest or name.lower().endswith("_synapse") else f"nrn:{name}"


def cell_model(template: str) -> str:
    """The model behind ``model_template`` of a point cell: a native name keeps its prefix, PyNN's has none."""
    prefix, _, name = template.rpartition(":")
    if not prefix or prefix.lower() == "pynn":
        return name
    return f"{prefix.lower()}:{name}"
