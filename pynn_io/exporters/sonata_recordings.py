"""Recordings -> the ``reports`` of a ``simulation_config.json``, in either dialect."""

from __future__ import annotations

from typing import Any

from pynn_io.exporters.sonata_components import plain
from pynn_io.exporters.sonata_stimuli import Target
from pynn_io.simulation_plan.plan import Recording

#: What libsonata reads; it refuses a whole configuration with another.
_OBI_SECTIONS = ("soma", "axon", "dend", "apic", "all")
_OBI_KINDS = ("compartment", "summation", "synapse", "lfp")
#: Kinds of which BMTK has modules of the same name; its membrane_report is ``compartment``.
_BMTK_KINDS = (
    *("extracellular", "netcon_report", "weight_recorder", "save_synapses", "SEClamp"),
    *("clamp_report", "spikes_report"),
)


def write_report(recording: Recording, target: Target) -> dict[str, Any] | None:
    """One report; None, and reported, where the dialect has nothing like it."""
    return _obi(recording, target) if target.obi else _allen(recording, target)


def _lost(recording: Recording, target: Target, reason: str) -> None:
    target.report.lost(
        "recording",
        f"reports/{recording.name}",
        f"The recording {recording.name} of the kind {recording.kind} is left out: {reason}.",
        examples=[recording.name],
    )


def _common(recording: Recording) -> dict[str, Any]:
    content = {
        "variable_name": recording.variable,
        "sections": recording.sections,
        "start_time": recording.start,
        "end_time": recording.stop,
        "dt": recording.interval,
        "unit": recording.unit,
        "compartments": recording.compartments,
        "scaling": recording.scaling,
        "file_name": recording.file,
        **plain(recording.parameters),
    }
    if not recording.enabled:
        content["enabled"] = False
    return content


def _stated(content: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if value is not None}


def _allen(recording: Recording, target: Target) -> dict[str, Any] | None:
    if recording.compartment_set is not None:
        _lost(recording, target, "BMTK has no compartment sets")
        return None
    if recording.kind == "compartment":
        module = "multimeter_report" if target.nest else "membrane_report"
    elif recording.kind in _BMTK_KINDS:
        module = recording.kind
    else:
        _lost(recording, target, "BMTK has no such report")
        return None
    variables = recording.variable.split(", ")
    return _stated(
        {
            "cells": target.sets.rewritten(recording.node_set, f"reports/{recording.name}"),
            **_common(recording),
            "variable_name": variables if len(variables) > 1 else recording.variable or None,
            "module": module,
        }
    )


def _obi(recording: Recording, target: Target) -> dict[str, Any] | None:
    if recording.kind not in _OBI_KINDS:
        _lost(recording, target, "the OBI dialect has no such report")
        return None
    if not recording.variable and recording.kind != "lfp":
        _lost(recording, target, "it records no variable of a cell")
        return None
    where = f"reports/{recording.name}"
    content = {**_common(recording), "type": recording.kind}
    if recording.compartment_set is not None:
        content |= {"type": "compartment_set", "compartment_set": recording.compartment_set, "sections": None}
    else:
        cells = target.sets.rewritten(recording.node_set, where)
        content["cells"] = target.obi_set(cells, recording.name)
        content["sections"] = _sections(recording, target)
    if recording.kind == "lfp":
        if recording.variable:
            target.report.expanded(
                "lfp-variable",
                where,
                "a field potential is of membrane currents: libsonata refuses a variable in its report",
                examples=[recording.name],
            )
        content |= {"variable_name": None, "sections": None}
    plan = target.plan
    _default(content, "dt", plan.timestep if plan.timestep is not None else 0.025, recording, target)
    _default(content, "start_time", 0.0, recording, target)
    _default(content, "end_time", plan.duration if plan.duration is not None else 0.0, recording, target)
    return _stated(content)


def _sections(recording: Recording, target: Target) -> str:
    if recording.sections in _OBI_SECTIONS:
        return recording.sections
    # BMTK's multimeters name themselves as sections: a point cell has one.
    known = [name for name in recording.sections.split(", ") if name in _OBI_SECTIONS]
    taken = "soma" if not known else known[0] if len(known) == 1 else "all"
    target.report.approximated(
        "report-sections",
        f"reports/{recording.name}",
        f"the OBI dialect records one of {', '.join(_OBI_SECTIONS)}: {taken!r} stands for {recording.sections!r}",
        examples=[recording.name],
    )
    return taken


def _default(content: dict[str, Any], key: str, value: Any, recording: Recording, target: Target) -> None:
    if content.get(key) is not None:
        return
    content[key] = value
    target.report.defaulted(
        "simulation-default",
        f"reports/{recording.name}",
        f"libsonata refuses a simulation that does not state it: {key} = {value!r} stands in",
        examples=[recording.name, key],
    )
