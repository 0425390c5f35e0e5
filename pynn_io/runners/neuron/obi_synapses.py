"""Chemical synapses of the Open Brain Institute's dialect: edges that state ``syn_type_id`` and a release model.

The mechanisms are the user's: `EXCITATORY` and `INHIBITORY` are found by name among the compiled ``.mod`` files, and
take their parameters from edge columns as neurodamus's helpers hand them over. Weights stay in nS, which these
mechanisms expect. Sources of the rules: SONATA extension ("Edges", "conditions", "connection_overrides");
neurodamus ``io/synapse_reader.py`` (calcium, delays) and ``connection.py``; the helpers of neurodamus-models (seeds).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pynn_io.errors import GraphError, PlanError
from pynn_io.graph.network import Network, Projection
from pynn_io.graph.schema import PARAMETER
from pynn_io.lowering.cables.models import SynapseBlock, SynapseModel
from pynn_io.report import Report
from pynn_io.runners.neuron.overrides import Changes, Overrides

EXCITATORY, INHIBITORY = "ProbAMPANMDA_EMS", "ProbGABAAB_EMS"
#: ``syn_type_id`` from which a synapse is excitatory.
_FIRST_EXCITATORY = 100
_NEEDED = (
    "weight",
    "afferent_section_id",
    "syn_type_id",
    "u_syn",
    "depression_time",
    "facilitation_time",
    "decay_time",
)
_OPTIONAL = (
    *("delay", "afferent_section_pos", "afferent_segment_id", "afferent_segment_offset", "n_rrp_vesicles"),
    *("conductance_scale_factor", "u_hill_coefficient"),
)
#: A position on a section is at least this far from its ends, where NEURON has no membrane (neurodamus).
_END = 1e-7
#: Parameters of mechanisms that an override may put in place of a projection's own, by edge column.
_REPLACEMENTS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "Exp2Syn": ("Exp2Syn", {"tau1": "tau1", "tau2": "tau2", "erev": "e"}),
    "AMPANMDA": (EXCITATORY, {}),
    "GABAAB": (INHIBITORY, {}),
}


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseBlock(SynapseBlock):
    """Synapses with what they need beyond a weight, a delay and parameters, n of them.

    changes: what the overrides say. conductance: nS, float64[n], before any factor. number: int64[n], which synapse of
    its cell it is (in this projection, in the order of the file): it seeds the synapse. inhibitory: bool[n].
    segment, offset: where the position is not stated: the 3-D point before the site, and um beyond it.
    """

    changes: Changes | None = None
    conductance: np.ndarray = field(default_factory=lambda: np.zeros(0))
    number: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    inhibitory: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=bool))
    segment: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    offset: np.ndarray = field(default_factory=lambda: np.zeros(0))


def states_release(projection: Projection) -> bool:
    """Whether these edges are synapses of this kind."""
    return projection.kind == "chemical" and "syn_type_id" in projection.edges.columns


def models_of(overrides: Overrides) -> tuple[SynapseModel, ...]:
    """Excitatory, inhibitory, and what overrides put in their place. PlanError for one that is not known here."""
    models = [SynapseModel(EXCITATORY), SynapseModel(INHIBITORY)]
    for name in overrides.mechanisms:
        if name not in _REPLACEMENTS:
            raise PlanError(
                f"an override asks for synapses of kind {name!r}, which the NEURON backend does not build",
                where="connection_overrides.modoverride",
                hint=f"known: {', '.join(_REPLACEMENTS)}",
            )
        models.append(SynapseModel(_REPLACEMENTS[name][0]))
    return tuple(models)


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseStream:
    """The synapses of one projection. first: gids of row 0 of its two populations. built: bool, by row of the target.

    calcium: extracellular, mM, None where ``u_syn`` stands as it is. timestep: ms, to which delays are rounded down.
    """

    network: Network
    projection: Projection
    overrides: Overrides
    first: tuple[int, int]
    built: np.ndarray
    timestep: float
    calcium: float | None = None

    def blocks(self, keep: np.ndarray, report: Report) -> Iterator[ReleaseBlock]:
        """Synapses onto the cells whose gid has ``keep``. GraphError naming the columns that the edges lack."""
        where = f"projections/{self.projection.name}"
        have = {*self.projection.edges.columns, *self.projection.types}
        missing = [name for name in _NEEDED if name not in have]
        if missing:
            raise GraphError(f"synapses of kind {EXCITATORY} need the columns {', '.join(missing)}", where=where)
        names = [*_NEEDED, *_OPTIONAL, *_replacement_columns(have)]
        seen = np.zeros(self.network.populations[self.projection.post].size, dtype=np.int64)
        for start, _, rows in self.projection.blocks([name for name in names if name in have]):
            number = _numbered(rows["target"], seen)
            chosen = np.flatnonzero(keep[rows["target"] + self.first[1]] & self.built[rows["target"]])
            if len(chosen):
                values = {name: column[chosen] for name, column in rows.items()}
                yield self._block(values, number[chosen], start + chosen, where, report)

    def _block(
        self, rows: Mapping[str, np.ndarray], number: np.ndarray, edge: np.ndarray, where: str, report: Report
    ) -> ReleaseBlock:
        source, target = (rows[end].astype(np.int64) for end in ("source", "target"))
        changes = self.overrides.of(source, target)
        conductance = _stated(rows, "weight", 0.0)
        inhibitory = _stated(rows, "syn_type_id", 0.0) < _FIRST_EXCITATORY
        position = _stated(rows, "afferent_section_pos", np.nan)
        model = np.where(changes.mechanism >= 0, changes.mechanism + 2, inhibitory.astype(np.int64))
        return ReleaseBlock(
            source=source + self.first[0],
            target=target + self.first[1],
            model=model,
            weight=conductance * changes.weight,
            delay=self._delays(rows, changes, where, report),
            section=_stated(rows, "afferent_section_id", 0.0).astype(np.int64),
            position=np.clip(position, _END, 1 - _END),
            edge=edge,
            parameters=self._parameters(rows, model, inhibitory, number, conductance),
            changes=changes,
            conductance=conductance,
            number=number,
            inhibitory=inhibitory,
            segment=_stated(rows, "afferent_segment_id", 0.0).astype(np.int64),
            offset=np.maximum(_stated(rows, "afferent_segment_offset", 0.0), 0.0),
        )

    def _delays(self, rows: Mapping[str, np.ndarray], changes: Changes, where: str, report: Report) -> np.ndarray:
        """Rounded down to steps, as neurodamus does; one step where the file states none (NaN)."""
        stated = _stated(rows, "delay", np.nan)
        delay = np.floor(stated / self.timestep + 1e-5) * self.timestep
        unstated = np.isnan(delay)
        report.defaulted(
            "default-delay",
            where,
            f"The delay is not stated (NaN); it is taken to be one time step, {self.timestep} ms.",
            count=int((unstated & np.isnan(changes.delay)).sum()),
        )
        delay = np.where(unstated, self.timestep, delay)
        return np.where(np.isnan(changes.delay), delay, changes.delay)

    def _parameters(
        self,
        rows: Mapping[str, np.ndarray],
        model: np.ndarray,
        inhibitory: np.ndarray,
        number: np.ndarray,
        conductance: np.ndarray,
    ) -> dict[str, np.ndarray]:
        """Variables of the mechanisms, NaN where a synapse's mechanism has none or nothing is stated."""
        use = _stated(rows, "u_syn", np.nan)
        if self.calcium is not None and "u_hill_coefficient" in rows:
            use = use * hill(_stated(rows, "u_hill_coefficient", np.nan), self.calcium)
        decay = _stated(rows, "decay_time", np.nan)
        own = np.isin(model, [k for k, name in enumerate(self._mechanisms()) if name in (EXCITATORY, INHIBITORY)])
        slow = np.isin(model, [k for k, name in enumerate(self._mechanisms()) if name == INHIBITORY])
        ratio = _stated(rows, "conductance_scale_factor", -1.0)
        ratio = np.where((ratio >= 0) & (model < 2), ratio, np.nan)
        vesicles = _stated(rows, "n_rrp_vesicles", -1.0)
        found = {
            "Use": np.abs(use),
            "Dep": np.abs(_stated(rows, "depression_time", np.nan)),
            "Fac": np.abs(_stated(rows, "facilitation_time", np.nan)),
            "Nrrp": np.where(vesicles >= 0, vesicles, np.nan),
            "synapseID": number.astype(np.float64),
            "conductance": conductance,
        }
        found = {name: np.where(own, values, np.nan) for name, values in found.items()}
        found |= {
            "tau_d_AMPA": np.where(own & ~slow, decay, np.nan),
            "tau_d_GABAA": np.where(own & slow, decay, np.nan),
            "NMDA_ratio": np.where(own & ~slow, ratio, np.nan),
            "GABAB_ratio": np.where(own & slow, ratio, np.nan),
        }
        for number_, name in enumerate(self.overrides.mechanisms):
            for column, variable in _REPLACEMENTS[name][1].items():
                values = found.get(variable, np.full(len(model), np.nan))
                stated = _either(rows, column)
                found[variable] = np.where(model == number_ + 2, stated, values)
        return found

    def _mechanisms(self) -> Sequence[str]:
        return [EXCITATORY, INHIBITORY, *(_REPLACEMENTS[name][0] for name in self.overrides.mechanisms)]


def hill(half: np.ndarray, calcium: float) -> np.ndarray:
    """What multiplies the release probability at ``calcium`` (mM): a Hill curve of order 4 that is 1 at 2 mM.

    half: ``u_hill_coefficient``, where the curve is half its height, mM (Markram et al. 2015; neurodamus).
    """
    fourth = half**4
    return (fourth + 16.0) / 16.0 * calcium**4 / (fourth + calcium**4)


def seed_gids(network: Network) -> dict[str, int]:
    """What neurodamus calls the first cell of every population when it seeds synapses.

    Numbers begin with 1; populations come in alphabetical order, each from the next multiple of 1000 on.
    """
    found, begin = {}, 0
    for name in sorted(network.populations):
        found[name] = begin + 1
        begin = -(-(begin + network.populations[name].size) // 1000) * 1000
    return found


def population_number(name: str) -> int:
    """The 12-bit number of a population in seeds (neurodamus ``connection_manager.py``)."""
    digest = hashlib.md5(name.encode(), usedforsecurity=False).digest()
    return ((digest[1] & 0x0F) << 8) + digest[0]


def _numbered(target: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Which edge of its target each one is; ``seen`` counts those of earlier blocks, and is brought up to date."""
    order = np.argsort(target, kind="stable")
    ordered = target[order]
    begins = np.flatnonzero(np.diff(ordered, prepend=-1))
    lengths = np.diff(begins, append=len(ordered))
    number = np.empty(len(target), dtype=np.int64)
    number[order] = np.arange(len(ordered)) - np.repeat(begins, lengths) + seen[ordered]
    seen[ordered[begins]] += lengths
    return number


def _stated(rows: Mapping[str, np.ndarray], name: str, default: float) -> np.ndarray:
    """A column as float64, ``default`` where it is not stated."""
    if name not in rows:
        return np.full(len(rows["source"]), default)
    return np.ma.filled(np.ma.asarray(rows[name], dtype=np.float64), default)


def _either(rows: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    """A column that may stand as a parameter or as an extra one."""
    return _stated(rows, PARAMETER + name if PARAMETER + name in rows else name, np.nan)


def _replacement_columns(have: set[str]) -> list[str]:
    wanted = [column for _, columns in _REPLACEMENTS.values() for column in columns]
    return [name for column in wanted for name in (PARAMETER + column, column) if name in have]
