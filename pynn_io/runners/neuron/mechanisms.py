"""Mechanisms: which NEURON has, which the model needs and where they are. `compiler` makes libraries of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pynn_io.errors import BackendUnavailable, MissingPart
from pynn_io.lowering.cables.models import CONDUCTANCE_NAMES, TemplateModel
from pynn_io.progress import Progress
from pynn_io.report import Report
from pynn_io.runners.base import Profile
from pynn_io.runners.neuron import core
from pynn_io.runners.neuron.compiler import compiled, libraries
from pynn_io.runners.neuron.lowered import LoweredNeuron

#: Our own mechanisms by name; a file is called after the one that it defines.
OWN = {path.stem: path for path in sorted(Path(__file__).with_name("mod").glob("*.mod"))}
#: Parameters of synapse files under other names than mechanisms give them, in the order in which they are tried.
_SYNONYMS = {"erev": ("e",), "tau_1": ("tau",), "tau1": ("tau",)}
#: What names the mechanism of a ``.mod`` file.
_NAMED = re.compile(r"^\s*(?:SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)", re.MULTILINE)
_COMMENT = re.compile(r"^\s*COMMENT\b.*?^\s*ENDCOMMENT\b", re.MULTILINE | re.DOTALL)


class Names:
    """The mechanisms that NEURON has at this moment."""

    def __init__(self, h: Any) -> None:
        self.density = self._names(h.MechanismType(0))
        kinds = h.MechanismType(1)
        self.point = self._names(kinds)
        self._artificial = {name for number, name in enumerate(self.point) if kinds.is_artificial(number)}

    @staticmethod
    def _names(kinds: Any) -> list[str]:
        from neuron import h

        found = []
        for number in range(int(kinds.count())):
            kinds.select(number)
            text = h.ref("")
            kinds.selected(text)
            found.append(text[0])
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.density or name in self.point

    def artificial(self, name: str) -> bool:
        """Whether a point process stands for itself, in no section."""
        return name in self._artificial


def names_of(h: Any) -> Names:
    """The mechanisms that a NEURON (its ``h``) has now; those that are loaded later are not among them."""
    return Names(h)


#: Kinds of variables, as ``MechanismStandard`` numbers them.
ANY, PARAMETER, GLOBAL = 0, 1, -1


@cache
def _variables(mechanism: str) -> frozenset[str]:
    """The variables of a mechanism, as NEURON calls them (``gbar_Ih``; ``tau1`` of a point process)."""
    return frozenset(name for name, _ in declared(mechanism, ANY))


def declared(mechanism: str, kind: int) -> list[tuple[str, float]]:
    """Names and defaults of a mechanism's variables of one kind that are single numbers."""
    from neuron import h

    standard = h.MechanismStandard(mechanism, kind)
    names = [name for name, size in _sizes(standard) if size == 1]
    return [(name, float(getattr(h, name) if kind == GLOBAL else standard.get(name))) for name in names]


def arrays(mechanism: str) -> list[str]:
    """The parameters of a mechanism that are several numbers."""
    from neuron import h

    return [name for name, size in _sizes(h.MechanismStandard(mechanism, PARAMETER)) if size > 1]


def _sizes(standard: Any) -> Iterator[tuple[str, int]]:
    """Name and size of every variable of a MechanismStandard."""
    from neuron import h

    text = h.ref("")
    for number in range(int(standard.count())):
        size = int(standard.name(text, number))
        yield text[0], size


def variable_of(mechanism: str, name: str) -> str | None:
    """What the mechanism calls a parameter; None if it has none like it."""
    variables = _variables(mechanism)
    return next((each for each in (name, *_SYNONYMS.get(name, ())) if each in variables), None)


def conductance_of(mechanism: str) -> str | None:
    """The range variable that is the mechanism's conductance density."""
    variables = _variables(mechanism)
    return next((full for name in CONDUCTANCE_NAMES if (full := f"{name}_{mechanism}") in variables), None)


def load(lowered: LoweredNeuron, profile: Profile, report: Report, progress: Progress) -> None:
    """Load what the network needs and NEURON does not have yet, from the profile's folders, then the network's.

    Only files that are needed are compiled, so that one that nobody uses cannot stop a run; where hoc templates insert
    what they like, all are. Raises MissingPart naming mechanisms that are nowhere, with the cells that need them, and
    RunError with the compiler's message where one does not compile.
    """
    from neuron import h

    present = names_of(h)
    if core.wanted(profile):
        core.check(lowered.needs, present)
    _load_generated(lowered, profile, present, progress)
    wanted = {name for name in lowered.needs if name not in present and name not in lowered.generated}
    anything = any(isinstance(group.model, TemplateModel) for group in lowered.groups)
    if not wanted and not anything:
        return
    own = {name: path for name, path in OWN.items() if name in wanted}
    files = {**own, **mod_files([*profile.mechanisms, *lowered.mechanism_folders], report)}
    missing = {name: who for name, who in lowered.needs.items() if name in wanted and name not in files}
    if missing:
        _refuse(missing, profile, lowered)
    chosen = [path for name, path in files.items() if name not in present and (anything or name in wanted)]
    if chosen:
        options = (core.COMPILER_OPTION,) if core.wanted(profile) else ()
        core.use_library(_load_library(chosen, progress, options))


def load_folders(folders: Iterable[Path], report: Report, progress: Progress) -> None:
    """Load every mechanism of some folders that NEURON lacks. Raises RunError where one does not compile."""
    from neuron import h

    present = names_of(h)
    chosen = [path for name, path in mod_files(folders, report).items() if name not in present]
    if chosen:
        _load_library(chosen, progress, ())


def _load_library(files: list[Path], progress: Progress, options: tuple[str, ...]) -> Path:
    from neuron import h

    library = _compiled(files, progress, options)
    h.nrn_load_dll(str(library))
    _variables.cache_clear()
    return library


def _load_generated(lowered: LoweredNeuron, profile: Profile, present: Names, progress: Progress) -> None:
    """Mechanisms that were written for this network: their names change with their texts, so a library serves all."""
    from neuron import h

    texts = {name: text for name, text in lowered.generated.items() if name not in present}
    if not texts:
        return
    if core.wanted(profile):
        raise BackendUnavailable(
            "NeuroML's mechanisms are not compiled for CoreNEURON", hint="run it without --coreneuron"
        )
    context = h.ParallelContext()
    if context.id() == 0:
        libraries(texts, progress)
    context.barrier()
    for library in libraries(texts, progress):
        h.nrn_load_dll(str(library))
    _variables.cache_clear()


def _compiled(files: list[Path], progress: Progress, options: tuple[str, ...]) -> Path:
    """The library; of several ranks the first compiles, and the others wait for it."""
    from neuron import h

    context = h.ParallelContext()
    if context.id() == 0:
        compiled(files, progress, options)
    context.barrier()
    return compiled(files, progress, options)


def _refuse(missing: dict[str, tuple[str, ...]], profile: Profile, lowered: LoweredNeuron) -> None:
    lines = [f"{name}: needed by {', '.join(who[:5])}{' ...' if len(who) > 5 else ''}" for name, who in missing.items()]
    looked = ", ".join(map(str, [*profile.mechanisms, *lowered.mechanism_folders])) or "no folder was named"
    raise MissingPart(
        "NEURON does not have these mechanisms: " + "; ".join(lines),
        hint=f"looked in: {looked}; name the folder of their .mod files with --mechanisms DIR",
    )


def mod_files(folders: Iterable[Path], report: Report) -> dict[str, Path]:
    """Mechanism -> its ``.mod`` file, in folders and in their ``modfiles``; of two of one name the first stands.

    Reports ``duplicate-mechanism`` where the second is another one.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        for place in (folder, folder / "modfiles"):
            for path in sorted(place.glob("*.mod")) if place.is_dir() else ():
                name = mechanism_name(path)
                if found.setdefault(name, path).read_bytes() != path.read_bytes():
                    message = f"Two files define the mechanism {name}, differently: {found[name]} is used."
                    report.not_read("duplicate-mechanism", path, message)
    return found


def mechanism_name(path: Path) -> str:
    """The name in a ``.mod`` file's NEURON block; the file's own name where it states none."""
    text = _COMMENT.sub("", path.read_text(errors="replace"))
    named = _NAMED.search(text)
    return named[1] if named else path.stem
