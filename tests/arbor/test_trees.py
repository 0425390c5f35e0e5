"""Arbor's segment tree of a cell: branches and control volumes as Arbor itself numbers them."""

from __future__ import annotations

import numpy as np
import pytest

from pynn_io.lowering.segment_shape import Geometry
from pynn_io.runners.arbor.catalogues import MECHANISMS, PREFIXES
from pynn_io.runners.arbor.trees import Tree, tree


def geometry() -> Geometry:
    """A soma of 20 um along x; two dendrites of 30 um in its middle, one of 10 um at its end that two of 20 go on."""
    ends = [(-10, 0, 10, 0), (0, 0, 0, 30), (0, 0, 0, -30), (10, 0, 20, 0), (20, 0, 40, 0), (20, 0, 20, 20)]
    points = np.array([[(a, b, 0.0, 2.0), (c, d, 0.0, 2.0)] for a, b, c, d in ends], dtype=np.float64).reshape(-1, 4)
    size = len(ends)
    return Geometry(
        "specification",
        ("soma[0]", *(f"dend[{k}]" for k in range(size - 1))),
        np.array([1, 3, 3, 3, 3, 3]),
        np.array([-1, 0, 0, 0, 3, 3]),
        np.array([0.0, 0.5, 0.5, 1.0, 1.0, 1.0]),
        points,
        np.arange(0, 2 * size + 1, 2),
        np.array([20.0, 30.0, 30.0, 10.0, 20.0, 20.0]),
        np.full(size, np.nan),
    )


COUNT = np.array([1, 3, 1, 1, 1, 5])


def made() -> Tree:
    return tree(geometry(), COUNT, geometry().tag)


def test_places_on_branches():
    """The soma is two branches of 10 um; its second half and what goes on at its end, 10 um long, are one."""
    found = made()
    branch, position = found.locate(np.array([0, 0, 1, 3]), np.array([0.25, 0.5, 0.5, 0.5]))
    assert position[:3].tolist() == pytest.approx([0.5, 1.0, 0.5])
    assert branch[0] == branch[1] == 0 and branch[2] != 0
    assert position[3] == pytest.approx(0.75)  # 10 of the soma and 5 of the dendrite, of 20 um


def test_middles_of_control_volumes():
    assert made().centre(np.array([1, 1, 5, 0]), np.array([0.0, 1.0, 0.41, 0.9])).tolist() == pytest.approx(
        [1 / 6, 5 / 6, 0.5, 0.5]
    )


def test_branches_and_volumes_are_arbors():
    """Arbor has as many volumes with membrane as the sections have compartments; branch by branch as we number them."""
    arbor = pytest.importorskip("arbor")
    found = made()
    segments = arbor.segment_tree()
    for number, (parent, near, far) in enumerate(
        zip(found.parent.tolist(), found.proximal.tolist(), found.distal.tolist(), strict=True)
    ):
        above = arbor.mnpos if parent < 0 else parent
        segments.append(above, arbor.mpoint(*near), arbor.mpoint(*far), number)
    morphology = arbor.morphology(segments)
    own = {each.tag: branch for branch in range(morphology.num_branches) for each in morphology.branch_segments(branch)}
    assert [own[number] for number in range(found.size)] == found.branch.tolist()
    ends = " ".join(f"(location {int(branch)} {at!r})" for branch, at in found.boundaries.tolist())
    policy = arbor.cv_policy_explicit(f"(join {ends})")
    data = arbor.cv_data(arbor.cable_cell(morphology, arbor.decor(), None, policy))
    volumes = [data.cables(k) for k in range(data.num_cv)]
    assert sum(any(cable.dist > cable.prox for cable in cables) for cables in volumes) == COUNT.sum()


@pytest.mark.parametrize("known", MECHANISMS, ids=lambda known: known.full_name)
def test_catalogues_have_what_the_table_says(known):
    arbor = pytest.importorskip("arbor")
    assert set(PREFIXES) >= {known.catalogue}
    info = getattr(arbor, f"{known.catalogue}_catalogue")()[known.name]
    assert set(known.ranges) == set(info.parameters)
    assert set(known.globals) == set(info.globals)
    assert {ion for ion, item in info.ions.items() if item.write_int_con} == set(known.writes.split())
    assert set(known.reads) == set(info.ions) - set(known.writes.split())
