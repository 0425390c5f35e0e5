"""Counts, rates and summary, by hand; and that the public names cost nothing until they are used."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np

import pynn_io
from pynn_io.results import Results, Spikes, Trace, sorted_spikes
from pynn_io.results.results import cells_of


def made() -> Results:
    return Results(
        spikes={"exc": sorted_spikes("exc", np.array([5, 3, 5, 3, 3]), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))},
        nodes={"exc": np.array([2, 3, 5, 9]), "inh": np.array([0, 1])},
        duration=500.0,
        traces=(Trace("v", "lgn", "V_m", "mV", np.zeros((3, 2)), np.array([0, 1]), 0.5, 0.25),),
    )


def test_counts_include_the_silent_cells() -> None:
    counts = made().counts()
    assert {name: values.tolist() for name, values in counts.items()} == {"exc": [0, 3, 2, 0], "inh": [0, 0]}


def test_counts_of_cells_that_are_not_known_are_of_those_that_spiked() -> None:
    results = Results(spikes=made().spikes)
    assert results.counts()["exc"].tolist() == [3, 2]
    assert results.rates() == {"exc": None}
    assert Results(spikes=made().spikes, nodes=made().nodes).rates() == {"exc": None, "inh": None}


def test_counts_of_no_spikes() -> None:
    assert Spikes("p", np.empty(0, np.int64), np.empty(0)).counts(np.array([1, 2])).tolist() == [0, 0]


def test_rates() -> None:
    """5 spikes of 4 cells in half a second."""
    assert made().rates() == {"exc": 2.5, "inh": 0.0}


def test_summary_is_plain() -> None:
    summary = made().summary()
    assert json.loads(json.dumps(summary)) == summary
    assert summary["populations"]["exc"] == {"cells": 4, "active": 2, "spikes": 5, "rate": 2.5}
    assert summary["populations"]["inh"] == {"cells": 2, "active": 0, "spikes": 0, "rate": 0.0}
    assert summary["spikes"] == made().spike_count == 5
    assert summary["traces"][0] == {
        "report": "v",
        "population": "lgn",
        "variable": "V_m",
        "unit": "mV",
        "samples": 3,
        "elements": 2,
        "start": 0.5,
        "interval": 0.25,
    }


def test_times_of_a_trace() -> None:
    assert made().traces[0].times.tolist() == [0.5, 0.75, 1.0]


def test_populations_and_cells() -> None:
    assert made().populations == ("exc", "inh", "lgn")
    stray = Results(
        spikes={"p": sorted_spikes("p", np.array([7, 1]), np.array([0.0, 1.0]))}, nodes={"p": np.array([1])}
    )
    assert cells_of(stray)["p"].tolist() == [1, 7]


def test_public_names_load_nothing_heavy() -> None:
    assert pynn_io.Results is Results
    code = "import sys, pynn_io; pynn_io.read_results, pynn_io.SonataIO; print({*sys.modules} & {*sys.argv[1:]})"
    done = subprocess.run(
        [sys.executable, "-c", code, "neo", "nixio", "pynwb"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
