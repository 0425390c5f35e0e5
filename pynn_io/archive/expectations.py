"""What was published of a simulation, by the conventions of those who publish.

Nothing is expected that no file states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

from pynn_io.archive.values import Expectation, OmvTest
from pynn_io.formats import omv, sed_reports, sonata_config
from pynn_io.formats.neuroml_source import read_source
from pynn_io.formats.sedml import read_sedml
from pynn_io.report import Report
from pynn_io.results.files import holds_results
from pynn_io.vocabulary.core import core_types

#: Where BioSimulators' archives have what their runs gave.
_REPORTS = "reports.h5"


def of_tests(tests: Sequence[omv.Test]) -> tuple[Expectation, ...]:
    """One expectation a ``.mep``, with the tests that name it, in the order of their files."""
    by_origin: dict[Path, list[OmvTest]] = {}
    for test in sorted(tests, key=lambda each: each.path):
        if test.expectations is not None:
            by_origin.setdefault(test.expectations, []).append(OmvTest(test.engine, test.observables, test.path))
    return tuple(Expectation(path.name, "omv", path, tests=tuple(found)) for path, found in by_origin.items())


def of_sonata(path: Path, within: Path | None = None) -> tuple[Expectation, ...]:
    """Results in the folder that the configuration would write to: a run of it published them.

    within: a folder that they lie in, if they are of the archive; others are not looked at.
    """
    config = sonata_config.load(path, Report())
    output = (config.simulation or {}).get("output", {})
    stated = output.get("output_dir") if isinstance(output, dict) else None
    if not isinstance(stated, str) or config.simulation_path is None:
        return ()
    folder = config.simulation_path.parent / stated
    if not _is_within(folder, within) or not folder.is_dir() or not holds_results(folder):
        return ()
    return (Expectation(f"published {folder.name}", "results", folder.resolve()),)


def of_lems(path: Path, within: Path | None = None) -> tuple[Expectation, ...]:
    """Files of the ``<Simulation>`` that stand where a run of it would write them. within: as in `of_sonata`."""
    return tuple(
        Expectation(f"published {Path(stated).name}", "table", (path.parent / stated).resolve(), part=stated)
        for stated in lems_files(path)
        if _is_within(path.parent / stated, within) and (path.parent / stated).is_file()
    )


def _is_within(place: Path, folder: Path | None) -> bool:
    return folder is None or place.resolve().is_relative_to(folder.resolve())


def lems_files(path: Path) -> Mapping[str, tuple[str, ...]]:
    """The files that a LEMS simulation writes, as it states them, with the names of their columns."""
    found = {}
    for simulation in read_source(path, core=core_types()).simulations[:1]:
        for child in simulation.children:
            name = child.attributes.get("fileName", "")
            if child.tag in ("OutputFile", "EventOutputFile") and name:
                columns = tuple(each.attributes.get("id", "") for each in child.children if each.tag == "OutputColumn")
                found[str(PurePosixPath(child.attributes.get("path", ""), name))] = columns
    return found


def of_sedml(path: Path, root: Path, location: Path, task: str) -> tuple[Expectation, ...]:
    """Reports in ``reports.h5`` at the archive's root that are of this document and need nothing but this task."""
    file = root / _REPORTS
    if not file.is_file():
        return ()
    known = sed_reports.names(file)
    experiment = read_sedml(path)
    found = []
    for report in experiment.reports.values():
        tasks = {each.task for _, name in report.columns for each in experiment.generators[name].variables if each.task}
        place = f"{location.as_posix()}/{report.id}"
        if place in known and tasks <= {task}:
            found.append(Expectation(f"report {report.id}", "report", file.resolve(), part=place))
    return tuple(found)
