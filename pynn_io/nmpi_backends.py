"""``--backend nmpi:NAME``: names that are no platform of EBRAINS' queue, or none any more."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from pynn_io.errors import FormatError
from pynn_io.registry import BACKENDS, Backend

_GONE = "the queue has a place for it, and the machine is out of service; nmpi:BrainScaleS-2 is its successor"
#: Other queues of the service, and why nothing is sent there.
UNAVAILABLE: Mapping[str, str] = MappingProxyType(
    {
        "BrainScaleS": _GONE,
        "BrainScaleS-ESS": "it was a software model of a machine that is out of service",
        "Spikey": _GONE,
    }
)


def row(name: str) -> Backend:
    """The row for what follows ``nmpi:``. Raises FormatError for an unknown platform, listing the known."""
    known = {key.partition(":")[2]: item for key, item in BACKENDS.items() if key.startswith("nmpi:")}
    for platform, reason in UNAVAILABLE.items():
        if platform.lower() == name.lower():
            return Backend(f"nmpi:{platform}", f"{platform} by the EBRAINS queue", None, "unavailable", reason=reason)
    raise FormatError(
        f"{name!r} is no platform of the EBRAINS queue" if name else "--backend nmpi: names no platform",
        hint=f"known: {', '.join(f'nmpi:{platform}' for platform in known)}",
    )
