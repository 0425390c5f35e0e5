"""A document with one of everything that is hard to keep: names, gaps, kinds of values, every class of the graph."""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

import numpy as np

from pynn_io.document import Document
from pynn_io.graph import (
    ArrayChunks,
    CableCell,
    ChannelDensity,
    Column,
    ConcentrationModel,
    Edges,
    Junction,
    MembraneProperty,
    Network,
    Opaque,
    Origin,
    Paint,
    Place,
    PointCell,
    Population,
    Projection,
    ReversalPotential,
    SpikeSource,
    Synapse,
    Table,
    UnknownCell,
    stimuli,
    text_column,
)
from pynn_io.graph.morphology import Morphology, SomaKind
from pynn_io.graph.segments import with_standard_groups
from pynn_io.simulation_plan.plan import (
    Assignment,
    ConnectionOverride,
    Modification,
    Output,
    Recording,
    SimulationPlan,
)
from tests.models import ball_and_stick

#: Names that NIX, HDF5 or a file system would trip over.
LAYER, EMPTY, DOTS, PERCENT, COLON = "L2/3E", "", "..", "100%2F", "a:b"


def document(folder: Path) -> Document:
    """folder: where its component files are written."""
    return Document(network(folder), plan(folder), {"format": "test", "source": "/somewhere/else/x.json"})


def network(folder: Path) -> Network:
    parameters = folder / "cells" / "über cell.json"
    parameters.parent.mkdir(parents=True)
    parameters.write_bytes(b'{"a": 1}\r\n\xff')
    return Network(
        "a / b",
        {LAYER: _layer(), EMPTY: _bare(), DOTS: Population(DOTS, 0, Table(0, {"cell": text_column([])}))},
        {COLON: _chemical(), PERCENT: _electrical()},
        {**_cells(parameters), "": SpikeSource("", {"none": None})},
        {"ü": Synapse("nest:static_synapse", {"": {}}, Origin({"x": "y"})), EMPTY: Synapse("")},
        {"chan/nel": Opaque("nmodl", "x", "NEURON {\n\tSUFFIX x\n}\n", {"gbar": 1}), "pas": Opaque("nmodl", "pas")},
        {"ball": ball_and_stick(), "ball/2": _morphology()},
        {"all / e": {"ei": "e", "layer": [2, 3]}, "": ["all / e"], "ids": {"node_id": [1]}, "none": {"node_id": []}},
        {"": None, "a": {"b": {"c": [{}, (1, None), [[1], [2.5, "x"]]], "%d": ()}}, "after": 1, "folder": folder},
    )


def _layer() -> Population:
    types = {
        "cell": text_column(["cable", "point/1"]),
        "id": Column(np.array([7, 2**40], dtype=np.int64)),
        "ei": Column(0, levels=("e",), extra=True),
        "syn_weight": Column(np.ma.array([1, 2], mask=[True, False]), extra=True),
    }
    table = {
        "id": Column(np.array([5, 2**33, 1])),
        "node_type_id": Column(np.array([1, 2, 3], dtype=np.uint16), extra=True),
        "x": Column(np.array([0.0, -0.0, np.nan]), unit="um"),
        "y": Column(1.5, unit="um"),
        "flag": Column(True, extra=True),
        "parameters:V_th": Column(np.ma.array([1.0, 2.0, 3.0], mask=[0, 1, 0]), unit="mV"),
        "dynamics_params/V_th": Column(np.array([1, 2, 3], dtype=np.int8), extra=True),
        "matrix": Column(np.ma.array(np.arange(6).reshape(3, 2), mask=[[0, 0], [1, 1], [0, 0]]), extra=True),
        "label/%": Column(np.ma.array([0, 1, 0], mask=[0, 0, 1]), extra=True, levels=("", "L2/3")),
        "text": Column(np.array(["ü", "", "c"], dtype=object), extra=True),
    }
    return Population(LAYER, 3, Table(2, types), Column(np.array([0, 1, 1])), Table(3, table))


def _bare() -> Population:
    """No ids, no columns, and types that share an id."""
    types = Table(2, {"cell": text_column(["", "unknown"]), "id": Column(np.array([1, 1]))})
    return Population(EMPTY, 2, types, Column(np.array([1, 0])))


def _chemical() -> Projection:
    types = {"synapse": text_column(["ü", ""]), "weight_unit": text_column(["uS", "1"]), "delay": Column(0.5, "ms")}
    columns = {
        "weight": Column(np.array([1e-9, 2.0, -3.0, np.inf], dtype=np.float32)),
        "source_node_id": Column(np.arange(4), extra=True),
        "nsyns": Column(ArrayChunks(np.ma.array([1, 2, 3, 4], mask=[0, 1, 1, 0]))),
        "target_sections": text_column(["['soma']", None, "['dend', 'apic']", "['soma']"]),
        "ends": Column(np.arange(8.0).reshape(4, 2), unit="um", extra=True),
    }
    ends = Edges(Column(np.array([0, 2, 1, 0])), Column(ArrayChunks(np.array([1, 1, 0, 0]))), Table(4, columns))
    return Projection(COLON, LAYER, EMPTY, Table(2, types), ends, Column(np.array([0, 1, 1, 0])), "graded")


def _electrical() -> Projection:
    types = Table(1, {"synapse": text_column(["ü"]), "id": Column(np.array([3]))})
    ends = Edges(Column(2), Column(np.zeros(0, dtype=np.int64)), Table(0))
    return Projection(PERCENT, LAYER, LAYER, types, ends, kind="electrical", section_order="axon_replaced")


def _cells(parameters: Path) -> dict[str, Any]:
    decor = (
        Paint("soma", ChannelDensity("pas", 0.25, "non_specific", -92.5, {"a": 1, "b": None})),
        Place("dend", 0.5, Junction("gj")),
        Paint("all", MembraneProperty("axial_resistivity", 138.25)),
        Paint("apic", ReversalPotential("k", -107.0)),
        Paint("apic", ConcentrationModel("CaDynamics", "ca", {"gamma": 0.05})),
    )
    origin = Origin({"dynamics_params": "../x.json"}, {"dynamics_params": parameters})
    odd = {"tau_m": 15.0, "n": 3, "big": 2**70, "": "", "l": [1.0], "t": (1,), "none": None, "mixed": [1, "a"]}
    odd |= {"matrix": np.eye(2), "float32": np.float32(0.1), "nested": {"deep": {"er": [True]}}, "bytes": b"\0\xff"}
    return {
        "cable": CableCell("ball/2", decor, ("aibs_perisomatic", "x"), "hoc:T", {"conditions.celsius": 34.0}, origin),
        "point/1": PointCell("IF_cond_exp", odd | {"nan": float("nan"), "inf": float("-inf"), "empty": []}),
        "unknown": UnknownCell("astro/cyte", {"x": np.arange(1000)}),
    }


def _morphology() -> Morphology:
    whole = with_standard_groups(ball_and_stick())
    return Morphology(
        "inner name",
        whole.id,
        whole.parent,
        whole.fraction_along,
        whole.proximal,
        whole.distal,
        whole.tag,
        SomaKind.CONTOUR,
        {**whole.groups, "": np.zeros(0, dtype=np.int64)},
        np.arange(6),
        {0: (0.0, 1.0, 2.0)},
        np.array([4]),
    )


def plan(folder: Path) -> SimulationPlan:
    return SimulationPlan(
        "run / 1",
        duration=100.0,
        timestep=0.1,
        seed=2**63,
        stimuli=tuple(stimuli.Stimulus(kind.__name__, _stimulus(kind), {"ei": "e"}) for kind in get_args(stimuli.What)),
        recordings=(Recording("v / all", "v", [1, 2], "all", parameters={"x": (1, None)}),),
        node_sets={"plan's": {"population": LAYER}},
        extra={"run": {"dL": 20.0}, "file": folder / "gone.h5", "empty": {}},
        variable_step=False,
        seeds={"minis": 3},
        node_set=["a", "b"],
        modifications=(Modification("m", "ttx", "all", (Assignment("%s", "gbar", 0.0, "*="),)),),
        overrides=(ConnectionOverride("c", "a", {"x": 1}, weight=0.0, configure=(Assignment("", "v", 1.0),)),),
        mechanism_variables={("mech", "var"): 1.0},
        compartment_sets={"ais": {"population": LAYER, "compartment_set": [[1, 0, 0.5]]}},
        output=Output("./out", parameters={"overwrite_output_dir": True}),
    )


def _stimulus(kind: type) -> Any:
    """One with every field stated, so that none can be left out unseen."""
    if kind is stimuli.SpikeTrains:
        return _trains(5000)
    made = {each.name: _value(each.name, str(each.type)) for each in fields(kind) if each.default is not MISSING}
    made |= {each.name: _value(each.name, str(each.type)) for each in fields(kind) if each.default is MISSING}
    return kind(**made)


def _trains(size: int) -> stimuli.SpikeTrains:
    return stimuli.SpikeTrains(LAYER, np.arange(size) // 2, np.linspace(0, 100, size))


def _value(name: str, annotation: str) -> Any:
    if "SpikeTrains" in annotation:
        return _trains(3)
    if "ndarray" in annotation:
        return np.array([0.1, 0.2])
    if "Mapping" in annotation:
        return {"module": "x", "none": None}
    if annotation.startswith("Relative"):
        return stimuli.Relative.THRESHOLD
    if "NodeSet" in annotation:
        return {"ei": ["e"]}
    if annotation.startswith("str"):
        return f"{name} / x"
    if annotation.startswith("bool"):
        return True
    return 3 if annotation.startswith("int") else 0.25
