"""The circuit of ``fixtures/obi_net`` written by hand for NEURON: plain h5py and NEURON, nothing of pynn_io.

``python obi_by_hand.py CASE.json OUT.npz`` in a process of its own. A case says what differs from the plain circuit;
each key is read by the one function of that name below.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import h5py
import numpy as np
from neuron import h

POPULATIONS = ("left", "right")
TEMPLATES = ("NetPyramid", "NetPyramid", "NetBasket")
SECTIONS = {"NetPyramid": {"axon": 3, "dend": 4, "apic": 3}, "NetBasket": {"axon": 1, "dend": 4, "apic": 0}}


class ByHand:
    def __init__(self, folder: Path, case: dict) -> None:
        self.folder, self.case, self.keep = folder, case, []
        self.areas: dict[str, np.ndarray] = {}
        self.events: list[tuple[object, float]] = []
        self.synapses: dict[str, list] = {}
        self.netcons: dict[str, list] = {}
        h.load_file("stdrun.hoc")
        for name in set(TEMPLATES):
            h.load_file(str(folder / "components" / "hoc" / f"{name}.hoc"))
        self.cells = {name: [self._cell(kind) for kind in TEMPLATES] for name in case.get("cells", POPULATIONS)}
        for name in ("left__left__chemical", "left__right__chemical", "drivers__left__chemical"):
            self._release(name)
        self._exponential()
        self._gaps()

    def _cell(self, template: str) -> object:
        morphology = {"NetPyramid": "pyramid.asc", "NetBasket": "basket.asc"}[template]
        folder = self.folder / "components" / "morphologies" / "asc"
        return getattr(h, template)(0, str(folder), morphology)

    def section(self, population: str, row: int, number: int) -> object:
        """Sections as in the file: soma, axon (3 and 1 of them), basal, apical."""
        cell, counts = self.cells[population][row], SECTIONS[TEMPLATES[row]]
        if number == 0:
            return cell.soma[0]
        number -= 1
        for name, count in counts.items():
            if number < count:
                return getattr(cell, name)[number]
            number -= count
        raise IndexError(number)

    def _edges(self, name: str) -> dict[str, np.ndarray]:
        with h5py.File(self.folder / "network" / f"{name}.h5") as file:
            root = file[f"edges/{name}"]
            found = {key: root["0"][key][:] for key in root["0"]}
            return found | {"source": root["source_node_id"][:], "target": root["target_node_id"][:]}

    def _delay(self, value: float) -> float:
        return np.floor(float(value) / h.dt + 1e-5) * h.dt

    def _spikes(self, population: str, row: int) -> tuple[object, object]:
        cell = self.cells[population][row]
        place = cell.axon[1](0.5) if self.case.get("ais") else cell.soma[0](1)
        return place._ref_v, place.sec

    def _connect(self, name: str, pre: str, source: int, point: object, weight: float, delay: float) -> None:
        self.netcons.setdefault(name, [])
        if pre == "drivers":
            with h5py.File(self.folder / "inputs" / "driver_spikes.h5") as file:
                group = file["spikes/drivers"]
                times = group["timestamps"][:][group["node_ids"][:] == source]
            netcon = h.NetCon(None, point)
            netcon.weight[0] = weight
            for time in times if self.case.get("replay", True) else ():
                self.events.append((netcon, float(time) + delay))
        elif pre in self.cells:
            reference, section = self._spikes(pre, source)
            netcon = h.NetCon(reference, point, sec=section)
            netcon.threshold, netcon.weight[0], netcon.delay = -30.0, weight, delay
        else:
            netcon = h.NetCon(None, point)
        self.netcons[name].append(netcon)

    def _release(self, name: str) -> None:
        edges, (pre, post, _) = self._edges(name), name.split("__")
        made = self.synapses[name] = []
        if post not in self.cells:
            return
        factor = self.case.get("weight", {}).get(name, 1.0)
        delay = self.case.get("delay", {}).get(name)
        for k in range(len(edges["source"])):
            row, inhibitory = int(edges["target"][k]), edges["syn_type_id"][k] < 100
            section = self.section(post, row, int(edges["afferent_section_id"][k]))
            point = (h.ProbGABAAB_EMS if inhibitory else h.ProbAMPANMDA_EMS)(
                section(float(edges["afferent_section_pos"][k]))
            )
            use = float(edges["u_syn"][k])
            if "calcium" in self.case:
                half, calcium = float(edges["u_hill_coefficient"][k]) ** 4, self.case["calcium"] ** 4
                use *= (half + 16) / 16 * calcium / (half + calcium)
            point.Use, point.Dep = use, float(edges["depression_time"][k])
            point.Fac, point.Nrrp = float(edges["facilitation_time"][k]), float(edges["n_rrp_vesicles"][k])
            setattr(point, "tau_d_GABAA" if inhibitory else "tau_d_AMPA", float(edges["decay_time"][k]))
            ratio = float(edges["conductance_scale_factor"][k])
            setattr(point, "GABAB_ratio" if inhibitory else "NMDA_ratio", ratio)
            for variable, value in self.case.get("configure", {}).get(name, {}).items():
                setattr(point, variable, value)
            made.append(point)
            own = self._delay(edges["delay"][k]) if delay is None else delay
            self._connect(name, pre, int(edges["source"][k]), point, float(edges["conductance"][k]) * factor, own)
            for time in self.case.get("replayed", {}).get(name, {}).get(str(int(edges["source"][k])), ()):
                netcon = h.NetCon(None, point)
                netcon.weight[0] = float(edges["conductance"][k]) * factor
                self.keep.append(netcon)
                self.events.append((netcon, time + own))
        later = self.case.get("later", {}).get(name)
        if later is not None:
            self.later = (later[0], self.netcons[name], [later[1] * float(value) for value in edges["conductance"]])

    def _exponential(self) -> None:
        name = "right__left__Exp2Syn_synapse"
        edges = self._edges(name)
        made = self.synapses[name] = []
        if "right" not in self.cells:
            return
        for k in range(len(edges["source"])):
            section = self.section("left", int(edges["target"][k]), int(edges["afferent_section_id"][k]))
            point = h.Exp2Syn(section(float(edges["afferent_section_pos"][k])))
            point.tau1, point.tau2, point.e = (float(edges[key][k]) for key in ("tau1", "tau2", "erev"))
            made.append(point)
            self._connect(
                name,
                "right",
                int(edges["source"][k]),
                point,
                float(edges["conductance"][k]) * self.case.get("exponential", 1.0),
                float(edges["delay"][k]),
            )

    def _gaps(self) -> None:
        edges = self._edges("left__left__electrical")
        context = h.ParallelContext()
        for k in range(len(edges["source"])):
            section = self.section("left", int(edges["target"][k]), int(edges["afferent_section_id"][k]))
            segment = section(float(edges["afferent_section_pos"][k]))
            gap = h.pynn_io_gap(segment)
            gap.g = float(edges["conductance"][k]) * 1e-3
            context.source_var(segment._ref_v, int(edges["afferent_junction_id"][k]), sec=section)
            context.target_var(gap, gap._ref_vgap, int(edges["efferent_junction_id"][k]))
            self.keep.append(gap)
        context.setup_transfer()

    # --- what is put in -------------------------------------------------------------------------------------------

    def stimulate(self) -> None:
        for population, row, number, position, kind, values in self.case.get("stimuli", []):
            segment = self.section(population, row, number)(position)
            getattr(self, f"_{kind}")(segment, **values)

    def _step(self, segment: object, amplitude: float, delay: float, duration: float) -> None:
        clamp = h.IClamp(segment)
        clamp.amp, clamp.delay, clamp.dur = amplitude, delay, duration
        self.keep.append(clamp)

    def _current(self, segment: object, times: list[float], values: list[float]) -> None:
        clamp = h.IClamp(segment)
        clamp.dur = 1e9
        vectors = h.Vector([*values, 0]), h.Vector([*times, 1e6])
        vectors[0].play(clamp._ref_amp, vectors[1], 1)
        self.keep += [clamp, *vectors]

    def _conductance(self, segment: object, times: list[float], values: list[float], reversal: float) -> None:
        clamp = h.SEClamp(segment)
        clamp.dur1, clamp.amp1 = times[-1], reversal
        vectors = h.Vector([1 / g if abs(g) > 1e-9 else 1e9 for g in values]), h.Vector(times)
        vectors[0].play(clamp._ref_rs, vectors[1], 1)
        self.keep += [clamp, *vectors]

    def _clamp(self, segment: object, levels: list[float], durations: list[float], resistance: float) -> None:
        clamp = h.SEClamp(segment)
        clamp.rs = resistance
        for k, (level, duration) in enumerate(zip(levels, durations, strict=True), 1):
            setattr(clamp, f"amp{k}", level)
            setattr(clamp, f"dur{k}", duration)
        self.keep.append(clamp)

    # --- what is taken out ----------------------------------------------------------------------------------------

    def record(self) -> tuple[dict[str, object], dict[str, object]]:
        traces = {}
        for name, cells in self.cells.items():
            for row, cell in enumerate(cells):
                traces[f"{name}/{row}"] = h.Vector().record(cell.soma[0](0.5)._ref_v)
        for label, population, row, number, position, variable in self.case.get("record", []):
            segment = self.section(population, row, number)(position)
            traces[label] = h.Vector().record(getattr(segment, f"_ref_{variable}"))
            self.areas[f"area:{label}"] = np.array(segment.area())
        for label, name, index, variable in self.case.get("record_synapses", []):
            traces[label] = h.Vector().record(getattr(self.synapses[name][index], f"_ref_{variable}"))
        spikes = {}
        for name, cells in self.cells.items():
            for row in range(len(cells)):
                reference, section = self._spikes(name, row)
                netcon = h.NetCon(reference, None, sec=section)
                netcon.threshold = -30.0
                spikes[f"{name}/{row}"] = h.Vector()
                netcon.record(spikes[f"{name}/{row}"])
                self.keep.append(netcon)
        return traces, spikes

    def run(self) -> dict[str, np.ndarray]:
        self.stimulate()
        if self.case.get("membrane"):
            h.cvode.use_fast_imem(1)
        traces, spikes = self.record()
        for name, value in self.case.get("globals", {}).items():
            setattr(h, name, value)
        for population, row, array, variable, value in self.case.get("set", []):
            cell = self.cells[population][row]
            sections = [cell.dend[1]] if array == "dend1" else getattr(cell, array)
            for section in sections:
                if hasattr(section, variable):
                    setattr(section, variable, value)
        h.celsius = 16.0
        context = h.ParallelContext()
        context.set_maxstep(10)
        h.finitialize(-70.0)
        for netcon, time in self.events:
            netcon.event(time)
        if hasattr(self, "later"):
            h.cvode.event(self.later[0], self._set_later)
        context.psolve(self.case["duration"])
        found = {f"v:{name}": np.array(vector.as_numpy()) for name, vector in traces.items()}
        return found | self.areas | {f"spikes:{name}": np.array(vector.as_numpy()) for name, vector in spikes.items()}

    def _set_later(self) -> None:
        _, netcons, weights = self.later
        for netcon, weight in zip(netcons, weights, strict=True):
            netcon.weight[0] = weight


def main() -> None:
    case = json.loads(Path(sys.argv[1]).read_text())
    h.nrn_load_dll(case["library"])
    h.dt = 0.025
    np.savez(sys.argv[2], **ByHand(Path(case["folder"]), case).run())


if __name__ == "__main__":
    main()
