"""The conservation test: what a format does not bring back is named in the report, for every model and every format."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.audit import names
from pynn_io.document import Document
from pynn_io.graph import Column
from pynn_io.graph.compare import Difference, diff, dump
from pynn_io.pipeline import read, write
from pynn_io.registry import FORMATS
from tests.models import MODELS
from tests.nir.nets import current_based

#: Every target that can be read back, with its dialects. SWC and NMODL hold no network: their round trips are in
#: tests/morphology and tests/nmodl_in.
#: A PyNN script is a program: how one that was written comes back is in tests/pynn_out.
#: NeuroML has a test of its own below, since the folder that it writes is read by its main file; NIR too, since it
#: refuses networks without a single cell that it can hold.
TARGETS = [
    name + (f"+{dialect}" if dialect else "")
    for name, row in FORMATS.items()
    if row.reader and row.writer and name not in ("swc", "nmodl", "neuroml", "nir", "pynn")
    for dialect in ("", *row.dialects)
]


def unnamed(differences: list[Difference], report: Report) -> list[str]:
    """The differences that no issue of the report names."""
    return [str(difference) for difference in differences if not names(report, difference.subject)]


def there_and_back(model: str, target: str, folder: Path) -> tuple[list[Difference], Report]:
    document = MODELS[model]()
    report = write(document, folder / "out", target)
    again = read(folder / "out", format=target.partition("+")[0], report=report)
    return diff(document.network, again.network), report


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", MODELS)
def test_what_is_lost_is_named(model: str, target: str, tmp_path: Path) -> None:
    differences, report = there_and_back(model, target, tmp_path)
    assert unnamed(differences, report) == []


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", MODELS)
def test_the_second_round_changes_nothing(model: str, target: str, tmp_path: Path) -> None:
    """What was once normalised by a dialect is a fixed point of it, levels and all."""
    document = MODELS[model]()
    write(document, tmp_path / "one" / "net", target)
    once = read(tmp_path / "one" / "net", format=target.partition("+")[0])
    write(once, tmp_path / "two" / "net", target)
    twice = read(tmp_path / "two" / "net", format=target.partition("+")[0])
    assert diff(once.network, twice.network, levels=True) == []
    assert dump(once.network) == dump(twice.network)


#: Models whose words NeuroML has. ``cable`` and ``integrate_and_fire`` come back in its own (``nrn:IntFire1`` as a type
#: of ours), of which the report names what is lost, and not each parameter that has another name.
IN_NEUROML = ("two_types", "standard_models", "patchwork", "components", "neuroml_points")


@pytest.mark.parametrize("target", ["neuroml", "neuroml+hdf5"])
@pytest.mark.parametrize("model", IN_NEUROML)
def test_what_neuroml_loses_is_named(model: str, target: str, tmp_path: Path) -> None:
    document = MODELS[model]()
    report = write(document, tmp_path / "out", target)
    main = next(iter([*(tmp_path / "out").glob("LEMS_*.xml"), *(tmp_path / "out").glob("*.net.nml*")]))
    again = read(main, format="neuroml", report=report)
    assert unnamed(diff(document.network, again.network), report) == []


#: Models with cells that NIR has; tests/nir tells of the others.
IN_NIR: dict[str, Callable[[], Document]] = {
    **{name: MODELS[name] for name in ("integrate_and_fire", "patchwork", "neuroml_points")},
    "IF_curr_exp": current_based,
    "IF_curr_delta": lambda: current_based("IF_curr_delta"),
}


@pytest.mark.parametrize("target", ["nir", "nir+relative"])
@pytest.mark.parametrize("model", IN_NIR)
def test_what_nir_loses_is_named(model: str, target: str, tmp_path: Path) -> None:
    document = IN_NIR[model]()
    report = write(document, tmp_path / "net.nir", target)
    again = read(tmp_path / "net.nir", report=report)
    assert unnamed(diff(document.network, again.network), report) == []
    assert list(again.network.populations) == list(document.network.populations)
    write(again, tmp_path / "twice.nir", target)
    assert diff(again.network, read(tmp_path / "twice.nir").network, levels=True) == []


@pytest.mark.parametrize("model", ["integrate_and_fire", "patchwork", "IF_curr_exp", "IF_curr_delta"])
def test_networks_that_nir_holds_come_back_whole(model: str, tmp_path: Path) -> None:
    document = IN_NIR[model]()
    write(document, tmp_path / "net.nir", "nir")
    assert diff(document.network, read(tmp_path / "net.nir").network, levels=True) == []


@pytest.mark.parametrize("model", ["two_types", "integrate_and_fire", "standard_models"])
@pytest.mark.parametrize("target", ["sonata", "sonata+allen"])
def test_point_networks_survive_sonata_whole(model: str, target: str, tmp_path: Path) -> None:
    differences, _ = there_and_back(model, target, tmp_path)
    assert [str(difference) for difference in differences] == []


def test_diff_sees_a_changed_weight() -> None:
    """The conservation test rests on diff: it must not be blind."""
    a, b = MODELS["two_types"]().network, MODELS["two_types"]().network
    assert diff(a, b) == []
    projection = b.projections["cortex_to_cortex"]
    weights = projection.edges.columns.read("weight").copy()
    weights[3] = np.nextafter(weights[3], 0)
    columns = projection.edges.columns.updated({"weight": Column(weights)})
    from dataclasses import replace

    changed = replace(projection, edges=replace(projection.edges, columns=columns))
    found = diff(a, replace(b, projections={"cortex_to_cortex": changed}))
    assert [difference.subject for difference in found] == ["weight"]
    assert unnamed(found, Report()) == [str(found[0])]
