"""Cable cells as they stand in NEURON against BMTK's: every section, every variable; and where synapses may fall."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.runners.neuron_library import library_of

pytestmark = pytest.mark.slow

CHILD = Path(__file__).with_name("neuron_cells.py")
#: A coordinate of 600 um is exact to 6e-5 um in NEURON's single precision; the soma is 12 um long.
SINGLE = 5e-6
#: nml: snippets (5 cells, three kinds); a fit JSON with aibs_perisomatic (10 cells, three kinds).
CONFIGS = {
    "sonata/5_cells_iclamp/simulation_config.json": (5, "shared_components"),
    "sonata/bio_14cells/config.simulation.json": (10, "bio_components"),
}


@pytest.fixture(scope="module", params=CONFIGS, ids=lambda name: name.split("/")[1])
def both(request, data: Path, allen_mechanisms: Path, tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("circuit")
    config = data / request.param
    count, components = CONFIGS[request.param]
    for name in (config.parent.name, components):
        shutil.copytree(data / "sonata" / name, folder / name)
    library = library_of(config, allen_mechanisms)
    command = [sys.executable, str(CHILD), config.name, str(library)]
    done = subprocess.run(
        command, cwd=folder / config.parent.name, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout[done.stdout.index('{"ours"') :])
    assert len(found["ours"]) == len(found["theirs"]) == count
    return found


def test_every_section_is_the_same(both: dict) -> None:
    for ours, theirs in zip(both["ours"], both["theirs"], strict=True):
        assert [section["name"] for section in ours] == [section["name"] for section in theirs]
        for section, wanted in zip(ours, theirs, strict=True):
            assert section.keys() == wanted.keys()
            numbers = [name for name in wanted if name != "name"]
            np.testing.assert_allclose(
                [section[name] for name in numbers], [wanted[name] for name in numbers], rtol=SINGLE, atol=0
            )


def test_the_cells_are_not_all_alike(both: dict) -> None:
    """The comparison above could fail."""
    kinds = {(len(cell), cell[0]["Ra"], cell[0]["nseg"]) for cell in both["ours"]}
    assert len(kinds) >= 3
    assert any(section["nseg"] > 1 for cell in both["ours"] for section in cell)


def test_synapses_fall_where_bmtk_lets_them(both: dict) -> None:
    for index, cumulative, wanted, probabilities in both["targets"]:
        assert index == wanted
        np.testing.assert_allclose(cumulative, probabilities, atol=SINGLE)
    assert max(len(index) for index, *_ in both["targets"]) > 100
