"""Files of the OSB Model Validation tool: what a model is expected to do (``.mep``), and how to see whether it does
(``.omt``).

An ``.omt`` names a model, the simulator that it is about, and for each experiment what to look at in a file of the run
and how far it may be from what the ``.mep`` expects. Its numbers are the user's: scaled to the units of the ``.mep``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynn_io.errors import ReadError, UnsafeArchive
from pynn_io.optional import needed

#: What the tool takes where an observable states none.
TOLERANCE = 0.1
#: What is known how to judge. The tool has more (resting potential, input resistance, ...).
KINDS = ("spike times", "spike rate")


@dataclass(frozen=True, slots=True)
class Observable:
    """What one experiment looks at.

    kind: as stated, also what is not among `KINDS`. file: relative to the ``.omt``. columns: of time and value in a
    table of traces; ids: selections of a file of events, empty for all, None for a table. scaling: of time and value.
    method, threshold: how spikes are found (``threshold``: of the scaled value; ``derivative``: maxima). expected: what
    the ``.mep`` says, in its units. tolerance: relative.
    """

    experiment: str
    kind: str
    file: str
    expected: tuple[float, ...]
    tolerance: float
    columns: tuple[int, int] = (0, 1)
    scaling: tuple[float, float] = (1.0, 1.0)
    method: str = ""
    threshold: float = 0.0
    ids: tuple[int, ...] | None = None
    form: str = "ID_TIME"


@dataclass(frozen=True, slots=True)
class Test:
    """One ``.omt``. target: path or pattern of the model, relative to it. expectations: the ``.mep``, if it names one.

    Without observables the model is only run (``dry``), or only judged by the schema (engine ``jNeuroML_validate``).
    """

    path: Path
    target: str
    engine: str
    expectations: Path | None
    observables: tuple[Observable, ...]


def read_test(path: Path, within: Path | None = None) -> Test:
    """One ``.omt`` with what it needs of its ``.mep``.

    within: a folder that both lie in. Raises ReadError naming the file and the key, UnsafeArchive for a ``.mep``
    outside of ``within``, which is not opened.
    """
    stated = _mapping(_yaml(path), path, "")
    target, engine = (_text(stated, name, path) for name in ("target", "engine"))
    if "mep" not in stated:
        return Test(path, target, engine, None, ())
    expectations = (path.parent / _text(stated, "mep", path)).resolve()
    if within is not None and not expectations.is_relative_to(within.resolve()):
        raise UnsafeArchive(f"it names a file outside of the archive: {expectations}", where=path)
    expected = read_expectations(expectations)
    experiments = _mapping(stated.get("experiments"), path, "experiments")
    observables = tuple(
        observable
        for name, experiment in experiments.items()
        for observable in _observables(str(name), experiment, expected, path, expectations)
    )
    return Test(path, target, engine, expectations, observables)


def read_expectations(path: Path) -> Mapping[str, Mapping[str, tuple[float, ...]]]:
    """A ``.mep``: experiment -> kind -> numbers. Raises ReadError naming the file and the key."""
    experiments = _mapping(_mapping(_yaml(path), path, "").get("experiments"), path, "experiments")
    found = {}
    for name, experiment in experiments.items():
        place = f"experiments/{name}"
        kinds = _mapping(_mapping(experiment, path, place).get("expected"), path, f"{place}/expected")
        found[str(name)] = {
            str(kind): _numbers(values, path, f"{place}/expected/{kind}")
            for kind, values in kinds.items()
            if str(kind) in KINDS
        }
    return found


def _observables(
    name: str,
    experiment: Any,
    expected: Mapping[str, Mapping[str, tuple[float, ...]]],
    path: Path,
    expectations: Path,
) -> Iterator[Observable]:
    place = f"experiments/{name}"
    stated = _mapping(_mapping(experiment, path, place).get("observables"), path, f"{place}/observables")
    for kind, spec in stated.items():
        where = f"{place}/observables/{kind}"
        if kind not in KINDS:
            yield Observable(name, str(kind), "", (), TOLERANCE)
            continue
        numbers = expected.get(name, {}).get(str(kind))
        if numbers is None:
            message = f"{name!r} has no {kind!r} there, which {path.name} looks at"
            raise ReadError(message, where=f"{expectations}:{place}/expected")
        yield _observable(name, str(kind), _mapping(spec, path, where), numbers, path, where)


def _observable(
    name: str, kind: str, spec: Mapping[str, Any], expected: tuple[float, ...], path: Path, place: str
) -> Observable:
    tolerance = _number(spec.get("tolerance", TOLERANCE), path, f"{place}/tolerance")
    if "spiketimes file" in spec:
        file = _mapping(spec["spiketimes file"], path, f"{place}/spiketimes file")
        ids = file.get("ids", file.get("id", ()))
        return Observable(
            name,
            kind,
            _text(file, "path", path),
            expected,
            tolerance,
            scaling=(_number(file.get("scaling", 1.0), path, f"{place}/spiketimes file/scaling"), 1.0),
            ids=tuple(int(each) for each in _numbers(ids, path, f"{place}/spiketimes file/ids")) if ids != "*" else (),
            form=str(file.get("format", "ID_TIME")),
        )
    file = _mapping(spec.get("file"), path, f"{place}/file")
    detection = _mapping(spec.get("spike detection"), path, f"{place}/spike detection")
    columns = _numbers(file.get("columns", (0, 1)), path, f"{place}/file/columns")
    scaling = _numbers(file.get("scaling", (1.0, 1.0)), path, f"{place}/file/scaling")
    if len(columns) != 2 or len(scaling) not in (1, 2):
        raise ReadError("columns are two numbers, of time and value; scaling one or two", where=f"{path}:{place}/file")
    method = str(detection.get("method", "threshold"))
    if method not in ("threshold", "derivative"):
        raise ReadError(f"{method!r} is no way to find spikes", where=f"{path}:{place}/spike detection")
    return Observable(
        name,
        kind,
        _text(file, "path", path),
        expected,
        tolerance,
        columns=(int(columns[0]), int(columns[1])),
        scaling=(scaling[0], scaling[-1]),
        method=method,
        threshold=_number(detection.get("threshold", 0.0), path, f"{place}/spike detection/threshold"),
    )


def _yaml(path: Path) -> Any:
    yaml = needed("yaml", "the files of OSB Model Validation need", "archive")
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ReadError(f"cannot be read: {error}", where=path) from error
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}:{mark.line + 1}" if mark is not None else path
        raise ReadError(f"not valid YAML: {getattr(error, 'problem', error)}", where=where) from error


def _mapping(value: Any, path: Path, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        found = "nothing" if value is None else f"a {type(value).__name__}"
        raise ReadError(f"{found} stands where names with values are expected", where=f"{path}:{place or '1'}")
    return value


def _text(stated: Mapping[str, Any], name: str, path: Path) -> str:
    value = stated.get(name)
    if not isinstance(value, str) or not value.strip():
        raise ReadError(f"there is no text under {name!r}", where=path)
    return value.strip()


def _number(value: Any, path: Path, place: str) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ReadError(f"{value!r} is no number", where=f"{path}:{place}") from None


def _numbers(value: Any, path: Path, place: str) -> tuple[float, ...]:
    values = value if isinstance(value, (list, tuple)) else (value,)
    return tuple(_number(each, path, place) for each in values)
