"""Extra measures by name: small numbers by hand, and the packages behind them."""

import numpy as np
import pytest

from pynn_io import optional
from pynn_io.errors import BackendUnavailable, FormatError
from pynn_io.results import Results
from pynn_io.results.compare.measures import measure
from tests.compare.made import results, trace

ALWAYS = (-np.inf, np.inf)


def one(a, b, name):
    found = measure(a, b, [name], ALWAYS)
    assert len(found) == 1
    return found[0]


def test_victor_purpura_by_hand():
    pytest.importorskip("elephant")
    # cell 1: 2 ms at 0.1 a ms, and one spike removed; cell 2 equal
    a, b = results((1, 10.0), (1, 20.0), (2, 5.0)), results((1, 12.0), (2, 5.0))
    found = one(a, b, "victor-purpura")
    assert (found.count, found.worst_node) == (2, 1)
    assert (found.worst, found.difference) == (pytest.approx(1.2), pytest.approx(0.6))
    assert one(a, b, "victor-purpura:0.5").worst == pytest.approx(2.0)  # 2 ms at 0.5, and one removed


def test_trains_that_are_equal():
    pytest.importorskip("elephant")
    a = results((1, 10.0), (1, 20.0), (2, 5.0))
    assert one(a, a, "van-rossum").worst == pytest.approx(0.0, abs=1e-6)
    assert one(a, a, "sttc").worst == pytest.approx(1.0)


def test_features_of_traces():
    pytest.importorskip("efel")
    times = np.arange(0, 200, 0.1)
    spikes = 100 * np.exp(-((((times % 50) - 25) / 0.5) ** 2))
    a = Results(traces=(trace(-65 + spikes, interval=0.1),))
    b = Results(traces=(trace(-65 + 0.8 * spikes, interval=0.1),))
    found = one(a, b, "efel:peak_voltage")
    assert found.values == (pytest.approx(35.0, abs=0.5), pytest.approx(15.0, abs=0.5))
    assert found.difference == pytest.approx(20.0, abs=0.5)
    assert one(a, b, "efel:Spikecount").difference == 0.0


@pytest.mark.parametrize("name", ["beauty", "van-rossum:0", "van-rossum:x", "sttc:nan", "efel:beauty"])
def test_names_that_are_none(name):
    pytest.importorskip("efel")
    a = Results(results((1, 5.0)).spikes, traces=(trace(np.zeros(5)),))
    with pytest.raises(FormatError, match=r"beauty|not a positive number"):
        measure(a, a, [name], ALWAYS)


@pytest.mark.parametrize(("name", "package"), [("sttc", "elephant"), ("efel:AP_amplitude", "efel")])
def test_a_package_that_is_missing(monkeypatch, name, package):
    def nothing(module):
        raise ModuleNotFoundError(f"No module named {module!r}", name=package)

    # unloading packages of C code, to find them missing, crashes the process now and then
    monkeypatch.setattr(optional, "import_module", nothing)
    a = Results(results((1, 5.0)).spikes, traces=(trace(np.zeros(5)),))
    with pytest.raises(BackendUnavailable, match="pip install 'pynn_io\\[compare\\]'"):
        measure(a, a, [name], ALWAYS)
