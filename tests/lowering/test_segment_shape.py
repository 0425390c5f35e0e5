"""Where segments lie on sections."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pynn_io.graph.segments import GroupNotes, Morphology
from pynn_io.lowering.segment_shape import UNBRANCHED, segment_shape

LENGTHS = st.lists(st.floats(0.01, 500.0), min_size=1, max_size=12)


def _line(lengths: list[float]) -> Morphology:
    """Segments in a row, one section, and one more that begins at its end."""
    ends = np.concatenate([[0.0], np.cumsum([*lengths, 10.0])])
    near, far = ([[x, 0.0, 0.0, 1.0] for x in part] for part in (ends[:-1], ends[1:]))
    size = len(lengths) + 1
    return Morphology(
        name="line",
        id=np.arange(size),
        parent=np.arange(-1, size - 1),
        fraction_along=np.ones(size),
        proximal=np.array(near),
        distal=np.array(far),
        tag=np.full(size, 3),
        groups={"whole": np.arange(size - 1), "tip": np.array([size - 1])},
        notes={name: GroupNotes(ontology=UNBRANCHED) for name in ("whole", "tip")},
    )


@given(LENGTHS)
def test_what_begins_at_the_end_of_a_section_begins_at_1(lengths: list[float]) -> None:
    """NEURON puts what lies at 0.9999999999999999 into the middle of the last compartment."""
    shape = segment_shape(_line(lengths))
    assert shape.geometry.at.tolist() == [0.0, 1.0]
    _, at = shape.place(np.array([len(lengths) - 1]), np.array([1.0]))
    assert at.tolist() == [1.0]


@given(LENGTHS)
def test_segments_lie_one_behind_the_other(lengths: list[float]) -> None:
    shape = segment_shape(_line(lengths))
    begin, end = shape.begin[: len(lengths)], shape.end[: len(lengths)]
    assert begin[0] == 0.0 and end[-1] == 1.0
    assert np.array_equal(begin[1:], end[:-1])
    np.testing.assert_allclose((end - begin) * sum(lengths), lengths, rtol=1e-9, atol=1e-9)
