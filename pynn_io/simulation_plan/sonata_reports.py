"""The ``reports`` of a SONATA simulation configuration as recordings."""

from __future__ import annotations

from typing import Any

from pynn_io.report import Report
from pynn_io.simulation_plan.plan import Recording
from pynn_io.simulation_plan.sonata_section import Section

#: BMTK's modules that record a value of each place; its others are kinds of their own, by their names.
_COMPARTMENT = ("membrane_report", "multimeter_report", "multimeter")
_SPELLINGS = {"SaveSynapses": "save_synapses"}
_COMPARTMENTS = {"center": "center", "all": "all"}
_SCALINGS = {"none": "none", "area": "area"}


def read_recordings(reports: Section, everywhere: Any, report: Report) -> tuple[Recording, ...]:
    """What is recorded. Several variables of one report stay together, separated by commas, as in the OBI dialect.

    everywhere: the node set of reports that state none.
    """
    return tuple(_recording(name, reports.section(name), everywhere, report) for name in list(reports))


def _recording(name: str, item: Section, everywhere: Any, report: Report) -> Recording:
    module, kind = item.text("module"), item.text("type")
    sections = ", ".join(item.texts("sections"))
    if module == "membrane_report" and not sections:
        report.defaulted(
            "report-sections",
            item.place("sections"),
            "No sections are stated: the soma is recorded, as SONATA says; BMTK would record every section.",
            examples=[name],
        )
    compartments = item.text("compartment_set")
    return Recording(
        name=name,
        variable=", ".join(item.texts("variable_name")),
        node_set=item.take("cells", everywhere if compartments is None else None),
        sections=sections or "soma",
        start=item.number("start_time", "tstart"),
        stop=item.number("end_time", "tstop"),
        interval=item.number("dt", "interval"),
        enabled=item.flag("enabled", True),
        kind=_kind(module, kind),
        compartments=item.choice("compartments", _COMPARTMENTS),
        compartment_set=compartments,
        unit=item.text("unit"),
        scaling=item.choice("scaling", _SCALINGS),
        file=item.text("file_name"),
        parameters=item.rest(),
    )


def _kind(module: str | None, kind: str | None) -> str:
    if kind == "compartment_set" or module in _COMPARTMENT:
        return "compartment"
    if module is not None:
        return _SPELLINGS.get(module, module)
    return kind or "compartment"
