"""`pynn-show` as a user runs it."""

import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from importlib.metadata import version

import h5py
import pytest

from tests.commands.circuits import (
    POSITION_X,
    RECURRENT,
    command,
    environment,
    run,
    tree,
    write_circuit,
    write_simulation,
)

SWC = """\
1 1 0 0 0 5 -1
2 3 0 5 0 1 1
3 3 0 105 0 1 2
4 3 30 105 0 1 3
5 3 -40 105 0 1 3
"""


def shown(path, *options):
    done = run("pynn-show", path, "--json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_populations_and_projections_as_json(tmp_path):
    summary = shown(write_circuit(tmp_path))["summary"]
    assert summary["format"] == "sonata"
    sizes = {one["name"]: one["size"] for one in summary["populations"]}
    assert sizes == {"cells": 4, "inputs": 2}
    cells = next(one for one in summary["populations"] if one["name"] == "cells")
    assert [(kind["label"], kind["model"], kind["count"]) for kind in cells["types"]] == [
        ("exc", "nest:iaf_psc_alpha", 2),
        ("inh", "nest:iaf_psc_alpha", 2),
    ]
    x = next(column for column in cells["columns"] if column["name"] == "x")
    assert (x["range"]["low"], x["range"]["high"], x["range"]["unit"]) == (min(POSITION_X), max(POSITION_X), "um")
    recurrent = next(one for one in summary["projections"] if one["pre"] == "cells")
    assert (recurrent["post"], recurrent["size"]) == ("cells", 5)
    assert [recurrent["out_degree"][end] for end in ("low", "high")] == [1, 2]
    assert recurrent["delay"]["low"] == 2.0
    weights = recurrent["weights"][0]
    # NEST's weights are pA, whatever unit the graph keeps them in: the ratio of both ends is that of the file.
    assert weights["low"] / weights["high"] == pytest.approx(min(RECURRENT["weight"]) / max(RECURRENT["weight"]))


def test_the_tables_name_everything(tmp_path):
    done = run("pynn-show", write_circuit(tmp_path))
    assert done.returncode == 0, done.stderr
    for words in (
        "Populations (2, 6 cells)",
        "Projections (2, 7 edges)",
        "cells -> cells",
        "inputs -> cells",
        "exc",
        "inh",
    ):
        assert words in done.stdout
    assert "\x1b[" not in done.stdout


def test_a_reader_that_leaves_is_no_error(tmp_path):
    process = subprocess.Popen(
        command("pynn-show", write_circuit(tmp_path)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    )
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141


def test_sizes_on_disk(tmp_path):
    config = write_circuit(tmp_path)
    files = {row["path"].rpartition("/")[2]: row["bytes"] for row in shown(config)["files"]}
    for name in ("circuit_config.json", "cells.h5", "recurrent.h5", "recurrent_types.csv"):
        assert files[name] == (tmp_path / name).stat().st_size


def test_a_simulation_shows_its_plan(tmp_path):
    write_circuit(tmp_path)
    plan = shown(write_simulation(tmp_path))["summary"]["plan"]
    assert (plan["duration"], plan["timestep"], plan["v_init"]) == (100.0, 0.1, -70.0)
    assert len(plan["stimuli"]) == 1 and "0.25" in plan["stimuli"][0]


def test_node_sets_with_their_sizes(tmp_path):
    config = write_circuit(tmp_path)
    content = json.loads(config.read_text())
    content["node_sets_file"] = "node_sets.json"
    config.write_text(json.dumps(content))
    sets = {"left": {"population": "cells", "x": {"$lt": 25}}, "some": {"population": "cells", "node_id": [1, 2, 3]}}
    (tmp_path / "node_sets.json").write_text(json.dumps(sets))
    found = {one["name"]: one["sizes"] for one in shown(config)["node_sets"]}
    assert found == {"left": {"cells": 2}, "some": {"cells": 3}}


@pytest.mark.parametrize(("options", "bars"), [([], True), (["--quiet"], False)])
def test_progress_on_a_terminal(tmp_path, options, bars):
    """A pseudo-terminal on stderr shows bars with counts; stdout stays clean."""
    ours, theirs = os.openpty()
    process = subprocess.Popen(
        command("pynn-show", write_circuit(tmp_path), "--json", *options),
        stdout=subprocess.PIPE,
        stderr=theirs,
        env={**environment(), "TERM": "xterm"},
    )
    out = process.communicate(timeout=60)[0]
    os.close(theirs)
    try:
        shown = os.read(ours, 1_000_000).decode()
    except OSError:  # EIO: the other end is closed, and nothing was written
        shown = ""
    os.close(ours)
    assert json.loads(out)
    # The last bar is drawn in its final state: two edges of two.
    assert (re.search(r"edges of inputs_to_cells .* 2/2", shown) is not None) is bars
    assert bars or shown == ""


# --- validation -------------------------------------------------------------------------------------------------------


def test_a_sound_circuit_is_valid(tmp_path):
    done = run("pynn-show", write_circuit(tmp_path), "--validate")
    assert done.returncode == 0, done.stderr
    assert "pynn_io: ok" in done.stdout


@pytest.mark.parametrize("peer", ["libsonata", "bluepysnap"])
def test_other_tools_have_their_say(tmp_path, peer):
    pytest.importorskip(peer)
    done = run("pynn-show", write_circuit(tmp_path), "--validate")
    lines = [line for line in done.stdout.splitlines() if line.startswith(f"{peer} {version(peer)}: ")]
    assert len(lines) == 1
    assert lines[0].partition(": ")[2].startswith(("ok", "refuses: "))


def test_a_tool_that_is_not_installed_is_named(tmp_path):
    config = write_circuit(tmp_path)
    program = (
        "import sys, importlib.metadata as m\n"
        "def version(name): raise m.PackageNotFoundError(name)\n"
        "import pynn_io.show.peers as peers\n"
        "peers.version = version\n"
        "from pynn_io.cli.show import main\n"
        f"sys.exit(main([{str(config)!r}, '--validate']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "libsonata: not installed" in done.stdout


def test_libsonata_refuses_what_is_broken(tmp_path):
    pytest.importorskip("libsonata")
    config = write_circuit(tmp_path)
    with h5py.File(tmp_path / "recurrent.h5", "r+") as file:
        del file["edges/cells_to_cells/source_node_id"]
    done = run("pynn-show", config, "--validate")
    assert any(line.startswith("libsonata ") and ": refuses: " in line for line in done.stdout.splitlines())


def test_a_broken_circuit_is_refused_with_every_problem(tmp_path):
    config = write_circuit(tmp_path)
    with h5py.File(tmp_path / "recurrent.h5", "r+") as file:
        file["edges/cells_to_cells/target_node_id"][1] = 17
    done = run("pynn-show", config, "--validate")
    assert done.returncode == 4
    assert "pynn_io: refuses: 1 problem\n" in done.stdout
    assert "17" in done.stdout
    assert "Traceback" not in done.stderr


NML = """\
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="doc">
  <expOneSynapse id="syn" gbase="0.5nS" erev="0mV" tauDecay="3ms"/>
  <iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>
  <network id="net">
    <population id="pop" component="iaf" size="3"/>
    <projection id="proj" presynapticPopulation="pop" postsynapticPopulation="pop" synapse="syn">
      <connection id="0" preCellId="../pop[0]" postCellId="../pop[CELL]"/>
    </projection>
  </network>
</neuroml>
"""


@pytest.mark.parametrize(("cell", "status"), [(2, 0), (3, 4)])
def test_a_neuroml_file_is_checked_by_our_rules_and_by_jneuroml(tmp_path, cell, status):
    (tmp_path / "net.nml").write_text(NML.replace("CELL", str(cell)))
    done = run("pynn-show", "net.nml", "--validate", cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert ("pynn_io: ok" in done.stdout) is (status == 0)
    assert ("net.nml:7" in done.stdout) is (status == 4)
    assert len([line for line in done.stdout.splitlines() if line.lower().startswith("jneuroml")]) == 1


# --- pictures ---------------------------------------------------------------------------------------------------------


def texts_of(path):
    """The words in an SVG picture."""
    root = ET.parse(path).getroot()
    return {"".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")}


@pytest.mark.parametrize(("name", "magic"), [("net.png", b"\x89PNG"), ("net.pdf", b"%PDF"), ("net.svg", b"<?xml")])
def test_a_picture(tmp_path, name, magic):
    pytest.importorskip("matplotlib")
    config = write_circuit(tmp_path / "circuit")
    done = run("pynn-show", config, "--plot", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / name).read_bytes().startswith(magic)


def test_the_picture_names_groups_and_counts(tmp_path):
    pytest.importorskip("matplotlib")
    run("pynn-show", write_circuit(tmp_path / "circuit"), "--plot", "net.svg", cwd=tmp_path)
    texts = texts_of(tmp_path / "net.svg")
    assert {"exc (2)", "inh (2)", "inputs (2)", "inputs → cells", "cells → cells", "x (µm)", "y (µm)"} <= texts
    assert "6 cells" in " ".join(texts)


@pytest.mark.parametrize(("picture", "status"), [("net.jpg", 2), ("nowhere/net.png", 2)])
def test_a_picture_that_cannot_be(tmp_path, picture, status):
    done = run("pynn-show", write_circuit(tmp_path / "circuit"), "--plot", picture, cwd=tmp_path)
    assert done.returncode == status
    assert picture in done.stderr and "Traceback" not in done.stderr


def test_without_matplotlib_the_extra_is_named(tmp_path):
    config = write_circuit(tmp_path)
    program = (
        "import sys\nsys.modules['matplotlib'] = None\n"
        "from pynn_io.cli.show import main\n"
        f"sys.exit(main([{str(config)!r}, '--plot', 'net.png']))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 6
    assert "pynn_io[plot]" in done.stderr and "Traceback" not in done.stderr


# --- morphologies and other input -------------------------------------------------------------------------------------


def test_a_lone_morphology(tmp_path):
    (tmp_path / "fork.swc").write_text(SWC)
    one = shown(tmp_path / "fork.swc")["morphology"][0]
    dendrite = next(tag for tag in one["tags"] if tag["tag"] == 3)
    assert dendrite["sections"] == 3
    assert dendrite["length"] == pytest.approx(170.0)


def test_a_picture_of_a_lone_morphology(tmp_path):
    pytest.importorskip("matplotlib")
    (tmp_path / "fork.swc").write_text(SWC)
    done = run("pynn-show", "fork.swc", "--plot", "fork.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert {"170 µm, 3 sections", "basal dendrite", "front (x, y)", "side (z, y)"} <= texts_of(tmp_path / "fork.svg")


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("none.json", None, 4), ("broken.json", '{"networks": {},,}', 4), ("notes.txt", "words\n", 2)],
)
def test_input_that_is_none(tmp_path, name, content, status):
    if content is not None:
        (tmp_path / name).write_text(content)
    before = tree(tmp_path)
    done = run("pynn-show", name, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.startswith("pynn-show: error: ") and name in done.stderr
    assert tree(tmp_path) == before


def test_quiet_validation_gives_the_verdicts_alone(tmp_path):
    done = run("pynn-show", write_circuit(tmp_path), "--validate", "--quiet")
    assert done.returncode == 0, done.stderr
    assert "pynn_io: ok" in done.stdout
    assert "Populations" not in done.stdout and "Projections" not in done.stdout


def test_a_neuroml_network_is_shown(tmp_path):
    (tmp_path / "net.nml").write_text(
        '<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="net">'
        '<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="0.01uS"/>'
        '<network id="small"><population id="pop" component="iaf" size="3"/></network></neuroml>'
    )
    done = run("pynn-show", tmp_path / "net.nml")
    assert done.returncode == 0, done.stderr
    assert ": neuroml" in done.stdout.splitlines()[0]
    assert "pop" in done.stdout and "neuroml:iafCell" in done.stdout


def test_the_dialect_is_called_as_it_is_asked_for(tmp_path):
    done = run("pynn-show", write_circuit(tmp_path))
    assert ": sonata, dialect allen" in done.stdout.splitlines()[0]


def test_a_part_of_a_circuit_is_called_what_it_is(tmp_path):
    write_circuit(tmp_path)
    done = run("pynn-show", tmp_path / "recurrent.h5")
    assert done.returncode == 2
    assert "recurrent.h5: a part of a SONATA circuit, its edges" in done.stderr and "configuration" in done.stderr


def test_a_folder_without_a_configuration(tmp_path):
    (tmp_path / "cell.swc").write_text("1 1 0 0 0 5 -1\n")
    done = run("pynn-show", tmp_path)
    assert done.returncode == 2
    assert "no SONATA configuration in this folder" in done.stderr
