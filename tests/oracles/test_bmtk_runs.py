"""What the SONATA writer writes computes what went in: BMTK runs it, and the spikes are those of the original.

The references are BMTK's own runs of the original circuits (../shared/data/README.md). Every run is a child process in
the written folder. Equal means the same cells at the same times; where only times could be a little off, ``within``
says how far in ms, and why.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import pytest

from pynn_io import convert
from pynn_io.progress import quiet
from pynn_io.report import Kind
from pynn_io.runners.neuron.compiler import compiled

pytestmark = pytest.mark.slow

LIMIT = 600
CHILD = Path(__file__).with_name("bmtk_run.py")
#: NEURON sums up a train's steps in double precision: 4.5e-13 ms against the file that the Allen Institute shipped.
ROUNDING = 1e-9
#: Geometry was rounded in the BMTK of 2018, which moves spikes by up to 0.7 ms after 2 s of constant current.
SHIPPED_2018 = 0.75

Trains = dict[str, np.ndarray]


@dataclass(frozen=True, slots=True)
class Case:
    """engine: of BMTK. config, spikes: below the data folder. count: spikes of each population. within: ms."""

    engine: str
    config: str
    spikes: str
    count: tuple[int, ...]
    within: float = 0.0


CASES = {
    "300_pointneurons": Case(
        "pointnet",
        "sonata/300_pointneurons/simulation_config.json",
        "reference/300_pointneurons/spikes.h5",
        (18_794,),
    ),
    "300_intfire": Case(
        "bionet",
        "sonata/300_intfire/simulation_config.json",
        "sonata/300_intfire/output/spikes.h5",
        (4_322,),
        ROUNDING,
    ),
    "point_stdp": Case(
        "pointnet",
        "sonata/point_stdp/config.simulation_virtual.json",
        "reference/point_stdp/spikes.h5",
        (166, 249),
    ),
    "one_cell_iclamp_nest": Case(
        "pointnet",
        "sonata/sim_tests/intfire/one_cell_iclamp_nest/input/config.json",
        "reference/sim_tests_one_cell_iclamp_nest/spikes.h5",
        (56,),
    ),
    "ten_cells_iclamp_nest": Case(
        "pointnet",
        "sonata/sim_tests/intfire/ten_cells_iclamp_nest/input/config.json",
        "reference/sim_tests_ten_cells_iclamp_nest/spikes.h5",
        (45,),
    ),
    "ten_cells_spikes_nrn": Case(
        "bionet",
        "sonata/sim_tests/intfire/ten_cells_spikes_nrn/input/config.json",
        "reference/sim_tests_ten_cells_spikes_nrn/spikes.h5",
        (191,),
    ),
    "bio_1cell_syns": Case(
        "bionet",
        "sonata/bio_1cell/config.simulation_syns.json",
        "sonata/bio_1cell/output_syns/spikes.h5",
        (39,),
        ROUNDING,
    ),
    "bio_1cell_iclamp": Case(
        "bionet",
        "sonata/bio_1cell/config.simulation_iclamp.json",
        "sonata/bio_1cell/output_iclamp/spikes.h5",
        (20,),
        SHIPPED_2018,
    ),
}
#: A second run of these would take long and say little more than the first.
SLOW = {("300_intfire", "sonata+allen"), ("bio_1cell_iclamp", "sonata"), ("one_cell_iclamp_nest", "sonata")}
#: circuit, dialects one after the other.
RUNS = [
    *((name, (dialect,)) for name in CASES for dialect in ("sonata+allen", "sonata") if (name, dialect) not in SLOW),
    *((name, ("sonata+obi", "sonata+allen")) for name in ("300_pointneurons", "300_intfire")),
    *((name, ("sonata+obi", "sonata")) for name in ("ten_cells_iclamp_nest", "ten_cells_spikes_nrn")),
]


@pytest.fixture(scope="session")
def mechanisms(allen_mechanisms: Path) -> Path:
    """BMTK's own mechanisms, compiled."""
    return compiled(sorted(allen_mechanisms.glob("*.mod")), quiet)


def run(engine: str, folder: Path, *arguments: str) -> Trains:
    """Run ``config.json`` of a written folder, and read the spikes that BMTK puts there, population by population."""
    command = [sys.executable, str(CHILD), engine, "config.json", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    output = json.loads((folder / "simulation_config.json").read_text())["output"]
    assert not Path(output["output_dir"]).is_absolute()
    file = next(path for path in folder.rglob(output["spikes_file"]) if path.parent.name.startswith("output"))
    return spikes(file)


def spikes(path: Path) -> Trains:
    """Population -> ``[[id, time] ...]`` sorted by id, then time. Files of 2018 know no populations: the name is ""."""
    with h5py.File(path) as file:
        root = file["spikes"]
        groups = {"": root} if "timestamps" in root else dict(root.items())
        return {name: sorted_rows(group) for name, group in groups.items()}


def sorted_rows(group: h5py.Group) -> np.ndarray:
    ids, times = group["node_ids" if "node_ids" in group else "gids"][:], group["timestamps"][:]
    order = np.lexsort((times, ids))
    return np.stack([ids[order].astype(float), times[order]], axis=1)


def assert_same(found: Trains, wanted: Trains, within: float) -> None:
    if list(wanted) == [""]:
        assert len(found) == 1
        found = {"": next(iter(found.values()))}
    assert sorted(found) == sorted(wanted)
    for name, rows in wanted.items():
        assert len(found[name]) == len(rows), name
        np.testing.assert_array_equal(found[name][:, 0], rows[:, 0])
        np.testing.assert_allclose(found[name][:, 1], rows[:, 1], rtol=0, atol=within)


def needs(case: Case, request: pytest.FixtureRequest) -> tuple[str, ...]:
    """Skip where the engine is missing; the arguments of the child."""
    for module in ("bmtk", "nest" if case.engine == "pointnet" else "neuron"):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    return (str(request.getfixturevalue("mechanisms")),) if case.engine == "bionet" else ()


def label(item: str | tuple[str, ...]) -> str:
    return item if isinstance(item, str) else ">".join(item)


@pytest.mark.parametrize(("name", "dialects"), RUNS, ids=label)
def test_the_written_circuit_gives_the_same_spikes(
    name: str, dialects: tuple[str, ...], data: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    case = CASES[name]
    arguments = needs(case, request)
    wanted = spikes(data / case.spikes)
    assert tuple(len(rows) for rows in wanted.values()) == case.count
    source, folder = data / case.config, tmp_path
    for number, dialect in enumerate(dialects):
        folder = tmp_path / f"step{number}"
        convert(source, folder, to=dialect)
        source = folder
    assert_same(run(case.engine, folder, *arguments), wanted, case.within)


def test_a_changed_delay_changes_the_spikes(data: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """The comparison is not blind: 0.1 ms more is seen."""
    case = CASES["ten_cells_spikes_nrn"]
    arguments = needs(case, request)
    convert(data / case.config, tmp_path / "out", to="sonata+allen")
    types = next((tmp_path / "out/network").glob("*edge_types.csv"))
    rows = [line.split(" ") for line in types.read_text().splitlines()]
    at = rows[0].index("delay")
    for row in rows[1:]:
        row[at] = str(float(row[at]) + 0.1)
    types.write_text("\n".join(" ".join(row) for row in rows) + "\n")
    found = run(case.engine, tmp_path / "out", *arguments)
    with pytest.raises(AssertionError):
        assert_same(found, spikes(data / case.spikes), case.within)


def test_a_circuit_without_its_recorder_says_so(data: Path, tmp_path: Path) -> None:
    """point_stdp names a synapse model that its weight recorder makes. OBI has no such report: a loss, and named."""
    config = data / CASES["point_stdp"].config
    lost = convert(config, tmp_path / "obi", to="sonata+obi").report
    assert [issue.code for issue in lost if issue.kind is Kind.LOST] == ["recording"]


def test_stdp_weights_are_those_of_the_original(data: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every change of every plastic weight, as BMTK's recorder writes it, of the original and the second generation."""
    case = CASES["point_stdp"]
    needs(case, request)
    convert(data / case.config, tmp_path / "one", to="sonata")
    convert(tmp_path / "one", tmp_path / "two", to="sonata+allen")
    run(case.engine, tmp_path / "two")
    original = shutil.copytree(data / "sonata/point_stdp", tmp_path / "original")
    shutil.copy(original / Path(case.config).name, original / "config.json")
    shutil.copy(original / Path(case.config).name, original / "simulation_config.json")
    run(case.engine, original)
    one, two = (next(folder.rglob("stdp_weights.csv")).read_text() for folder in (original, tmp_path / "two"))
    assert one.count("\n") > 300
    assert one == two
