"""Every channel, pool, synapse, source and point cell of real models: it flattens, and computes finite numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pynn_io import Report
from pynn_io.importers.neuroml import read
from pynn_io.lowering.dynamics import flatten
from pynn_io.lowering.systems import pruned
from pynn_io.lowering.types import components_of, types_of
from tests.dynamics.reference import Model

DATA = Path(__file__).parents[3] / "shared" / "data" / "neuroml"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.is_dir(), reason="no models in ../shared/data/neuroml"),
]
#: A moment at which no rate is 0/0.
MOMENT = {"v": -61.37, "temperature": 300.0, "caConc": 1e-4, "caConcExt": 2.0, "vpeer": -50.0, "vShift": 0.0}


def documents() -> list[Path]:
    """Files of channels, synapses and cells; networks refer to them."""
    found = [path for path in DATA.rglob("*.nml") if not path.name.endswith(".net.nml")]
    return sorted(path for path in found if path.stat().st_size < 200_000)


def test_they_all_flatten_and_compute() -> None:
    seen: set[str] = set()
    for path in documents():
        network = read(path, Report()).network
        types, references = types_of(network), components_of(network)
        for each in references.values():
            if repr(each) in seen:
                continue
            seen.add(repr(each))
            flat = flatten(each, types, references)
            less = pruned(flat, flat.gives)
            given = {name: MOMENT.get(name, 1.0) for name in flat.needs}
            whole, part = (_given(Model(one, given)) for one in (flat, less))
            assert np.isfinite(list(whole.values())).all(), (path.name, each.id)
            assert part == pytest.approx(whole)
    assert len(seen) > 100


def _given(model: Model) -> dict[str, float]:
    """What it gives at the start, at which nothing changes infinitely fast."""
    with np.errstate(all="ignore"):
        names = model.names(1.0, model.start())
        assert all(np.isfinite(rate) for rate in model.rates(names).values())
    return {name: names[name] for name in model.dynamics.gives}
