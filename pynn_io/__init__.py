"""pynn_io: pandoc for neuronal networks.

Names are loaded when first used (PEP 562), so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

#: public name -> module that defines it
_PUBLIC = {
    "Conversion": "pynn_io.pipeline",
    "Document": "pynn_io.document",
    "FormatError": "pynn_io.errors",
    "GraphError": "pynn_io.errors",
    "LossError": "pynn_io.errors",
    "Network": "pynn_io.graph",
    "PynnIOError": "pynn_io.errors",
    "ReadError": "pynn_io.errors",
    "Report": "pynn_io.report",
    "Results": "pynn_io.results",
    "SimulationPlan": "pynn_io.simulation_plan",
    "SonataIO": "pynn_io.results.sonata_io",
    "UnsupportedInput": "pynn_io.errors",
    "WriteError": "pynn_io.errors",
    "backend": "pynn_io.pynn_calls",
    "check_hardware": "pynn_io.lowering.hardware",
    "compare_networks": "pynn_io.api",
    "compare_results": "pynn_io.api",
    "convert": "pynn_io.pipeline",
    "emulate": "pynn_io.emulation",
    "export_to_neuroml": "pynn_io.api",
    "export_to_sonata": "pynn_io.api",
    "import_from_sonata": "pynn_io.api",
    "load_sonata_simulation_plan": "pynn_io.api",
    "read": "pynn_io.pipeline",
    "read_results": "pynn_io.results",
    "write": "pynn_io.pipeline",
    "write_results": "pynn_io.results",
}

__all__ = [
    "Conversion",
    "Document",
    "FormatError",
    "GraphError",
    "LossError",
    "Network",
    "PynnIOError",
    "ReadError",
    "Report",
    "Results",
    "SimulationPlan",
    "SonataIO",
    "UnsupportedInput",
    "WriteError",
    "backend",
    "check_hardware",
    "compare_networks",
    "compare_results",
    "convert",
    "emulate",
    "export_to_neuroml",
    "export_to_sonata",
    "import_from_sonata",
    "load_sonata_simulation_plan",
    "read",
    "read_results",
    "write",
    "write_results",
    "__version__",
]

if TYPE_CHECKING:
    from pynn_io.api import (
        compare_networks,
        compare_results,
        export_to_neuroml,
        export_to_sonata,
        import_from_sonata,
        load_sonata_simulation_plan,
    )
    from pynn_io.document import Document
    from pynn_io.emulation import emulate
    from pynn_io.errors import (
        FormatError,
        GraphError,
        LossError,
        PynnIOError,
        ReadError,
        UnsupportedInput,
        WriteError,
    )
    from pynn_io.graph import Network
    from pynn_io.lowering.hardware import check_hardware
    from pynn_io.pipeline import Conversion, convert, read, write
    from pynn_io.pynn_calls import backend
    from pynn_io.report import Report
    from pynn_io.results import Results, read_results, write_results
    from pynn_io.results.sonata_io import SonataIO
    from pynn_io.simulation_plan import SimulationPlan


def __getattr__(name: str) -> Any:
    try:
        module = _PUBLIC[name]
    except KeyError:
        raise AttributeError(f"module 'pynn_io' has no attribute {name!r}") from None
    return getattr(import_module(module), name)


def __dir__() -> list[str]:
    return sorted(__all__)
