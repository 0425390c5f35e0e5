"""What a SONATA simulation configuration says of the run as a whole: ``run``, ``conditions``, overrides, ``output``.

Keys of the SONATA guide, of BMTK, and of the OBI extension; one table a section, which the writer reads backwards.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.errors import PlanError
from pynn_io.simulation_plan.plan import Assignment, ConnectionOverride, Modification, Output
from pynn_io.simulation_plan.snippet import parse_snippet
from pynn_io.simulation_plan.sonata_section import Section

#: Where a circuit of the OBI extension has its spikes if the configuration is silent, mV.
OBI_SPIKE_THRESHOLD = -30.0
#: field of the plan -> key in ``run``; all of them numbers. ``min_delay`` (and ``variable_step``) only we know.
RUN = {
    "start": "tstart",
    "duration": "tstop",
    "timestep": "dt",
    "section_length": "dL",
    "spike_threshold": "spike_threshold",
    "min_delay": "min_delay",
}
#: part of the plan's ``seeds`` -> key in ``run``.
SEEDS = {
    "stimulus": "stimulus_seed",
    "ionchannel": "ionchannel_seed",
    "minis": "minis_seed",
    "synapse": "synapse_seed",
}
#: ``run.integration_method``: names, and what NEURON's ``secondorder`` calls them.
METHODS = {"0": "euler", "1": "crank_nicolson", "2": "crank_nicolson_ion"}
SPIKE_LOCATIONS = {"soma": "soma", "ais": "AIS"}
#: field of the plan -> key in ``conditions``; numbers.
CONDITIONS = {"celsius": "celsius", "v_init": "v_init", "extracellular_calcium": "extracellular_calcium"}
SORT_ORDERS = {
    "none": "none",
    "time": "by_time",
    "by_time": "by_time",
    "id": "by_id",
    "by_id": "by_id",
    "node_id": "by_id",
}
#: kind of modification -> what the targets of its assignments look like, in words.
MODIFICATIONS = {
    "ttx": "",
    "configure_all_sections": "%s.variable",
    "section_list": "apical.variable",
    "section": "apic[10].variable",
    "compartment_set": "variable",
}
#: Names from before version 2.4.
_OLD_MODIFICATIONS = {"TTX": "ttx", "ConfigureAllSections": "configure_all_sections"}
#: field of an override -> its key; numbers.
OVERRIDE = {
    "weight": "weight",
    "delay": "delay",
    "synapse_delay": "synapse_delay_override",
    "spont_minis": "spont_minis",
}


def read_run(run: Section) -> dict[str, Any]:
    """Fields of the plan that ``run`` states."""
    values: dict[str, Any] = {field: run.number(key) for field, key in RUN.items() if field != "duration"}
    values["duration"] = run.number("tstop", "duration")
    values["seed"] = run.integer("random_seed")
    seeds = {part: run.integer(key) for part, key in SEEDS.items()}
    values["seeds"] = {part: seed for part, seed in seeds.items() if seed is not None}
    values["integration_method"] = _method(run)
    values["variable_step"] = run.optional_flag("variable_step")
    values["spike_times"] = _spike_times(run)
    return values


def _method(run: Section) -> str | None:
    stated = run.take("integration_method")
    if isinstance(stated, float) and stated.is_integer():
        stated = int(stated)
    if stated is None or (isinstance(stated, str) and stated not in METHODS):
        return stated
    if str(stated) not in METHODS:
        raise run.wrong("integration_method", f"a name, or 0, 1 or 2, is expected, here it is {stated!r}")
    return METHODS[str(stated)]


def _spike_times(run: Section) -> str | None:
    """BMTK's two switches of NEST's spike_generator (``pointnet/pointsimulator.py``)."""
    precise, offgrid = run.optional_flag("precise_times"), run.optional_flag("allow_offgrid_spikes")
    if offgrid:  # BMTK sets it alone, in place of the other
        return "grid"
    return "precise" if precise else None


def read_conditions(conditions: Section) -> tuple[dict[str, Any], dict[str, Any]]:
    """Fields of the plan that ``conditions`` states, and variables of mechanisms that are no numbers.

    Raises PlanError for a snippet that is more than assignments."""
    values: dict[str, Any] = {field: conditions.number(key) for field, key in CONDITIONS.items()}
    values["spike_location"] = conditions.choice("spike_location", SPIKE_LOCATIONS)
    values["randomize_gaba_rise_time"] = conditions.optional_flag("randomize_gaba_rise_time")
    variables, kept = _mechanisms(conditions.section("mechanisms"))
    values["mechanism_variables"] = variables
    values["modifications"] = tuple(_modification(item) for item in conditions.sections("modifications"))
    return values, kept


def _mechanisms(mechanisms: Section) -> tuple[dict[tuple[str, str], float], dict[str, Any]]:
    """Global variables of mechanisms, and what is no number; true and false are 1 and 0, as NMODL has only numbers."""
    found: dict[tuple[str, str], float] = {}
    kept: dict[str, Any] = {}
    for mechanism in list(mechanisms):
        variables = mechanisms.section(mechanism)
        for name in list(variables):
            value = variables.take(name)
            if isinstance(value, bool | int | float):
                found[mechanism, name] = float(value)
            else:
                kept.setdefault(mechanism, {})[name] = value
    return found, kept


def _modification(item: Section) -> Modification:
    stated = item.text("type") or ""
    kind = _OLD_MODIFICATIONS.get(stated, stated)
    if kind not in MODIFICATIONS:
        raise item.wrong("type", f"{stated!r} is unknown; known are {', '.join(MODIFICATIONS)}")
    assignments: tuple[Assignment, ...] = ()
    if kind != "ttx":
        text = item.text("section_configure")
        if text is None:
            raise item.wrong("section_configure", "what to change is missing")
        assignments = parse_snippet(text, item.place("section_configure"))
        _check_targets(kind, assignments, item.place("section_configure"))
    modification = Modification(
        item.text("name") or "",
        kind,
        item.take("node_set"),
        assignments,
        item.text("compartment_set"),
    )
    wanted = "compartment_set" if kind == "compartment_set" else "node_set"
    if getattr(modification, wanted) is None:
        raise item.wrong(wanted, f"a modification of type {kind} needs it")
    item.refuse_rest()
    return modification


def _check_targets(kind: str, assignments: tuple[Assignment, ...], where: str) -> None:
    fits = {
        "configure_all_sections": lambda target: target == "%s",
        "section_list": lambda target: target not in ("", "%s") and not target.endswith("]"),
        "section": lambda target: target.endswith("]"),
        "compartment_set": lambda target: not target,
    }[kind]
    for item in assignments:
        if not fits(item.target):
            raise PlanError(
                f"{item.target or item.variable!r} cannot be changed by a modification of type {kind}",
                where=where,
                hint=f"it takes assignments to {MODIFICATIONS[kind]}",
            )


def read_override(item: Section) -> ConnectionOverride:
    """One of ``connection_overrides``. Raises PlanError for a snippet that is more than assignments."""
    numbers = {field: item.number(key) for field, key in OVERRIDE.items()}
    name, mechanism, snippet = item.text("name"), item.text("modoverride"), item.text("synapse_configure")
    assignments = parse_snippet(snippet or "", item.place("synapse_configure"))
    for assignment in assignments:
        if assignment.target not in ("", "%s"):
            raise item.wrong("synapse_configure", f"{assignment.target!r} is no synapse: '%s' stands for it")
    source, target = item.take("source"), item.take("target")
    if source is None or target is None:
        raise item.wrong("source" if source is None else "target", "the node set is missing")
    return ConnectionOverride(
        name=name or "",
        source=source,
        target=target,
        mod_override=mechanism,
        configure=assignments,
        parameters=item.rest(),
        **numbers,
    )


def read_output(output: Section, base: Path) -> Output:
    """The section ``output``; keys without a field are kept. Raises PlanError for an unknown sort order."""
    return Output(
        directory=output.text("output_dir"),
        spikes_file=output.text("spikes_file"),
        spikes_file_csv=output.text("spikes_file_csv"),
        spikes_sort_order=output.choice("spikes_sort_order", SORT_ORDERS),
        log_file=output.text("log_file"),
        parameters=output.rest(),
        base=str(base),
    )


def check_compartment_sets(content: Any, where: object) -> Mapping[str, Any]:
    """Compartment sets by name: each a population and ``[node_id, section_id, offset]``, sorted, none twice.

    Rules: SONATA extension, "Compartment sets"; libsonata 0.2.2 ``compartment_sets.cpp``. Raises PlanError naming set
    and entry.
    """
    if not isinstance(content, Mapping):
        raise PlanError("compartment sets must be an object", where=where)
    for name, one in content.items():
        place = f"{where}:{name}"
        if not isinstance(one, Mapping) or not isinstance(one.get("population"), str):
            raise PlanError("a compartment set names a 'population'", where=place)
        entries = one.get("compartment_set")
        if not isinstance(entries, list):
            raise PlanError("a compartment set has a list 'compartment_set'", where=place)
        for number, entry in enumerate(entries):
            if not _is_location(entry):
                raise PlanError(
                    f"entry {number} is {entry!r}, and not [node id, section id, offset from 0 to 1]", where=place
                )
            if number and not entries[number - 1] < entry:
                raise PlanError(f"entry {number}, {entry!r}, is not after the one before it: sort them", where=place)
    return content


def _is_location(entry: Any) -> bool:
    if not isinstance(entry, list) or len(entry) != 3:
        return False
    whole = all(isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in entry[:2])
    offset = entry[2]
    return whole and isinstance(offset, int | float) and not isinstance(offset, bool) and 0 <= offset <= 1
