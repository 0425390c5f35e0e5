"""Cells of the Allen Cell Types Database ("GLIF" configurations, SI units) as NEST's ``glif_psc``.

The configuration states a voltage relative to ``El_reference`` and most values as a product of a number and a fitted
coefficient. Facts: Teeter et al. 2018 (doi:10.1038/s41467-017-02717-4), the database's ``neuron_config.json``, and what
BMTK reads of it (``bmtk/simulator/pointnet/glif_utils.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pynn_io.errors import ReadError
from pynn_io.units import convert

#: Time constants of the four receptor ports, ms (BMTK): a configuration states none.
TAU_SYN = (5.5, 8.5, 2.8, 5.8)
#: What a template's name says the cell has: reset rules (r), after-spike currents (asc), an adapting threshold (a).
_VARIANTS = {
    "glif_lif": (False, False, False),
    "glif_lif_r": (True, False, False),
    "glif_lif_asc": (False, True, False),
    "glif_lif_r_asc": (True, True, False),
    "glif_lif_r_asc_a": (True, True, True),
}


def is_glif(model: str, parameters: Mapping[str, Any]) -> bool:
    """Whether these are a template and a configuration of the Cell Types Database."""
    return model.startswith("nest:glif_lif") and parameters.get("type") == "GLIF"


def to_glif_psc(model: str, config: Mapping[str, Any], where: object) -> dict[str, Any]:
    """Parameters of ``glif_psc`` (mV, nS, pF, pA, ms) for a template and its configuration.

    The cell begins at its resting potential. Raises ReadError for an unknown template, or a value that is missing.
    """
    variant = model.removeprefix("nest:").removesuffix("_psc")
    if variant not in _VARIANTS:
        known = ", ".join(f"nest:{name}_psc" for name in _VARIANTS)
        raise ReadError(f"{model} is no GLIF template with a NEST model here", where=where, hint=f"known: {known}")
    try:
        return _parameters(config, *_VARIANTS[variant])
    except KeyError as error:
        raise ReadError(f"the GLIF configuration has no {error.args[0]!r}", where=where) from error
    except TypeError as error:
        raise ReadError(f"the GLIF configuration is malformed: {error}", where=where) from error


def _parameters(config: Mapping[str, Any], resets: bool, currents: bool, adapts: bool) -> dict[str, Any]:
    coeffs = config["coeffs"]
    reference = convert(config["El_reference"], "V", "mV")
    rest = convert(config["El"], "V", "mV") + reference
    values = {
        "V_m": rest,
        "E_L": rest,
        "V_th": convert(coeffs["th_inf"] * config["th_inf"], "V", "mV") + reference,
        "g": convert(coeffs["G"] / config["R_input"], "S", "nS"),
        "C_m": convert(coeffs["C"] * config["C"], "F", "pF"),
        "t_ref": convert(config["spike_cut_length"] * config["dt"], "s", "ms"),
        "tau_syn": list(TAU_SYN),
        "spike_dependent_threshold": resets,
        "after_spike_currents": currents,
        "adapting_threshold": adapts,
    }
    if not resets:
        values["V_reset"] = reference
    if currents:
        pairs = zip(config["asc_amp_array"], coeffs["asc_amp_array"], strict=True)
        values["asc_init"] = [convert(value, "A", "pA") for value in config["init_AScurrents"]]
        values["asc_decay"] = [convert(1.0 / tau, "per_s", "per_ms") for tau in config["asc_tau_array"]]
        values["asc_amps"] = [convert(amplitude * factor, "A", "pA") for amplitude, factor in pairs]
    if resets:
        values |= _resets(config)
    if resets and currents:
        values["asc_r"] = [1.0] * len(config["asc_tau_array"])
    if adapts:
        threshold = config["threshold_dynamics_method"]["params"]
        values["th_voltage_index"] = convert(threshold["a_voltage"] * coeffs["a"], "per_s", "per_ms")
        values["th_voltage_decay"] = convert(threshold["b_voltage"] * coeffs["b"], "per_s", "per_ms")
    return values


def _resets(config: Mapping[str, Any]) -> dict[str, Any]:
    threshold, reset = config["threshold_dynamics_method"]["params"], config["voltage_reset_method"]["params"]
    return {
        "th_spike_add": convert(threshold["a_spike"], "V", "mV"),
        "th_spike_decay": convert(threshold["b_spike"], "per_s", "per_ms"),
        "voltage_reset_fraction": reset["a"],
        "voltage_reset_add": convert(reset["b"], "V", "mV"),
    }
