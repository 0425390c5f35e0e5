"""Initial values of single cells in NeuroML: components of their own where they are few, a property where many."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from pynn_io import Document, ReadError, Report, read, write
from pynn_io.exporters.neuroml_populations import STARTS
from pynn_io.formats.neuroml_check import check
from pynn_io.graph import Column, Network, PointCell, Population, Table
from pynn_io.report import Kind
from tests.models import table

NS = "{http://www.neuroml.org/schema/neuroml2}"
PLACED = {axis: Column(np.zeros(STARTS + 1), unit="um") for axis in "xyz"}


def document(size: int, **more: Column) -> Document:
    """Cells that start from as many values of v, which are no round numbers."""
    columns = {"parameters:v": Column(-70 + np.arange(size) / 7), **more}
    population = Population("cells", size, table(1, cell=["cell"]), table=Table(size, columns))
    return Document(Network("net", {"cells": population}, {}, {"cell": PointCell("IF_curr_exp", {"tau_m": 12.0})}))


def populations(folder: Path) -> list[etree._Element]:
    return list(etree.parse(str(folder / "net.net.nml")).getroot().iter(f"{NS}population"))


def test_few_are_components_and_many_a_property(tmp_path: Path) -> None:
    few = write(document(STARTS), tmp_path / "few", "neuroml")
    assert len(populations(tmp_path / "few")) == STARTS and "initial-values" not in few.codes()
    many = write(document(STARTS + 1), tmp_path / "many", "neuroml")
    (one,) = populations(tmp_path / "many")
    (word,) = one.iter(f"{NS}property")
    assert word.get("tag") == "pynn_io_start_v"
    values = -70 + np.arange(STARTS + 1) / 7
    assert word.get("value") == " ".join(map(repr, values.tolist()))
    (cell,) = etree.parse(str(tmp_path / "many" / "net.net.nml")).getroot().iter(f"{NS}IF_curr_exp")
    assert float(cell.get("v_init")) == pytest.approx(values.mean(), rel=1e-14)
    (issue,) = [each for each in many if each.code == "initial-values"]
    assert (issue.kind, issue.where, issue.count) == (Kind.APPROXIMATED, "population cells", STARTS + 1)
    assert "start from 101 values of v" in issue.message
    assert check(tmp_path / "many" / "net.net.nml") == []


@pytest.mark.parametrize("places", [{}, PLACED])
@pytest.mark.parametrize("target", ["neuroml", "neuroml+hdf5"])
def test_they_come_back_and_go_again(target: str, places: dict[str, Column], tmp_path: Path) -> None:
    """Where cells have no places, properties stand in an annotation."""
    made = document(STARTS + 1, **places)
    for folder in ("one", "two"):
        write(made, tmp_path / folder, target)
        (file,) = (tmp_path / folder).glob("*.net.nml*")
        report = Report()
        made = read(file, format="neuroml", report=report)
        found = made.network.populations["cells"].column("parameters:v")
        assert found is not None
        np.testing.assert_array_equal(found.read(STARTS + 1), -70 + np.arange(STARTS + 1) / 7)
        assert not report.refusals()


def test_other_parameters_still_make_populations(tmp_path: Path) -> None:
    size = 2 * STARTS
    made = document(size, **{"parameters:tau_m": Column(np.tile([10.0, 20.0], STARTS))})
    write(made, tmp_path / "out", "neuroml")
    words = [
        {word.get("tag"): word.get("value") for word in each.iter(f"{NS}property")}
        for each in populations(tmp_path / "out")
    ]
    values = -70 + np.arange(size) / 7
    assert [[float(number) for number in each["pynn_io_start_v"].split()] for each in words] == [
        values[::2].tolist(),
        values[1::2].tolist(),
    ]
    cells = etree.parse(str(tmp_path / "out" / "net.net.nml")).getroot().iter(f"{NS}IF_curr_exp")
    assert sorted((float(cell.get("tau_m")), float(cell.get("v_init"))) for cell in cells) == [
        (10.0, pytest.approx(values[::2].mean())),
        (20.0, pytest.approx(values[1::2].mean())),
    ]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-65 -64", "the property pynn_io_start_v has 2 numbers for 3 cells"),
        ("-65 -64 low", "the property pynn_io_start_v has something else than numbers"),
    ],
)
def test_a_property_that_does_not_fit(value: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "net.nml"
    path.write_text(
        f'<neuroml xmlns="{NS[1:-1]}" id="doc">\n'
        '<iafCell id="iaf" leakReversal="-50mV" thresh="-55mV" reset="-70mV" C="0.2nF" leakConductance="10nS"/>\n'
        '<network id="net">\n<population id="p" component="iaf" size="3">\n'
        f'<annotation><property tag="pynn_io_start_v" value="{value}"/></annotation>\n</population></network></neuroml>'
    )
    with pytest.raises(ReadError) as caught:
        read(path, format="neuroml")
    assert message in str(caught.value)
    assert caught.value.where.endswith("net.nml:4")
