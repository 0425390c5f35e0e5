"""What lowering makes of OBI projections, templates and overrides, as plain numbers; no simulator is asked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.errors import GraphError, PlanError
from pynn_io.graph.columns import Column
from pynn_io.graph.network import Network, Projection
from pynn_io.lowering.cables.models import SynapseBlock
from pynn_io.report import Report
from pynn_io.runners.neuron import NeuronRunner
from pynn_io.runners.neuron.obi_synapses import _numbered, hill, population_number, seed_gids
from pynn_io.runners.neuron.templates import template_files
from pynn_io.simulation_plan.plan import Assignment, ConnectionOverride
from tests.runners.obi_cases import FOLDER, QUIET, STEP, network, plan

NAME = "left__left__chemical"


def with_columns(**columns: Any) -> Network:
    """The circuit with other edge columns in one projection; None drops one."""
    here = network()
    projection = here.projections[NAME]
    made = {name: None if values is None else Column(np.asarray(values)) for name, values in columns.items()}
    edges = replace(projection.edges, columns=projection.edges.columns.updated(made))
    return replace(here, projections={**here.projections, NAME: replace(projection, edges=edges)})


def block(where: Network, report: Report | None = None, **changes: Any) -> SynapseBlock:
    lowered = NeuronRunner().lower(where, plan(**changes), Report())
    item = next(item for item in lowered.connections if item.projection == NAME)
    return next(item.blocks(np.ones(lowered.size, dtype=bool), report or Report()))


def test_golden_block() -> None:
    """Edges of the fixture: 0-1 0-1 1-2 2-0 2-1 1-0; the third cell is inhibitory; populations in file order."""
    found = block(network())
    assert found.source.tolist() == [0, 0, 1, 2, 2, 1]
    assert found.target.tolist() == [1, 1, 2, 0, 1, 0]
    assert found.model.tolist() == [0, 0, 0, 1, 1, 0]
    np.testing.assert_allclose(found.weight, [3.0, 3.1, 3.2, 2.3, 2.4, 3.5], rtol=1e-6)
    np.testing.assert_allclose(found.delay, 0.5 + 0.25 * np.arange(6))
    np.testing.assert_array_equal(found.parameters["synapseID"], [0, 1, 0, 0, 2, 1])
    np.testing.assert_allclose(found.parameters["Use"], [0.46, 0.46, 0.46, 0.25, 0.25, 0.46], rtol=1e-6)
    np.testing.assert_allclose(found.parameters["tau_d_AMPA"], [1.7, 1.7, 1.7, np.nan, np.nan, 1.7], rtol=1e-6)
    np.testing.assert_allclose(found.parameters["GABAB_ratio"], [np.nan] * 3 + [0.3, 0.3, np.nan], rtol=1e-6)


def test_delays_are_rounded_down_to_steps_and_absent_ones_are_one_step() -> None:
    report = Report()
    found = block(with_columns(delay=[0.5, 0.51, 0.549, np.nan, 0.024, 1.0]), report)
    np.testing.assert_allclose(found.delay, [0.5, 0.5, 0.525, STEP, 0.0, 1.0], atol=1e-12)
    assert next(issue for issue in report if issue.code == "default-delay").count == 1


def test_places_by_segment_and_offset_where_no_position_is_stated() -> None:
    found = block(with_columns(afferent_section_pos=None))
    assert np.isnan(found.position).all()
    assert found.segment.tolist() == [0] * 6  # type: ignore[attr-defined]
    np.testing.assert_allclose(found.offset, 1.5)  # type: ignore[attr-defined]


def test_positions_stay_inside_their_section() -> None:
    found = block(with_columns(afferent_section_pos=[0.0, 1.0, 0.5, 0.5, 0.5, 0.5]))
    assert 0 < found.position[0] < 1e-6
    assert 1 - 1e-6 < found.position[1] < 1


def test_a_negative_number_of_vesicles_and_ratio_leave_the_mechanism_s_own() -> None:
    found = block(with_columns(n_rrp_vesicles=[-1, 2, 2, 2, 2, 2], conductance_scale_factor=[-1.0, 0.7, 1, 1, 1, 1]))
    assert np.isnan(found.parameters["Nrrp"][0]) and found.parameters["Nrrp"][1] == 2
    assert np.isnan(found.parameters["NMDA_ratio"][0])


def test_missing_columns_are_named() -> None:
    with pytest.raises(GraphError, match=r"need the columns u_syn, decay_time"):
        block(with_columns(u_syn=None, decay_time=None))


def test_exponential_synapses_in_the_place_of_release_ones() -> None:
    there = with_columns(tau1=np.full(6, 0.4), tau2=np.full(6, 3.0), erev=np.full(6, -5.0))
    override = ConnectionOverride("plain", "Left", {"population": "left", "node_id": [1]}, mod_override="Exp2Syn")
    found = block(there, overrides=(QUIET, override))
    assert found.model.tolist() == [2, 2, 0, 1, 2, 0]
    np.testing.assert_array_equal(found.parameters["e"], [-5, -5, np.nan, np.nan, -5, np.nan])
    assert np.isnan(found.parameters["Use"][[0, 1, 4]]).all()


def test_later_overrides_replace_what_they_state_and_nothing_else() -> None:
    overrides = (
        ConnectionOverride("all", "all", "all", weight=2.0, synapse_delay=3.0),
        ConnectionOverride("some", "Left", {"population": "left", "node_id": [1]}, weight=0.5),
    )
    found = block(network(), overrides=overrides)
    np.testing.assert_allclose(found.weight, [1.5, 1.55, 6.4, 4.6, 1.2, 7.0], rtol=1e-6)
    np.testing.assert_allclose(found.delay, 3.0)


def test_an_override_that_changes_a_global_variable_by_a_factor_is_refused() -> None:
    wrong = ConnectionOverride("odd", "Left", "Left", configure=(Assignment("", "e_NMDA_ProbAMPANMDA_EMS", 2.0, "*="),))
    with pytest.raises(PlanError, match=r"'odd' changes a global variable.*only = is possible"):
        NeuronRunner().lower(network(), plan(overrides=(wrong,)), Report())


def test_what_overrides_state_in_vain_is_reported() -> None:
    report = Report()
    vain = (
        ConnectionOverride("late", "Left", "Left", weight=0.1, delay=5.0, spont_minis=1.0),
        ConnectionOverride("modulated", "Left", "Left", parameters={"neuromodulation_dtc": 75.0}),
    )
    NeuronRunner().lower(network(), plan(overrides=vain), report)
    assert {"delayed-override", "neuromodulation"} <= report.codes()


def test_an_override_between_unknown_sets_is_named() -> None:
    with pytest.raises(PlanError, match="'Nobody'"):
        NeuronRunner().lower(network(), plan(overrides=(ConnectionOverride("x", "Nobody", "all"),)), Report())


def test_gap_junction_halves_without_a_counterpart_are_refused() -> None:
    here = network()
    projection: Projection = here.projections["left__left__electrical"]
    columns = projection.edges.columns.updated({"efferent_junction_id": Column(np.array([1, 0, 3, 9]))})
    broken = replace(projection, edges=replace(projection.edges, columns=columns))
    here = replace(here, projections={**here.projections, projection.name: broken})
    with pytest.raises(GraphError, match=r"1 gap junction halves see a site(?s:.)*junction id 9"):
        NeuronRunner().lower(here, plan(), Report())


def test_gap_junctions_with_cells_that_do_not_run_are_reported() -> None:
    report = Report()
    some = {"population": "left", "node_id": [0, 1]}
    lowered = NeuronRunner().lower(network(), plan(node_set=some), report)
    assert lowered.junctions[0].gids.tolist() == [0, 1]
    assert next(issue for issue in report if issue.code == "gap-junction").count == 2
    np.testing.assert_allclose(lowered.junctions[0].conductances, 0.2e-3, rtol=1e-6)


@given(st.lists(st.integers(0, 4), min_size=0, max_size=40), st.integers(0, 40))
def test_synapses_are_numbered_a_cell_in_the_order_of_the_file_over_blocks(targets: list[int], cut: int) -> None:
    seen = np.zeros(5, dtype=np.int64)
    array = np.array(targets, dtype=np.int64)
    found = np.concatenate([_numbered(part, seen) for part in np.split(array, [min(cut, len(array))])])
    expected = [targets[:k].count(target) for k, target in enumerate(targets)]
    assert found.tolist() == expected


def test_release_probability_is_that_of_the_file_at_two_millimolar() -> None:
    half = np.array([1.94, 2.79, 5.0])
    np.testing.assert_allclose(hill(half, 2.0), 1.0)
    assert (np.diff(hill(np.array([2.79]), 1.2)) == 0).all() and hill(np.array([2.79]), 1.2)[0] < 0.3


def test_numbers_in_seeds() -> None:
    """Populations from multiples of 1000 on in alphabetical order; 12 bits of the MD5 of the name (811882...)."""
    assert seed_gids(network()) == {"drivers": 1, "left": 1001, "right": 2001}
    assert population_number("left") == ((0x18 & 0x0F) << 8) + 0x81


def test_folders_of_templates_and_morphologies() -> None:
    files = template_files(network())["left"]
    components = FOLDER / "components"
    assert files.models == (components / "hoc",)
    assert files.morphologies == (components / "morphologies" / "asc", components / "morphologies" / "swc")
    assert files.mechanisms == (components / "mod",)
    assert template_files(Network()) == {}
    assert isinstance(files.models[0], Path)
