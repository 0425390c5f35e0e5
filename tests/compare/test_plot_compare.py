"""The picture of a comparison: that it is drawn for every kind, and that what it shows is what was compared."""

import sys

import numpy as np
import pytest

from pynn_io.errors import BackendUnavailable, WriteError
from pynn_io.results import Results
from pynn_io.results.compare import Ensembles, Options, compare
from pynn_io.show.plot_compare import COLOURS, draw_comparison
from tests.compare.made import renewal, results, spikes, trace

pytest.importorskip("matplotlib")

RAMP = np.linspace(-70.0, -60.0, 200)
CASES = {
    "equal": (results((1, 5.0), (2, 9.0)), results((1, 5.0), (2, 9.0)), Options()),
    "parted": (results((1, 5.0), (2, 9.0)), results((1, 5.0), (2, 19.0), (7, 4.0)), Options()),
    "silent": (results((1, 5.0)), results(), Options(allow_empty=True)),
    "nothing": (results(), results(), Options()),
    "traces": (
        Results({"e": spikes((0, 20.0))}, traces=(trace(RAMP),)),
        Results({"e": spikes((0, 90.0))}, traces=(trace(RAMP + 3.0),)),
        Options(),
    ),
    "no common trace": (
        Results({"e": spikes((0, 20.0))}, traces=(trace(RAMP),)),
        Results({"e": spikes((0, 20.0))}, traces=(trace(RAMP, unit="nA"),)),
        Options(),
    ),
    "statistical": (
        renewal(20, cells=40, duration=1500.0),
        renewal(21, cells=40, duration=1500.0),
        Options(ensembles=Ensembles(tuple(renewal(seed, cells=40, duration=1500.0) for seed in range(30, 35)))),
    ),
    "renamed": (results((1, 5.0)), results((1, 6.5), population="lgn"), Options(rename={"e": "lgn"})),
}


@pytest.mark.parametrize("name", CASES)
def test_every_comparison_can_be_drawn(tmp_path, name):
    a, b, options = CASES[name]
    found = compare(a, b, options)
    path = tmp_path / "x.png"
    draw_comparison(a, b, found, options, path, names=("one/run", "another/run"))
    assert path.read_bytes().startswith(b"\x89PNG")


def drawn(name, monkeypatch, tmp_path):
    """The figure, taken before it is saved."""
    from matplotlib.figure import Figure

    figures = []
    monkeypatch.setattr(Figure, "savefig", lambda figure, *_, **__: figures.append(figure))
    a, b, options = CASES[name]
    draw_comparison(a, b, compare(a, b, options), options, tmp_path / "x.png")
    return figures[0].subfigs


def test_spikes_without_a_partner_have_the_colour_of_their_result(monkeypatch, tmp_path):
    from matplotlib.colors import to_hex

    raster = drawn("parted", monkeypatch, tmp_path)[0].axes[0]
    points = raster.collections[0]
    shown = {
        (*place, to_hex(colour).upper())
        for place, colour in zip(points.get_offsets().tolist(), points.get_facecolors(), strict=True)
    }
    assert shown == {(9.0, 2.0, COLOURS[0]), (19.0, 2.0, COLOURS[1]), (4.0, 7.0, COLOURS[1])}
    assert raster.lines[0].get_xydata().tolist() == [[5.0, 1.0]]


def test_the_difference_of_traces_is_drawn(monkeypatch, tmp_path):
    axes = drawn("traces", monkeypatch, tmp_path)[1].axes
    assert np.allclose(axes[2].lines[0].get_ydata(), 3.0)
    assert axes[1].lines[0].get_xdata()[0] == 0.0  # 60 ms before the divergence at 20 ms, or from the start
    assert "cell 0" in axes[0].get_title(loc="left")


def test_a_picture_that_cannot_be_written(tmp_path):
    a, b, options = CASES["equal"]
    (tmp_path / "x.png").mkdir()
    with pytest.raises(WriteError, match="cannot be written"):
        draw_comparison(a, b, compare(a, b), options, tmp_path / "x.png")


def test_without_matplotlib(tmp_path, monkeypatch):
    a, b, options = CASES["equal"]
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(BackendUnavailable, match="pip install 'pynn_io\\[plot\\]'"):
        draw_comparison(a, b, compare(a, b), options, tmp_path / "x.png")
