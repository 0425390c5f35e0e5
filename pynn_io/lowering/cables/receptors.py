"""The receptors of PyNN's cells as synapses: for cells that NeuroML's synapses act on too, see `Generated.attached`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pynn_io.graph.cells import PointCell
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.graph.synapses import Synapse
from pynn_io.lowering.cables.components import SCHEME, Generated
from pynn_io.lowering.cables.models import SynapseModel

_CONDUCTANCES, _CURRENTS = ("tau_syn", "e_rev"), ("tau_syn",)
#: Cell -> the component that its receptors are, and what that one takes of the cell (``tau_syn_E`` as ``tau_syn``).
_COMPONENTS: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "IF_curr_exp": ("expCurrSynapse", _CURRENTS),
        "IF_curr_alpha": ("alphaCurrSynapse", _CURRENTS),
        "IF_cond_exp": ("expCondSynapse", _CONDUCTANCES),
        "IF_cond_alpha": ("alphaCondSynapse", _CONDUCTANCES),
        "EIF_cond_exp_isfa_ista": ("expCondSynapse", _CONDUCTANCES),
        "EIF_cond_alpha_isfa_ista": ("alphaCondSynapse", _CONDUCTANCES),
        "HH_cond_exp": ("expCondSynapse", _CONDUCTANCES),
    }
)
_LETTERS = MappingProxyType({"excitatory": "E", "inhibitory": "I"})
#: What the importer appends to the name of a component for which a canonical synapse stands.
_STATIC = "_static"


@dataclass(frozen=True, slots=True)
class Receptors:
    """The types of a projection that act on receptors of cells which are built as NeuroML's components."""

    network: Network
    projection: Projection
    generated: Generated

    @property
    def names(self) -> tuple[str, ...]:
        """The synapses by row, under the names that paths of quantities have for them."""
        found = self.projection.synapses
        return tuple(name.rstrip("_").removesuffix(_STATIC) if self._cells() else name for name in found)

    def model(self, row: int) -> SynapseModel | None:
        """The receptor of a type row as a synapse of its own; None where the cells have none, or differ in it."""
        cells, types = self._cells(), self.projection.types
        letter = _LETTERS.get(str(types.values("receptor").tolist()[row])) if "receptor" in types else None
        if (
            letter is None
            or not cells
            or cells[0].model not in _COMPONENTS
            or "receptor" in self.projection.edges.columns
        ):
            return None
        kind, taken = _COMPONENTS[cells[0].model]
        population = self.network.populations[self.projection.post]
        sources = [f"{name}_{letter}" for name in taken]
        varied = any(f"{PARAMETER}{name}" in (*population.types, *population.table) for name in sources)
        values = {(cell.model, *(cell.parameters.get(name) for name in sources)) for cell in cells}
        if varied or len(values) > 1 or None in next(iter(values)):
            return None
        numbers = {name: float(cells[0].parameters[source]) for name, source in zip(taken, sources, strict=True)}
        return self.generated.synapse(self.names[row], Synapse(f"{SCHEME}{kind}", numbers))

    def _cells(self) -> list[PointCell]:
        """The standard cells of the target, where they are built as components."""
        names = self.network.populations[self.projection.post].cells
        found = [self.network.cells[name] for name in names if name in self.generated.attached]
        return [cell for cell in found if isinstance(cell, PointCell) and not cell.model.startswith(SCHEME)]
