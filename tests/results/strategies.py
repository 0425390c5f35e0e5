"""Results that hypothesis makes up: any order, silent cells, odd names, huge ids, reports of point and cable cells."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pynn_io.results import Results, Spikes, Trace, sorted_spikes

NAMES = st.sampled_from(["v1", "L2/3E", "50%", "pop with space", "µ-cells", ".", "a:b", "unnamed"])
IDS = st.integers(min_value=0, max_value=2**40)
TIMES = st.floats(min_value=0, max_value=1e6, allow_nan=False).map(lambda time: time + 0.0)
#: Times of a grid: NWB's seconds round others, and what differed in the last digit may come in another order.
GRID = st.integers(0, 10**7).map(lambda step: step * 0.1)


@st.composite
def spikes(draw: st.DrawFn, name: str, times: st.SearchStrategy):
    size = draw(st.integers(0, 12))
    ids = draw(hnp.arrays(np.int64, size, elements=IDS))
    return sorted_spikes(name, ids, draw(hnp.arrays(np.float64, size, elements=times)))


@st.composite
def traces(draw: st.DrawFn, report: str, population: str):
    nodes = draw(st.lists(IDS, min_size=1, max_size=4, unique=True))
    counts = [draw(st.integers(1, 3)) for _ in nodes]
    ids = np.repeat(np.array(nodes, dtype=np.int64), counts)
    rows = draw(st.integers(0, 5))
    values = hnp.arrays(np.float32, (rows, len(ids)), elements=st.floats(-1e6, 1e6, width=32))
    cable = draw(st.booleans())
    return Trace(
        report=report,
        population=population,
        variable=draw(st.sampled_from(["v", "cai", ""])),
        unit=draw(st.sampled_from(["mV", "mM", ""])),
        data=draw(values),
        node_ids=ids,
        start=draw(st.sampled_from([0.0, 0.1, 250.0])),
        interval=draw(st.sampled_from([0.1, 0.025, 1.0])),
        section_ids=draw(hnp.arrays(np.int64, len(ids), elements=st.integers(0, 500))) if cable else None,
        section_pos=draw(hnp.arrays(np.float64, len(ids), elements=st.floats(0, 1))) if cable else None,
        section_order=draw(st.sampled_from(["specification", "axon_replaced"])),
    )


@st.composite
def results(draw: st.DrawFn, times: st.SearchStrategy = TIMES) -> Results:
    names = draw(st.lists(NAMES, unique=True, max_size=3))
    nodes = {name: np.array(sorted(draw(st.sets(IDS, max_size=5))), dtype=np.int64) for name in names}
    recorded = [draw(traces(report, name)) for name in names for report in draw(st.sets(st.sampled_from(["v", "a/b"])))]
    return Results(
        spikes={name: draw(spikes(name, times)) for name in names},
        traces=tuple(recorded),
        nodes=nodes,
        duration=draw(st.none() | st.just(100.5)),
        provenance=draw(st.sampled_from([{}, {"backend": "nest", "seeds": {"all": 1}, "note": None, "list": [1]}])),
    )


def same_columns(trace: Trace) -> list[tuple]:
    """The columns of a trace in the order of nodes, for a format that regroups them."""
    order = np.argsort(trace.node_ids, kind="stable")
    place = (
        [None] * len(order)
        if trace.section_ids is None
        else [(int(trace.section_ids[k]), float(trace.section_pos[k])) for k in order]
    )
    return [(int(trace.node_ids[k]), where, trace.data[:, k].tolist()) for k, where in zip(order, place, strict=True)]


def assert_same(found: Results, expected: Results, rtol: float = 0) -> None:
    """Everything equal, spike times within ``rtol``; traces in any order, columns up to regrouping by node."""
    assert {*found.spikes, *found.nodes} == {*expected.spikes, *expected.nodes}
    for name, spikes in found.spikes.items():
        other = expected.spikes.get(name, Spikes(name, np.empty(0, np.int64), np.empty(0)))
        assert spikes.population == name
        np.testing.assert_allclose(spikes.times, other.times, rtol=rtol, atol=0)
        np.testing.assert_array_equal(spikes.node_ids, other.node_ids)
    assert found.spike_count == expected.spike_count
    assert {name: ids.tolist() for name, ids in found.nodes.items()} == {
        name: ids.tolist() for name, ids in expected.nodes.items()
    }
    assert (found.duration, found.level, found.provenance) == (expected.duration, expected.level, expected.provenance)
    assert len(found.traces) == len(expected.traces)
    others = {(trace.report, trace.population, trace.variable): trace for trace in found.traces}
    for trace in expected.traces:
        other = others[trace.report, trace.population, trace.variable]
        fields = ("unit", "start", "interval", "section_order")
        assert [getattr(other, name) for name in fields] == [getattr(trace, name) for name in fields]
        assert same_columns(other) == same_columns(trace)
