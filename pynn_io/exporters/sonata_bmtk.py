"""The script that runs a circuit with BMTK's bionet where its synapses are mechanisms that BMTK has no name for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from pynn_io.formats.sonata_write import write_text

#: As BMTK calls the script that it makes for a circuit.
FILE = "run_bionet.py"
_TEXT = '''\
"""Run this circuit with BMTK, in this folder: ``nrnivmodl components/mechanisms``, then ``python run_bionet.py``.

BMTK makes a synapse by a function of the mechanism's name; here is one for every mechanism that this circuit brings.
"""

from bmtk.simulator import bionet
from bmtk.simulator.bionet.pyfunction_cache import add_synapse_model
from neuron import h

MECHANISMS = (
{names}
)


def maker(name):
    """A function that puts the mechanism ``name`` at ``x`` of a section and sets its parameters."""

    def make(parameters, x, section):
        synapse = getattr(h, name)(x, sec=section)
        for key, value in parameters.items():
            setattr(synapse, key, value)
        return synapse

    return make


if __name__ == "__main__":
    for mechanism in MECHANISMS:
        add_synapse_model(maker(mechanism), mechanism)
    config = bionet.Config.from_json("config.json")
    config.build_env()
    network = bionet.BioNetwork.from_config(config)
    bionet.BioSimulator.from_config(config, network).run()
'''


def write_script(dest: Path, mechanisms: Collection[str]) -> None:
    """Write the script into a circuit's folder. mechanisms: names of point processes."""
    names = "\n".join(f'    "{name}",' for name in sorted(mechanisms))
    write_text(dest / FILE, _TEXT.replace("{names}", names))
