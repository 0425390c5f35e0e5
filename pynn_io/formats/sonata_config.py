"""SONATA configuration files: JSON, manifest variables, and which file belongs to which.

Accepted are a circuit configuration, a simulation configuration (its ``network`` is followed), a joined one
(``{"network": ..., "simulation": ...}``), BMTK's all-in-one (``networks`` and ``run`` in one file), and a folder that
holds exactly one of these. Rules: SONATA specification, "circuit_config" and "simulation_config"; BMTK 1.2 for
``${configdir}``, ``${workingdir}`` and ``${datetime}``; the OBI extension for ``network`` left out.
"""

from __future__ import annotations

import json
import os.path
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pynn_io.errors import FormatError, ReadError
from pynn_io.formats.sonata_manifest import VERBATIM, expand_manifest, substitute
from pynn_io.formats.strict_json import parse_json
from pynn_io.report import Report

_EMPTY: Mapping[str, Any] = MappingProxyType({})
#: Keys of an all-in-one file that describe the circuit; the rest of it is the simulation's.
_CIRCUIT_KEYS = ("networks", "components")
_SHARED_KEYS = ("target_simulator", "target_simulator_version")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One configuration file: ``content`` with manifest variables replaced, ``raw`` as written.

    Paths in ``content`` are as the file has them otherwise; `path_of` makes them absolute.
    """

    path: Path
    content: Mapping[str, Any]
    raw: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)

    @property
    def folder(self) -> Path:
        return self.path.parent

    def path_of(self, text: Any) -> Path:
        """An absolute path: against the file's folder, or the working folder if it exists only there.

        Raises ReadError for what is no text.
        """
        if not isinstance(text, str):
            raise ReadError(f"a path must be text, not {str(text)[:80]!r}", where=self.path)
        return resolve_path(text, self.folder)


@dataclass(frozen=True, slots=True)
class SonataConfig:
    """A circuit and, if the source names one, the simulation on it. All variables are replaced.

    circuit, simulation: mappings (the simulation without ``network``, ``networks``, ``components`` and ``manifest``).
    node_sets, simulation_node_sets: ``(file or None, mapping as read)`` of the circuit and of the simulation.
    components: name -> ``(value with variables replaced, value as written, folder of the file)``; the simulation's
        override the circuit's, as in BMTK.
    files: the configuration files that were read.
    """

    circuit: Mapping[str, Any]
    circuit_path: Path
    simulation: Mapping[str, Any] | None = None
    simulation_path: Path | None = None
    node_sets: tuple[Path | None, Mapping[str, Any]] = (None, _EMPTY)
    components: Mapping[str, tuple[Any, Any, Path]] = field(default_factory=lambda: _EMPTY)
    files: tuple[Path, ...] = ()
    raw_circuit: Mapping[str, Any] = field(default_factory=lambda: _EMPTY)


def load(path: Path, report: Report) -> SonataConfig:
    """Read whatever configuration ``path`` is, following what it names.

    Raises FormatError if a folder holds none or several, or the file is no SONATA configuration; ReadError for a
    missing file, broken JSON (``file:line``), a cyclic manifest or an unknown variable.
    """
    path = Path(path)
    if path.is_dir():
        path = find(path)
    source = read_config(path, report)
    kind = kind_of(source.content)
    if kind == "joined":
        return _joined(source, report)
    if kind == "circuit":
        return _assemble(source, None, report, (source.path,))
    if kind == "all-in-one":
        return _all_in_one(source, report)
    if kind == "simulation":
        circuit_path = _network_of(source, report)
        circuit = _circuit(circuit_path, report, source.path)
        return _assemble(circuit, source, report, (circuit.path, source.path))
    raise FormatError(
        "not a SONATA configuration: it has none of the keys networks, network, simulation, run",
        where=path,
        hint="give a circuit_config.json, a simulation_config.json, a config.json that joins both, or their folder",
    )


def kind_of(content: Mapping[str, Any]) -> str:
    """``circuit``, ``simulation``, ``joined``, ``all-in-one``, or the empty string if it is no SONATA configuration."""
    if "networks" in content:
        return "all-in-one" if "run" in content else "circuit"
    if "simulation" in content and "run" not in content:
        return "joined"
    if "run" in content:
        return "simulation"
    if "network" in content:
        return "joined"
    if "components" in content or ("metadata" in content and "manifest" in content):
        return "circuit"
    return ""


def looks_like(path: Path) -> bool:
    """Whether a file is JSON with the keys of a SONATA configuration, or a folder holds such a file. Never raises."""
    path = Path(path)
    if path.is_dir():
        return any(True for _ in _candidates(path))
    return path.suffix.lower() == ".json" and _kind_of_file(path) != ""


def find(folder: Path) -> Path:
    """The one configuration in a folder.

    A single joined file wins; else a single all-in-one; else the single simulation, if its circuit is the single one
    there; else the single circuit. Anything else is ambiguous: FormatError listing the candidates.
    """
    kinds: dict[str, list[Path]] = {}
    for path, kind in _candidates(folder):
        kinds.setdefault(kind, []).append(path)
    if not kinds:
        raise FormatError(
            "no SONATA configuration in this folder", where=folder, hint="name the circuit_config.json itself"
        )
    joined, whole = kinds.get("joined", []), kinds.get("all-in-one", [])
    circuits, runs = kinds.get("circuit", []), kinds.get("simulation", [])
    if len(joined) == 1:
        return joined[0]
    if not joined and len(whole) == 1 and not circuits and not runs:
        return whole[0]
    if not joined and not whole and len(circuits) == 1 and (not runs or _runs_on(runs, circuits[0])):
        return (runs or circuits)[0]
    if not joined and not whole and not circuits and len(runs) == 1:
        return runs[0]
    names = sorted(path.name for paths in kinds.values() for path in paths)
    raise FormatError(
        f"this folder holds {len(names)} SONATA configurations: {', '.join(names)}",
        where=folder,
        hint=f"name one of them, e.g. {folder / names[0]}",
    )


def _runs_on(runs: list[Path], circuit: Path) -> bool:
    """Whether there is one simulation and it names that circuit, or none."""
    try:
        stated = json.loads(runs[0].read_text(encoding="utf-8-sig")).get("network", circuit.name)
    except (OSError, ValueError, RecursionError):
        return len(runs) == 1  # a broken file's error comes when it is read
    return len(runs) == 1 and Path(str(stated)).name == circuit.name


def resolve_path(text: str, folder: Path) -> Path:
    """An absolute, normalised path: against ``folder``, or against the working folder if it exists only there.

    Raises ReadError for what is no text.
    """
    if not isinstance(text, str):
        raise ReadError(f"a path must be text, not {str(text)[:80]!r}", where=folder, hint='write it as "path/to/file"')
    path = Path(text)
    if path.is_absolute():
        return _normal(path)
    beside = folder / path
    # os.path, since it takes a name that the system refuses (too long, say) for one that is not there.
    if not os.path.exists(beside) and os.path.exists(path):
        return _normal(path.absolute())
    return _normal(beside.absolute())


def _normal(path: Path) -> Path:
    # Not Path.resolve: a linked file keeps the name that the user sees.
    return Path(os.path.normpath(path))


def read_config(path: Path, report: Report) -> ConfigFile:
    """One file with its manifest applied."""
    path = _normal(Path(path).absolute())
    raw = read_json(path, report)
    if not isinstance(raw, dict):
        hint = 'a circuit or simulation configuration is one: {"networks": ...}'
        raise ReadError("a configuration must be a JSON object", where=path, hint=hint)
    for key in ("manifest", "components", "networks", "node_sets"):
        if not isinstance(raw.get(key) or {}, dict):
            raise ReadError(f"{key!r} must be a JSON object", where=path)
    variables = expand_manifest(raw.get("manifest") or {}, path)
    content = {
        key: value if key in VERBATIM else substitute(value, variables, path)
        for key, value in raw.items()
        if key != "manifest"
    }
    return ConfigFile(path, content, raw)


def read_json(path: Path, report: Report) -> Any:
    """JSON from a file.

    A key stated twice is reported and the last one counts: Allen's tools read such files so, and refusing them
    (libsonata #33) would shut out circuits that every simulator of that dialect runs.
    Raises ReadError with ``file:line``.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ReadError("no such file", where=path) from None
    except UnicodeDecodeError as error:
        message = f"not UTF-8 text: byte {error.start} is {error.object[error.start]:#04x}"
        raise ReadError(message, where=path, hint="save it as UTF-8, if it is text") from error
    except OSError as error:
        raise ReadError(f"cannot be read: {error.strerror or error}", where=path) from error

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        mapping = dict(items)
        if len(mapping) != len(items):
            for key in {key for key, _ in items if sum(key == other for other, _ in items) > 1}:
                line = text.count("\n", 0, text.rfind(json.dumps(key))) + 1
                report.not_read(
                    "duplicate-key", f"{path}:{line}", f"the key {key!r} is stated twice; the last statement counts"
                )
        return mapping

    return parse_json(text, Path(path), object_pairs_hook=pairs)


def _candidates(folder: Path) -> Iterator[tuple[Path, str]]:
    for path in sorted(folder.glob("*.json")):
        kind = _kind_of_file(path)
        if kind:
            yield path, kind


def _kind_of_file(path: Path) -> str:
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError):
        # A broken file with the usual name is still what the user meant: its error comes when it is read.
        name = path.name.lower()
        return next((kind for kind in ("circuit", "simulation") if kind in name and "config" in name), "")
    return kind_of(content) if isinstance(content, dict) else ""


def _joined(source: ConfigFile, report: Report) -> SonataConfig:
    for key in source.content.keys() - {"network", "simulation"}:
        report.not_read("config-key", source.path, f"the key {key!r} of a joined configuration is not known")
    simulation = None
    if "simulation" in source.content:
        simulation = _follow(source, "simulation", report)
    if "network" in source.content:
        circuit = _circuit(source.path_of(source.content["network"]), report, source.path)
    elif simulation is not None:
        circuit = _circuit(_network_of(simulation, report), report, simulation.path)
    files = (source.path, circuit.path, *((simulation.path,) if simulation else ()))
    return _assemble(circuit, simulation, report, files)


def _follow(source: ConfigFile, key: str, report: Report) -> ConfigFile:
    path = source.path_of(str(source.content[key]))
    if not os.path.isfile(path):
        raise ReadError(f"the file {path} named by {key!r} does not exist", where=source.path)
    return read_config(path, report)


def _circuit(path: Path, report: Report, named_by: Path) -> ConfigFile:
    if not os.path.isfile(path):
        raise ReadError(f"the file {path} named by 'network' does not exist", where=named_by)
    return read_config(path, report)


def _network_of(simulation: ConfigFile, report: Report) -> Path:
    """The circuit of a simulation; without ``network``, ``circuit_config.json`` beside it (OBI extension's default)."""
    if "network" in simulation.content:
        return simulation.path_of(str(simulation.content["network"]))
    beside = simulation.folder / "circuit_config.json"
    if not os.path.isfile(beside):
        raise ReadError(
            "the simulation names no circuit: 'network' is absent and there is no circuit_config.json beside it",
            where=simulation.path,
            hint='add "network": "path/to/circuit_config.json"',
        )
    report.defaulted("network-absent", simulation.path, f"'network' is absent; {beside.name} beside it is used")
    return beside


def _all_in_one(source: ConfigFile, report: Report) -> SonataConfig:
    content = source.content
    shared = {key: content[key] for key in _SHARED_KEYS if key in content}
    circuit = {key: content[key] for key in _CIRCUIT_KEYS if key in content} | shared
    rest = {key: value for key, value in content.items() if key not in circuit} | shared
    return _assemble(
        ConfigFile(source.path, circuit, source.raw), ConfigFile(source.path, rest), report, (source.path,)
    )


def _assemble(
    circuit: ConfigFile, simulation: ConfigFile | None, report: Report, files: tuple[Path, ...]
) -> SonataConfig:
    if kind_of(circuit.content) not in ("circuit", "all-in-one"):
        raise ReadError("not a circuit configuration: it has no 'networks'", where=circuit.path)
    node_sets = _node_sets(circuit, report)
    components: dict[str, tuple[Any, Any, Path]] = {}
    run: dict[str, Any] | None = None
    for config in (circuit, simulation):
        if config is None:
            continue
        raw = config.raw.get("components") or {}
        for name, value in (config.content.get("components") or {}).items():
            components[name] = (value, raw.get(name), config.folder)
    if simulation is not None:
        run = {
            key: value
            for key, value in simulation.content.items()
            if key not in ("network", "networks", "components", "manifest")
        }
    return SonataConfig(
        circuit=circuit.content,
        circuit_path=circuit.path,
        simulation=run,
        simulation_path=simulation.path if simulation else None,
        node_sets=node_sets,
        components=components,
        files=files,
        raw_circuit=circuit.raw,
    )


def _node_sets(circuit: ConfigFile, report: Report) -> tuple[Path | None, Mapping[str, Any]]:
    inline = circuit.content.get("node_sets") or {}
    if not circuit.content.get("node_sets_file"):
        return None, inline
    path = circuit.path_of(circuit.content["node_sets_file"])
    if not os.path.isfile(path):
        raise ReadError(f"the file {path} named by 'node_sets_file' does not exist", where=circuit.path)
    sets = read_json(path, report)
    if not isinstance(sets, dict):
        raise ReadError("node sets must be a JSON object", where=path)
    return path, {**sets, **inline}
