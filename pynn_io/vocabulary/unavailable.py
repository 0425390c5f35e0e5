"""Simulators and machines that are known by name and cannot be had here, with the reason that whoever asks is told."""

from __future__ import annotations

_BY_NEUROML = "run NeuroML with --backend neuron, arbor, moose or jneuroml"
_POINTS = "run networks of point neurons with --backend nest"
_SUCCESSOR = "brainscales2 --check asks for its successor"
_CHECKED = "--check says what it can hold"
#: Known simulators and machines that cannot be had here: name, title, reason.
UNAVAILABLE = (
    (
        "eden",
        "EDEN",
        "the programs in its wheels (0.2.1 to 0.2.3) crash on Debian 12 when they load the code that they have compiled"
        f" (segmentation fault, status 139); {_BY_NEUROML}",
    ),
    (
        "brainscales2",
        "BrainScaleS-2",
        "its software (pynn-brainscales) is not on PyPI, and is built in its own container beside the machine;"
        f" {_CHECKED}",
    ),
    (
        "loihi2",
        "Loihi 2",
        f"its software is Intel's own; it reads NIR files, in which a network can be handed on. {_CHECKED}",
    ),
    ("lava", "Lava", "its last release (0.10) is for Python up to 3.10 and numpy 1; loihi2 --check asks for the chip"),
    (
        "spinnaker2",
        "SpiNNaker 2",
        "its software (py-spinnaker2) is not on PyPI; for SpiNNaker 1 there is --backend spinnaker",
    ),
    ("brainscales1", "BrainScaleS-1", f"it speaks PyNN 0.7, whose software is not to be had; {_SUCCESSOR}"),
    ("spikey", "Spikey", f"it speaks PyNN 0.6, whose software is not to be had; {_SUCCESSOR}"),
    ("pcsim", "PCSIM", f"it is for Python 2 and not on PyPI; {_POINTS}"),
    ("carlsim", "CARLsim", f"it is not on PyPI (pycarl there is something else); {_POINTS}"),
    ("nestgpu", "NEST GPU", f"it is not on PyPI, and needs a GPU of NVIDIA; {_POINTS}"),
    ("genn", "GeNN", f"pygenn is not on PyPI, and is built beside a GPU's compiler; {_POINTS}"),
)
