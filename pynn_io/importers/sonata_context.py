"""What every part of the SONATA importer shares: the configuration, where components are, and how columns are made."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.sonata_config import SonataConfig, read_json, resolve_path
from pynn_io.formats.sonata_csv import TypesTable, Value
from pynn_io.formats.sonata_rows import Rows, integers, read_all
from pynn_io.formats.sonata_tables import H5Column, H5Population, units_of
from pynn_io.graph.columns import Column, text_column
from pynn_io.graph.schema import FIELDS, PARAMETER
from pynn_io.progress import Progress, quiet
from pynn_io.report import Report

#: Units that a weight may be stated in.
WEIGHT_UNITS = ("uS", "nS", "nA", "pA", "mV", "1")
#: Configuration keys of a population that name a component folder or file (SONATA and OBI extension, libsonata 0.2.2).
COMPONENTS = (
    "morphologies_dir",
    "alternate_morphologies",
    "biophysical_neuron_models_dir",
    "point_neuron_models_dir",
    "synaptic_models_dir",
    "mechanisms_dir",
    "templates_dir",
    "spine_morphologies_dir",
    "spatial_segment_index_dir",
    "spatial_synapse_index_dir",
    "vasculature_file",
    "vasculature_mesh",
    "endfeet_meshes_file",
    "microdomains_file",
    "provenance",
)


@dataclass(slots=True)
class Context:
    """One import. files: every file that was read, once and in order, for the provenance."""

    config: SonataConfig
    report: Report
    progress: Progress = quiet
    files: dict[Path, None] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.config.circuit_path.parent

    def components(self, properties: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Absolute component paths: the circuit's, overridden by one population's own (OBI extension)."""
        found = {name: absolute(value, folder) for name, (value, _, folder) in self.config.components.items()}
        found |= self.own_components(properties or {})
        if not isinstance(found.get("alternate_morphologies") or {}, Mapping):
            raise ReadError(
                "'alternate_morphologies' must be an object",
                where=self.config.circuit_path,
                hint='write {"neurolucida-asc": "folder", "h5v1": "folder"}',
            )
        return found

    def own_components(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        """Absolute component paths that one population states itself (OBI extension)."""
        return {name: absolute(value, self.folder) for name, value in properties.items() if name in COMPONENTS}

    def file_of(self, entry: Mapping[str, Any], key: str) -> Path | None:
        """The file that one entry of ``networks`` names; None where it names none (``null`` and ``NULL`` included)."""
        text = entry.get(key)
        if text is None or str(text) in ("", "NULL", "NONE", "None"):
            return None
        path = resolve_path(str(text), self.folder)
        if not os.path.isfile(path):
            raise ReadError(f"the file {path} named by {key!r} does not exist", where=self.config.circuit_path)
        self.files[path] = None
        return path

    def parameters(self, name: str, folder: Any, key: str, where: str) -> tuple[dict[str, Any], Path | None]:
        """The content of a ``dynamics_params`` file and its path.

        A missing one is reported, not refused: the circuit itself is whole, and simulators fall back on defaults.
        """
        path = find_component(name, folder, ".json")
        if path is None:
            looked = f"not in {folder}" if folder else f"the circuit's components have no {key}"
            self.report.not_read(
                "missing-component",
                where.rpartition(":")[0] or where,
                f"parameter files do not exist ({looked}); the simulator's own defaults will stand in for them",
                examples=[name],
            )
            return {}, None
        content = read_json(path, self.report)
        if not isinstance(content, dict):
            raise ReadError("parameters must be a JSON object", where=path)
        self.files[path] = None
        return content, path


def absolute(value: Any, folder: Path) -> Any:
    """Paths of a component made absolute: a string, a list (BMTK), or a mapping (``alternate_morphologies``)."""
    if isinstance(value, str):
        return resolve_path(value, folder)
    if isinstance(value, list):
        return [absolute(item, folder) for item in value]
    if isinstance(value, Mapping):
        return {key: absolute(item, folder) for key, item in value.items()}
    return value


def find_component(name: str, folder: Any, suffix: str) -> Path | None:
    """A file by the name that a table has for it, with or without its suffix, in one folder or several."""
    for place in folder if isinstance(folder, list) else [folder]:
        if isinstance(place, Path):
            for path in (place / name, place / f"{name}{suffix}"):
                if os.path.isfile(path):
                    return path
    return None


def leftover(report: Report, where: object, keys: Sequence[str], what: str) -> None:
    """Report what nobody took."""
    report.not_read("unknown-key", where, f"{what} that pynn_io does not know", count=len(keys), examples=keys)


def report_leftovers(context: Context, record: H5Population) -> None:
    """Report the datasets, groups and attributes of a file that its reader did not take."""
    for path, what in record.leftovers:
        context.report.not_read(
            "unknown-dataset",
            record.file,
            f"an HDF5 {what} that is not part of the format was left out",
            examples=[path],
        )


def types_column(name: str, values: Sequence[Value], table: TypesTable, kind: str) -> Column | None:
    """A CSV column as a type-level column of kind ``population_types`` or ``projection_types``; None if it is empty.

    A column of the schema takes the dtype of its field. Raises ReadError with ``file:line`` for text in a number's
    place.
    """
    stated = [value for value in values if value is not None]
    if not stated:
        return None
    schema = FIELDS.get(name)
    own = schema is not None and kind in schema.per
    wanted = schema.kind if schema is not None and own else ""
    if wanted == "text" or (not wanted and any(isinstance(value, str) for value in stated)):
        return text_column([None if value is None else str(value) for value in values], extra=not own)
    for value, line in zip(values, table.lines, strict=True):
        wrong = isinstance(value, str) or (wanted == "int" and isinstance(value, float) and not value.is_integer())
        if wrong:
            noun = "an integer" if wanted == "int" else "a number"
            raise ReadError(f"{name} must be {noun}, not {value!r}", where=f"{table.path}:{line}")
    whole = wanted == "int" or (not wanted and all(isinstance(value, int) for value in stated))
    dtype = np.int64 if whole else np.float64
    try:
        data = np.array([0 if value is None else value for value in values], dtype=dtype)
    except OverflowError:
        raise ReadError(f"a value of {name} does not fit 64 bits", where=table.path) from None
    hidden = np.array([value is None for value in values])
    unit = schema.unit if schema is not None and own else ""
    return Column(np.ma.array(data, mask=hidden) if hidden.any() else data, unit=unit, extra=not own)


def h5_column(
    context: Context, record: H5Population, column: H5Column, name: str, kind: str, *, lazy: bool
) -> Column | None:
    """An HDF5 attribute as a column called ``name`` of kind ``population`` or ``projection``.

    Lazy for edges, read for nodes. Values outside an enumeration are masked and reported.
    Raises ReadError naming ``file:/h5/path`` for a wrong dtype or length.
    """
    schema = FIELDS.get(name)
    own = schema is not None and kind in schema.per
    where = f"{record.file}:{next(iter(column.parts.values())).dataset}"
    if own and any(part.trailing for part in column.parts.values()):
        raise ReadError(f"{name} must be one value a row, not a table", where=where)
    if len({part.trailing for part in column.parts.values()}) > 1:
        raise ReadError("has tables of different widths in the attribute groups", where=where)
    rows, levels = record.column(column)
    bad = record.bad_codes(column) if levels is not None else 0
    if bad:
        context.report.not_read(
            "enumeration", where, "values outside the column's @library enumeration count as not stated", count=bad
        )
    wanted = schema.kind if schema is not None and own else ""
    if levels is None and wanted in ("int", "float"):
        rows = _numeric(rows, wanted, where)
    if levels is not None and wanted in ("int", "float"):
        raise ReadError(f"{name} must be a number, not text", where=where)
    if levels is not None and not levels:
        return None  # text of no row, or of none that states anything
    _check_attributes(context, record, column, name, schema.unit if schema is not None and own else "", where)
    parameter = name.startswith(PARAMETER)
    data = rows if lazy else read_all(rows)
    return Column(
        data, unit=schema.unit if schema is not None and own else "", extra=not (own or parameter), levels=levels
    )


def _numeric(rows: Rows, wanted: str, where: str) -> Rows:
    kind = rows.dtype.kind
    if kind not in ("iufb" if wanted == "int" else "iuf"):
        raise ReadError(f"must hold numbers, not {rows.dtype}", where=where)
    return integers(rows, where, gaps=True) if wanted == "int" and kind == "f" else rows


def _check_attributes(
    context: Context, record: H5Population, column: H5Column, name: str, unit: str, where: str
) -> None:
    stated = units_of(column)
    same = {"1": "", "dimensionless": "", "microns": "um", "radians": "rad"}
    if stated and unit and same.get(stated, stated) != same.get(unit, unit):
        context.report.not_read(
            "units-attribute", where, f"the attribute says {stated}; SONATA fixes {unit}, which is what is used"
        )
    elif stated and not unit and stated not in WEIGHT_UNITS:
        context.report.not_read("units-attribute", where, f"the unit {stated} of a column without one was left out")
    others = sorted(set(column.attrs) - {"units"})
    if others:
        context.report.not_read(
            "unknown-dataset",
            record.file,
            "an HDF5 attribute that is not part of the format was left out",
            count=len(others),
            examples=[f"{where.rpartition(':')[2]}/@{key}" for key in others],
        )


def free_name(report: Report, name: str, reserved: Sequence[str], where: object) -> str:
    """The name of a column in the graph: ``file_<name>`` where the graph needs its own name for something else."""
    if name not in reserved:
        return name
    report.approximated(
        "renamed-column", where, f"a column of the file is called {name}, which means something else here: file_{name}"
    )
    return f"file_{name}"


def take(mapping: Mapping[str, Any], known: Sequence[str]) -> list[str]:
    """The keys of a mapping that are not ``known``."""
    return [str(key) for key in mapping if key not in known]


#: Strings that stand for nothing in text columns of HDF5 files.
NOTHING = frozenset({"", "NULL", "NONE", "None"})
