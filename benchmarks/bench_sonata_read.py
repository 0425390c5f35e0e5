"""Loading source, target, weight and delay of every edge: pynn_io in blocks against plain h5py in slices.

Targets: at most 1.5 times the CPU seconds of h5py, and under 100 MB above the imports.
"""

from __future__ import annotations

from measure import arguments, input_folder, run, serve, start, stop, table, verdict
from networks import sonata_circuit

SLICE = 1_000_000


IDS = ("source_node_id", "target_node_id", "edge_type_id", "edge_group_id", "edge_group_index")


def _plain(settings: dict, names: tuple[str, ...]) -> dict:
    import h5py

    start()
    last = 0
    with h5py.File(settings["config"].replace("circuit_config.json", "edges.h5")) as file:
        columns = [file[f"edges/cells_to_cells/{name}"] for name in names]
        for first in range(0, len(columns[0]), SLICE):
            rows = [column[first : first + SLICE] for column in columns]  # a slice of all columns at one time
            last = len(rows[0])
    return stop(last=last)


def plain(settings: dict) -> dict:
    """The floor: the four datasets asked for, a million rows at a time, and nothing checked."""
    return _plain(settings, (*IDS[:2], "0/syn_weight", "0/delay"))


def plain_all(settings: dict) -> dict:
    """The same with the three further id datasets, which say what type and group an edge is of."""
    return _plain(settings, (*IDS, "0/syn_weight", "0/delay"))


def _ours(settings: dict, whole: bool, typed: bool = False) -> dict:
    import pynn_io.importers.sonata
    import pynn_io.pipeline

    start()
    network = pynn_io.pipeline.read(settings["config"], format="sonata").network
    projection = network.projections["cells_to_cells"]
    kept = []
    blocks = projection.blocks(["weight", "delay"]) if typed else projection.edges.blocks(["weight", "delay"])
    for _, _, rows in blocks:
        if whole:
            kept.append([rows[name] for name in ("source", "target", "weight", "delay")])
    return stop(blocks=len(kept))


def streamed(settings: dict) -> dict:
    return _ours(settings, whole=False)


def typed(settings: dict) -> dict:
    return _ours(settings, whole=False, typed=True)


def held(settings: dict) -> dict:
    return _ours(settings, whole=True)


def libsonata(settings: dict) -> dict:
    """For comparison: the reference C++ reader, everything at once."""
    import libsonata

    start()
    path = settings["config"].replace("circuit_config.json", "edges.h5")
    edges = libsonata.EdgeStorage(path).open_population("cells_to_cells")
    every = edges.select_all()
    kept = [edges.source_nodes(every), edges.target_nodes(every)]
    kept += [edges.get_attribute(name, every) for name in ("syn_weight", "delay")]
    return stop(columns=len(kept))


CASES = {case.__name__: case for case in (plain, plain_all, streamed, typed, held, libsonata)}


def main() -> None:
    options = arguments(__doc__ or "", edges=10_000_000, cells=100_000)
    serve(CASES, options)
    with input_folder(options) as folder:
        config = sonata_circuit(folder, options.edges, options.cells)
        results = run(list(CASES), {"config": str(config)}, options.repeat)
    labels = {
        "plain": "h5py, slices of 1 M rows, 4 columns",
        "plain_all": "h5py, the same, all 5 id columns",
        "streamed": "pynn_io, whole circuit, blocks let go",
        "typed": "pynn_io, with each edge's type and its values",
        "held": "pynn_io, blocks kept",
        "libsonata": "libsonata, all at once",
    }
    rows = [(labels[name], results[name]) for name in CASES]
    table(f"SONATA read: {options.edges:,} edges: source, target, weight, delay", rows, "plain", results)
    print()
    if "cpu" in results["streamed"]:
        for name, what in (("plain", "4 columns"), ("plain_all", "5 id columns, weight, delay")):
            ratio = results["streamed"]["cpu"] / results[name]["cpu"]
            verdict(f"CPU against plain h5py ({what})", ratio, 1.5, at_most=True)
        verdict("peak above the imports, streamed", results["streamed"]["peak"], 100, at_most=True, unit=" MB")


if __name__ == "__main__":
    main()
