"""NMODL into the graph: ``.mod`` files as channels, pools and synapses, and those that a circuit names.

`read` makes a document of the mechanisms alone. `translate` puts what the files of a folder say in the place of the
names by which a SONATA circuit's cells refer to their mechanisms, so that they can be written in any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pynn_io.document import Document
from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.formats.nmodl import read_mechanism
from pynn_io.formats.nmodl_records import Mechanism
from pynn_io.graph.biophysics import (
    Channel,
    ChannelDensity,
    ConcentrationModel,
    InitialConcentration,
    Law,
    Opaque,
    Paint,
    Place,
    ReversalPotential,
)
from pynn_io.graph.cells import CableCell
from pynn_io.graph.dynamics import Component, ComponentType
from pynn_io.graph.network import Network
from pynn_io.graph.synapses import Synapse
from pynn_io.importers.nmodl_channels import Translation
from pynn_io.importers.nmodl_channels import translate as translated
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report
from pynn_io.units import convert

_NAMED = re.compile(r"^[^:?\n]*\b(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)", re.MULTILINE)
_SCHEME = "neuroml:"
#: The regions of a SONATA cell; a statement about ``all`` is one about each.
_REGIONS = ("soma", "axon", "dend", "apic")
#: Range variables that SONATA's ``density`` stands for, the first that a mechanism has.
_CONDUCTANCES = ("gbar", "g", "gmax")
#: What NEURON has where nothing is said: reversal potentials (mV) and calcium (mM).
_REVERSALS: Mapping[str, float] = {"na": 50.0, "k": -77.0, "ca": 132.4579341637009}
_CALCIUM = InitialConcentration("ca", 5e-5, 2.0)
_PERMEABLE = "The current is Goldman, Hodgkin and Katz's, which a density states: the channel has its gates alone."
#: In um/ms.
_CM_PER_S = 10.0
_CONSTANT = "constant_calcium"
_PASSIVE = "pas"
#: Ions of which a density states the reversal potential; any other density states its mechanism's own ``e``.
_IONS = ("na", "k", "ca")


def read(source: Path, report: Report, *, progress: Progress = quiet) -> Document:
    """The mechanisms of a ``.mod`` file, or of a folder with some, as a document without cells.

    Raises BackendUnavailable without the package ``nmodl``; for a single file ReadError where it is no NMODL, and
    UnsupportedInput where it has no equations here. Of the files in a folder that is reported, file by file, and
    ReadError is raised where not one of them is NMODL.
    """
    source = Path(source)
    files = sorted(source.glob("*.mod")) if source.is_dir() else [source]
    if not files:
        raise ReadError("there is no .mod file in this folder", where=source)
    channels: dict[str, Channel] = {}
    synapses: dict[str, Synapse] = {}
    types: dict[str, ComponentType] = {}
    broken: list[ReadError] = []
    for number, file in enumerate(files):
        progress("reading NMODL", number, len(files))
        try:
            found = translated(read_mechanism(file))
        except ReadError as error:
            broken += [] if isinstance(error, UnsupportedInput) else [error]
            if not source.is_dir() or len(broken) == len(files):
                raise
            report.not_read("mechanism", error.where or file, f"{error.message}; its equations are not read.")
            continue
        _say(found, file, report)
        permeable = [each.component.id for each in found.channels if each.law is Law.GHK]
        report.not_read("mechanism-current", file, _PERMEABLE, count=len(permeable), examples=permeable)
        types |= found.types
        channels |= {each.component.id: each.component for each in found.channels}
        if found.pool is not None:
            channels[found.pool.component.id] = found.pool.component
        if found.synapse is not None:
            synapses[found.synapse.id] = Synapse(f"{_SCHEME}{found.synapse.type}")
    network = Network(source.stem, channels=channels, synapses=synapses, component_types=types)
    return Document(network, provenance={"format": "nmodl", "source": str(source)})


def translate(document: Document, folders: Sequence[Path], report: Report) -> Document:
    """The document with the mechanisms of its cable cells in equations, as far as the folders have files that can be.

    folders: of ``.mod`` files. What has no file, or no equations, stays as it is and is reported (NOT_READ).
    Raises ReadError for a folder that cannot be read.
    """
    network = document.network
    wanted = {
        name for name, found in network.channels.items() if isinstance(found, Opaque) and found.dialect == "nmodl"
    }
    library = _Library(_files(folders, wanted), report)
    library.say_missing(wanted)
    cells = {
        name: _Membrane(cell, library, f"cells/{name}", report).cell() if isinstance(cell, CableCell) else cell
        for name, cell in network.cells.items()
    }
    used = {each for cell in cells.values() if isinstance(cell, CableCell) for each in _names(cell)}
    kept = {name: found for name, found in network.channels.items() if name in used or name not in wanted}
    made = replace(
        network,
        cells=cells,
        channels={**kept, **library.components},
        component_types={**network.component_types, **library.types},
    )
    provenance = {**document.provenance, "mechanisms": tuple(str(folder) for folder in folders)}
    return replace(document, network=made, provenance=provenance)


def _names(cell: CableCell) -> Iterator[str]:
    for entry in cell.decor:
        if isinstance(entry.item, ChannelDensity):
            yield entry.item.channel
        elif isinstance(entry.item, ConcentrationModel):
            yield entry.item.mechanism


def _files(folders: Iterable[Path], wanted: set[str]) -> dict[str, Path]:
    """The files that define the mechanisms asked for, by name; of two the first folder's."""
    found: dict[str, Path] = {}
    for folder in folders:
        if not Path(folder).is_dir():
            raise ReadError("this folder of mechanisms is not there", where=folder, hint="name a folder of .mod files")
        for path in sorted(Path(folder).glob("*.mod")):
            try:
                text = path.read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise ReadError(f"cannot read this mechanism: {error.strerror or error}", where=path) from None
            named = _NAMED.search(text)
            if named is not None and named[1] in wanted:
                found.setdefault(named[1], path)
    return found


def _say(found: Translation, where: Path, report: Report) -> None:
    if found.tables:
        report.approximated(
            "mechanism-table",
            where,
            "NEURON interpolates these variables in a TABLE; here they are computed, as the table would have them.",
            examples=found.tables,
        )
    for note in found.notes:
        report.approximated("mechanism-start", where, note, examples=[found.name])


@dataclass(slots=True)
class _Library:
    """Mechanisms by name, translated when asked for, once for each set of parameters."""

    files: Mapping[str, Path]
    report: Report
    components: dict[str, Component] = field(default_factory=dict)
    types: dict[str, ComponentType] = field(default_factory=dict)
    _parsed: dict[str, Mechanism | None] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)
    _densities: dict[str, set[str]] = field(default_factory=dict)
    _found: dict[tuple[str, tuple[tuple[str, float], ...]], Translation] = field(default_factory=dict)

    def say_missing(self, wanted: set[str]) -> None:
        missing = sorted(wanted - self.files.keys() - {_PASSIVE})
        self.report.not_read(
            "mechanism",
            "mechanisms",
            "No .mod file of the folders given defines these mechanisms; they stay names.",
            count=len(missing),
            examples=missing,
        )

    def mechanism(self, name: str) -> Mechanism | None:
        if name not in self._parsed:
            try:
                self._parsed[name] = read_mechanism(self.files[name]) if name in self.files else None
            except ReadError as error:
                self._refuse(name, error)
        return self._parsed[name]

    def _refuse(self, name: str, error: ReadError) -> None:
        self._parsed[name] = None
        where = error.where or self.files[name]
        self.report.not_read("mechanism", where, f"{error.message}; it stays a name.", examples=[name])

    def translation(self, name: str, values: Mapping[str, float]) -> Translation | None:
        """A mechanism with these parameters; None (reported) where it has no equations here."""
        mechanism = self.mechanism(name)
        if mechanism is None:
            return None
        known = {key: value for key, value in values.items() if key in mechanism.parameters}
        self._say_unknown(mechanism, values.keys() - known.keys())
        # A density, which may have a value for every compartment, makes no other channel.
        key = (name, tuple(sorted((each, known[each]) for each in known.keys() - self._densities.get(name, set()))))
        if key in self._found:
            return replace(self._found[key], parameters={**mechanism.parameters, **known})
        try:
            found = translated(mechanism, known)
        except ReadError as error:
            self._refuse(name, error)
            return None
        if name not in self._said:
            self._said.add(name)
            _say(found, self.files[name], self.report)
        self.types |= found.types
        self.components |= {each.component.id: each.component for each in found.channels}
        if found.pool is not None:
            self.components[found.pool.component.id] = found.pool.component
        densities = self._densities[name] = {each.density for each in found.channels}
        self._found[name, tuple(sorted((each, known[each]) for each in known.keys() - densities))] = found
        return found

    def constant(self, inside: float) -> str:
        """The name of a model of calcium that stays what it is, mM: one that returns there, and that nothing enters."""
        numbers = {"restingConc": inside, "decayConstant": 1.0, "rho": 0.0}
        number = 1
        while True:
            name = _CONSTANT if number == 1 else f"{_CONSTANT}_{number}"
            made = Component("fixedFactorConcentrationModel", name, numbers, {"ion": _CALCIUM.ion})
            if self.components.setdefault(name, made) == made:
                return name
            number += 1

    def _say_unknown(self, mechanism: Mechanism, names: Iterable[str]) -> None:
        self.report.not_read(
            "mechanism-parameter",
            mechanism.file,
            f"The cells set variables that are no PARAMETER of {mechanism.name}; they are left out.",
            count=len(set(names)),
            examples=sorted(names),
        )


class _Membrane:
    """The decor of one cell, statement by statement of each region; a later one overrides an earlier."""

    def __init__(self, cell: CableCell, library: _Library, where: str, report: Report) -> None:
        self._cell, self._library, self._where, self._report = cell, library, where, report
        self._values: dict[tuple[str, str], dict[str, float]] = {}
        self._reversals: dict[tuple[str, str], float] = {}
        self._moving: set[tuple[str, str]] = set()
        self._concentrations: dict[tuple[str, str], InitialConcentration] = {}
        self._kept: list[Paint | Place] = []
        self._taken: dict[str, list[Paint]] = {}
        self._defaults: dict[str, float] = {}

    def cell(self) -> CableCell:
        for entry in self._cell.decor:
            if isinstance(entry, Place) or not self._take(entry):
                self._kept.append(entry)
        decor = [*self._kept, *self._translated()]
        if self._defaults:
            self._report.defaulted(
                "reversal-potential",
                self._where,
                "No reversal potential is stated for ions of its channels; NEURON's own are written: "
                + ", ".join(f"{value:g} mV for {ion}" for ion, value in self._defaults.items()),
                examples=self._defaults,
            )
        return replace(self._cell, decor=tuple(decor))

    def _take(self, entry: Paint) -> bool:
        """Note what an entry states of a mechanism or an ion; false where it is about something else."""
        item = entry.item
        regions = _REGIONS if entry.region == "all" else (entry.region,)
        for name in filter(None, (getattr(item, "channel", ""), getattr(item, "mechanism", ""))):
            self._taken.setdefault(name, []).append(entry)
        for region in regions:
            if isinstance(item, ReversalPotential):
                self._reversals[region, item.ion] = item.value
            elif isinstance(item, InitialConcentration):
                self._concentrations[region, item.ion] = item
            elif isinstance(item, ChannelDensity) and item.channel != _PASSIVE:
                mechanism = self._library.mechanism(item.channel)
                if mechanism is None:
                    return False
                stated = self._values.setdefault((region, item.channel), {})
                stated.update({key: float(value) for key, value in item.parameters.items()})
                if item.density is not None:
                    stated[_conductance(mechanism)] = convert(item.density, "mS_per_cm2", "S_per_cm2")
                if item.reversal is not None and item.ion in _IONS:
                    self._reversals[region, str(item.ion)] = item.reversal
                elif item.reversal is not None:
                    stated["e"] = item.reversal
                if item.law is Law.NERNST:
                    self._moving.add((region, item.channel))
            elif isinstance(item, ConcentrationModel):
                if self._library.mechanism(item.mechanism) is None:
                    return False
                stated = self._values.setdefault((region, item.mechanism), {})
                stated.update({key: float(value) for key, value in item.parameters.items()})
                if item.initial is not None:
                    outside = _CALCIUM.outside if item.initial_outside is None else item.initial_outside
                    self._concentrations[region, item.ion] = InitialConcentration(item.ion, item.initial, outside)
            else:
                return False
        return True

    def _translated(self) -> Iterator[Paint]:
        found = {
            (region, name): self._library.translation(name, values) for (region, name), values in self._values.items()
        }
        pooled = {region for (region, _), made in found.items() if made is not None and made.pool is not None}
        opaque = {name for (_, name), made in found.items() if made is None}
        for name in sorted(opaque):
            yield from self._taken[name]
        for (region, name), made in found.items():
            if made is None or name in opaque:
                continue
            moves = region in pooled or (region, name) in self._moving
            yield from (Paint(region, item) for item in self._densities(region, made, moves))
            if made.pool is not None:
                identifier, ion = made.pool.component.id, made.pool.ion
                stated = self._concentrations.get((region, ion), _CALCIUM)
                initial = stated.inside if made.pool.initial is None else made.pool.initial
                yield Paint(region, ConcentrationModel(identifier, ion, {}, initial, stated.outside, ion))
        yield from self._constant_calcium(found, pooled)
        if opaque:
            yield from (Paint(region, ReversalPotential(ion, e)) for (region, ion), e in self._reversals.items())
            yield from (
                Paint(region, item)
                for (region, ion), item in self._concentrations.items()
                if ion != _CALCIUM.ion or any(where == region and name in opaque for where, name in found)
            )

    def _constant_calcium(
        self, found: Mapping[tuple[str, str], Translation | None], pooled: set[str]
    ) -> Iterator[Paint]:
        """Calcium where channels depend on it and nothing changes it, which in NeuroML needs a model all the same."""
        readers = {region for (region, name), made in found.items()
                   if made is not None and (made.calcium or (region, name) in self._moving)}  # fmt: skip
        for region in sorted(readers - pooled):
            stated = self._concentrations.get((region, _CALCIUM.ion), _CALCIUM)
            identifier = self._library.constant(stated.inside)
            item = ConcentrationModel(identifier, stated.ion, {}, stated.inside, stated.outside, stated.ion)
            yield Paint(region, item)

    def _densities(self, region: str, made: Translation, moves: bool) -> Iterator[ChannelDensity]:
        for channel in made.channels:
            amount = made.parameters[channel.density] if channel.density else 1.0
            name = f"{channel.component.id}_{region}"
            if channel.law is Law.GHK:
                speed = amount * channel.scale * _CM_PER_S
                yield ChannelDensity(channel.component.id, ion=channel.ion, name=name, law=Law.GHK, permeability=speed)
                continue
            density = convert(amount * channel.scale, "S_per_cm2", "mS_per_cm2")
            law = Law.NERNST if channel.ion == "ca" and moves and channel.reversal is None else Law.OHMIC
            yield ChannelDensity(
                channel.component.id,
                density,
                channel.ion or "non_specific",
                None if law is Law.NERNST else self._reversal(region, channel.ion, channel.reversal),
                name=name,
                law=law,
            )

    def _reversal(self, region: str, ion: str, stated: float | None) -> float:
        if stated is not None:
            return stated
        if (region, ion) in self._reversals:
            return self._reversals[region, ion]
        self._defaults[ion] = _REVERSALS.get(ion, 0.0)
        return self._defaults[ion]


def _conductance(mechanism: Mechanism) -> str:
    return next((name for name in _CONDUCTANCES if name in mechanism.parameters), _CONDUCTANCES[0])
