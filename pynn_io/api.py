"""The calls that PyNN documents, for a network as an object of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pynn_io.document import Document
from pynn_io.graph import Network
from pynn_io.pipeline import read, write
from pynn_io.report import Report


def import_from_sonata(circuit_config: str | Path, *, report: Report | None = None) -> Network:
    """The network of a SONATA circuit: a circuit config, a simulation config, a joined config, or the folder of one.

    Raises ReadError naming the file and place. What could not be read is added to ``report``.
    """
    return read(circuit_config, format="sonata", report=report).network


def export_to_sonata(
    network: Network | Document, folder: str | Path, *, dialect: str = "", overwrite: bool = False, **options: Any
) -> Report:
    """Write a network as a SONATA circuit into ``folder``. dialect: empty (both worlds read it), ``allen`` or ``obi``.

    Returns the report of what could not be carried. Raises WriteError.
    """
    name = f"sonata+{dialect}" if dialect else "sonata"
    return write(_document(network), folder, name, overwrite=overwrite, **options)


def export_to_neuroml(
    network: Network | Document, folder: str | Path, *, dialect: str = "", overwrite: bool = False, **options: Any
) -> Report:
    """Write a network as NeuroML 2.3 into ``folder``. dialect: empty (XML) or ``hdf5`` (the network as HDF5).

    Returns the report of what could not be carried. Raises WriteError.
    """
    name = f"neuroml+{dialect}" if dialect else "neuroml"
    return write(_document(network), folder, name, overwrite=overwrite, **options)


def _document(network: Network | Document) -> Document:
    return network if isinstance(network, Document) else Document(network)
