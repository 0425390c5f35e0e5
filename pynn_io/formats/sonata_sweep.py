"""The stimulus of one sweep of an NWB 1.0 file of the Allen Cell Types database, as BMTK's ``IClamp`` takes it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from pynn_io.errors import ReadError
from pynn_io.formats.h5_file import open_h5

_NANO = 1e9


def read_sweep(
    path: Path, sweep: int | float | str, *, interval: float | None = None, window: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Times (ms, from the sweep's start) and amplitudes (nA) of ``/epochs/<sweep>/stimulus/timeseries``.

    sweep: its number or the name of its group. interval: ms; only every n-th sample is taken, n being as near to it as
    can be. window: (start, stop), ms, both included. Raises ReadError for a file without the sweep or its rate.
    """
    with open_h5(Path(path)) as file:
        group = _series(file, path, _group_name(sweep))
        where = f"{path}:{group.name}"
        data = group.get("data")
        if not isinstance(data, h5py.Dataset) or data.ndim != 1 or data.dtype.kind not in "iuf" or data.shape[0] < 2:
            raise ReadError("there is no list of samples 'data'", where=where)
        step = 1000.0 / _rate(group, where)
        stride = 1
        if interval is not None and interval > step:
            stride = round(interval / step)
        amplitudes = data[:][::stride].astype(np.float64) * _NANO
        times = (np.arange(data.shape[0]) * step)[::stride]
    if not np.isfinite(amplitudes).all():
        raise ReadError("a sample is not a finite number", where=f"{where}/data")
    if window is None:
        return times, amplitudes
    inside = (times >= window[0]) & (times <= window[1])
    if np.count_nonzero(inside) < 2:
        raise ReadError(f"the window {window.tolist()} holds fewer than two samples", where=where)
    return times[inside], amplitudes[inside]


def _group_name(sweep: int | float | str) -> str:
    try:
        return f"Sweep_{int(sweep)}"
    except (ValueError, OverflowError):
        return str(sweep)


def _series(file: h5py.File, path: Path, name: str) -> h5py.Group:
    epochs = file.get("epochs")
    known = list(epochs) if isinstance(epochs, h5py.Group) else []
    series = epochs[name].get("stimulus/timeseries") if name in known else None  # type: ignore[index]
    if not isinstance(series, h5py.Group):
        raise ReadError(
            f"there is no stimulus of sweep {name!r} in /epochs", where=path, hint=f"there are: {', '.join(known[:10])}"
        )
    return series


def _rate(group: h5py.Group, where: str) -> float:
    start = group.get("starting_time")
    rate = None if start is None else start.attrs.get("rate")
    if rate is None or not np.isfinite(rate) or not rate > 0:
        raise ReadError("the sampling rate is not stated ('starting_time' has no 'rate')", where=where)
    return float(rate)
