"""Results that lie beside a model: what is used of them, what is only told, and why."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from pynn_io.archive.container import opened
from pynn_io.archive.entries import expecting, find_entries
from pynn_io.archive.judge import Rules, judge
from pynn_io.archive.task import TASK
from pynn_io.archive.values import Verdict
from pynn_io.errors import FormatError
from pynn_io.report import Report
from pynn_io.results import Results, write_results
from pynn_io.results.results import QuantityTable, Trace, sorted_spikes
from tests.commands.circuits import write_circuit, write_simulation
from tests.conftest import ROOT

PAIR = ROOT / "fixtures/neuroml"


def spikes(*times, plan=None):
    found = {"cells": sorted_spikes("cells", np.arange(len(times)), np.array(times, dtype=float))}
    return Results(spikes=found, duration=100.0, provenance={"plan": plan} if plan else {})


@pytest.fixture
def circuit(tmp_path):
    """A SONATA simulation, called ``simulation_config``, that would write ``output/spikes.h5``, and did not."""
    write_circuit(tmp_path / "model")
    write_simulation(tmp_path / "model")
    return tmp_path / "model"


def spikes_file(path, *times):
    """SONATA spikes alone, without the record of the run that we write beside them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = path.parent / "written"
    write_results(spikes(*times), folder)
    (folder / "spikes.h5").rename(path)
    shutil.rmtree(folder)


@pytest.fixture
def pair(tmp_path):
    """A LEMS simulation that would write ``pair_v.dat``, ``pair_gates.dat`` and ``pair.spikes`` beside itself."""
    shutil.copytree(PAIR, tmp_path / "pair")
    return tmp_path / "pair"


def found_in(source, *given):
    with opened(source, Report()) as container:
        entries = find_entries(container, Report())
        return expecting(entries, [Path(each) for each in given], container)


def used(entry):
    return [(each.kind, each.name, each.part) for each in entry.expectations]


def told(entry):
    return {each.name: each.why for each in entry.candidates}


@pytest.mark.parametrize("folder", ["expected", "Reference_output", "results/run1", "."])
def test_files_that_are_called_as_the_simulation_would_call_them(circuit, folder):
    spikes_file(circuit / folder / "spikes.h5", 1, 2)
    (entry,) = found_in(circuit)
    name = (Path(folder) / "spikes.h5").as_posix()
    assert (used(entry), entry.candidates) == ([("results", f"stored {name}", "")], ())


def test_the_same_name_elsewhere_may_be_anything(circuit):
    spikes_file(circuit / "stimuli/spikes.h5", 1, 2)
    (entry,) = found_in(circuit)
    assert (used(entry), told(entry)) == ([], {"stimuli/spikes.h5": "nothing says that it is of this simulation"})


def test_two_files_of_one_name_are_told_and_none_is_used(circuit):
    spikes_file(circuit / "expected/spikes.h5", 1, 2)
    spikes_file(circuit / "results/old/spikes.h5", 1, 3)
    (entry,) = found_in(circuit)
    why = "2 results have the same claim to be those of the simulation"
    assert (used(entry), told(entry)) == ([], {"expected/spikes.h5": why, "results/old/spikes.h5": why})
    (chosen,) = found_in(circuit, "expected/spikes.h5")
    assert [each.origin for each in chosen.expectations] == [circuit / "expected/spikes.h5"]
    assert chosen.candidates == ()


def test_two_simulations_with_the_same_claim(circuit):
    config = json.loads((circuit / "simulation_config.json").read_text())
    (circuit / "other_config.json").write_text(json.dumps(config))
    spikes_file(circuit / "expected/spikes.h5", 1, 2)
    entries = found_in(circuit)
    assert [used(entry) for entry in entries] == [[], []]
    assert {*map(str, (told(entry) for entry in entries))} == {
        str({"expected/spikes.h5": "2 simulations have the same claim to it"})
    }


def test_results_that_say_what_they_are_of(circuit):
    config = json.loads((circuit / "simulation_config.json").read_text())
    (circuit / "other_config.json").write_text(json.dumps(config))
    for name in ("simulation_config", "other_config"):
        write_results(spikes(1, 2, plan=name), circuit / f"data/{name[:5]}.nix", to="nix")
    entries = found_in(circuit)
    assert {entry.name: used(entry) for entry in entries} == {
        "simulation_config.json": [("results", "stored data/simul.nix", "")],
        "other_config.json": [("results", "stored data/other.nix", "")],
    }


def test_a_block_of_neo_that_is_called_as_the_simulation(circuit):
    neo, quantities = pytest.importorskip("neo"), pytest.importorskip("quantities")
    for name in ("simulation_config", "something else"):
        block, segment = neo.Block(name=name), neo.Segment(name="run")
        segment.spiketrains.append(neo.SpikeTrain([1.0, 2.0] * quantities.ms, t_stop=100.0, source_population="cells"))
        block.segments.append(segment)
        with neo.NixIO(str(circuit / f"{name[:4]}.nix"), mode="ow") as file:
            file.write_block(block)
    (entry,) = found_in(circuit)
    assert used(entry) == [("results", "stored simu.nix", "")]


def test_the_only_results_in_a_folder_that_is_called_so(circuit):
    write_results(spikes(1, 2), circuit / "reference/a.nix", to="nix")
    (entry,) = found_in(circuit)
    assert used(entry) == [("results", "stored reference/a.nix", "")]
    write_results(spikes(1, 2), circuit / "reference/b.nix", to="nix")
    (entry,) = found_in(circuit)
    why = "nothing says what it is of: it, or the simulation, is not alone with reference/"
    assert (used(entry), told(entry)) == ([], {"reference/a.nix": why, "reference/b.nix": why})


def test_results_of_another_simulation_are_not_used_for_being_alone(circuit):
    write_results(spikes(1, 2, plan="another"), circuit / "reference/a.nix", to="nix")
    (entry,) = found_in(circuit)
    assert (used(entry), told(entry)) == ([], {"reference/a.nix": "it says that it is of another"})


def test_what_a_simulation_reads_is_no_result_of_it(circuit):
    config = json.loads((circuit / "simulation_config.json").read_text())
    spikes_file(circuit / "results/spikes.h5", 1, 2)
    config["inputs"]["played"] = {
        "input_type": "spikes",
        "module": "h5",
        "input_file": "results/spikes.h5",
        "node_set": "inputs",
    }
    (circuit / "simulation_config.json").write_text(json.dumps(config))
    (entry,) = found_in(circuit)
    assert (used(entry), told(entry)) == ([], {})


@pytest.mark.parametrize("source", [".", "simulation_config.json"])
def test_what_an_earlier_call_found_is_not_what_was_published(circuit, source):
    run = circuit / "results/cells/0123"
    spikes_file(run / "results/spikes.h5", 1, 2)
    (run / TASK).write_text("{}")
    (entry,) = found_in(circuit / source)
    assert (used(entry), told(entry)) == ([], {})


def test_what_cannot_be_read_is_told(circuit):
    (circuit / "expected").mkdir()
    (circuit / "expected/spikes.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(50))
    (entry,) = found_in(circuit)
    assert used(entry) == []
    assert told(entry)["expected/spikes.h5"].startswith("it cannot be read: ")


def table_of(pair, name, columns, folder="expected"):
    (pair / folder).mkdir(parents=True, exist_ok=True)
    np.savetxt(pair / folder / name, np.column_stack([np.arange(3) / 1000, np.ones((3, columns))]))


def test_files_of_a_lems_simulation_in_a_folder_of_results(pair):
    table_of(pair, "pair_v.dat", 3)
    table_of(pair, "pair.spikes", 1)
    table_of(pair, "notes.txt", 1)
    (entry,) = found_in(pair)
    assert used(entry) == [
        ("table", "stored expected/pair.spikes", "pair.spikes"),
        ("table", "stored expected/pair_v.dat", "pair_v.dat"),
    ]


def header(pair, text, name="expected/a.csv", values=((0, -65, 1), (1, -60, 1))):
    path = pair / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([text, *(",".join(map(str, row)) for row in values)]) + "\n")


def test_a_header_that_names_columns_of_the_simulation(pair):
    header(pair, "time (ms),soma (mV),far (mV),fast (mV)", values=((0, 1, 2, 3), (1, 1, 2, 3)))
    header(pair, "time (ms),soma (mV),other (mV)", "expected/b.csv")
    (entry,) = found_in(pair)
    assert used(entry) == [("columns", "stored expected/a.csv", "pair_v.dat")]


def test_a_header_that_names_cells(pair):
    header(pair, "# t [ms],pyramids[0]/v [mV],fasts[0]/v [mV]")
    (entry,) = found_in(pair)
    assert used(entry) == [("columns", "stored expected/a.csv", "")]


def test_numbers_without_a_header_are_told(pair):
    table_of(pair, "a.dat", 3)
    (entry,) = found_in(pair)
    assert [(each.name, each.holds) for each in entry.candidates] == [
        ("expected/a.dat", "numbers, and no line says what they are")
    ]
    with pytest.raises(FormatError, match="the simulation writes several files, and none of this name") as caught:
        found_in(pair, "expected/a.dat")
    assert caught.value.hint.endswith("pair_v.dat, pair_gates.dat, pair.spikes")


def test_a_file_that_is_nowhere(pair):
    with pytest.raises(FormatError, match="there is no such file, nor one of this name in the archive") as caught:
        found_in(pair, "../pair/../secret.dat")
    assert caught.value.exit_status == 2


def run_of(soma, fast=-0.065):
    """What a run gave of ``pair_v.dat``, V."""
    names = (("soma", "pyramids/0/pyramid/0/v"), ("far", "pyramids/0/pyramid/3/v"), ("fast", "fasts/0/fast/v"))
    data = np.column_stack([np.full(4, value) for value in (soma, -0.065, fast)])
    table = QuantityTable("potentials", "pair_v.dat", names, np.arange(4.0), data)
    trace = Trace("potentials", "pyramids", "v", "mV", data[:, :1] * 1000, np.array([0]), 0.0, 1.0)
    return Results(tables=(table,), traces=(trace,))


@pytest.mark.parametrize(
    "text",
    [
        "time (ms),fast (mV),soma (mV)",
        "t/s,fast/V,soma/V",
        "time (ms),pyramids[0]/v (mV)",
        "t [s],pyramids/0/pyramid/v [V]",
    ],
)
@pytest.mark.parametrize(("soma", "verdict"), [(-0.0605, Verdict.REPRODUCED), (-0.0585, Verdict.DIFFERS)])
def test_columns_are_compared_in_their_units_and_by_their_names(pair, text, soma, verdict):
    """Published: the soma at -60 mV, the fast cell at -65 mV; 1 mV is allowed."""
    scale, step = (1, 1) if "ms" in text else (1e-3, 1e-3)
    own = [-60 * scale] if "pyramids" in text else [-65 * scale, -60 * scale]
    header(pair, text, values=[(number * step, *own) for number in range(4)])
    (entry,) = found_in(pair)
    (check,) = judge(entry.expectations, run_of(soma), Rules(native=True, timestep=1.0))
    assert check.verdict == verdict, check


def test_a_column_that_the_run_does_not_have(pair):
    header(pair, "time (ms),nothing (mV),soma (mV)", "expected/pair_v.dat")
    (entry,) = found_in(pair, "expected/pair_v.dat")
    (check,) = judge(entry.expectations, run_of(-0.06), Rules(native=True))
    assert (check.verdict, check.message) == (Verdict.NOT_COMPARABLE, "pair_v.dat of the run has no column nothing")
