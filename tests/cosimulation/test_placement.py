"""What ``--backend cortex=neuron,thalamus=nest`` means, and every way to say it wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pynn_io.errors import FormatError
from pynn_io.graph.columns import Column, Table, text_column
from pynn_io.lowering.cosimulation.placement import Entry, is_placement, parse, place
from tests.runners.nets import current_network


def test_entries_are_processes():
    entries = parse("L4+L5=nest, thalamus = neuron,*=nest")
    assert entries == (Entry(("L4", "L5"), "nest"), Entry(("thalamus",), "neuron"), Entry(("*",), "nest"))
    assert [entry.name for entry in entries] == ["L4+L5=nest", "thalamus=neuron", "*=nest"]
    assert is_placement("a=nest") and not is_placement("nest,neuron")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nest,thalamus=neuron", "'nest' does not say which population runs on what"),
        ("a=nest,", "'' does not say which population runs on what"),
        ("=nest", "'=nest' does not say which population"),
        ("a+=nest", r"'a\+=nest' does not say which population"),
        ("a=", "'a=' does not say which population"),
        ("a=nest,b+a=neuron", "named twice: a"),
        ("*=nest,*=neuron", r"named twice: \*"),
    ],
)
def test_what_cannot_be_read(text, said):
    with pytest.raises(FormatError, match=said) as caught:
        parse(text)
    assert caught.value.exit_status == 2 and "cortex=neuron,L4+L5=nest,*=nest" in caught.value.hint


def test_every_population_of_cells_has_a_place_and_sources_need_none():
    network, _ = current_network()
    assert place(network, parse("inh=neuron,exc=nest")) == {"exc": 1, "inh": 0}
    assert place(network, parse("inh=neuron,*=nest")) == {"exc": 1, "inh": 0}
    assert place(network, parse("exc+inh=nest")) == {"exc": 0, "inh": 0}


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ("exc=nest", "no simulator is named for inh", r"inh=BACKEND, or \*=BACKEND"),
        ("exc=nest,inh=nest,L6=nest", "there is no population 'L6'", "populations of cells: exc, inh"),
        ("exc=nest,inh=nest,input=nest", "'input' only emits spikes that are known beforehand", "leave it out"),
        ("exc+inh=nest,*=neuron", r"\*=neuron: there is no population for it", "populations: exc, inh"),
    ],
)
def test_what_does_not_fit_the_network(text, said, hint):
    network, _ = current_network()
    with pytest.raises(FormatError, match=said) as caught:
        place(network, parse(text))
    caught.match(hint)


def test_a_population_of_cells_and_sources_cannot_be_placed():
    network, _ = current_network()
    exc = network.populations["exc"]
    mixed = replace(
        exc,
        types=Table(2, {"cell": text_column(["cell", "source"])}),
        type_index=Column((np.arange(exc.size) % 2).astype(np.int64)),
    )
    network = replace(network, populations={**network.populations, "exc": mixed})
    with pytest.raises(FormatError, match="'exc' holds cells and sources of spikes"):
        place(network, parse("*=nest"))
