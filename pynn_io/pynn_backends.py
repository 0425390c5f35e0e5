"""``--backend pynn:NAME``: the row of any backend module of PyNN, by its short name or its dotted one."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType

from pynn_io.errors import BackendUnavailable, FormatError
from pynn_io.registry import BACKENDS, Backend

#: Modules of PyNN 0.13 that run nothing here, and why.
UNAVAILABLE: Mapping[str, str] = MappingProxyType(
    {
        "pyNN.mock": "it simulates nothing: its spikes are random numbers",
        "pyNN.arbor": "in PyNN 0.13 it does not work with Arbor 0.12 and has no point cells; "
        "cable cells run with --backend arbor",
        "pyNN.neuroml": "in PyNN 0.13 it makes no projection; export with --to neuroml",
        "pyNN.nineml": "it needs the package nineml, which Python 3 cannot import",
        "pyNN.spiNNaker": "run it with --backend spinnaker, which says what the chip does to weights and delays",
        "pyNN.hardware": "it is for Python 2, and the machines are gone",
    }
)


def row(name: str) -> Backend:
    """The row for what follows ``pynn:``. Raises FormatError for no module, BackendUnavailable where none is found."""
    known = [key.partition(":")[2] for key in BACKENDS if key.startswith("pynn:")]
    if not name:
        raise FormatError("--backend pynn: names no backend of PyNN", hint=f"for example pynn:{' pynn:'.join(known)}")
    module = name if "." in name else f"pyNN.{name}"
    short = module.removeprefix("pyNN.")
    if short in known:
        return BACKENDS[f"pynn:{short}"]
    if module in UNAVAILABLE:
        return Backend(f"pynn:{name}", f"{short} by PyNN", None, "unavailable", reason=UNAVAILABLE[module])
    if find_spec("pyNN") is None:
        raise BackendUnavailable("PyNN is not installed", hint="pip install 'pynn_io[pynn]'")
    if not _is_there(module):
        raise FormatError(
            f"there is no backend module {module!r}",
            hint=f"PyNN's own are {', '.join(known)}; another one is named by its whole module: pynn:package.module",
        )
    title = f"the PyNN backend {module}"
    return Backend(f"pynn:{name}", title, f"pynn_io.runners.pynn:PynnRunner[{module}]", "executes", extra="pynn")


def _is_there(module: str) -> bool:
    """Whether a module can be found. Its packages are imported for that, itself not."""
    try:
        return find_spec(module) is not None
    except (ImportError, ValueError):
        return False
