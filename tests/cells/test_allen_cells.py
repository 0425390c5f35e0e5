"""Allen cell descriptions: numbers against the raw files (xml.etree, json), and the two kinds against each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from pynn_io.errors import ReadError, UnitError
from pynn_io.formats.allen_cell import parse_fit, parse_nml
from pynn_io.graph import (
    CableCell,
    ChannelDensity,
    ConcentrationModel,
    MembraneProperty,
    Opaque,
    ReversalPotential,
)
from pynn_io.importers.sonata_cells import cable_cell
from pynn_io.report import Report
from tests.conftest import DATA

TEMPLATES = DATA / "sonata/bio_components/biophysical_neuron_templates"
PERISOMATIC = ["472363762", "472912177", "473862421", "473863035", "473863510"]
NML = "{http://www.neuroml.org/schema/neuroml2}"


def build(
    template: str | None = None,
    processing: tuple[str, ...] = (),
    fit: Path | None = None,
    folder: Path | None = None,
    report: Report | None = None,
) -> tuple[CableCell, dict[str, Opaque]]:
    return cable_cell(
        template=template,
        morphology="m",
        processing=processing,
        dynamics_params=fit,
        template_dirs={} if folder is None else {"biophysical_neuron_models_dir": folder},
        report=report or Report(),
        where="types.csv:2",
    )


def densities(cell: CableCell) -> dict[tuple[str, str], float | None]:
    items = [(paint.region, paint.item) for paint in cell.decor]
    return {(region, item.channel): item.density for region, item in items if isinstance(item, ChannelDensity)}


def properties(cell: CableCell) -> dict[tuple[str, str], float]:
    """As painted in order, so that ``all`` is overridden by what comes later."""
    found: dict[tuple[str, str], float] = {}
    for paint in cell.decor:
        if isinstance(paint.item, MembraneProperty):
            for region in ("soma", "axon", "dend", "apic") if paint.region == "all" else (paint.region,):
                found[region, paint.item.kind] = paint.item.value
    return found


def reversals(cell: CableCell) -> dict[tuple[str, str], float]:
    items = [(paint.region, paint.item) for paint in cell.decor]
    return {(region, item.ion): item.value for region, item in items if isinstance(item, ReversalPotential)}


def calcium(cell: CableCell) -> dict[str, dict[str, float]]:
    items = [(paint.region, paint.item) for paint in cell.decor]
    return {region: dict(item.parameters) for region, item in items if isinstance(item, ConcentrationModel)}


@pytest.mark.parametrize("number", PERISOMATIC)
def test_a_snippet_against_elementtree(number: str, data: Path) -> None:
    path = TEMPLATES / f"nml/Cell_{number}.cell.nml"
    root = ElementTree.parse(path).getroot()
    cell, channels = build(f"nml:nml/Cell_{number}.cell.nml", folder=TEMPLATES)
    expected = {
        (element.get("segmentGroup"), element.get("ionChannel")): float(element.get("condDensity").split()[0]) * 1000
        for tag in ("channelDensity", "channelDensityNernst")
        for element in root.iter(NML + tag)
    }
    assert densities(cell) == pytest.approx(expected, rel=1e-15)
    capacitance = {
        element.get("segmentGroup"): float(element.get("value").split()[0])
        for element in root.iter(NML + "specificCapacitance")
    }
    found = properties(cell)
    assert {region: value for (region, kind), value in found.items() if kind == "specific_capacitance"} == capacitance
    resistivity = float(next(root.iter(NML + "resistivity")).get("value").split()[0])
    assert {value for (_, kind), value in found.items() if kind == "axial_resistivity"} == {resistivity}
    model = next(root.iter(NML + "concentrationModel"))
    expected_calcium = {"gamma": float(model.get("gamma")), "decay": float(model.get("decay").split()[0])}
    assert calcium(cell) == {model.get("segmentGroup"): expected_calcium}
    mechanisms = {channel for _, channel in expected} | {"CaDynamics"}
    assert channels == {name: Opaque("nmodl", name) for name in mechanisms}


@pytest.mark.parametrize("number", PERISOMATIC)
def test_snippet_and_fit_of_one_cell_agree(number: str, data: Path) -> None:
    nml, nml_channels = build(f"nml:Cell_{number}.cell.nml", folder=TEMPLATES / "nml")
    fit, fit_channels = build("ctdb:Biophys1.hoc", ("aibs_perisomatic",), TEMPLATES / f"ctdb/{number}_fit.json")
    assert densities(nml) == pytest.approx(densities(fit), rel=1e-10)
    assert properties(nml) == pytest.approx(properties(fit), rel=1e-10)
    assert reversals(nml) == reversals(fit) == {("soma", "na"): 53.0, ("soma", "k"): -107.0}
    assert calcium(nml)["soma"] == pytest.approx(calcium(fit)["soma"], rel=1e-10)
    assert nml_channels == fit_channels
    passive = [
        {paint.region: paint.item.reversal for paint in cell.decor if getattr(paint.item, "channel", "") == "pas"}
        for cell in (nml, fit)
    ]
    assert passive[0] == pytest.approx(passive[1], rel=1e-10)
    assert nml.processing == fit.processing == ("aibs_perisomatic",)
    assert nml.template is None and fit.template is None


@pytest.mark.parametrize("name", sorted(path.name for path in TEMPLATES.glob("ctdb/*.json")) or ["absent"])
def test_a_fit_against_json(name: str, data: Path) -> None:
    raw = json.loads((TEMPLATES / "ctdb" / name).read_text())
    all_active = "e_pas" not in raw["passive"][0]
    report = Report()
    processing = ("aibs_allactive",) if all_active else ("aibs_perisomatic",)
    cell, _ = build("ctdb:Biophys1", processing, TEMPLATES / "ctdb" / name, report=report)
    assert len(report) == 0
    found, plain, ca = densities(cell), properties(cell), calcium(cell)
    passive = {paint.region: paint.item.reversal for paint in cell.decor if getattr(paint.item, "channel", "") == "pas"}
    for gene in raw["genome"]:
        section, value, variable = gene["section"], float(gene["value"]), gene["name"]
        if variable == "cm":
            assert plain[section, "specific_capacitance"] == value
        elif variable == "Ra":
            assert plain[section, "axial_resistivity"] == value
        elif variable == "e_pas":
            assert passive[section] == value
        elif gene["mechanism"] == "CaDynamics":
            assert ca[section][variable.removesuffix("_CaDynamics")] == value
        else:
            assert found[section, variable.partition("_")[2]] == pytest.approx(value * 1000, rel=1e-15)
    assert len(found) == sum("gbar" in gene["name"] or gene["name"] == "g_pas" for gene in raw["genome"])
    if not all_active:
        assert set(passive.values()) == {raw["passive"][0]["e_pas"]}
        assert {value for (_, kind), value in plain.items() if kind == "axial_resistivity"} == {raw["passive"][0]["ra"]}
    expected = {(erev["section"], ion): erev[f"e{ion}"] for erev in raw["conditions"][0]["erev"] for ion in ("na", "k")}
    assert reversals(cell) == expected
    # what no loader uses is kept
    assert cell.parameters["conditions.v_init"] == raw["conditions"][0]["v_init"]
    assert cell.parameters["conditions.celsius"] == raw["conditions"][0]["celsius"]


def test_origin_and_names(data: Path) -> None:
    path = TEMPLATES / "ctdb/472363762_fit.json"
    cell, _ = build("ctdb:Biophys1.hoc", ("aibs_perisomatic", "extracellular"), path)
    assert cell.morphology == "m"
    assert cell.origin is not None
    assert cell.origin.names == {
        "model_template": "ctdb:Biophys1.hoc",
        "morphology": "m",
        "model_processing": "aibs_perisomatic,extracellular",
        "dynamics_params": "472363762_fit.json",
    }
    assert cell.origin.files == {"dynamics_params": path}


SNIPPET = """<neuroml xmlns="http://www.neuroml.org/schema/neuroml2" id="x">
<cell id="c"><biophysicalProperties id="b"><membraneProperties>
{}
</membraneProperties></biophysicalProperties></cell></neuroml>"""
DENSITY = '<channelDensity id="{}" segmentGroup="{}" ion="{}" ionChannel="{}" erev="{}" condDensity="{}"/>'


def snippet(tmp_path: Path, *lines: str) -> CableCell:
    (tmp_path / "c.cell.nml").write_text(SNIPPET.format("\n".join(lines)))
    return build("nml:c.cell.nml", folder=tmp_path)[0]


def test_units_are_converted(tmp_path: Path) -> None:
    cell = snippet(
        tmp_path,
        DENSITY.format("a", "soma", "k", "Kx", "-0.1 V", "3 S_per_m2"),
        '<specificCapacitance segmentGroup="dend" value="0.02 F_per_m2"/>',
        '<resistivity segmentGroup="all" value="1.5 ohm_m"/>',
    )
    assert densities(cell) == {("soma", "Kx"): pytest.approx(0.3)}
    assert reversals(cell) == {("soma", "k"): pytest.approx(-100.0)}
    assert properties(cell)["dend", "specific_capacitance"] == pytest.approx(2.0)
    assert properties(cell)["apic", "axial_resistivity"] == pytest.approx(150.0)


def test_the_loader_uses_the_reversal_of_sodium_and_potassium_only_and_the_last_one(tmp_path: Path) -> None:
    cell = snippet(
        tmp_path,
        DENSITY.format("a", "soma", "na", "Na1", "50 mV", "1 mS_per_cm2"),
        DENSITY.format("b", "soma", "na", "Na2", "60 mV", "1 mS_per_cm2"),
        DENSITY.format("h", "soma", "hcn", "Ih", "-45 mV", "1 mS_per_cm2"),
        DENSITY.format("p", "somatic", "non_specific", "pas", "-70 mV", "1 mS_per_cm2"),
    )
    assert reversals(cell) == {("soma", "na"): 60.0}
    own = {paint.item.channel: paint.item.reversal for paint in cell.decor if isinstance(paint.item, ChannelDensity)}
    assert own == {"Na1": None, "Na2": None, "Ih": None, "pas": -70.0}
    assert cell.parameters == {"channelDensity.h.erev": -45.0}


def test_of_two_elements_with_one_id_the_last_stands(tmp_path: Path) -> None:
    lines = [DENSITY.format("a", "soma", "k", "Kx", "-90 mV", f"{n} mS_per_cm2") for n in (1, 2)]
    assert densities(snippet(tmp_path, *lines)) == {("soma", "Kx"): 2.0}


BROKEN_NML: list[tuple[str, type[Exception], str, int]] = [
    (DENSITY.format("a", "soma", "k", "K", "-90 mV", "1 mS"), UnitError, "cannot convert 'mS'", 3),
    (DENSITY.format("a", "soma", "k", "K", "-90", "1 mS_per_cm2"), UnitError, "cannot convert '' ", 3),
    (DENSITY.format("a", "soma", "k", "K", "-90 mV", "much"), UnitError, "is not a number with a unit", 3),
    ('<resistivity value="100 ohm_cm"/>', ReadError, "<resistivity> has no attribute 'segmentGroup'", 3),
    ('\n<resistivity segmentGroup="tail" value="1 ohm_cm"/>', ReadError, "segmentGroup 'tail' is none", 4),
    ('<channelDensity segmentGroup="soma"/>', ReadError, "has no attribute 'ionChannel'", 3),
    ("<oops", ReadError, "not well-formed XML", 4),
]


@pytest.mark.parametrize(("line", "kind", "text", "number"), BROKEN_NML)
def test_a_broken_snippet_names_file_and_line(
    line: str, kind: type[Exception], text: str, number: int, tmp_path: Path
) -> None:
    with pytest.raises(kind, match=text) as caught:
        snippet(tmp_path, line)
    assert caught.value.where == f"{tmp_path / 'c.cell.nml'}:{number}"


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("7 ohm_cm")
    content = f"""<!DOCTYPE neuroml [<!ENTITY e SYSTEM "file://{tmp_path}/secret">]>
<neuroml xmlns="http://www.neuroml.org/schema/neuroml2"><notes>&e;</notes></neuroml>"""
    with pytest.raises(ReadError, match="entity &e; stands for content elsewhere") as caught:
        parse_nml(content.encode(), "x")
    assert "7 ohm_cm" not in str(caught.value)


def test_what_nobody_knows_is_reported(tmp_path: Path) -> None:
    report = Report()
    (tmp_path / "c.nml").write_text(
        SNIPPET.format('<gate/>\n<resistivity segmentGroup="all" value="1 ohm_cm" mood="2"/>')
    )
    build("nml:c.nml", folder=tmp_path, report=report)
    (issue,) = list(report)
    assert (issue.code, issue.count, issue.where) == ("unknown-cell-entry", 2, str(tmp_path / "c.nml"))
    assert issue.examples == ["<gate> (line 3)", "<resistivity mood> (line 4)"]


def fit_file(tmp_path: Path, **changes: Any) -> Path:
    content: dict[str, Any] = {
        "passive": [{"ra": 100, "e_pas": -70.0, "cm": [{"section": "soma", "cm": 1.0}]}],
        "conditions": [{"celsius": 34, "v_init": -80, "erev": [{"section": "soma", "ena": 53, "ek": -107}]}],
        "genome": [{"section": "soma", "name": "gbar_Im", "value": "0.001", "mechanism": "Im"}],
    }
    path = tmp_path / "fit.json"
    path.write_text(json.dumps({**content, **changes}, indent=1))
    return path


def test_a_fit_without_a_function_that_applies_it(tmp_path: Path) -> None:
    report = Report()
    cell, channels = build("ctdb:Biophys1", (), fit_file(tmp_path), report=report)
    assert (cell.decor, channels) == ((), {})
    (issue,) = list(report)
    assert (issue.code, issue.where) == ("fit-not-applied", "types.csv:2")


def test_genome_of_sections_and_variables_that_a_cell_does_not_have(tmp_path: Path) -> None:
    genome = [
        {"section": "glob", "name": "gbar_Im", "value": 1, "mechanism": "Im"},
        {"section": "soma", "name": "colour", "value": 1, "mechanism": ""},
        {"section": "soma", "name": "vshift_Im", "value": 4, "mechanism": "Im"},
        {"section": "soma", "name": "ena", "value": 61, "mechanism": ""},
    ]
    report = Report()
    cell, _ = build(
        "ctdb:Biophys1", ("aibs_allactive",), fit_file(tmp_path, genome=genome, conditions=[{}]), report=report
    )
    (issue,) = list(report)
    assert (issue.code, issue.examples) == ("unknown-genome-entry", ["glob.gbar_Im", "soma.colour"])
    (im,) = [paint.item for paint in cell.decor if getattr(paint.item, "channel", "") == "Im"]
    assert im == ChannelDensity("Im", None, parameters={"vshift": 4.0})
    assert reversals(cell) == {("soma", "na"): 61.0}
    # all-active cells have the passive channel in every section, with its own default conductance
    assert {region for region, name in densities(cell) if name == "pas"} == {"soma", "axon", "dend", "apic"}


BROKEN_FIT: list[tuple[dict[str, Any], str, str]] = [
    ({"passive": [{"ra": "thick"}]}, "/passive/0/ra", "must be a number, here it is 'thick'"),
    ({"passive": {"ra": 1}}, "/passive", "must be a list of objects"),
    ({"passive": [{}, {}]}, "/passive", "has 2 entries, where one is meant"),
    ({"genome": [{"section": 3, "name": "cm", "value": 1}]}, "/genome/0/section", "must be a string, here it is 3"),
    ({"genome": [{"section": "soma", "name": "cm"}]}, "/genome/0/value", "must be a number, here it is None"),
    ({"genome": [{"section": "soma", "name": "cm", "value": "nan"}]}, "/genome/0/value", "must be a number"),
]


@pytest.mark.parametrize(("changes", "place", "text"), BROKEN_FIT)
def test_a_broken_fit_names_file_and_key(changes: dict[str, Any], place: str, text: str, tmp_path: Path) -> None:
    path = fit_file(tmp_path, **changes)
    with pytest.raises(ReadError, match=text) as caught:
        build("ctdb:Biophys1", ("aibs_perisomatic",), path)
    assert caught.value.where == f"{path}:{place}"


def test_a_trailing_comma_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="not valid JSON") as caught:
        parse_fit(b'{\n "passive": [],\n}', "fit.json")
    assert caught.value.where.startswith("fit.json:")
    with pytest.raises(ReadError, match="a JSON object is expected"):
        parse_fit(b"[]", "fit.json")


def test_unknown_keys_of_a_fit_are_reported(tmp_path: Path) -> None:
    report = Report()
    path = fit_file(tmp_path, mood=1, fitting=[{"sweeps": [3], "author": "x"}])
    cell, _ = build("ctdb:Biophys1", ("aibs_perisomatic",), path, report=report)
    (issue,) = list(report)
    assert (issue.code, issue.count, issue.examples) == ("unknown-cell-entry", 2, ["/mood", "/fitting/0/author"])
    assert cell.parameters["fitting.sweeps"] == (3,)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"missing\.cell\.nml") as caught:
        build("nml:sub/missing.cell.nml", folder=tmp_path)
    assert caught.value.where == "types.csv:2"
    with pytest.raises(ReadError, match="no folder is given") as caught:
        build("nml:missing.cell.nml")
    assert "biophysical_neuron_models_dir" in caught.value.hint
    with pytest.raises(ReadError, match=r"absent\.json"):
        build("ctdb:Biophys1", ("aibs_perisomatic",), tmp_path / "absent.json")


def test_a_hoc_template_needs_no_file_and_says_nothing_of_the_membrane() -> None:
    cell, channels = build("hoc:cADpyr_L2TPC")
    assert (cell.template, cell.decor, channels) == ("hoc:cADpyr_L2TPC", (), {})
    assert cell.origin is not None and cell.origin.files == {}


def test_parameters_of_a_hoc_template_are_kept(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text('{"params": [1, 2]}')
    cell, _ = build("hoc:Cell", fit=tmp_path / "p.json")
    assert cell.parameters == {"params": [1, 2]}


def test_no_template_at_all() -> None:
    cell, channels = build(None)
    assert (cell.template, cell.decor, cell.processing, channels) == (None, (), (), {})
