"""Biophysical SONATA node types as cable cells: what BMTK's loaders would put on the membrane, as a decor.

The rules are those of BMTK 1.2 (``bionet/default_setters/cell_models.py`` and ``nml_reader.py``), which is what the
files of the Allen Cell Types Database were made for:

* ``nml:file``: the axon is always replaced by two stub sections; properties by ``segmentGroup``; the reversal potential
  is set for sodium, potassium and the passive channel only; gamma and decay of the concentration model only.
* ``ctdb:Biophys1``: only the geometry. The fit JSON in ``dynamics_params`` is applied by ``model_processing``
  (``aibs_perisomatic``, ``aibs_allactive`` and their ``_directed`` forms), and by nothing else.
* ``hoc:Name``: the template itself says what is on the membrane.

A value that the file states and the loader does not use stays with the cell, in `CableCell.parameters`, under the path
it has in its file (``conditions.v_init``, ``channelDensity.gbar_Ih.erev``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pynn_io.errors import ReadError
from pynn_io.formats.allen_cell import (
    Concentration,
    Density,
    Fit,
    NmlCell,
    Property,
    load_json,
    parse_fit,
    parse_nml,
)
from pynn_io.graph.biophysics import (
    ChannelDensity,
    ConcentrationModel,
    Item,
    MembraneProperty,
    Opaque,
    Paint,
    ReversalPotential,
)
from pynn_io.graph.cells import CableCell, Origin
from pynn_io.report import Report
from pynn_io.units import convert

#: Loader functions that apply a fit JSON (and replace the axon first).
PERISOMATIC = ("aibs_perisomatic", "aibs_perisomatic_directed")
ALL_ACTIVE = ("aibs_allactive", "aibs_allactive_directed")
#: The names BMTK's NeuroML reader knows for the four regions.
_REGIONS = {
    "soma": "soma",
    "somatic": "soma",
    "axon": "axon",
    "axonal": "axon",
    "dend": "dend",
    "basal": "dend",
    "dendritic": "dend",
    "apic": "apic",
    "apical": "apic",
    "all": "all",
}
_FOUR = ("soma", "axon", "dend", "apic")
#: NEURON's names of the reversal potentials, and of the ions they belong to.
_ION_REVERSALS = {"ena": "na", "ek": "k", "eca": "ca"}
_SECTION_PROPERTIES = {"cm": "specific_capacitance", "Ra": "axial_resistivity"}
#: Range variables of a mechanism that are its conductance density, S/cm2.
_CONDUCTANCES = ("gbar", "g", "gmax")
#: Mechanisms that set a concentration, and of which ion. They are Allen's.
_CONCENTRATIONS = {"CaDynamics": "ca"}


def cable_cell(
    *,
    template: str | None,
    morphology: str | None,
    processing: tuple[str, ...],
    dynamics_params: Path | None,
    template_dirs: Mapping[str, Path],
    report: Report,
    where: str,
) -> tuple[CableCell, dict[str, Opaque]]:
    """The cell of one biophysical node type, and the mechanisms it names (all of them NMODL, by name only).

    template: ``model_template`` as the file has it. morphology: its name, passed on. processing: ``model_processing``,
    split at commas. dynamics_params: the JSON file, resolved. template_dirs: the circuit's ``components``; used is
    ``biophysical_neuron_models_dir``. where: the place that names the cell, for messages.

    Raises ReadError for a missing or broken file and UnitError for a quantity with a wrong unit.
    """
    scheme, _, resource = (template or "").partition(":")
    names = {"model_template": template, "morphology": morphology, "model_processing": ",".join(processing)}
    files: dict[str, Path] = {}
    decor: list[Paint] = []
    kept: dict[str, Any] = {}
    if scheme == "nml":
        files["model_template"] = _template_file(resource, template_dirs, where)
        decor, kept = _snippet(files["model_template"], report, where)
    if dynamics_params is not None:
        names["dynamics_params"] = dynamics_params.name
        files["dynamics_params"] = dynamics_params
        more, values = _parameters(dynamics_params, scheme, processing, report, where)
        decor, kept = decor + more, kept | values
    cell = CableCell(
        morphology=morphology,
        decor=tuple(decor),
        processing=_steps(scheme, processing),
        template=None if scheme in ("nml", "ctdb") else template or None,
        parameters=kept,
        origin=Origin({key: value for key, value in names.items() if value}, files),
    )
    return cell, {name: Opaque("nmodl", name) for name in _mechanisms(decor)}


def _steps(scheme: str, processing: tuple[str, ...]) -> tuple[str, ...]:
    """The changes to the morphology: the loader of snippets replaces the axon without being asked."""
    if scheme == "nml" and not any(step in PERISOMATIC + ALL_ACTIVE for step in processing):
        return ("aibs_perisomatic", *processing)
    return processing


def _snippet(path: Path, report: Report, where: str) -> tuple[list[Paint], dict[str, Any]]:
    cell = parse_nml(_bytes(path, where), str(path))
    _report_leftovers(cell.leftovers, path, report)
    return list(_nml_decor(cell, str(path))), _unused_nml(cell)


def _parameters(
    path: Path, scheme: str, processing: tuple[str, ...], report: Report, where: str
) -> tuple[list[Paint], dict[str, Any]]:
    """``dynamics_params``: a fit for the loaders of the Allen Institute, values for any other template."""
    if scheme in ("nml", "ctdb"):
        return _fit(path, processing, report, where)
    return [], load_json(_bytes(path, where), str(path))


def _template_file(resource: str, template_dirs: Mapping[str, Path], where: str) -> Path:
    """The file behind ``nml:<resource>``, which may name folders below the components folder."""
    folder = template_dirs.get("biophysical_neuron_models_dir")
    if folder is None:
        hint = "add components.biophysical_neuron_models_dir to the circuit config"
        raise ReadError(f"no folder is given for the cell template 'nml:{resource}'", where=where, hint=hint)
    return Path(folder) / resource


def _bytes(path: Path, where: str) -> bytes:
    try:
        if path.exists() and not path.is_file():  # reading a pipe would wait for ever
            raise OSError("not a regular file")
        return path.read_bytes()
    except OSError as error:
        message = f"cannot read {path}: {error.strerror or error}"
        raise ReadError(message, where=where, hint="check the file's name and the components of the circuit") from None


def _report_leftovers(leftovers: tuple[str, ...], path: Path, report: Report) -> None:
    report.not_read(
        "unknown-cell-entry",
        path,
        "The cell description has entries that are not part of the format; no loader uses them.",
        count=len(leftovers),
        examples=leftovers,
    )


def _mechanisms(decor: list[Paint]) -> Iterator[str]:
    for paint in decor:
        if isinstance(paint.item, ChannelDensity):
            yield paint.item.channel
        elif isinstance(paint.item, ConcentrationModel):
            yield paint.item.mechanism


# --- NeuroML snippets ---------------------------------------------------------------------------------------------


def _nml_decor(cell: NmlCell, path: str) -> Iterator[Paint]:
    """What the loader sets, in file order; of two elements with one id in one group the last stands."""
    last: dict[tuple[str, str], Density | Property | Concentration] = {}
    for item in cell.items:
        if isinstance(item, Density | Property | Concentration):
            key = item.kind if isinstance(item, Property) else item.id
            last[_region(item.group, path, item.line), key] = item
    reversals: dict[tuple[str, str], float] = {}
    for (region, _), item in last.items():
        if isinstance(item, Property):
            yield Paint(region, MembraneProperty(item.kind, item.value))
        elif isinstance(item, Concentration):
            used = {key: item.values[key] for key in ("gamma", "decay") if key in item.values}
            yield Paint(region, ConcentrationModel(item.id, item.ion, used))
        else:
            passive = item.channel == "pas"
            yield Paint(
                region, ChannelDensity(item.channel, item.density, item.ion, item.reversal if passive else None)
            )
            if item.ion in ("na", "k") and not passive and item.reversal is not None:
                reversals[region, item.ion] = item.reversal
    for (region, ion), value in reversals.items():
        yield Paint(region, ReversalPotential(ion, value))


def _region(group: str, path: str, line: int) -> str:
    try:
        return _REGIONS[group.lower()]
    except KeyError:
        known = ", ".join(_REGIONS)
        raise ReadError(
            f"segmentGroup {group!r} is none of the regions a cell has", where=f"{path}:{line}", hint=f"known: {known}"
        ) from None


def _unused_nml(cell: NmlCell) -> dict[str, Any]:
    """Stated numbers that the loader leaves alone, by their path in the file."""
    unused: dict[str, Any] = {}
    for item in cell.items:
        if isinstance(item, Density):
            if item.reversal is not None and item.ion not in ("na", "k") and item.channel != "pas":
                unused[f"channelDensity.{item.id}.erev"] = item.reversal
        elif isinstance(item, Concentration):
            rest = {key: value for key, value in item.values.items() if key not in ("gamma", "decay")}
            unused |= {f"concentrationModel.{item.id}.{key}": value for key, value in rest.items()}
        elif not isinstance(item, Property):
            unused |= {f"species.{item.id}.{key}": value for key, value in item.values.items()}
    return unused


# --- Fit JSON -----------------------------------------------------------------------------------------------------


def _fit(path: Path, processing: tuple[str, ...], report: Report, where: str) -> tuple[list[Paint], dict[str, Any]]:
    """The decor of a fit JSON under the processing that applies it, and the values no loader uses."""
    fit = parse_fit(_bytes(path, where), str(path))
    _report_leftovers(fit.leftovers, path, report)
    kept: dict[str, Any] = {f"conditions.{key}": value for key, value in fit.conditions.items()}
    kept |= {f"fitting.{key}": tuple(value) if isinstance(value, list) else value for key, value in fit.fitting.items()}
    if not any(step in PERISOMATIC + ALL_ACTIVE for step in processing):
        report.not_read(
            "fit-not-applied",
            where,
            f"{path.name} holds channel densities, but model_processing names no function that applies them "
            "(aibs_perisomatic, aibs_allactive): the cell has a morphology and an empty membrane, as in BMTK.",
        )
        return [], kept
    return _fit_decor(fit, path, report, all_active=any(step in ALL_ACTIVE for step in processing)), kept


def _fit_decor(fit: Fit, path: Path, report: Report, *, all_active: bool) -> list[Paint]:
    regions = [region for region in _FOUR if all_active or region in fit.cm]
    mechanisms: dict[tuple[str, str], dict[str, float]] = {(region, "pas"): {} for region in regions}
    if fit.e_pas is not None:
        for values in mechanisms.values():
            values["e"] = fit.e_pas
    plain: dict[tuple[str, str], Item] = {}
    for region, value in fit.cm.items():
        plain[region, "cm"] = MembraneProperty("specific_capacitance", value)
    unknown = []
    for gene in fit.genome:
        if gene.section not in _FOUR:  # ``glob``, of old files: skipped by BMTK
            unknown.append(f"{gene.section}.{gene.name}")
            continue
        if gene.mechanism:
            mechanisms.setdefault((gene.section, gene.mechanism), {})
        owner, variable = _owner(gene.name, gene.section, mechanisms)
        if owner:
            mechanisms[gene.section, owner][variable] = gene.value
        elif gene.name in _SECTION_PROPERTIES:
            plain[gene.section, gene.name] = MembraneProperty(_SECTION_PROPERTIES[gene.name], gene.value)
        elif gene.name in _ION_REVERSALS:
            plain[gene.section, gene.name] = ReversalPotential(_ION_REVERSALS[gene.name], gene.value)
        else:
            unknown.append(f"{gene.section}.{gene.name}")
    for erev in fit.erev:
        plain[erev.section, "ena"] = ReversalPotential("na", erev.ena)
        plain[erev.section, "ek"] = ReversalPotential("k", erev.ek)
    report.not_read(
        "unknown-genome-entry",
        path,
        "Entries of the genome name a section or a variable that a cell does not have; BMTK skips or refuses them.",
        count=len(unknown),
        examples=unknown,
    )
    decor = [] if fit.ra is None else [Paint("all", MembraneProperty("axial_resistivity", fit.ra))]
    decor += [Paint(region, item) for (region, _), item in plain.items()]
    return decor + [Paint(region, _mechanism(name, values)) for (region, name), values in mechanisms.items()]


def _owner(name: str, section: str, mechanisms: Mapping[tuple[str, str], Any]) -> tuple[str, str]:
    """``gbar_Ca_HVA`` -> ``("Ca_HVA", "gbar")`` if that mechanism is in the section; else two empty strings."""
    for region, mechanism in mechanisms:
        if region == section and name.endswith(f"_{mechanism}"):
            return mechanism, name.removesuffix(f"_{mechanism}")
    return "", ""


def _mechanism(name: str, values: dict[str, float]) -> Item:
    if name in _CONCENTRATIONS:
        return ConcentrationModel(name, _CONCENTRATIONS[name], values)
    rest = dict(values)
    stated = next((rest.pop(key) for key in _CONDUCTANCES if key in rest), None)
    density = None if stated is None else convert(stated, "S_per_cm2", "mS_per_cm2")
    reversal = rest.pop("e", None) if name == "pas" else None
    return ChannelDensity(name, density, None, reversal, rest)
