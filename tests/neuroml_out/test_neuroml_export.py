"""The NeuroML exporter on small networks: what is in the files, by hand and by other tools' reading."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from lxml import etree

from pynn_io.document import Document
from pynn_io.errors import WriteError
from pynn_io.exporters.neuroml import write
from pynn_io.exporters.neuroml_populations import ranges_text
from pynn_io.formats.neuroml_check import check
from pynn_io.graph import (
    ArrayChunks,
    CableCell,
    Column,
    Edges,
    Network,
    PointCell,
    Population,
    Projection,
    SpikeSource,
    Synapse,
    Table,
    UnknownCell,
)
from pynn_io.graph.morphology import Morphology, lengths
from pynn_io.graph.stimuli import CurrentPulses, OtherStimulus, SpikeTrains, Stimulus
from pynn_io.lowering import effective_weight
from pynn_io.report import Kind, Report
from pynn_io.simulation_plan import Recording, SimulationPlan
from tests.models import MODELS, ball_and_stick, column, edges, table
from tests.neuroml_out.nml_tools import jnml, jnml_validates, xsd

NS = "{http://www.neuroml.org/schema/neuroml2}"


def exported(document: Document, folder: Path, **options: object) -> tuple[etree._Element, Report]:
    """The network element of the exported file, and the report."""
    report = Report()
    write(document, folder, report, **options)
    (file,) = folder.glob("*.net.nml")
    return etree.parse(str(file)).getroot(), report


def network(post: PointCell, projection: Projection, *, pre: int = 3, size: int = 4, **parts: object) -> Network:
    cells = Population("cells", size, table(1, cell=["cell"]))
    source = Population("source", pre, table(1, cell=["source"]))
    populations = {"cells": cells, "source": source}
    populations |= parts.pop("populations", {})  # type: ignore[arg-type]
    return Network(
        "net", populations, {projection.name: projection}, {"cell": post, "source": SpikeSource()},
        {"s": Synapse("nest:static_synapse", parts.pop("synapse", {}))}, **parts,
    )  # fmt: skip


NEST = PointCell("nest:iaf_psc_exp", {"tau_syn_ex": 2.0, "tau_syn_in": 2.0})


def rows(root: etree._Element, tag: str = "connectionWD") -> list[dict[str, str]]:
    return [dict(item.attrib) for item in root.iter(f"{NS}{tag}")]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("dialect", ["", "hdf5"])
def test_every_model_gives_valid_files(model: str, dialect: str, tmp_path: Path) -> None:
    report = Report()
    write(MODELS[model](), tmp_path, report, dialect=dialect)
    (net,) = tmp_path.glob("*.net.nml*") if dialect == "" else tmp_path.glob("*.net.nml.h5")
    assert check(net) == []
    if dialect == "":
        files = sorted(tmp_path.glob("*.nml"))
        for file in files:
            xsd().assertValid(etree.parse(str(file)))
        assert "All valid and no warnings" in jnml_validates(*files)


def test_a_population_is_split_by_type_and_its_ids_are_kept(tmp_path: Path) -> None:
    root, report = exported(MODELS["two_types"](), tmp_path)
    populations = {p.get("id"): p for p in root.iter(f"{NS}population")}
    assert {name: p.get("size") for name, p in populations.items()} == {"cortex_Scnn1a": "3", "cortex_PV1": "2"}
    tags = {p.get("tag"): p.get("value") for p in populations["cortex_PV1"].iter(f"{NS}property")}
    assert tags == {"pynn_io_population": "cortex", "pynn_io_ids": "2 4"}
    places = [(float(i[0].get("x")), float(i[0].get("z"))) for i in populations["cortex_PV1"].iter(f"{NS}instance")]
    assert places == [(2.5, 0.0), (4.0, 9.25)]
    assert "population-split" in {i.code for i in report.of_kind(Kind.EXPANDED)}


def test_connections_go_where_they_went(tmp_path: Path) -> None:
    """Rows 0 1 3 are instances 0 1 2 of Scnn1a, rows 2 4 instances 0 1 of PV1; pA become nA."""
    root, _ = exported(MODELS["two_types"](), tmp_path)
    found = {
        (p.get("presynapticPopulation"), c.get("preCellId").split("/")[2], p.get("postsynapticPopulation"),
         c.get("postCellId").split("/")[2], float(c.get("weight")), c.get("delay"))
        for p in root.iter(f"{NS}projection") for c in p
    }  # fmt: skip
    e, i = "cortex_Scnn1a", "cortex_PV1"
    assert found == {
        (e, "0", e, "1", 0.0025, "2.0ms"), (e, "1", i, "0", 1 / 3 * 1e-3, "1.5ms"), (i, "0", e, "2", -0.004, "0.1ms"),
        (i, "1", e, "0", -0.0045, "3.0ms"), (i, "1", i, "1", -1e-12, "3.0ms"),
    }  # fmt: skip


def test_weight_is_stated_weight_times_sign_times_number_of_synapses(tmp_path: Path) -> None:
    projection = Projection(
        "p", "source", "cells", table(1, synapse=["s"], weight_unit=["pA"], weight=[200.0], delay=[0.5]),
        edges([0, 1, 2], [3, 3, 0], nsyns=[1, 4, 2]),
    )  # fmt: skip
    root, _ = exported(Document(network(NEST, projection, synapse={"sign": -1})), tmp_path)
    assert [float(r["weight"]) for r in rows(root)] == [-0.2, -0.8, -0.4]
    assert [r["postCellId"] for r in rows(root)] == ["../cells[3]", "../cells[3]", "../cells[0]"]


def test_conductances_of_both_signs_have_two_components(tmp_path: Path) -> None:
    cell = PointCell("nest:iaf_cond_exp", {"E_ex": 0.0, "E_in": -85.0})
    types = table(1, synapse=["s"], weight_unit=["nS"], delay=[1.0])
    projection = Projection("p", "source", "cells", types, edges([0, 1, 2], [0, 1, 2], weight=[3.0, -2.0, 5.0]))
    root, _ = exported(Document(network(cell, projection)), tmp_path)
    reversals = {s.get("id"): s.get("e_rev") for s in root.iter(f"{NS}expCondSynapse")}
    found = {
        (reversals[p.get("synapse")], float(c.get("weight"))) for p in root.iter(f"{NS}projection") for c in p
    }  # fmt: skip
    assert found == {("0.0", 3.0 * 1e-3), ("0.0", 5.0 * 1e-3), ("-85.0", 2.0 * 1e-3)}


def test_gaussian_weight_function() -> None:
    """BMTK's gaussianLL: the difference of 10 and 190 degrees is 0, of 0 and 90 degrees 90, of 350 and 20 30."""
    weight = np.array([2.0, 2.0, 2.0])
    angles = np.array([10.0, 0.0, 350.0]), np.array([190.0, 90.0, 20.0])
    used = effective_weight(weight, "gaussianLL", sigma=np.full(3, 30.0), pre_angle=angles[0], post_angle=angles[1])
    np.testing.assert_allclose(used, [2.0, 2.0 * np.exp(-9.0), 2.0 * np.exp(-1.0)], rtol=1e-12)
    assert effective_weight(weight, "wmax") is weight and effective_weight(weight, None) is weight
    assert effective_weight(weight, "mine") is None
    assert effective_weight(weight, "gaussianLL", sigma=np.ones(3)) is None


def test_an_unknown_weight_function_is_named(tmp_path: Path) -> None:
    types = table(1, synapse=["s"], weight_unit=["pA"], delay=[1.0], weight=[7.0], weight_function=["own_rule"])
    _, report = exported(Document(network(NEST, Projection("p", "source", "cells", types, edges([0], [1])))), tmp_path)
    (issue,) = [i for i in report if i.code == "weight-function"]
    assert "own_rule" in issue.message and issue.kind is Kind.APPROXIMATED


def test_defaults_are_reported(tmp_path: Path) -> None:
    types = table(1, synapse=["s"], weight_unit=["pA"])
    root, report = exported(
        Document(network(NEST, Projection("p", "source", "cells", types, edges([0, 1], [1, 2])))), tmp_path
    )
    assert {(r["weight"], r["delay"]) for r in rows(root)} == {("0.001", "1.0ms")}  # NEST's delay
    counts = {i.code: i.count for i in report.of_kind(Kind.DEFAULTED)}
    assert counts["default-weight"] == 2 and counts["default-delay"] == 2


def test_a_delay_that_is_not_a_number_is_not_stated(tmp_path: Path) -> None:
    """The OBI extension allows NaN there; NEST's default of 1 ms stands for its cells."""
    types = table(1, synapse=["s"], weight_unit=["pA"])
    given = edges([0, 1, 2], [1, 2, 3], weight=[1.0, 1.0, 1.0], delay=[2.5, np.nan, 0.5])
    projection = Projection("p", "source", "cells", types, given)
    root, report = exported(Document(network(PointCell("nest:iaf_psc_alpha"), projection)), tmp_path)
    assert [row.get("delay") for row in root.iter(f"{NS}connectionWD")] == ["2.5ms", "1.0ms", "0.5ms"]
    assert {issue.code: issue.count for issue in report}["default-delay"] == 1


def test_many_edges_in_blocks_are_dealt_out_right(tmp_path: Path) -> None:
    """1.2 million edges over 3 x 2 parts, against a plain selection with numpy."""
    rng = np.random.default_rng(7)
    n, size = 1_200_000, 50
    kinds = rng.integers(0, 3, size)
    types = table(3, id=[1, 2, 3], cell=["a", "b", "c"])
    population = Population("pop", size, types, Column(kinds))
    source, target, weight = rng.integers(0, size, n), rng.integers(0, size, n), rng.random(n)
    drawn = Edges(
        Column(ArrayChunks(source)), Column(ArrayChunks(target)), Table(n, {"weight": Column(ArrayChunks(weight))})
    )
    projection = Projection("p", "pop", "pop", table(1, synapse=["s"], weight_unit=["nA"], delay=[1.0]), drawn)
    cells = {name: PointCell("IF_curr_exp", {"tau_m": tau}) for name, tau in (("a", 10.0), ("b", 20.0), ("c", 30.0))}
    net = Network("big", {"pop": population}, {"p": projection}, cells, {"s": Synapse("static")})
    write(Document(net), tmp_path, Report(), dialect="hdf5")
    seen = 0
    instance = np.zeros(size, dtype=int)
    for kind in range(3):
        instance[kinds == kind] = np.arange((kinds == kind).sum())
    with h5py.File(tmp_path / "big.net.nml.h5") as file:
        for group in file["neuroml/network"].values():
            if not group.name.startswith("/neuroml/network/projection_"):
                continue
            ends = [int(group.attrs[f"{w}synapticPopulation"].decode().split("_")[1]) - 1 for w in ("pre", "post")]
            chosen = np.flatnonzero((kinds[source] == ends[0]) & (kinds[target] == ends[1]))
            data = group[group.attrs["id"].decode()][:]
            assert np.array_equal(data[:, 1], instance[source[chosen]])
            assert np.array_equal(data[:, 2], instance[target[chosen]])
            assert np.array_equal(data[:, 3], weight[chosen])
            seen += len(data)
    assert seen == n


def test_parameters_of_single_cells_become_components(tmp_path: Path) -> None:
    root, report = exported(MODELS["patchwork"](), tmp_path)
    cells = {c.get("id"): c for c in root.iter(f"{NS}IF_curr_exp")}
    found = {
        (p.find(f".//{NS}property[@tag='pynn_io_ids']").get("value"), cells[p.get("component")].get("v_thresh"),
         cells[p.get("component")].get("tau_m"))
        for p in root.iter(f"{NS}population")
    }  # fmt: skip
    big = str(2**33 + 7)
    assert found == {(big, "-50.0", "10.0"), ("3", "-51.0", "20.0"), ("5", "-52.0", "10.0"), ("4", "-53.0", "20.0")}
    assert "per-cell-parameters" in report.codes()


@pytest.mark.parametrize(("model", "said"), [("StaticSynapse", 1), ("nest:static_synapse", 1), ("static", 0), ("", 0)])
def test_the_name_of_a_static_synapse_is_said_to_be_gone(model: str, said: int, tmp_path: Path) -> None:
    projection = Projection(
        "p", "source", "cells", table(1, synapse=["s"], weight_unit=["pA"], weight=[1.0], delay=[1.0]), edges([0], [1])
    )
    net = network(NEST, projection)
    net.synapses["s"] = Synapse(model)  # type: ignore[index]
    _, report = exported(Document(net), tmp_path)
    found = [issue.examples for issue in report if issue.code == "static-synapse"]
    assert found == [["model", model, "p"]] * said


def test_ranges() -> None:
    assert ranges_text(np.array([5, 6, 7, 9, 1, 2])) == "5-7 9 1-2"
    assert ranges_text(np.array([], dtype=int)) == "" and ranges_text(np.array([2**40])) == str(2**40)


def test_names_become_ids_and_are_reported(tmp_path: Path) -> None:
    population = Population("L2/3 cells", 2, table(1, cell=["a-b"]))
    projection = Projection(
        "to self!", "L2/3 cells", "L2/3 cells", table(1, synapse=["s"], weight_unit=["nA"], weight=[1.0], delay=[1.0]),
        edges([0], [1]),
    )  # fmt: skip
    net = Network(
        "my net", {"L2/3 cells": population}, {"to self!": projection}, {"a-b": PointCell("IF_curr_exp", {})},
        {"s": Synapse("static")},
    )  # fmt: skip
    root, report = exported(Document(net), tmp_path)
    assert check(tmp_path / "my_net.net.nml") == []
    assert root.find(f".//{NS}population").get("id") == "L2_3_cells"
    (issue,) = [i for i in report if i.code == "renamed"]
    assert issue.count == 2 and "L2/3 cells -> L2_3_cells" in issue.message


def test_unknown_cells_and_their_connections_are_lost_by_name(tmp_path: Path) -> None:
    glia = Population("glia", 2, table(1, cell=["astro"]))
    net = network(
        NEST,
        Projection("p", "glia", "cells", table(1, synapse=["s"], weight_unit=["pA"]), edges([0, 1, 1], [0, 1, 2])),
        populations={"glia": glia},
    )
    net.cells["astro"] = UnknownCell("astrocyte")  # type: ignore[index]
    _, report = exported(Document(net), tmp_path)
    lost = {i.code: i for i in report.of_kind(Kind.LOST)}
    assert "astrocyte" in lost["unknown-cell"].message and lost["edges-without-cells"].count == 3


def test_a_kind_of_projection_that_neuroml_lacks_is_lost_as_the_audit_says(tmp_path: Path) -> None:
    projection = Projection(
        "feet", "source", "cells", table(1, synapse=["s"], weight_unit=["pA"]), edges([0, 1], [0, 1]), kind="endfoot"
    )
    _, report = exported(Document(network(NEST, projection)), tmp_path)
    (lost,) = [i for i in report.of_kind(Kind.LOST) if i.code == "projection-kind"]
    assert lost.count == 2 and "endfoot" in lost.message and "feet" in lost.where


def test_nothing_to_write_is_an_error(tmp_path: Path) -> None:
    net = Network("n", {"p": Population("p", 1, table(1, cell=["c"]))}, {}, {"c": UnknownCell("glia")})
    with pytest.raises(WriteError, match="no cell has a component"):
        write(Document(net), tmp_path, Report())


# -- cable cells


def cable_network(
    projection: Projection | None = None, *, morphology: Morphology | None = None, **cell: object
) -> Network:
    population = Population("cells", 2, table(1, cell=["cell"]))
    source = Population("source", 2, table(1, cell=["source"]))
    return Network(
        "net", {"cells": population, "source": source}, {} if projection is None else {projection.name: projection},
        {"cell": CableCell("m", **cell), "source": SpikeSource()},  # type: ignore[arg-type]
        {"s": Synapse("nrn:Exp2Syn", {"tau1": 1.0, "tau2": 3.0, "erev": 0.0})},
        morphologies={"m": morphology or ball_and_stick()},
    )  # fmt: skip


def test_the_morphology_is_the_same_to_libneuroml(tmp_path: Path) -> None:
    loaders = pytest.importorskip("neuroml.loaders")
    morphology = ball_and_stick()
    write(Document(cable_network(morphology=morphology)), tmp_path, Report())
    cell = loaders.read_neuroml2_file(str(tmp_path / "cells_cell.cell.nml")).cells[0]
    assert len(cell.morphology.segments) == morphology.size
    theirs = [cell.get_segment_length(segment.id) for segment in cell.morphology.segments]
    np.testing.assert_allclose(theirs, lengths(morphology), rtol=1e-12)
    assert cell.morphology.segments[0].id == 0 and cell.morphology.segments[0].proximal.diameter == 20.0
    total = sum(cell.get_segment_length(i) for i in cell.get_all_segments_in_group("dendrite_group"))
    dendrites = np.isin(morphology.tag, (3, 4))
    assert total == pytest.approx(lengths(morphology)[dendrites].sum())


def test_every_section_begins_with_a_point(tmp_path: Path) -> None:
    """Where its parent has it, too: jNeuroML's code for NEURON finds no place along a section without."""
    exported(Document(cable_network(morphology=ball_and_stick())), tmp_path)
    root = etree.parse(str(tmp_path / "cells_cell.cell.nml")).getroot()
    segments = {segment.get("id"): segment for segment in root.iter(f"{NS}segment")}
    groups = [group for group in root.iter(f"{NS}segmentGroup") if group.get("neuroLexId") == "sao864921383"]
    firsts = [group.find(f"{NS}member").get("segment") for group in groups]
    assert len(firsts) > 1
    assert all(segments[first].find(f"{NS}proximal") is not None for first in firsts)


def test_several_trees_hang_on_the_soma(tmp_path: Path) -> None:
    whole = ball_and_stick()
    parent = whole.parent.copy()
    second = int(np.flatnonzero(whole.tag == 4)[0])
    parent[second] = -1
    loose = Morphology(whole.name, whole.id, parent, whole.fraction_along, whole.proximal, whole.distal, whole.tag)
    _, report = exported(Document(cable_network(morphology=loose)), tmp_path)
    assert check(tmp_path / "cells_cell.cell.nml") == []
    assert "several-trees" in report.codes()
    root = etree.parse(str(tmp_path / "cells_cell.cell.nml")).getroot()
    segment = root.findall(f".//{NS}segment")[second]
    assert dict(segment.find(f"{NS}parent").attrib) == {"segment": "0", "fractionAlong": "0.5"}
    assert [float(segment.find(f"{NS}proximal").get(a)) for a in "xyz"] == whole.proximal[second, :3].tolist()


def test_membrane_and_channels(tmp_path: Path) -> None:
    document = MODELS["cable"]()
    _, report = exported(document, tmp_path)
    file = next(tmp_path.glob("*.cell.nml"))
    root = etree.parse(str(file)).getroot()
    cell = next(c for c in document.network.cells.values() if isinstance(c, CableCell) and c.template is None)
    decor = [entry.item for entry in cell.decor]
    names = {item.channel for item in decor if type(item).__name__ == "ChannelDensity"} - {"pas"}
    lost = {i.message.split()[0] for i in report if i.code == "channel"}
    assert lost == names
    densities = root.findall(f".//{NS}channelDensity")
    stated = [item for item in decor if getattr(item, "channel", "") == "pas"]
    assert bool(densities) == bool(stated)
    for density in densities:
        assert density.get("ionChannel") == "pas" and density.get("ion") == "non_specific"


def test_synapses_at_their_sections(tmp_path: Path) -> None:
    """By hand: ball_and_stick's section 0 is its soma of one segment; its middle is segment 0 at 0.5."""
    morphology = ball_and_stick()
    apical = np.flatnonzero(morphology.tag == 4)
    from pynn_io.graph.morphology import sections

    derived = sections(morphology)
    section = int(np.flatnonzero(derived.tag == 4)[0])
    assert len(derived.rows(section)) == 1 == len(apical)
    types = table(1, synapse=["s"], weight_unit=["uS"], weight=[0.01], delay=[1.0])
    projection = Projection(
        "p", "source", "cells", types,
        edges([0, 1], [1, 0], afferent_section_id=[0, section], afferent_section_pos=[0.5, 0.25]),
    )  # fmt: skip
    root, report = exported(Document(cable_network(projection)), tmp_path)
    found = [(r["postSegmentId"], float(r["postFractionAlong"]), float(r["weight"])) for r in rows(root)]
    assert found == [("0", 0.5, 0.01), (str(int(apical[0])), 0.25, 0.01)]
    assert "synapse-placement" not in report.codes()


def test_synapses_without_a_place_are_reported(tmp_path: Path) -> None:
    types = table(
        1, synapse=["s"], weight_unit=["uS"], weight=[0.01], delay=[1.0], target_sections=["['basal']"], nsyns=[5]
    )
    projection = Projection("p", "source", "cells", types, edges([0, 1], [1, 0]))
    root, report = exported(Document(cable_network(projection)), tmp_path)
    assert {(r.get("postSegmentId"), float(r["weight"])) for r in rows(root)} == {(None, 0.05)}
    codes = {i.code: i for i in report.of_kind(Kind.APPROXIMATED)}
    assert codes["synapse-placement"].count == 2 and "target_sections" in codes["synapse-placement"].message
    assert "nsyns" in codes


def test_two_halves_are_one_gap_junction(tmp_path: Path) -> None:
    """Four half junctions of OBI files are two junctions; Allen's edges are one each."""
    types = table(1, synapse=["s"], weight_unit=["nS"], weight=[2.0])
    population = Population("cells", 3, table(1, cell=["cell"]))
    halves = edges([0, 1, 1, 2], [1, 0, 2, 1], efferent_junction_id=[0, 0, 1, 0], afferent_junction_id=[0, 0, 0, 1])
    whole = edges([0, 1], [1, 2])
    for drawn, name in ((halves, "halves"), (whole, "whole")):
        projection = Projection("gaps", "cells", "cells", types, drawn, kind="electrical")
        net = Network(
            "net", {"cells": population}, {"gaps": projection}, {"cell": CableCell("m")}, {"s": Synapse("")},
            morphologies={"m": ball_and_stick()},
        )  # fmt: skip
        root, _ = exported(Document(net), tmp_path / name)
        found = rows(root, "electricalConnectionInstanceW")
        assert [(r["preCell"], r["postCell"], float(r["weight"])) for r in found] == [
            ("../cells[0]", "../cells[1]", 0.002), ("../cells[1]", "../cells[2]", 0.002),
        ]  # fmt: skip
        assert root.find(f"{NS}gapJunction").get("conductance") == "1.0uS"


# -- plans


def driven(**plan: object) -> Document:
    """Three sources, two of which fire, onto four cells with ids from 10 on; only the strongest input makes a spike."""
    projection = Projection(
        "p", "source", "cells", table(1, synapse=["s"], weight_unit=["nA"], delay=[1.5]),
        edges([0, 1, 2], [3, 1, 2], weight=[50.0, 0.01, 50.0]),
    )  # fmt: skip
    cell = PointCell("IF_curr_exp", {"tau_syn_E": 1.0, "v_rest": -65.0, "v": -65.0, "v_thresh": -50.0})
    net = network(cell, projection)
    population = Population("cells", 4, table(1, cell=["cell"]), Column(0), table(4, id=[10, 11, 12, 13]))
    source = Population("source", 3, table(1, cell=["source"]), Column(0), table(3, id=[7, 3, 5]))
    net = Network("net", {"cells": population, "source": source}, net.projections, net.cells, {"s": Synapse("static")})
    trains = SpikeTrains("source", np.array([3, 7, 7]), np.array([4.0, 5.0, 20.0]))
    stimuli = (Stimulus("replay", trains, "source"), *plan.pop("stimuli", ()))  # type: ignore[misc]
    return Document(net, SimulationPlan("sim", 40.0, 0.01, stimuli=stimuli, **plan))  # type: ignore[arg-type]


def test_spike_trains_become_sources_of_their_own(tmp_path: Path) -> None:
    root, _ = exported(driven(), tmp_path)
    populations = {p.get("id"): p.get("component") for p in root.iter(f"{NS}population")}
    assert set(populations) == {"cells", "source_7", "source_3", "source_source_silent"}
    arrays = {a.get("id"): [s.get("time") for s in a] for a in root.iter(f"{NS}spikeArray")}
    assert arrays[populations["source_7"]] == ["5.0ms", "20.0ms"] and arrays[populations["source_3"]] == ["4.0ms"]
    assert arrays[populations["source_source_silent"]] == []


def test_jlems_runs_it(tmp_path: Path) -> None:
    """Only the cell with id 13 fires, soon after each spike of source 7 has arrived, 1.5 ms after it was sent."""
    recording = Recording("potential", "v", {"node_id": [13], "population": "cells"})
    write(driven(recordings=(recording,)), tmp_path, Report())
    done = subprocess.run(
        [jnml(), "LEMS_net.xml", "-nogui"], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )  # fmt: skip
    assert (tmp_path / "net.cells.spikes").exists(), done.stdout[-2000:]
    spikes = np.loadtxt(tmp_path / "net.cells.spikes", ndmin=2)
    assert set(spikes[:, 0]) == {13.0}
    times = spikes[:, 1] * 1e3
    # From rest, v - v_rest = I tau_m tau_syn / (C (tau_m - tau_syn)) (exp(-t / tau_m) - exp(-t / tau_syn)): 15 mV at t.
    since = np.linspace(0, 1, 100_001)
    rise = 50.0 * 20.0 * 1.0 / 19.0 * (np.exp(-since / 20.0) - np.exp(-since))
    crossing = since[np.argmax(rise > 15.0)]
    assert times[0] == pytest.approx(5.0 + 1.5 + crossing, abs=0.021)
    assert 21.5 < times[times > 20][0] < 22
    trace = np.loadtxt(tmp_path / "net.potential.dat")
    assert trace[0, 1] == pytest.approx(-0.065) and trace[:, 1].max() < -0.045


def test_current_pulses_become_input_lists(tmp_path: Path) -> None:
    pulses = CurrentPulses(np.array([0.5, -0.1]), np.array([10.0, 20.0]), np.array([5.0, 1.0]))
    other = Stimulus("noise", OtherStimulus("ornstein_uhlenbeck"), "cells")
    stimulus = Stimulus("clamp", pulses, {"population": "cells", "node_id": [11, 13]})
    root, report = exported(driven(stimuli=(stimulus, other)), tmp_path)
    lists = {i.get("component"): [c.get("target") for c in i] for i in root.iter(f"{NS}inputList")}
    made = {
        p.get("id"): (p.get("delay"), p.get("duration"), p.get("amplitude")) for p in root.iter(f"{NS}pulseGenerator")
    }
    assert sorted(made.values()) == [("10.0ms", "5.0ms", "0.5nA"), ("20.0ms", "1.0ms", "-0.1nA")]
    assert list(lists.values()) == [["../cells[1]", "../cells[3]"]] * 2
    (issue,) = [i for i in report if i.code == "stimulus"]
    assert "ornstein_uhlenbeck" in issue.message and "noise" in issue.examples


def test_the_plan_is_in_the_simulation(tmp_path: Path) -> None:
    exported(driven(celsius=34.0, seed=7), tmp_path)
    simulation = etree.parse(str(tmp_path / "LEMS_net.xml")).getroot().find("Simulation")
    assert simulation.get("length") == "40.0ms" and simulation.get("step") == "0.01ms" and simulation.get("seed") == "7"
    selections = [(s.get("id"), s.get("select")) for s in simulation.iter("EventSelection")]
    assert selections == [(str(10 + k), f"cells[{k}]") for k in range(4)]


@pytest.mark.parametrize(("model", "start"), [("nest:iaf_psc_exp", "-70.0"), ("IF_curr_exp", "-80.0")])
def test_initial_potential_is_for_others_than_nest(model: str, start: str, tmp_path: Path) -> None:
    """NEST's V_m is -70 mV whatever E_L is; BMTK ignores v_init there, and so does NEST."""
    types = table(1, synapse=["s"], weight_unit=["pA" if ":" in model else "nA"], weight=[1.0], delay=[1.0])
    net = network(PointCell(model, {}), Projection("p", "source", "cells", types, edges([0], [0])))
    root, report = exported(Document(net, SimulationPlan("s", 10.0, 0.1, v_init=-80.0)), tmp_path)
    assert root.find(f"{NS}IF_curr_exp").get("v_init") == start
    assert ("initial-potential" in report.codes()) is (":" in model)


def test_without_a_plan_there_is_no_simulation(tmp_path: Path) -> None:
    exported(MODELS["two_types"](), tmp_path)
    assert not list(tmp_path.glob("LEMS*"))


def test_hdf5_says_who_cannot_read_it(tmp_path: Path) -> None:
    report = Report()
    write(driven(), tmp_path, report, dialect="hdf5")
    assert any("jNeuroML 0.14 takes such tables for zeros" in issue.message for issue in report)
    report = Report()
    write(driven(), tmp_path / "single", report, dialect="hdf5", single=True)
    assert "single-precision" in report.codes()


def test_columns_helper_keeps_units() -> None:
    assert column("delay", [1.0]).unit == "ms"


def test_parameters_of_connections_are_those_of_the_component_on_average(tmp_path: Path) -> None:
    """NeuroML states them once a component; before, the model's own defaults stood there, and nothing said so."""
    wires = edges([0, 1, 2, 0], [0, 1, 2, 3], **{"parameters:tau_rec": [100.0, 200.0, 300.0, 400.0]})
    types = table(1, synapse=["s"], **{"parameters:U": [0.04], "weight": [0.01], "delay": [1.0], "weight_unit": ["uS"]})
    net = network(PointCell("IF_cond_exp"), Projection("p", "source", "cells", types, wires))
    net = replace(net, synapses={"s": Synapse("TsodyksMarkramSynapse", {"tau_facil": 7.0})})
    _, report = exported(Document(net), tmp_path)
    (components,) = tmp_path.glob("*.components.xml")
    (made,) = etree.parse(str(components)).getroot().iter("{*}silentSynapse")
    assert [made.get(name) for name in ("tauRec", "U", "tauFac")] == ["250.0ms", "0.04", "7.0ms"]
    (issue,) = (issue for issue in report if issue.code == "per-connection-parameters")
    assert (issue.kind, issue.where, issue.count, issue.examples) == (Kind.APPROXIMATED, "projection p", 4, ["tau_rec"])
    assert not [issue for issue in report if issue.code == "default-parameter" and issue.where == "projection p"]


@pytest.mark.parametrize(
    ("gaps", "synapse", "written", "averaged"),
    [
        ([False, False, True], {"tau_rec": 120.0}, "50.0ms", True),
        ([True, True, True], {"tau_rec": 120.0}, "120.0ms", False),
        ([True, True, True], {}, "100.0ms", False),  # PyNN's default
        ([False, True, True], {}, "10.0ms", True),
    ],
)
def test_connections_without_a_parameter_of_their_own(gaps, synapse, written, averaged, tmp_path: Path) -> None:
    """They have the one of their synapse, whatever stands in the column beneath its mask."""
    wires = edges([0, 1, 2], [0, 1, 2])
    own = Column(np.ma.array([10.0, 20.0, 1e9], mask=gaps), "ms")
    wires = replace(wires, columns=wires.columns.updated({"parameters:tau_rec": own}))
    types = table(1, synapse=["s"], weight=[0.01], delay=[1.0], weight_unit=["uS"])
    net = network(PointCell("IF_cond_exp"), Projection("p", "source", "cells", types, wires))
    net = replace(net, synapses={"s": Synapse("TsodyksMarkramSynapse", {"U": 0.5, "tau_facil": 7.0, **synapse})})
    _, report = exported(Document(net), tmp_path)
    (components,) = tmp_path.glob("*.components.xml")
    (made,) = etree.parse(str(components)).getroot().iter("{*}silentSynapse")
    assert made.get("tauRec") == written
    assert [issue.examples for issue in report if issue.code == "per-connection-parameters"] == [["tau_rec"]] * averaged
