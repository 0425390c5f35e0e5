"""Files that nir itself wrote: every primitive, against numbers by hand and SciPy's correlation; what is refused."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy import signal

from pynn_io.cli.convert import main
from pynn_io.document import Document
from pynn_io.errors import ReadError, UnsupportedInput
from pynn_io.graph import SpikeSource
from pynn_io.pipeline import read, write
from pynn_io.report import Kind, Report
from tests.nir.nets import current_based

nir = pytest.importorskip("nir")


def lif(*shape: int, **changes: float) -> nir.LIF:
    values = {"tau": 20.0, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "v_reset": -0.5, **changes}
    return nir.LIF(**{name: np.full(shape, value) for name, value in values.items()})


def cuba(size: int, **changes: float) -> nir.CubaLIF:
    values = {"tau_syn": 5.0, "tau_mem": 20.0, "r": 2.0, "v_leak": 0.0, "v_threshold": 1.0, "w_in": 1.0, **changes}
    return nir.CubaLIF(**{name: np.full(size, value) for name, value in values.items()})


def chain(*nodes: nir.NIRNode) -> nir.NIRGraph:
    return nir.NIRGraph.from_list(*nodes)


def imported(graph: nir.NIRGraph, folder: Path, report: Report | None = None, **options: object) -> Document:
    path = folder / "net.nir"
    nir.write(path, graph)
    return read(path, report=report, **options)


def matrix(document: Document, name: str) -> np.ndarray:
    """The weights of a projection as a dense matrix (targets, sources)."""
    network = document.network
    projection = network.projections[name]
    edges = projection.edges
    made = np.zeros((network.populations[projection.post].size, network.populations[projection.pre].size))
    np.add.at(made, (edges.target.read(edges.size), edges.source.read(edges.size)), edges.columns.read("weight"))
    return made


def only(document: Document) -> np.ndarray:
    (name,) = document.network.projections
    return matrix(document, name)


def codes(report: Report, kind: Kind) -> set[str]:
    return {issue.code for issue in report.of_kind(kind)}


# --- neurons ------------------------------------------------------------------------------------------------------


def test_lif_is_if_curr_delta(tmp_path: Path) -> None:
    report = Report()
    weight = np.array([[1.0, 0.0], [3.0, -2.0], [0.0, 4.0]])
    document = imported(chain(nir.Affine(weight, np.array([0.0, 0.1, 0.2])), lif(3)), tmp_path, report)
    network = document.network
    cell = network.cells["lif"]
    assert cell.model == "IF_curr_delta"
    expected = {"tau_m": 20.0, "cm": 10.0, "v_rest": 0.0, "v_thresh": 1.0, "v_reset": -0.5, "tau_refrac": 0.0, "v": 0.0}
    assert cell.parameters == expected
    assert network.populations["lif"].column("parameters:i_offset").read(3).tolist() == [0.0, 0.1, 0.2]
    # An impulse of 1 onto a LIF: R W / tau = 2 * 1 / 20 mV.
    np.testing.assert_allclose(matrix(document, "affine"), weight / 10.0)
    assert network.cells["input"] == SpikeSource()
    assert network.node_sets == {"output": {"population": ["lif"]}}
    assert codes(report, Kind.DEFAULTED) == {"time-unit", "spike-strength", "initial-potential"}
    assert report.refusals() == []


def test_cuba_lif_is_if_curr_exp(tmp_path: Path) -> None:
    report = Report()
    graph = chain(nir.Affine(np.array([[3.0]]), np.array([0.25])), cuba(1, w_in=2.0))
    document = imported(graph, tmp_path, report)
    cell = document.network.cells["cubalif"]
    assert cell.model == "IF_curr_exp"
    assert cell.parameters["tau_syn_E"] == cell.parameters["tau_syn_I"] == 5.0
    assert cell.parameters["v_reset"] == 0.0
    # The current that a bias comes to is w_in b; an impulse makes it jump by w_in W / tau_syn.
    assert cell.parameters["i_offset"] == 0.5
    np.testing.assert_allclose(only(document), [[3.0 * 2.0 / 5.0]])
    assert codes(report, Kind.APPROXIMATED) == {"filtered-bias"}


def test_a_neuron_without_a_leak_gets_one_of_no_effect(tmp_path: Path) -> None:
    report = Report()
    graph = chain(nir.Linear(np.array([[0.25]])), nir.IF(np.array([2.0]), np.array([1.0])))
    document = imported(graph, tmp_path, report)
    cell = document.network.cells["if"]
    assert cell.parameters["tau_m"] == 1e9
    # dv/dt = R I = I / cm
    assert cell.parameters["cm"] == 0.5
    assert only(document) == [[0.5]]
    assert codes(report, Kind.APPROXIMATED) == {"no-leak"}


@pytest.mark.parametrize(
    ("node", "model"),
    [
        (nir.LI(*(np.full(1, value) for value in (20.0, 2.0, 0.0))), "IF_curr_delta"),
        (nir.CubaLI(*(np.full(1, value) for value in (5.0, 20.0, 2.0, 0.0))), "IF_curr_exp"),
        (nir.I(np.full(1, 2.0)), "IF_curr_delta"),
    ],
)
def test_integrators_never_spike(node: nir.NIRNode, model: str, tmp_path: Path) -> None:
    report = Report()
    document = imported(chain(nir.Linear(np.array([[1.0]])), node), tmp_path, report)
    (cell,) = (cell for cell in document.network.cells.values() if not isinstance(cell, SpikeSource))
    assert (cell.model, cell.parameters["v_thresh"]) == (model, 1e9)
    assert "non-spiking" in codes(report, Kind.EXPANDED)


def test_potentials_that_go_on_to_other_nodes_are_not_imported(tmp_path: Path) -> None:
    node = nir.LI(*(np.full(1, value) for value in (20.0, 2.0, 0.0)))
    with pytest.raises(UnsupportedInput, match=r"'li' \(LI\) passes a potential on") as caught:
        imported(chain(nir.Linear(np.array([[1.0]])), node, nir.Linear(np.array([[1.0]])), lif(1)), tmp_path)
    assert caught.value.where.endswith("net.nir:/node/nodes/li")


def test_a_threshold_of_its_own_is_not_imported(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedInput, match="Threshold acts on a signal that is not one of neurons"):
        imported(chain(nir.Linear(np.eye(2)), nir.Threshold(np.ones(2)), lif(2)), tmp_path)


# --- linear nodes -------------------------------------------------------------------------------------------------


def test_linear_nodes_in_a_row_are_one_connection(tmp_path: Path) -> None:
    first, second = np.arange(6.0).reshape(2, 3), np.array([[1.0, 2.0], [0.0, -1.0]])
    scale = np.array([2.0, 3.0])
    nodes = nir.Affine(first, np.ones(2)), nir.Scale(scale), nir.Affine(second, np.array([5.0, 7.0])), lif(2)
    document = imported(chain(*nodes), tmp_path)
    assert list(document.network.projections) == ["affine_1"]
    np.testing.assert_allclose(only(document), second @ np.diag(scale) @ first / 10.0)
    offsets = document.network.populations["lif"].column("parameters:i_offset").read(2)
    np.testing.assert_allclose(offsets, second @ (scale * 1.0) + [5.0, 7.0])


def test_delays_of_channels_and_in_a_row(tmp_path: Path) -> None:
    weight = np.array([[1.0, 2.0, 3.0]])
    delays = nir.Delay(np.array([1.0, 2.0, 1.0])), nir.Delay(np.array([0.5, 0.5, 0.5]))
    document = imported(chain(*delays, nir.Linear(weight), lif(1)), tmp_path)
    edges = document.network.projections["linear"].edges
    found = dict(zip(edges.source.read(3).tolist(), edges.columns.read("delay").tolist(), strict=True))
    assert found == {0: 1.5, 1: 2.5, 2: 1.5}
    np.testing.assert_allclose(only(document), weight / 10.0)
    assert edges.columns["delay"].unit == "ms"


def test_one_delay_is_stated_once_and_none_not_at_all(tmp_path: Path) -> None:
    nodes = {"input": nir.Input(np.array([2])), "d": nir.Delay(np.full(2, 3.0)), "w": nir.Linear(np.eye(2))}
    nodes |= {"cells": lif(2), "back": nir.Linear(np.eye(2)), "output": nir.Output(np.array([2]))}
    edges = [("input", "d"), ("d", "w"), ("w", "cells"), ("cells", "back"), ("back", "cells"), ("cells", "output")]
    projections = imported(nir.NIRGraph(nodes, edges), tmp_path).network.projections
    assert projections["w"].types["delay"].value == 3.0
    assert "delay" not in projections["back"].types
    assert "delay" not in projections["back"].edges.columns


def test_edges_without_a_matrix_are_one_to_one(tmp_path: Path) -> None:
    document = imported(chain(nir.Input(np.array([2])), lif(2), cuba(2)), tmp_path)
    assert set(document.network.projections) == {"input_to_lif", "lif_to_cubalif"}
    np.testing.assert_allclose(matrix(document, "lif_to_cubalif"), np.eye(2) / 5.0)


@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (1, "same"), (1, "valid")])
def test_two_dimensional_convolutions(stride: int, padding: int | str, dilation: int, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    weight, bias = random.normal(size=(4, 2, 3, 2)), random.normal(size=4)
    graph = _convolving(nir.Conv2d((7, 6), weight, stride, padding, dilation, 1, bias), (2, 7, 6), dilation)
    document = imported(graph, tmp_path)
    image = random.normal(size=(2, 7, 6))
    expected = _correlated(image, weight, stride, padding, dilation)
    np.testing.assert_allclose(only(document) @ image.ravel() * 10.0, expected.ravel(), atol=1e-12)
    size = document.network.populations["cells"].size
    assert size == expected.size
    offsets = document.network.populations["cells"].column("parameters:i_offset").read(size)
    np.testing.assert_allclose(offsets, np.repeat(bias, size // 4))


def _convolving(node: nir.NIRNode, shape: tuple[int, ...], dilation: int = 1) -> nir.NIRGraph:
    """The node between an Input and cells. nir infers no shape for a kernel that is no square, so checks are off."""
    image = np.zeros(shape)
    if isinstance(node, nir.Conv2d):
        size = _correlated(image, node.weight, node.stride[0], node.padding, dilation).shape
    else:
        size = tuple(node.output_type["output"])
    nodes = {"input": nir.Input(np.array(shape)), "k": node, "cells": lif(*size), "output": nir.Output(np.array(size))}
    return nir.NIRGraph(nodes, [("input", "k"), ("k", "cells"), ("cells", "output")], type_check=False)


def _correlated(image: np.ndarray, weight: np.ndarray, stride: int, padding: object, dilation: int) -> np.ndarray:
    """As PyTorch's Conv2d, by SciPy: each output channel is a sum of correlations."""
    kernel = np.zeros((*weight.shape[:2], *(dilation * (size - 1) + 1 for size in weight.shape[2:])))
    kernel[:, :, ::dilation, ::dilation] = weight
    if padding == "same":
        whole = [size - 1 for size in kernel.shape[2:]]
        pads = [(total // 2, total - total // 2) for total in whole]
    else:
        pad = 0 if isinstance(padding, str) else np.broadcast_to(padding, 2)[0]
        pads = [(pad, pad)] * 2
    padded = np.pad(image, [(0, 0), *pads])
    sums = [sum(signal.correlate(padded[c], one[c], "valid") for c in range(len(image))) for one in kernel]
    return np.array(sums)[:, ::stride, ::stride]


def test_one_dimensional_convolution_in_groups(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    weight = random.normal(size=(4, 1, 3))
    nodes = {
        "input": nir.Input(np.array([2, 9])),
        "k": nir.Conv1d(9, weight, 2, 1, 1, 2, np.zeros(4)),
        "cells": lif(4, 5),
        "output": nir.Output(np.array([4, 5])),
    }
    graph = nir.NIRGraph(nodes, [("input", "k"), ("k", "cells"), ("cells", "output")], type_check=False)
    image = random.normal(size=(2, 9))
    padded = np.pad(image, [(0, 0), (1, 1)])
    expected = [signal.correlate(padded[channel // 2], weight[channel, 0], "valid")[::2] for channel in range(4)]
    report = Report()
    np.testing.assert_allclose(only(imported(graph, tmp_path, report)) @ image.ravel() * 10.0, np.ravel(expected))
    assert "grid" in codes(report, Kind.EXPANDED)


@pytest.mark.parametrize(("pool", "share"), [(nir.SumPool2d, 1.0), (nir.AvgPool2d, 0.25)])
def test_pooling_and_flattening(pool: type, share: float, tmp_path: Path) -> None:
    two = np.array([2, 2])
    nodes = {
        "input": nir.Input(np.array([3, 4, 6])),
        "pool": pool(two, two, np.array([0, 0])),
        "flat": nir.Flatten({"input": np.array([3, 2, 3])}, 0, -1),
        "cells": lif(18),
        "output": nir.Output(np.array([18])),
    }
    names = list(nodes)
    document = imported(nir.NIRGraph(nodes, list(pairwise(names))), tmp_path)
    image = np.random.default_rng(2).normal(size=(3, 4, 6))
    expected = image.reshape(3, 2, 2, 3, 2).sum(axis=(2, 4)) * share
    np.testing.assert_allclose(only(document) @ image.ravel() * 10.0, expected.ravel())


def test_graphs_in_graphs_are_unpacked(tmp_path: Path) -> None:
    """A recurrent layer as nirtorch writes it."""
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([2])), "lif": lif(2), "w_rec": nir.Linear(np.array([[0.0, 1.0], [2.0, 0.0]]))}
        | {"output": nir.Output(np.array([2]))},
        [("input", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "output")],
    )
    nodes = {"input": nir.Input(np.array([3])), "fc": nir.Linear(np.ones((2, 3))), "rnn": inner, "out": lif(2)}
    nodes |= {"output": nir.Output(np.array([2]))}
    edges = [("input", "fc"), ("fc", "rnn"), ("rnn", "out"), ("out", "output")]
    document = imported(nir.NIRGraph(nodes, edges), tmp_path)
    assert set(document.network.populations) == {"input", "rnn.lif", "out"}
    assert set(document.network.projections) == {"fc", "rnn.w_rec", "rnn.lif_to_out"}
    np.testing.assert_allclose(matrix(document, "rnn.w_rec"), [[0.0, 0.1], [0.2, 0.0]])


# --- time ---------------------------------------------------------------------------------------------------------


def seconds() -> nir.NIRGraph:
    """As those write that step by 0.1 ms and count in seconds: r = tau / dt, w_in = tau_syn / dt."""
    cells = cuba(1, tau_mem=0.02, tau_syn=0.005, r=200.0, w_in=50.0)
    return chain(nir.Delay(np.array([0.003])), nir.Linear(np.array([[0.5]])), cells)


def test_small_time_constants_are_seconds_and_said_to_be(tmp_path: Path) -> None:
    report = Report()
    document = imported(seconds(), tmp_path, report)
    assert document.network.cells["cubalif"].parameters["tau_m"] == 20.0
    assert document.network.projections["linear"].types["delay"].value == 3.0
    (issue,) = (issue for issue in report if issue.code == "time-unit")
    assert "0.02" in issue.message
    assert "taken to be s" in issue.message
    assert issue.kind == Kind.DEFAULTED


def test_time_unit_and_timestep_can_be_stated(tmp_path: Path) -> None:
    report = Report()
    document = imported(seconds(), tmp_path, report, time_unit="s", timestep=0.1)
    # A spike that is 1 for 0.1 ms: w_in W dt / tau_syn = W.
    np.testing.assert_allclose(only(document), [[0.5]])
    assert codes(report, Kind.DEFAULTED) == {"initial-potential"}
    other = imported(seconds(), tmp_path, time_unit="ms")
    assert other.network.cells["cubalif"].parameters["tau_m"] == 0.02


def test_time_unit_and_timestep_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    net, out = tmp_path / "net.nir", tmp_path / "out"
    nir.write(net, seconds())
    arguments = [str(net), str(out), "--to", "sonata", "--nir-time-unit", "s"]
    assert main([*arguments, "--nir-timestep", "0.1"]) == 0
    assert "time-unit" not in capsys.readouterr().err
    np.testing.assert_allclose(only(read(out)), [[0.5]])
    assert main([str(out), str(tmp_path / "again"), "--to", "nir", "--nir-timestep", "0.1"]) == 2
    assert "--nir-timestep is for NIR files, and" in capsys.readouterr().err


# --- metadata -----------------------------------------------------------------------------------------------------


def test_metadata_of_others_is_named_as_not_read(tmp_path: Path) -> None:
    report = Report()
    node = lif(1)
    node.metadata = {"colour": "red"}
    imported(chain(nir.Linear(np.eye(1)), node), tmp_path, report)
    (issue,) = report.of_kind(Kind.NOT_READ)
    assert (issue.code, issue.examples) == ("metadata", ["colour"])


def test_a_node_that_was_changed_counts_and_not_its_note(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write(current_based(), path, "nir")
    with h5py.File(path, "r+") as file:
        file["node/nodes/exc/tau_mem"][1] = 30.0
        file["node/nodes/drive/weight"][2, 1] = 9.0
    report = Report()
    network = read(path, report=report).network
    assert network.populations["exc"].column("parameters:tau_m").read(3).tolist() == [15.0, 30.0, 15.0]
    assert network.projections["drive"].edges.columns.read("weight")[-1] == 9.0
    (issue,) = (issue for issue in report if issue.code == "note")
    assert issue.kind == Kind.NOT_READ
    assert {"exc", "drive", "rec/urrent"} <= set(issue.examples)


@pytest.mark.parametrize("text", ["{", "[]", '{"version": 1, "cells": 3}', '{"version": 1, "cells": {}, "name": []}'])
def test_a_broken_note_is_left_alone(text: str, tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write(current_based(), path, "nir")
    with h5py.File(path, "r+") as file:
        held = file["node/nodes/exc/metadata"]
        del held["pynn_io"]
        held["pynn_io"] = text
    network = read(path).network
    assert network.cells["exc"].parameters["tau_m"] == 15.0
    assert network.populations["exc"].size == 3


# --- damage -------------------------------------------------------------------------------------------------------


def damaged(folder: Path, change: object) -> Path:
    path = folder / "net.nir"
    nir.write(path, chain(nir.Affine(np.eye(2), np.zeros(2)), lif(2)))
    with h5py.File(path, "r+") as file:
        change(file)  # type: ignore[operator]
    return path


def replaced(place: str, value: object) -> object:
    def change(file: h5py.File) -> None:
        del file[place]
        if value is not None:
            file[place] = value

    return change


@pytest.mark.parametrize(
    ("place", "value", "error", "text", "where"),
    [
        ("node/nodes/lif/tau", None, ReadError, "LIF has no 'tau'", "lif"),
        ("node/nodes/lif/tau", np.ones(3), ReadError, r"r of this LIF is \(2,\), and tau is \(3,\)", "lif"),
        ("node/nodes/lif/tau", [1.0, np.nan], ReadError, "not finite", "lif/tau"),
        ("node/nodes/lif/tau", [1.0, 0.0], ReadError, "tau of a LIF is not positive", "lif/tau"),
        ("node/nodes/lif/type", None, ReadError, "states no type", "lif"),
        ("node/nodes/lif/type", "LIFX", UnsupportedInput, "the primitive 'LIFX' is not one of NIR", "lif"),
        ("node/nodes/affine/bias", np.zeros(3), ReadError, r"the bias is \(3,\), and the weight has 2", "affine"),
        ("node/nodes/affine/weight", np.ones((2, 3)), ReadError, r"shape \(3,\), and gets \(2,\)", "affine"),
        (
            "node/nodes/affine/weight",
            np.full((2, 2), np.inf),
            ReadError,
            "weights that are not finite",
            "affine/weight",
        ),
        ("node/nodes/affine/weight", np.ones((2, 2, 2)), UnsupportedInput, "a weight of 3 dimensions", "affine/weight"),
        ("node/edges", [[b"input", b"nowhere"]], ReadError, "names no node 'nowhere'", "node/edges"),
        ("node/edges", [b"input"], ReadError, "edges are pairs of node names", "node/edges"),
        ("node/nodes/input/shape", [10**15], UnsupportedInput, "a node of 1000000000000000 channels", "input"),
        ("node/type", "LIF", UnsupportedInput, "one LIF node, and no graph", "node"),
    ],
)
def test_broken_files(place: str, value: object, error: type, text: str, where: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=text) as caught:
        read(damaged(tmp_path, replaced(place, value)), format="nir")
    assert caught.value.where.endswith(where)
    assert caught.value.exit_status == 4


def test_what_is_declared_and_not_stored_is_not_read(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        del file["node/nodes/affine/weight"]
        file["node/nodes/affine"].create_dataset("weight", (10**7, 10**7), "f8", chunks=(1000, 1000))

    with pytest.raises(ReadError, match="declares 10000000 x 10000000 values, of which the file has next to none"):
        read(damaged(tmp_path, change), format="nir")


def test_a_graph_that_is_in_itself(tmp_path: Path) -> None:
    def change(file: h5py.File) -> None:
        file["node/nodes/again"] = file["node"]

    with pytest.raises(ReadError, match="more than 50 graphs within each other"):
        read(damaged(tmp_path, change), format="nir")


def test_a_loop_without_neurons(tmp_path: Path) -> None:
    nodes = {"input": nir.Input(np.array([1])), "a": nir.Linear(np.eye(1)), "b": nir.Linear(np.eye(1)), "lif": lif(1)}
    edges = [("input", "a"), ("a", "b"), ("b", "a"), ("b", "lif")]
    path = tmp_path / "net.nir"
    nir.write(path, nir.NIRGraph(nodes, edges, type_check=False))
    with pytest.raises(ReadError, match="a loop without a neuron in it"):
        read(path)


def test_a_file_without_nodes_of_nir(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    with h5py.File(path, "w") as file:
        file["a"] = 1
    with pytest.raises(ReadError, match="not a NIR file"):
        read(path)


def test_changed_bytes_are_read_errors_or_other_numbers(tmp_path: Path) -> None:
    """Whatever HDF5 makes of it, nothing but a ReadError comes out."""
    write(current_based(), tmp_path / "net.nir", "nir")
    whole = np.frombuffer((tmp_path / "net.nir").read_bytes(), dtype=np.uint8)
    random, path, refused = np.random.default_rng(1), tmp_path / "damaged.nir", 0
    for _ in range(40):
        content = whole.copy()
        places = random.integers(0, len(content), int(random.integers(1, 6)))
        content[places] = random.integers(0, 256, len(places))
        path.write_bytes(content.tobytes())
        try:
            read(path, format="nir")
        except ReadError as error:
            refused += 1
            assert error.where
    assert refused > 3


def test_truncated_files_are_read_errors(tmp_path: Path) -> None:
    path = tmp_path / "net.nir"
    write(current_based(), path, "nir")
    whole = path.read_bytes()
    for share in (0.3, 0.7, 0.95):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ReadError):
            read(path, format="nir")
