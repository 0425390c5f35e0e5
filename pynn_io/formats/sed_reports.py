"""``reports.h5`` of BioSimulators: what the reports of SED-ML documents held in a run.

A dataset ``<document>/<report>`` of float64[column, time], whose attributes ``sedmlDataSetIds`` and
``sedmlDataSetLabels`` name the columns (BioSimulators, conventions for simulation results).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import open_h5

_IDS, _LABELS = "sedmlDataSetIds", "sedmlDataSetLabels"


@dataclass(frozen=True, slots=True, eq=False)
class SedReport:
    """One report. data: float64[column, time], ``ids`` and ``labels`` of the columns."""

    name: str
    ids: tuple[str, ...]
    labels: tuple[str, ...]
    data: np.ndarray


def names(path: Path) -> tuple[str, ...]:
    """Of all reports in a file. Raises ReadError for what is no HDF5."""
    found: list[str] = []

    def visit(name: str, item: object) -> None:
        if isinstance(item, h5py.Dataset) and _IDS in item.attrs:
            found.append(name)

    with open_h5(path) as file:
        file.visititems(visit)
    return tuple(found)


def read_report(path: Path, name: str) -> SedReport:
    """One report. Raises ReadError for one that is not there, or whose columns are not named one by one."""
    with open_h5(path) as file:
        item = file.get(name)
        if not isinstance(item, h5py.Dataset) or item.ndim != 2:
            raise ReadError("there is no report of this name", where=f"{path}:/{name}")
        ids = tuple(_text(each) for each in item.attrs.get(_IDS, ()))
        labels = tuple(_text(each) for each in item.attrs.get(_LABELS, ids))
        data = np.asarray(item[()], dtype=np.float64)
    if len(ids) != len(data) or len(labels) != len(data):
        raise ReadError(f"{len(ids)} names for {len(data)} columns", where=f"{path}:/{name}")
    return SedReport(name, ids, labels, data)


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)
