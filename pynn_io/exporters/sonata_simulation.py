"""Simulation plans -> ``simulation_config.json``, spike files and the file that joins circuit and simulation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.document import Document
from pynn_io.exporters.sonata_components import plain
from pynn_io.exporters.sonata_dialect import Dialect
from pynn_io.exporters.sonata_neuroml_plan import renumbered
from pynn_io.exporters.sonata_recordings import write_report
from pynn_io.exporters.sonata_sets import NodeSets
from pynn_io.exporters.sonata_stimuli import Target, write_input
from pynn_io.formats.sonata_neuroml import KEY, LEMS_WORDS
from pynn_io.formats.sonata_write import write_json
from pynn_io.graph.cells import PointCell
from pynn_io.report import Report
from pynn_io.simulation_plan.plan import ConnectionOverride, Modification, SimulationPlan
from pynn_io.simulation_plan.snippet import snippet_text
from pynn_io.simulation_plan.sonata_conditions import CONDITIONS, OVERRIDE, RUN, SEEDS
from pynn_io.simulation_plan.sonata_forms import OWN_INPUTS

#: Simulators that libsonata 0.2.2 accepts in a configuration; another makes it refuse the file.
_OBI_SIMULATORS = ("NEURON", "CORENEURON", "LearningEngine", "Brian2", "unspecified")
_COMPARTMENT_SETS = "compartment_sets.json"


def write_simulation(
    document: Document,
    dest: Path,
    dialect: Dialect,
    sets: NodeSets,
    report: Report,
) -> None:
    """Write the plan of a document beside its circuit. The dialect of both worlds has Allen's form of it."""
    if document.plan is not None:
        _Simulation(document, document.plan, dest, dialect, sets, report).write()


class _Simulation:
    def __init__(
        self, document: Document, plan: SimulationPlan, dest: Path, dialect: Dialect, sets: NodeSets, report: Report
    ) -> None:
        self.document, self.plan, self.dest = document, plan, dest
        self.obi, self.sets, self.report = dialect.name == "obi", sets, report
        self.allen = dialect.name == "allen"
        self.extra = dict(plan.extra)
        simulator = plan.target_simulator or document.network.extra.get("target_simulator")
        stated = (document.network.extra.get("sonata") or {}).get("config")
        self.node_sets = self._node_sets()
        self.target = Target(
            dest=dest,
            network=document.network,
            plan=plan,
            sets=sets,
            report=report,
            target=f"sonata+{dialect.name}" if dialect.name else "sonata",
            obi=self.obi,
            nest=_is_nest(document, simulator),
            base=Path(stated).parent if stated else None,
            obi_set=self._obi_set,
        )

    def write(self) -> None:
        plan = self.plan
        config: dict[str, Any] = {"manifest": {"$BASE_DIR": ".", "$INPUT_DIR": "$BASE_DIR/inputs"}}
        config["network"] = "./circuit_config.json" if self.obi else "$BASE_DIR/circuit_config.json"
        config["run"] = self._run()
        config["conditions"] = self._conditions()
        config["output"] = self._output()
        config["inputs"], others = self._inputs()
        if others:
            config[OWN_INPUTS] = others
        reports = {item.name: write_report(item, self.target) for item in plan.recordings}
        config["reports"] = {name: content for name, content in reports.items() if content is not None}
        if plan.overrides:
            config["connection_overrides"] = [self._override(item) for item in plan.overrides]
        if plan.node_set is not None:
            config["node_set"] = self._named(plan.node_set, "node_set")
        if plan.compartment_sets:
            write_json(self.dest / _COMPARTMENT_SETS, plain(plan.compartment_sets))
            config["compartment_sets_file"] = f"$BASE_DIR/{_COMPARTMENT_SETS}"
        simulator = plan.target_simulator
        if simulator and (not self.obi or simulator in _OBI_SIMULATORS):
            config["target_simulator"] = simulator
        if self.node_sets:
            write_json(self.dest / "simulation_node_sets.json", self.node_sets)
            config["node_sets_file"] = "$BASE_DIR/simulation_node_sets.json"
        neuroml = self._neuroml()
        if neuroml:
            config[KEY] = neuroml
        config |= {key: plain(value) for key, value in self.extra.items() if key not in config}
        write_json(self.dest / "simulation_config.json", config)
        if not self.obi:
            joined = {"network": "./circuit_config.json", "simulation": "./simulation_config.json"}
            write_json(self.dest / "config.json", joined)

    def _neuroml(self) -> dict[str, Any]:
        """What a plan has of NeuroML and LEMS: no simulator of SONATA reads it."""
        words = {key: plain(self.extra.pop(key)) for key in LEMS_WORDS if key in self.extra}
        return {**plain(renumbered(self.extra.pop(KEY, {}), self.sets)), **words}

    # --- the run ---------------------------------------------------------------------------------------------------

    def _run(self) -> dict[str, Any]:
        plan = self.plan
        run = {key: getattr(plan, field) for field, key in RUN.items()}
        run["random_seed"] = plan.seed
        run |= {SEEDS.get(part, part): seed for part, seed in plan.seeds.items()}
        run["integration_method"] = plan.integration_method
        run["variable_step"] = plan.variable_step
        if plan.spike_times is not None:
            run |= {"precise_times": True} if plan.spike_times == "precise" else {"allow_offgrid_spikes": True}
        own = plain(self.extra.pop("run", {}))
        # ``dL: null`` is stated: BMTK then leaves the compartments alone, and cuts them anew where nothing is.
        stated = {key: value for key, value in run.items() if value is not None} | own
        if self.obi:
            self._default(stated, "random_seed", "seed", 0)
            self._default(stated, "dt", "timestep", 0.025)
        return stated

    def _default(self, run: dict[str, Any], key: str, field: str, value: float) -> None:
        if key not in run:
            run[key] = value
            self.report.defaulted(
                "simulation-default",
                "simulation_config.json:run",
                f"libsonata refuses a simulation that does not state it: {key} = {value} stands in",
                examples=[key, field],
            )

    def _conditions(self) -> dict[str, Any]:
        plan = self.plan
        stated: dict[str, Any] = {key: getattr(plan, field) for field, key in CONDITIONS.items()}
        stated["spike_location"] = plan.spike_location
        stated["randomize_gaba_rise_time"] = plan.randomize_gaba_rise_time
        mechanisms: dict[str, dict[str, Any]] = {}
        for (mechanism, variable), value in plan.mechanism_variables.items():
            mechanisms.setdefault(mechanism, {})[variable] = value
        for mechanism, variables in plain(self.extra.pop("mechanisms", {})).items():
            mechanisms.setdefault(mechanism, {}).update(variables)
        stated["mechanisms"] = mechanisms or None
        stated["modifications"] = [self._modification(item) for item in plan.modifications] or None
        stated |= plain(self.extra.pop("conditions", {}))
        return {key: value for key, value in stated.items() if value is not None}

    def _modification(self, item: Modification) -> dict[str, Any]:
        content: dict[str, Any] = {"name": item.name, "type": item.kind}
        if item.compartment_set is not None:
            content["compartment_set"] = item.compartment_set
        if item.node_set is not None:
            content["node_set"] = self._named(item.node_set, item.name)
        if item.kind != "ttx":
            content["section_configure"] = snippet_text(item.assignments)
        return content

    def _override(self, item: ConnectionOverride) -> dict[str, Any]:
        content: dict[str, Any] = {
            "name": item.name,
            "source": self._named(item.source, f"{item.name}_source"),
            "target": self._named(item.target, f"{item.name}_target"),
            **{key: getattr(item, field) for field, key in OVERRIDE.items()},
            "modoverride": item.mod_override,
            # HOC separates statements by blanks.
            "synapse_configure": snippet_text(item.configure, " ") or None,
            **plain(item.parameters),
        }
        return {key: value for key, value in content.items() if value is not None}

    def _output(self) -> dict[str, Any]:
        stated = self.plan.output
        directory = stated.directory if stated.directory is not None else "./output"
        if Path(directory).is_absolute() or _leaves(directory):
            self.report.expanded(
                "output-folder",
                "simulation_config.json:output",
                f"results would be written outside of this folder, to {directory}; they go to ./output",
                examples=["output_dir", "directory"],
            )
            directory = "./output"
        order = stated.spikes_sort_order
        if order is not None and not self.obi:
            order = order.removeprefix("by_")
        output = {
            "output_dir": directory,
            "log_file": stated.log_file,
            "spikes_file": stated.spikes_file or "spikes.h5",
            "spikes_file_csv": stated.spikes_file_csv,
            "spikes_sort_order": order,
            **plain(stated.parameters),
        }
        return {key: value for key, value in output.items() if value is not None}

    # --- inputs and sets -------------------------------------------------------------------------------------------

    def _inputs(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The inputs, and those beside them that only pynn_io reads."""
        found: dict[str, Any] = {}
        others: dict[str, Any] = {}
        for stimulus in self.plan.stimuli:
            said, kept = write_input(stimulus, self.target)
            found |= said
            others |= kept
        return found | plain(self.extra.pop("disabled_inputs", {})), others

    def _node_sets(self) -> dict[str, Any]:
        """BMTK takes the simulation's sets for the circuit's, so for it they are all in one file."""
        own = self.plan.node_sets
        content = {**self.document.network.node_sets, **own} if own and self.allen else dict(own)
        return self.sets.rewritten(content, "simulation_node_sets")

    def _named(self, node_set: Any, name: str) -> Any:
        rewritten = self.sets.rewritten(node_set, name)
        return self._obi_set(rewritten, name) if self.obi else rewritten

    def _obi_set(self, node_set: Any, name: str) -> Any:
        """libsonata wants the name of a node set: one is made for rules that stand inline and for a population."""
        known = {**self.document.network.node_sets, **self.plan.node_sets, **self.node_sets}
        made = f"{name}_nodes"
        if isinstance(node_set, str):
            if node_set in known or node_set not in self.document.network.populations:
                return node_set
            made, node_set = node_set, {"population": node_set}
        self.node_sets[made] = node_set if isinstance(node_set, Mapping) else {"node_id": plain(node_set)}
        self.report.expanded(
            "named-node-set",
            f"node sets of {name}",
            "the OBI dialect takes names of node sets only: one is made for a population, or for rules without a name",
            examples=[made, name],
        )
        return made


def _is_nest(document: Document, simulator: str | None) -> bool:
    """Whether a reader of the written files takes amplitudes for pA: the rule of `simulation_plan.sonata`."""
    if simulator:
        return simulator.upper() == "NEST"
    cells = document.network.cells.values()
    return any(isinstance(cell, PointCell) and cell.model.startswith("nest:") for cell in cells)


def _leaves(path: str) -> bool:
    """Whether a relative path leads out of where it starts. A variable that the manifest does not know stays inside."""
    depth = 0
    for part in path.replace("\\", "/").split("/"):
        depth += -1 if part == ".." else part not in ("", ".")
        if depth < 0:
            return True
    return False
