"""Reports that a simulator here does not record: what of a run is not there afterwards."""

from __future__ import annotations

from collections.abc import Mapping

from pynn_io.simulation_plan import Recording

#: What the reports of a kind hold, by the names of BMTK's modules and of the SONATA extension's types.
_HELD: Mapping[str, str] = {
    "netcon_report": "values of each synapse at every step",
    "weight_recorder": "the weight of each plastic synapse at every spike",
    "extracellular": "potentials outside cells",
    "lfp": "potentials outside cells",
    "save_synapses": "where synapses were put",
    "SEClamp": "currents of clamps",
    "clamp_report": "currents of clamps",
    "synapse": "values of each synapse at every step",
}


def unrecorded(recording: Recording, kind: str = "") -> str:
    """The message for a report that is left out: its name, its kind (or what ``kind`` calls it), and what is lost."""
    kind = kind or recording.kind
    held = _HELD.get(kind, "values")
    of = " of ".join(str(part) for part in (recording.variable, recording.parameters.get("syn_type")) if part)
    what = f"{held} ({of})" if of else held
    return f"The report {recording.name!r} of kind {kind!r} is left out; not recorded: {what}."
