"""The rows of the registry: what there is to know of one file format, and of one simulator or machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import MappingProxyType

from pynn_io.errors import BackendUnavailable


@dataclass(frozen=True, slots=True)
class Format:
    """One file format.

    reader, writer: ``module:function``, or None. sniff: ``module:function`` taking a path, true if its content is this
    format. dialects: those a writer can be asked for (``sonata+allen``). extra: what to ``pip install``, if the format
    needs more than pynn_io itself. kind: what a writer makes, a ``folder`` or a ``file``. templates: whether it carries
    hoc templates by name, so that none is executed for it.
    """

    name: str
    title: str
    reader: str | None = None
    writer: str | None = None
    extensions: tuple[str, ...] = ()
    dialects: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    extra: str = ""
    kind: str = "folder"
    sniff: str | None = None
    templates: bool = False


@dataclass(frozen=True, slots=True)
class Backend:
    """One simulator or machine.

    runner: ``module:class`` of a `pynn_io.runners.base.Runner`, or ``module:class[ARGUMENT]``. level: executes, maps,
    emits or unavailable, with the ``reason``. extra: what to ``pip install``. package: what it imports, several names
    apart by spaces. distribution: what the simulator is called on PyPI.
    one_process: why it cannot run on several MPI ranks; empty where it can. options: what it knows of a `Profile`'s.
    spikes_at_zero: whether it delivers an input spike at 0 ms. through: the format that it reads its models from: what
    is run has been exported to that first. equations: whether it takes ``.mod`` files as what they say, translated, and
    not as programs of its own. install: the command that installs it, where that is no extra.
    """

    name: str
    title: str
    runner: str | None
    level: str
    extra: str = ""
    reason: str = ""
    package: str = ""
    distribution: str = ""
    one_process: str = ""
    options: tuple[str, ...] = ()
    spikes_at_zero: bool = True
    through: str = ""
    equations: bool = False
    install: str = ""

    @property
    def remedy(self) -> str:
        """The command that installs what it needs; empty where nothing is needed."""
        return self.install or (f"pip install 'pynn_io[{self.extra}]'" if self.extra else "")

    def is_installed(self) -> bool:
        """Whether the package that it needs can be found; nothing is imported."""
        return all(find_spec(name) is not None for name in self.package.split())

    def version(self) -> str:
        """The installed version of the simulator; empty where it is not installed, or does not say."""
        try:
            found = version(self.distribution) if self.distribution and self.is_installed() else ""
            return found.rpartition("!")[2]  # without an epoch (PEP 440)
        except PackageNotFoundError:
            return ""

    def require(self, processes: int = 1) -> None:
        """Raise BackendUnavailable where it has no runner, is not installed, or cannot run in so many processes."""
        if self.runner is None:
            raise BackendUnavailable(f"{self.title} cannot run here: {self.reason}")
        if not self.is_installed():
            raise BackendUnavailable(f"{self.title} is not installed", hint=self.remedy)
        if processes > 1 and self.one_process:
            raise BackendUnavailable(f"{self.title} cannot run in {processes} processes", hint=self.one_process)
