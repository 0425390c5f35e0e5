"""Copies of the OBI fixtures with templates and synapses that can be written as NeuroML."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from pynn_io.document import Document
from pynn_io.graph.columns import Column, text_column
from pynn_io.graph.synapses import Synapse

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
#: Columns of edges that mean the same for a synapse of any kind.
_KEPT = ("weight", "delay", "afferent_section_id", "afferent_section_pos")


def copied(tmp_path: Path, pyramid: str | None = None) -> Path:
    """The simulation config of a copy of ``obi_net``. pyramid: other lines of NetPyramid's ``insert_channels``."""
    folder = tmp_path / "circuit"
    shutil.copytree(FIXTURES / "obi_net", folder)
    if pyramid is not None:
        path = folder / "components/hoc/NetPyramid.hoc"
        before, _, rest = path.read_text().partition("  proc insert_channels")
        after = rest.partition("  proc re_init_rng")[2]
        path.write_text(f"{before}  proc insert_channels() {{ local x\n{pyramid}\n  }}\n\n  proc re_init_rng{after}")
    return folder / "simulation_config.json"


def with_exponential_synapses(document: Document) -> Document:
    """Release synapses, which NeuroML has no words for, as NEURON's Exp2Syn with a thousandth of their weights, uS."""
    projections, synapses = {}, {}
    for name, projection in document.network.projections.items():
        if document.network.synapses[projection.synapses[0]].model or projection.kind != "chemical":
            continue
        columns = projection.edges.columns
        changed: dict[str, Column | None] = {each: None for each in columns if each not in _KEPT}
        changed["weight"] = Column(columns["weight"].read(columns.size) * 1e-3)
        projections[name] = replace(
            projection,
            types=projection.types.updated({"weight_unit": text_column(["uS"])}),
            edges=replace(projection.edges, columns=columns.updated(changed)),
        )
        synapses[name] = Synapse("nrn:Exp2Syn", {"tau1": 0.3, "tau2": 3.0, "e": 0.0})
    return replace(document, network=replace(document.network, projections=projections, synapses=synapses))
