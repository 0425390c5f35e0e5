"""Where a network is in a NIX file. Version 1:

::

    section document          pynn_io.document   format_version, name; provenance, extra, node_sets
    section plan              pynn_io.plan       the fields of the simulation plan
    section node_populations  /<key>             size, and node_type_id if there is one type; table, types
    section edge_populations  /<key>             pre, post, kind, section_order, size ...; table, types
    section cells, synapses, channels, component_types, morphologies  /<key>  their fields, parameters with units
    block   network           pynn_io.network
     group  nodes:<key>       sonata.nodes       a DataArray a column: node_id, x, dynamics_params/V_th ...
     group  node_types:<key>  sonata.node_types
     group  edges:<key>       sonata.edges       source_node_id, target_node_id, edge_type_id, syn_weight, delay ...
     group  edge_types:<key>  sonata.edge_types
     group  morphology:<key>  pynn_io.morphology columns of the segments
    block   components        pynn_io.components one DataArray of bytes a file, label its path, definition its sha256

``<key>`` is a name, encoded (`nix.encode_name`). A DataArray is called ``<group>:<column>``, since names are unique in
a block. A section ``table`` or ``types`` lists all columns in order, the extra ones among them, and has in its section
``scalars`` those with one value for all rows, each with its unit.
"""

from __future__ import annotations

from collections.abc import Iterable

from pynn_io.formats.nix import encode_name

VERSION = 1
DOCUMENT, PLAN, NETWORK, COMPONENTS = "document", "plan", "network", "components"
#: What an assignment in equations is called in a file; the one of a plan's snippets bears the plain name.
ASSIGNMENT = "StateAssignment"
TABLE, TYPES, SCALARS, PARAMETERS = "table", "types", "scalars", "parameters"

#: Columns that are called otherwise in SONATA.
_SONATA = {"weight": "syn_weight"}
_PARAMETER, _DYNAMICS = "parameters:", "dynamics_params/"
#: Columns of a group that are no columns of the graph's tables.
SOURCE, TARGET = "source_node_id", "target_node_id"
_TAKEN = {SOURCE, TARGET, "node_type_id", "node_type_index", "edge_type_id", "edge_type_index"}


def kind(name: str) -> str:
    """The NIX type of an entity of ours."""
    return f"pynn_io.{name}"


def group_name(what: str, key: str) -> str:
    """``nodes:L4``; a colon in the key is encoded, so that the parts of a name stay apart."""
    return f"{what}:{encode_name(key).replace(':', '%3A')}"


def array_name(group: str, column: str) -> str:
    """The name of a column's DataArray, ``column`` being what it is called in files."""
    return f"{group}:{encode_name(column)}"


def names_in_file(columns: Iterable[str], identifier: str) -> dict[str, str]:
    """What each column is called in a file: as in SONATA, unless another column bears that name.

    identifier: what the column ``id`` becomes (``node_id``, ``node_type_id`` ...).
    """
    stated = list(columns)
    names = {}
    for name in stated:
        called = {**_SONATA, "id": identifier}.get(name, name)
        if name.startswith(_PARAMETER):
            called = _DYNAMICS + name.removeprefix(_PARAMETER)
        taken = called != identifier and called in _TAKEN
        names[name] = f"column/{name}" if taken or (called != name and called in stated) else called
    return names
