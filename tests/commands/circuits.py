"""Tiny SONATA circuits (Allen idiom) written with plain h5py and csv, and the installed commands run on them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np

MAGIC = 0x0A7A
CELLS, INPUTS = 4, 2
#: What `write_circuit` states; the tests compare against these, never against what the commands print.
POSITION_X = [10.0, 20.0, 30.0, 40.0]
RECURRENT = {"source": [0, 1, 2, 3, 0], "target": [1, 2, 3, 0, 2], "weight": [1.5, -2.0, 3.0, 4.5, 0.5]}
SHARE = Path(__file__).parents[3] / "shared" / "data"


def run(*arguments: object, cwd: Path | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run an installed command: the first argument is its name."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        env=environment(),
        **options,
    )


def command(name: object, *arguments: object) -> list[str]:
    return [str(Path(sys.executable).with_name(str(name))), *map(str, arguments)]


def environment() -> dict[str, str]:
    """Wide and without colours, wherever the tests run."""
    return {**os.environ, "COLUMNS": "200", "NO_COLOR": "1"}


def tree(folder: Path) -> list[str]:
    """Everything under a folder, hidden files too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def write_circuit(
    folder: Path, *, edges: dict[str, Any] = RECURRENT, extra: dict[str, list[float]] | None = None
) -> Path:
    """Four integrate-and-fire cells of two types, two virtual inputs, two projections. Gives the config's path."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_components(folder / "components")
    columns = {"x": POSITION_X, "y": [1.0, 2.0, 3.0, 4.0], "z": [0.0, 0.0, 5.0, 5.0], **(extra or {})}
    _write_nodes(folder / "cells.h5", "cells", [100, 100, 101, 101], columns)
    _write_nodes(folder / "inputs.h5", "inputs", [200, 200], {})
    _write_csv(
        folder / "cell_types.csv",
        ["node_type_id", "pop_name", "model_type", "model_template", "dynamics_params"],
        [100, "exc", "point_process", "nest:iaf_psc_alpha", "exc.json"],
        [101, "inh", "point_process", "nest:iaf_psc_alpha", "inh.json"],
    )
    _write_csv(folder / "input_types.csv", ["node_type_id", "model_type", "pop_name"], [200, "virtual", "in"])
    synapse = ["edge_type_id", "model_template", "dynamics_params", "delay"]
    _write_csv(folder / "recurrent_types.csv", synapse, [7, "static_synapse", "static.json", 2.0])
    _write_csv(folder / "forward_types.csv", synapse, [8, "static_synapse", "static.json", 1.0])
    _write_edges(folder / "recurrent.h5", "cells_to_cells", ("cells", "cells"), 7, edges)
    forward = {"source": [0, 1], "target": [0, 3], "weight": [10.0, 20.0]}
    _write_edges(folder / "forward.h5", "inputs_to_cells", ("inputs", "cells"), 8, forward)
    return _write_config(folder)


def write_simulation(folder: Path) -> Path:
    """A simulation config beside the circuit of `write_circuit`: 100 ms at 0.1 ms with one current step."""
    config = {
        "run": {"tstop": 100.0, "dt": 0.1},
        "network": "circuit_config.json",
        "conditions": {"v_init": -70.0},
        "inputs": {
            "step": {
                "input_type": "current_clamp",
                "module": "IClamp",
                "node_set": {"population": "cells"},
                "amp": 250.0,  # pA, as NEST has it
                "delay": 10.0,
                "duration": 50.0,
            }
        },
        "output": {"output_dir": "output", "spikes_file": "spikes.h5"},
    }
    path = folder / "simulation_config.json"
    path.write_text(json.dumps(config))
    return path


def big_edges(count: int) -> dict[str, np.ndarray]:
    """Edges enough for a conversion that takes a while."""
    rows = np.arange(count)
    return {"source": rows % CELLS, "target": (rows // CELLS) % CELLS, "weight": np.linspace(0.1, 1.0, count)}


def _write_components(folder: Path) -> None:
    cell = {"C_m": 200.0, "E_L": -70.0, "I_e": 0.0, "V_reset": -70.0, "V_th": -50.0, "t_ref": 2.0, "tau_m": 20.0}
    synaptic = {"tau_syn_ex": 2.0, "tau_syn_in": 2.0}
    for name, content in {
        "cells/exc.json": cell | synaptic,
        "cells/inh.json": {**cell, "tau_m": 10.0} | synaptic,
        "synapses/static.json": {},
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))


def _write_config(folder: Path) -> Path:
    def edges(name: str) -> dict[str, str]:
        return {"edges_file": f"$DIR/{name}.h5", "edge_types_file": f"$DIR/{name}_types.csv"}

    config = {
        "manifest": {"$DIR": "."},
        "target_simulator": "NEST",
        "components": {
            "point_neuron_models_dir": "$DIR/components/cells",
            "synaptic_models_dir": "$DIR/components/synapses",
        },
        "networks": {
            "nodes": [
                {"nodes_file": "$DIR/cells.h5", "node_types_file": "$DIR/cell_types.csv"},
                {"nodes_file": "$DIR/inputs.h5", "node_types_file": "$DIR/input_types.csv"},
            ],
            "edges": [edges("recurrent"), edges("forward")],
        },
    }
    path = folder / "circuit_config.json"
    path.write_text(json.dumps(config, indent=1))
    return path


def _write_csv(path: Path, *rows: list[Any]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=" ").writerows(rows)


def _header(file: h5py.File) -> None:
    file.attrs["magic"] = np.uint32(MAGIC)
    file.attrs["version"] = np.array([0, 1], dtype=np.uint32)


def _write_nodes(path: Path, name: str, types: list[int], columns: dict[str, list[float]]) -> None:
    count = len(types)
    with h5py.File(path, "w") as file:
        _header(file)
        group = file.create_group(f"nodes/{name}")
        group["node_id"] = np.arange(count, dtype=np.uint64)
        group["node_type_id"] = np.array(types, dtype=np.int64)
        group["node_group_id"] = np.zeros(count, dtype=np.int64)
        group["node_group_index"] = np.arange(count, dtype=np.int64)
        attributes = group.create_group("0")
        for column, values in columns.items():
            attributes[column] = np.array(values, dtype=np.float64)


def _write_edges(path: Path, name: str, ends: tuple[str, str], kind: int, edges: dict[str, Any]) -> None:
    count = len(edges["source"])
    with h5py.File(path, "w") as file:
        _header(file)
        group = file.create_group(f"edges/{name}")
        for side, population in zip(("source", "target"), ends, strict=True):
            group[f"{side}_node_id"] = np.asarray(edges[side], dtype=np.uint64)
            group[f"{side}_node_id"].attrs["node_population"] = population
        group["edge_type_id"] = np.full(count, kind, dtype=np.int64)
        group["edge_group_id"] = np.zeros(count, dtype=np.int64)
        group["edge_group_index"] = np.arange(count, dtype=np.int64)
        group.create_group("0")["syn_weight"] = np.asarray(edges["weight"], dtype=np.float64)
