"""Two literal tables, FORMATS and BACKENDS, whose functions are dotted names loaded on use; then entry points.

A format is a row here, a reader and a writer (see CONTRIBUTING.md). Another package adds one through the entry-point
group ``pynn_io.formats``, each entry naming a `Format`; a backend through ``pynn_io.backends``, naming a `Backend`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pynn_io.errors import BackendUnavailable, FormatError
from pynn_io.registry_rows import Backend, Format
from pynn_io.vocabulary.unavailable import UNAVAILABLE

ENTRY_POINTS = "pynn_io.formats"
#: What puts the equations of ``.mod`` files into a document whose cells only name their mechanisms.
MECHANISMS = "pynn_io.importers.nmodl:translate"
#: What puts cells in the place of hoc templates, by executing these.
TEMPLATES = "pynn_io.templates:built"
BACKEND_ENTRY_POINTS = "pynn_io.backends"


FORMATS: dict[str, Format] = {
    row.name: row
    for row in (
        Format(
            "sonata",
            "SONATA circuit, both dialects (circuit, simulation or joined config, or its folder)",
            reader="pynn_io.importers.sonata:read",
            writer="pynn_io.exporters.sonata:write",
            extensions=(".json",),
            dialects={
                "allen": "Allen Institute / BMTK idiom: types in CSV, several groups, sections after axon replacement",
                "obi": "Open Brain Institute extension: one group, @library enumerations, quaternions",
            },
            sniff="pynn_io.detect:is_sonata",
            templates=True,
        ),
        Format(
            "neuroml",
            "NeuroML 2.3 network with a LEMS simulation file",
            reader="pynn_io.importers.neuroml:read",
            writer="pynn_io.exporters.neuroml:write",
            extensions=(".nml",),
            dialects={"hdf5": "the network in NeuroML HDF5, for large networks"},
            sniff="pynn_io.detect:is_neuroml",
        ),
        Format(
            "pynn",
            "PyNN script",
            reader="pynn_io.importers.pynn_script:read",
            writer="pynn_io.exporters.pynn_script:write",
            extensions=(".py",),
            extra="pynn",
            sniff="pynn_io.detect:is_pynn",
        ),
        Format(
            "swc",
            "SWC morphology",
            reader="pynn_io.importers.morphology:read",
            writer="pynn_io.exporters.swc:write",
            extensions=(".swc",),
            sniff="pynn_io.detect:is_swc",
        ),
        Format(
            "asc",
            "Neurolucida ASC morphology",
            reader="pynn_io.importers.morphology:read",
            extensions=(".asc",),
            kind="file",
            sniff="pynn_io.detect:is_asc",
        ),
        Format(
            "h5morphology",
            "HDF5 morphology (h5v1), or a container with one",
            reader="pynn_io.importers.morphology:read",
            extensions=(".h5",),
            kind="file",
            sniff="pynn_io.detect:is_h5_morphology",
        ),
        Format(
            "nmodl",
            "NMODL mechanisms; written with Python scripts of the cells, for plain NEURON",
            reader="pynn_io.importers.nmodl:read",
            writer="pynn_io.exporters.nmodl:write",
            extensions=(".mod",),
            extra="nmodl",
            sniff="pynn_io.detect:is_nmodl",
        ),
        Format(
            "sedml",
            "SED-ML document with the LEMS or NeuroML model that it runs",
            reader="pynn_io.importers.sedml:read",
            extensions=(".sedml",),
            kind="file",
            extra="archive",
            sniff="pynn_io.detect:is_sedml",
        ),
        Format(
            "nix",
            "NIX file: a network with its plan and component files, whole",
            reader="pynn_io.importers.nix:read",
            writer="pynn_io.exporters.nix:write",
            extensions=(".nix",),
            kind="file",
            extra="nix",
            sniff="pynn_io.detect:is_nix",
            templates=True,
        ),
        Format(
            "nir",
            "NIR graph (Neuromorphic Intermediate Representation): integrate-and-fire networks for chips",
            reader="pynn_io.importers.nir:read",
            writer="pynn_io.exporters.nir:write",
            extensions=(".nir",),
            dialects={"relative": "potentials from rest, for readers whose neurons begin at 0 or have no v_leak"},
            kind="file",
            sniff="pynn_io.detect:is_nir",
        ),
    )
}

#: What the runner of the queue knows (`pynn_io.runners.nmpi`).
_QUEUE_OPTIONS = ("bundle", "submit", "collab", "hardware_config", "job", "job_service", "queue_timeout", "poll")

BACKENDS: dict[str, Backend] = {
    row.name: row
    for row in (
        Backend(
            "nest",
            "NEST",
            "pynn_io.runners.nest:NestRunner",
            "executes",
            extra="nest",
            package="nest",
            distribution="nest-simulator",
            one_process="NEST from PyPI is built without MPI: use threads instead (--threads N)",
            spikes_at_zero=False,
        ),
        Backend(
            "neuron",
            "NEURON",
            "pynn_io.runners.neuron:NeuronRunner",
            "executes",
            extra="neuron",
            package="neuron",
            distribution="neuron",
            options=("coreneuron",),
        ),
        Backend(
            "arbor",
            "Arbor",
            "pynn_io.runners.arbor:ArborRunner",
            "executes",
            extra="arbor",
            package="arbor",
            distribution="arbor",
            one_process="Arbor from PyPI is built without MPI: use threads instead (--threads N)",
            equations=True,
        ),
        Backend(
            "moose",
            "MOOSE",
            "pynn_io.runners.moose:MooseRunner",
            "executes",
            package="moose",
            distribution="pymoose",
            one_process="MOOSE runs in one process",
            equations=True,
            # its wheel asks for packages (Qt, VPython, pyNeuroML ...) that nothing here needs, 1 GB of them
            install="pip install --no-deps pymoose",
        ),
        Backend(
            "brian2",
            "Brian2",
            "pynn_io.runners.brian2:Brian2Runner",
            "executes",
            extra="brian2",
            package="brian2",
            distribution="brian2",
            one_process="Brian2 runs in one process: --engine cpp_standalone has threads (--threads N)",
            options=("engine",),
        ),
        Backend(
            "jneuroml",
            "jNeuroML",
            "pynn_io.runners.jneuroml:JNeuroMLRunner",
            "executes",
            extra="neuroml",
            package="pyneuroml",
            distribution="pyneuroml",
            one_process="jNeuroML runs in one process",
            options=("engine",),
            through="neuroml",
            equations=True,
        ),
        *(
            Backend(
                f"pynn:{name}",
                f"{title} by PyNN",
                f"pynn_io.runners.pynn:PynnRunner[pyNN.{name}]",
                "executes",
                extra=f"pynn,{name}",
                package=f"pyNN {name}",
                distribution=distribution,
                one_process="networks are built by PyNN in one process here",
                spikes_at_zero=name != "nest",
            )
            for name, title, distribution in (
                ("nest", "NEST", "nest-simulator"),
                ("neuron", "NEURON", "neuron"),
                ("brian2", "Brian2", "brian2"),
            )
        ),
        *(
            Backend(
                f"nmpi:{platform}",
                f"{platform} by the EBRAINS queue",
                f"pynn_io.runners.nmpi:NmpiRunner[{platform}]",
                "emits",
                extra="ebrains",
                one_process="a job is one script",
                options=_QUEUE_OPTIONS,
                spikes_at_zero=platform == "SpiNNaker",
            )
            for platform in ("SpiNNaker", "BrainScaleS-2")
        ),
        Backend(
            "spinnaker",
            "SpiNNaker",
            "pynn_io.runners.spinnaker:SpinnakerRunner",
            "maps",
            extra="spinnaker",
            package="spynnaker",
            distribution="spynnaker",
            one_process="one process talks to the machine",
            options=("board", "spalloc"),
        ),
        *(Backend(name, title, None, "unavailable", reason=reason) for name, title, reason in UNAVAILABLE),
    )
}


#: Backends of which there is no end: what stands before the colon -> ``module:function`` from what follows to the row.
FAMILIES: dict[str, str] = {"nmpi": "pynn_io.nmpi_backends:row", "pynn": "pynn_io.pynn_backends:row"}


def formats() -> dict[str, Format]:
    """The built-in formats and those of installed packages, by name."""
    return {**_installed(ENTRY_POINTS), **FORMATS}


def backends() -> dict[str, Backend]:
    """The built-in backends and those of installed packages, by name."""
    return {**_installed(BACKEND_ENTRY_POINTS), **BACKENDS}


def spelt(name: str) -> str:
    """A backend's name for what is written of it or of its title, as people write them; any other word as it is."""
    known = backends()
    if name in known:
        return name
    plain = _plain(name)
    return next((row.name for row in known.values() if plain in (_plain(row.name), _plain(row.title))), name)


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name.casefold()))


def find_backend(name: str) -> Backend:
    """The row of that name (`spelt`), or the one that a family makes of it (``pynn:my.module``).

    Raises FormatError for an unknown one, listing those that run.
    """
    known, name = backends(), spelt(name)
    family, colon, rest = name.partition(":")
    if name not in known and colon and family in FAMILIES:
        made: Backend = load_dotted(FAMILIES[family])(rest)
        return made
    if name not in known:
        raise FormatError(f"unknown backend {name!r}", hint=f"known backends: auto, {', '.join(names_to_run())}")
    return known[name]


def names_to_run() -> list[str]:
    """The names of the backends that run or map something where they are installed."""
    return sorted(name for name, row in backends().items() if row.runner is not None)


@cache
def _installed(group: str) -> dict[str, Any]:
    """The rows of other packages; looking them up reads the metadata of every installed package."""
    return {row.name: row for row in (entry.load() for entry in entry_points(group=group))}


def find(name: str) -> tuple[Format, str]:
    """``"sonata+allen"`` -> the format and the dialect (empty where none is named).

    Raises FormatError for an unknown format or dialect, listing the known ones.
    """
    base, _, dialect = name.partition("+")
    known = formats()
    if base not in known:
        raise FormatError(f"unknown format {base!r}", hint=f"known formats: {', '.join(sorted(known))}")
    row = known[base]
    if dialect and dialect not in row.dialects:
        choices = ", ".join(f"{base}+{name}" for name in row.dialects) or "none"
        raise FormatError(f"format {base!r} has no dialect {dialect!r}", hint=f"its dialects: {choices}")
    return row, dialect


def load(row: Format, role: str) -> Callable[..., Any]:
    """The reader, writer or sniffer behind a row.

    Raises FormatError if it has none, BackendUnavailable if a package that it needs is missing.
    """
    dotted = getattr(row, role)
    if dotted is None:
        raise FormatError(f"pynn_io has no {role} for {row.title}")
    try:
        return load_dotted(dotted)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] == "pynn_io":
            raise
        hint = f"pip install 'pynn_io[{row.extra}]'" if row.extra else f"install {error.name}"
        raise BackendUnavailable(f"{row.title} needs the package {error.name!r}", hint=hint) from error


def load_dotted(dotted: str) -> Callable[..., Any]:
    """The function behind ``module:function``."""
    module, _, function = dotted.partition(":")
    return getattr(import_module(module), function)
