"""Files that inputs name travel with the simulation."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from pynn_io import Report
from pynn_io.exporters.sonata import write
from pynn_io.graph.stimuli import OtherStimulus, Stimulus
from tests.models import MODELS


def test_two_files_of_one_name_both_arrive(tmp_path: Path) -> None:
    stimuli = []
    for folder in ("left", "right"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "steps.csv").write_text(folder)
        parameters = {"input_type": "current_clamp", "module": "csv", "input_file": f"{folder}/steps.csv"}
        stimuli.append(Stimulus(folder, OtherStimulus("csv", parameters), "v1"))
    document = MODELS["integrate_and_fire"]()
    network = replace(document.network, extra={"sonata": {"config": tmp_path / "circuit_config.json"}})
    assert document.plan is not None
    written = replace(document, network=network, plan=replace(document.plan, stimuli=tuple(stimuli)))
    (tmp_path / "out").mkdir()
    write(written, tmp_path / "out", Report(), dialect="allen")
    inputs = json.loads((tmp_path / "out" / "simulation_config.json").read_text())["inputs"]
    paths = {name: tmp_path / "out" / "inputs" / Path(inputs[name]["input_file"]).name for name in ("left", "right")}
    assert {name: path.read_text() for name, path in paths.items()} == {"left": "left", "right": "right"}
