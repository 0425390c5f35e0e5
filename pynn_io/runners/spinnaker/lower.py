"""Network and plan in PyNN's words for sPyNNaker: pure, and without it. What the chip cannot hold, its profile says."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from pynn_io.errors import PlanError
from pynn_io.graph.network import Network
from pynn_io.lowering.hardware import Check, check_hardware
from pynn_io.lowering.pynn import Lowered as PynnLowered
from pynn_io.lowering.pynn import Recorder, Target
from pynn_io.lowering.pynn import lower as lower_pynn
from pynn_io.report import Report
from pynn_io.simulation_plan import SimulationPlan
from pynn_io.vocabulary import chips, models

CHIP = "spinnaker"
MODULE = "pyNN.spiNNaker"
#: What the runner leaves out, so that the rest can be mapped; any other rule that fails stops it.
_LEFT_OUT = frozenset({"recorded-variable", "receptor"})
#: Variables that sPyNNaker calls otherwise: what arrives at a receptor, whether current or conductance.
_VARIABLES = {"isyn_exc": "gsyn_exc", "isyn_inh": "gsyn_inh"}
#: A time step takes so long of wall clock at least, ms.
_REAL_STEP = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Lowered:
    """pynn: what to build. plan: as it was. check: what the profile says.

    time_scale_factor: how much slower than real time it runs.
    """

    pynn: PynnLowered
    plan: SimulationPlan
    check: Check
    time_scale_factor: int


def target() -> Target:
    """sPyNNaker among PyNN's backends: delays and spikes are handed over as asked, so that what it makes of them shows.

    Models that the profile answers with no are lacking.
    """
    chip = chips.chip(CHIP)
    lacks = {}
    for name, row in models.MODELS.items():
        if ":" not in name and row.kind in ("cell", "synapse"):
            answer = chip.of_model(name, synapse=row.kind == "synapse")
            if answer.level == "no":
                lacks[name] = answer.reason
    unrecorded = {("Izhikevich", "u"): "it records v, and what arrives at receptors"}
    return Target(MODULE, lacks=lacks, unrecorded=unrecorded, on_grid=False, zero_delay=True)


def lower(network: Network, plan: SimulationPlan, report: Report) -> Lowered:
    """Raises PlanError for what stops a mapping (a delay that no core can hold ...), with all of it and remedies."""
    if plan.timestep is None:
        message = "The time step is not stated; sPyNNaker's 1 ms is taken."
        report.defaulted("default-timestep", "run.dt", message)
        plan = replace(plan, timestep=1.0)
    check = check_hardware(network, plan, CHIP)
    rules = {rule.code for rule in check.chip.rules} - _LEFT_OUT
    stopping = [one for one in check.refusals() if one.code in rules and one.code not in report.allowed]
    if stopping:
        raise PlanError(
            f"{check.chip.title} cannot hold this network",
            problems=[f"{one.where}: {one.message} ({one.code}); what helps: {one.remedy}" for one in stopping],
        )
    found = Report(report.allowed)
    lowered = lower_pynn(network, plan, target(), found)
    check.add_to(report)
    report.include(unsaid(found, check))
    recorders = tuple(map(_renamed, lowered.plan.recorders))
    factor = max(1, math.ceil(_REAL_STEP / lowered.setup.timestep - 1e-9))
    return Lowered(replace(lowered, plan=replace(lowered.plan, recorders=recorders)), plan, check, factor)


def unsaid(found: Report, check: Check) -> Report:
    """Those issues of lowering that the check does not tell already, of the same thing at the same place or in a plan.

    The check has the remedy, and what it says is lost (short-term plasticity) lowering may call approximated.
    """
    said = {(one.code, one.where) for one in check.findings}
    said |= {("recording", f"reports.{name}") for code, where in said for name in _recording(code, where)}
    of_plan = {one.code for one in check.findings if one.where == "plan"}
    rest = Report(found.allowed)
    for issue in found:
        if (issue.code, issue.where) not in said and issue.code not in of_plan:
            rest.add(issue.code, issue.kind, issue.where, issue.message, count=issue.count, examples=issue.examples)
    return rest


def _recording(code: str, where: str) -> tuple[str, ...]:
    """The name of a recording that the check says the chip does not make."""
    return (where.removeprefix("recording "),) if code == "recorded-variable" else ()


def _renamed(recorder: Recorder) -> Recorder:
    variables = tuple((name, _VARIABLES.get(theirs, theirs), unit) for name, theirs, unit in recorder.variables)
    return replace(recorder, variables=variables)
