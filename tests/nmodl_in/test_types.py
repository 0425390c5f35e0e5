"""Equations of NMODL as LEMS types: names that are free, one order, and cases that jLEMS can follow."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("nmodl", reason="the package nmodl reads .mod files")

from pynn_io.exporters.lems_types import type_elements
from pynn_io.formats.nmodl import parse_mechanism
from pynn_io.graph.dynamics import ComponentType
from pynn_io.importers.nmodl_channels import translate
from pynn_io.vocabulary.core import core_types

TEXT = """
NEURON { SUFFIX made NONSPECIFIC_CURRENT i }
PARAMETER { gbar = .01 (S/cm2) tau = 5 tau_ = 7 e = -70 zeta = 1 eta = 2 theta = 3 kappa = 4 }
ASSIGNED { v (mV) i (mA/cm2) sum product }
STATE { m }
BREAKPOINT { SOLVE states METHOD cnexp i = gbar*m*(v - e) }
DERIVATIVE states { rates(v) m' = product - m*m/(tau + tau_ + zeta + eta + theta + kappa) }
INITIAL { m = 0 }
PROCEDURE rates(v) {
    if (v < -50) { sum = v/100 } else { sum = exp(-v/100) }
    product = 2*sum
}
"""


def made() -> ComponentType:
    (found,) = translate(parse_mechanism(TEXT, Path("made.mod"))).types.values()
    return found


def test_no_name_is_that_of_a_function_or_of_another_variable() -> None:
    names = {each.name for each in made().derived}
    assert {"sum_", "product_"} <= names and not {"sum", "product"} & names
    constants = made().constants
    assert (constants["tau__"][1], constants["tau_"][1]) == (5.0, 7.0)


def test_what_follows_from_cases_is_written_with_cases() -> None:
    """jLEMS checks plain variables first, and refuses a rate of one that it could not check."""
    (element,) = type_elements({"made_channel": made()}, core_types())
    dynamics = next(each for each in element.children if each.tag == "Dynamics")
    tags = {each.attributes["name"]: each.tag for each in dynamics.children if "DerivedVariable" in each.tag}
    assert (tags["sum_"], tags["product_"]) == ("ConditionalDerivedVariable",) * 2
    assert tags["V"] == "DerivedVariable"


def test_constants_are_in_one_order_whatever_the_seed_of_hashes() -> None:
    code = "import tests.nmodl_in.test_types as t; print(list(t.made().constants))"
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(Path(__file__).parents[2])},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
