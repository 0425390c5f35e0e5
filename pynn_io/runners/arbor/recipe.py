"""`LoweredArbor` as a recipe: what Arbor asks cell by cell, answered from arrays. Imports Arbor."""

from __future__ import annotations

from typing import Any

import arbor
import numpy as np
from arbor import units

from pynn_io.lowering.cables.elements import Recorded
from pynn_io.lowering.signals import Shape
from pynn_io.runners.arbor.lowered import Cable, LoweredArbor
from pynn_io.runners.arbor.wiring import Wiring

#: Labels: of the source of a cell's spikes, and of the target of a cell without extent.
SPIKES, _TARGET = "spikes", "target"
_KELVIN = 273.15
#: Arbor's unit of every value that is painted, as a multiple of ours.
_PAINTED: dict[str, Any] = {
    "Vm": units.mV,
    "rL": units.Ohm * units.cm,
    "cm": 0.01 * units.F / units.m2,
    "rev_pot": units.mV,
    "int_con": units.mM,
    "ext_con": units.mM,
}
_LIF = {"tau_m": units.ms, "t_ref": units.ms, "V_th": units.mV, "E_L": units.mV, "E_R": units.mV, "V_m": units.mV}
#: Of cells whose weights are mV: Arbor divides a weight by it.
_CAPACITANCE = 1.0 * units.pF
_DETECTED = {
    "int_con": arbor.cable_probe_ion_int_concentration,
    "ext_con": arbor.cable_probe_ion_ext_concentration,
    "rev_pot": arbor.cable_probe_ion_reversal_potential,
    "current": arbor.cable_probe_ion_current_density,
}


class Rows:
    """The rows of an array of gids that are one gid's."""

    def __init__(self, gids: np.ndarray, size: int) -> None:
        self._order = np.argsort(gids, kind="stable")
        self._begins = np.searchsorted(gids[self._order], np.arange(size + 1))

    def of(self, gid: int) -> list[int]:
        return self._order[self._begins[gid] : self._begins[gid + 1]].tolist()


class Recipe(arbor.recipe):
    """A cell is made when Arbor asks for it, and not kept."""

    def __init__(self, lowered: LoweredArbor, wiring: Wiring, catalogue: Any) -> None:
        super().__init__()
        self._lowered, self._wiring = lowered, wiring
        self._properties = _properties(lowered, catalogue)
        self._blueprints = [_Blueprint(cable) for cable in lowered.cables]
        size = lowered.size
        self._trains = Rows(lowered.trains.rows, size)
        self._lifs = [Rows(item.gids, size) for item in lowered.lifs]
        self._injections = [Rows(item.gids, size) for item in lowered.injections]
        self._reports = [Rows(item.gids, size) for item in lowered.recordings]
        self._gaps = Rows(lowered.gaps.gids, size)
        self._peers = dict(zip(lowered.gaps.own.tolist(), lowered.gaps.gids.tolist(), strict=True))
        self._point = np.full(size, -1, dtype=np.int64)
        for number, item in enumerate(lowered.lifs):
            self._point[item.gids] = number

    def num_cells(self) -> int:
        return self._lowered.size

    def cell_kind(self, gid: int) -> Any:
        if self._lowered.cable[gid] >= 0:
            return arbor.cell_kind.cable
        return arbor.cell_kind.lif if self._point[gid] >= 0 else arbor.cell_kind.spike_source

    def global_properties(self, kind: Any) -> Any:
        return self._properties if kind == arbor.cell_kind.cable else None

    def cell_description(self, gid: int) -> Any:
        if self._lowered.cable[gid] >= 0:
            return self._cable_cell(gid)
        if self._point[gid] >= 0:
            return self._lif_cell(gid)
        schedule = arbor.explicit_schedule()
        schedule.times_ms = self._lowered.trains.times[self._trains.of(gid)].tolist()
        return arbor.spike_source_cell(SPIKES, schedule)

    def _lif_cell(self, gid: int) -> Any:
        number = self._point[gid]
        (row,) = self._lifs[number].of(gid)
        values = {name: float(array[row]) * _LIF[name] for name, array in self._lowered.lifs[number].values.items()}
        return arbor.lif_cell(SPIKES, _TARGET, C_m=_CAPACITANCE, **values)

    def _cable_cell(self, gid: int) -> Any:
        blueprint, wiring, gaps = self._blueprints[self._lowered.cable[gid]], self._wiring, self._lowered.gaps
        decor = arbor.decor(blueprint.decor)
        for row in range(wiring.sites[gid], wiring.sites[gid + 1]):
            kind = wiring.kinds[wiring.kind[row]]
            synapse = arbor.synapse(kind.mechanism, dict(kind.parameters))
            decor.place(_location(wiring.branch[row], wiring.position[row]), synapse, _synapse(row))
        for item, rows in zip(self._lowered.injections, self._injections, strict=True):
            for place in rows.of(gid):
                course = item.course(place)
                if len(course.times):
                    at = blueprint.location(item.section[place], item.position[place])
                    decor.place(at, _clamp(course))
        for row in self._gaps.of(gid):
            at = blueprint.location(gaps.section[row], gaps.position[row])
            decor.place(at, arbor.junction("gj", {"g": 1.0}), _gap(gaps.own[row]))
        return arbor.cable_cell(blueprint.morphology, decor, None, blueprint.policy)

    def connections_on(self, gid: int) -> list[Any]:
        wiring = self._wiring
        rows = slice(wiring.links[gid], wiring.links[gid + 1])
        columns = (wiring.source, wiring.synapse, wiring.weight, wiring.delay)
        return [
            arbor.connection((source, SPIKES), _TARGET if row < 0 else _synapse(row), weight, delay * units.ms)
            for source, row, weight, delay in zip(*(column[rows].tolist() for column in columns), strict=True)
        ]

    def gap_junctions_on(self, gid: int) -> list[Any]:
        gaps, found = self._lowered.gaps, []
        for row in self._gaps.of(gid):
            other = int(gaps.other[row])
            peer, here = (self._peers[other], _gap(other)), _gap(gaps.own[row])
            found.append(arbor.gap_junction_connection(peer, here, float(gaps.conductance[row])))
        return found

    def probes(self, gid: int) -> list[Any]:
        found = []
        for number, (item, rows) in enumerate(zip(self._lowered.recordings, self._reports, strict=True)):
            mine = rows.of(gid)
            if mine:
                found.append(self._probe(gid, item, mine, tag_of(number)))
        return found

    def _probe(self, gid: int, item: Recorded, rows: list[int], tag: str) -> Any:
        if self._point[gid] >= 0:
            return arbor.lif_probe_voltage(tag)
        blueprint = self._blueprints[self._lowered.cable[gid]]
        at = _all([blueprint.location(item.section[row], item.position[row]) for row in rows])
        if item.variable.kind == "v":
            return arbor.cable_probe_membrane_voltage(at, tag)
        return _DETECTED[item.variable.kind](at, item.variable.ion, tag)


def tag_of(number: int) -> str:
    """The tag of the probes of a report."""
    return f"report{number}"


def _properties(lowered: LoweredArbor, catalogue: Any) -> Any:
    whole = lowered.settings
    found = arbor.neuron_cable_properties()
    found.catalogue = catalogue
    found.set_property(Vm=whole.v_init * units.mV, tempK=(whole.celsius + _KELVIN) * units.Kelvin)
    return found


def _location(branch: Any, position: Any) -> str:
    return f"(location {int(branch)} {float(position)!r})"


def _all(places: list[str]) -> str:
    return places[0] if len(places) == 1 else f"(join {' '.join(places)})"


def _synapse(row: int) -> str:
    return f"synapse{row}"


def _gap(number: Any) -> str:
    return f"gap{int(number)}"


def _clamp(course: Shape) -> Any:
    """A current clamp; it is 0 after the last point, which Arbor would hold."""
    times, values = course.times.tolist(), course.values.tolist()
    if values[-1] != 0:
        times, values = [*times, times[-1]], [*values, 0.0]
    points = zip(times, values, strict=True)
    return arbor.i_clamp([(time * units.ms, value * units.nA) for time, value in points])


class _Blueprint:
    """What cells of one shape share: Arbor's morphology, what is painted on it, and where volumes end."""

    def __init__(self, cable: Cable) -> None:
        self._tree = cable.tree
        self.morphology = _morphology(cable)
        self.decor = _decor(cable)
        self.decor.place(self.location(*cable.spikes_at), arbor.threshold_detector(cable.threshold * units.mV), SPIKES)
        ends = [_location(*end) for end in cable.tree.boundaries.tolist()]
        self.policy = arbor.cv_policy_explicit(_all(ends)) if ends else arbor.cv_policy_single()

    def location(self, section: int, position: float) -> str:
        """The middle of the control volume that holds a place."""
        branch, along = self._tree.middle(np.array([section]), np.array([position]))
        return _location(branch[0], along[0])


def _morphology(cable: Cable) -> Any:
    tree = arbor.segment_tree()
    tree.reserve(cable.tree.size)
    columns = (cable.tree.parent, cable.tree.proximal, cable.tree.distal, cable.tree.tag)
    for parent, proximal, distal, tag in zip(*(column.tolist() for column in columns), strict=True):
        above = arbor.mnpos if parent < 0 else parent
        tree.append(above, arbor.mpoint(*proximal), arbor.mpoint(*distal), tag)
    return arbor.morphology(tree)


def _decor(cable: Cable) -> Any:
    decor = arbor.decor()
    for item in cable.properties:
        value = item.value * _PAINTED[item.kind]
        decor.paint(item.region, **({"ion": item.ion} if item.ion else {}), **{item.kind: value})
    for ion in cable.nernst:
        decor.set_ion(ion, method=f"nernst/x={ion}")
    for density in cable.densities:
        decor.paint(density.region, arbor.density(density.name, dict(density.parameters)))
    return decor
