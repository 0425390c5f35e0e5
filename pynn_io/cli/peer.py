"""Another project's verdict on a file, as one line of JSON: ``python -m pynn_io.cli.peer NAME PATH``.

It runs in a child process of its own (see `pynn_io.show.peers`): other people's readers print, leave handles open,
raise anything, and now and then take the whole interpreter down.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

#: Ids and rows that libsonata is asked for: the first ones are enough to open every dataset.
ROWS = 1000


def libsonata(path: Path) -> list[str]:
    """Open the config, every population, its attributes, and the first nodes and edges."""
    import libsonata

    text = json.loads(path.read_text(encoding="utf-8"))
    if "run" in text or "conditions" in text:
        path = Path(libsonata.SimulationConfig.from_file(str(path)).network)
    config = libsonata.CircuitConfig.from_file(str(path))
    for name in sorted(config.node_populations):
        nodes = config.node_population(name)
        some = libsonata.Selection([(0, min(ROWS, nodes.size))])
        for attribute in sorted(nodes.attribute_names):
            nodes.get_attribute(attribute, some)
    for name in sorted(config.edge_populations):
        edges = config.edge_population(name)
        some = libsonata.Selection([(0, min(ROWS, edges.size))])
        edges.source_nodes(some)
        targets = edges.target_nodes(some)
        if len(targets):
            edges.afferent_edges([int(targets[0])])
        for attribute in sorted(edges.attribute_names):
            edges.get_attribute(attribute, some)
    return []


def bluepysnap(path: Path) -> list[str]:
    """Its own validator; warnings do not count, as in its own command."""
    text = json.loads(path.read_text(encoding="utf-8"))
    if "run" in text:
        from bluepysnap.simulation_validation import validate

        found = validate(str(path), print_errors=False)
    else:
        from bluepysnap.circuit_validation import validate

        found = validate(str(path), skip_slow=True, only_errors=True, print_errors=False)
    return sorted(str(error) for error in found if error.level == error.FATAL)


def jneuroml(path: Path) -> list[str]:
    """``jnml -validate`` with the jar that comes with pyNeuroML."""
    import pyneuroml

    from pynn_io.formats.neuroml_check import documents

    jar = next(iter(sorted((Path(pyneuroml.__file__).parent / "lib").glob("jNeuroML-*.jar"))))
    command = ["java", "-Xmx400M", "-Djava.awt.headless=true", "-cp", str(jar), "org.neuroml.JNeuroML", "-validate"]
    done = subprocess.run([*command, *map(str, documents(path))], capture_output=True, text=True, check=False)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    if done.returncode == 0 and any("All valid" in line for line in lines):
        return []
    telling = [
        line for line in lines if any(word in line.lower() for word in ("error", "invalid", "not valid", "warn"))
    ]
    return telling or lines[-1:] or [f"jNeuroML ended with status {done.returncode}"]


PEERS: dict[str, Callable[[Path], list[str]]] = {
    "libsonata": libsonata,
    "bluepysnap": bluepysnap,
    "jneuroml": jneuroml,
}


if __name__ == "__main__":
    messages = PEERS[sys.argv[1]](Path(sys.argv[2]))
    print("\n" + json.dumps(messages))
