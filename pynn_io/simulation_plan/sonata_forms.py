"""The inputs of the OBI extension that are nothing but named numbers, as one table for reader and writer.

Source: "SONATA Simulation Configuration file" of the SONATA extension, section "inputs", and libsonata 0.2.2. What is
more than that (``pulse``, ``seclamp``, ``synapse_replay``) has functions of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from pynn_io.graph.stimuli import (
    CurrentRamp,
    Hyperpolarizing,
    NoiseCurrent,
    OrnsteinUhlenbeck,
    PoissonTrains,
    Relative,
    ShotNoise,
    SinusoidalCurrent,
    Subthreshold,
)
from pynn_io.simulation_plan.sonata_section import Section


class Form(NamedTuple):
    """One module: the class that it is, and the key under which each field stands.

    needed: keys that must be there. optional: keys that may, the field's default standing in. relative: whether
    amplitudes are percentages of a column of the cells.
    """

    module: str
    kind: type
    needed: Mapping[str, str]
    optional: Mapping[str, str] = {}
    relative: bool = False

    @property
    def takes_conductance(self) -> bool:
        return any(field.name == "conductance" for field in fields(self.kind))


_WINDOW = {"delay": "delay", "duration": "duration"}
_NOISE = {"reversal": "reversal", "interval": "dt", "seed": "random_seed"}
_SPREAD = {"variance": "variance", "interval": "dt", "held": "held"}
_SHOT = {"rise": "rise_time", "decay": "decay_time", **_WINDOW}
_SKEW = {**_NOISE, "relative_skew": "relative_skew", "amplitude_cv": "amp_cv"}

FORMS = (
    Form("linear", CurrentRamp, {"start": "amp_start", **_WINDOW}, {"stop": "amp_end"}),
    Form("relative_linear", CurrentRamp, {"start": "percent_start", **_WINDOW}, {"stop": "percent_end"}, True),
    Form(
        "sinusoidal",
        SinusoidalCurrent,
        {"amplitude": "amp_start", "frequency": "frequency", **_WINDOW},
        {"interval": "dt", "phase": "phase", "held": "held"},
    ),
    Form("subthreshold", Subthreshold, {"percent_less": "percent_less", **_WINDOW}),
    Form("hyperpolarizing", Hyperpolarizing, _WINDOW),
    Form("noise", NoiseCurrent, {"mean": "mean", **_WINDOW}, _SPREAD),
    Form("noise", NoiseCurrent, {"mean": "mean_percent", **_WINDOW}, _SPREAD, True),
    Form(
        "shot_noise",
        ShotNoise,
        {"rate": "rate", "amplitude_mean": "amp_mean", "amplitude_variance": "amp_var", **_SHOT},
        _NOISE,
    ),
    Form("absolute_shot_noise", ShotNoise, {"mean": "mean", "sigma": "sigma", **_SHOT}, _SKEW),
    Form("relative_shot_noise", ShotNoise, {"mean": "mean_percent", "sigma": "sd_percent", **_SHOT}, _SKEW, True),
    Form(
        "ornstein_uhlenbeck",
        OrnsteinUhlenbeck,
        {"tau": "tau", "mean": "mean", "sigma": "sigma", **_WINDOW},
        _NOISE,
    ),
    Form(
        "relative_ornstein_uhlenbeck",
        OrnsteinUhlenbeck,
        {"tau": "tau", "mean": "mean_percent", "sigma": "sd_percent", **_WINDOW},
        _NOISE,
        True,
    ),
    # Not in the documentation; libsonata reads it and Brian2 runs it.
    Form("poisson", PoissonTrains, {"rate": "rate"}, {**_WINDOW, "weight": "weight", "seed": "random_seed"}),
)
#: Beside ``inputs``: those that BMTK has no words for, in OBI's, so that BMTK does not stop at them.
OWN_INPUTS = "pynn_io_inputs"
#: Fields that no other reader knows.
OWN = ("phase", "held")
#: Fields that are whole numbers.
_WHOLE = frozenset({"seed"})
#: Fields that are true or false.
_FLAGS = frozenset({"held"})


def forms_of(module: str) -> list[Form]:
    """The rows of a module: none for one that is not in the table, two for ``noise``."""
    return [form for form in FORMS if form.module == module]


def read_form(item: Section, module: str, input_type: str) -> Any:
    """The stimulus of an input whose module is in the table. Raises PlanError for a missing or malformed number."""
    form = _chosen(item, forms_of(module))
    values: dict[str, Any] = {field: item.needed(key) for field, key in form.needed.items()}
    for field, key in form.optional.items():
        read = item.integer if field in _WHOLE else item.optional_flag if field in _FLAGS else item.number
        value = read(key)
        if value is not None:
            values[field] = value
    if form.kind is CurrentRamp:
        values.setdefault("stop", values["start"])
    if form.kind is NoiseCurrent:
        values.setdefault("variance", 0.0)
    if form.takes_conductance:
        values["conductance"] = input_type == "conductance"
    if form.relative:
        values["relative"] = Relative.INPUT_CONDUCTANCE if values.get("conductance") else Relative.THRESHOLD
    if values.get("duration", 0.0) < 0:
        raise item.wrong("duration", "a duration is negative")
    return form.kind(**values)


def _chosen(item: Section, forms: list[Form]) -> Form:
    """Of the two forms of ``noise``, that with the mean that is stated."""
    if len(forms) == 1:
        return forms[0]
    stated = [form for form in forms if item.get(form.needed["mean"]) is not None]
    keys = " or ".join(repr(form.needed["mean"]) for form in forms)
    if len(stated) != 1:
        raise item.wrong("mean", f"exactly one of {keys} is needed, here are {len(stated)}")
    item.drop(form.needed["mean"] for form in forms if form is not stated[0])
    return stated[0]


def written_form(what: Any) -> dict[str, Any] | None:
    """``module``, ``input_type`` and numbers of a stimulus; None where no module of the table can say it."""
    relative = bool(getattr(what, "relative", ""))
    for form in FORMS:
        stated = {field: getattr(what, field) for field in form.needed if isinstance(what, form.kind)}
        if not stated or form.relative != relative or any(value is None for value in stated.values()):
            continue
        content = {"input_type": _input_type(what), "module": form.module}
        content |= {form.needed[field]: value for field, value in stated.items()}
        optional = {key: getattr(what, field) for field, key in form.optional.items() if _is_stated(what, field)}
        return content | optional
    return None


def _is_stated(what: Any, field: str) -> bool:
    """Whether an optional field says something; ``phase`` and ``held``, which only pynn_io reads, by their values."""
    value = getattr(what, field)
    return bool(value) if field in OWN else value is not None


def _input_type(what: Any) -> str:
    if isinstance(what, PoissonTrains):
        return "spikes"
    return "conductance" if getattr(what, "conductance", False) else "current_clamp"
