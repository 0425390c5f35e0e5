"""The library of mechanisms that a run of a circuit on NEURON makes, for an oracle that wants the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pynn_io.pipeline import read
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.neuron.compiler import compiled
from pynn_io.runners.neuron.lower import lower
from pynn_io.runners.neuron.mechanisms import mod_files


def library_of(config: Path, mechanisms: Path) -> Path:
    document = read(config, format="sonata")
    assert document.plan is not None
    needs = lower(document.network, replace(document.plan, recordings=(), stimuli=()), Report()).needs
    return compiled([path for name, path in mod_files([mechanisms], Report()).items() if name in needs], quiet)
