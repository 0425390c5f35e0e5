"""One plan for every kind of stimulus, recording and setting, on the network of `tests.models`'s ``cable``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pynn_io.document import Document
from pynn_io.graph import SpikeSource, Table, text_column
from pynn_io.graph.network import Population
from pynn_io.graph.stimuli import (
    CurrentPulses,
    CurrentRamp,
    Hyperpolarizing,
    NoiseCurrent,
    OrnsteinUhlenbeck,
    OtherStimulus,
    PoissonTrains,
    Relative,
    ShotNoise,
    SinusoidalCurrent,
    SpikeTrains,
    SpontaneousSynapses,
    Stimulus,
    Subthreshold,
    SynapseReplay,
    VoltageClamp,
    What,
)
from pynn_io.simulation_plan import (
    Assignment,
    ConnectionOverride,
    Modification,
    Output,
    Recording,
    SimulationPlan,
)
from tests.models import MODELS


def document(plan: SimulationPlan | None = None) -> Document:
    """Two cable cells (``bio``) and two spike sources (``src``)."""
    made = MODELS["cable"]()
    source = Population("src", 2, Table(1, {"cell": text_column(["source"])}))
    network = replace(
        made.network,
        populations={**made.network.populations, "src": source},
        cells={**made.network.cells, "source": SpikeSource()},
    )
    return Document(network, plan)


def array(*values: float) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def trains(population: str = "src") -> SpikeTrains:
    return SpikeTrains(population, np.asarray([0, 0, 1], dtype=np.int64), array(1.5, 30.0, 2.25))


CELLS = {"cells": {"population": "bio"}}
TH, IN = Relative.THRESHOLD, Relative.INPUT_CONDUCTANCE
STIMULI: dict[str, What] = {
    "trains": trains(),
    "poisson": PoissonTrains(20.0, 1.0, 50.0, 7),
    "poisson_weight": PoissonTrains(20.0, 1.0, 50.0, None, 0.5),
    "replay": SynapseReplay(trains("bio"), 1.0, 50.0),
    "replay_source": SynapseReplay(trains("bio"), 0.0, 20.0, "cells"),
    "syn_activity": SpontaneousSynapses(source={"population": "bio"}, times=(5.0, 10.0), silences_others=True),
    "minis": SpontaneousSynapses(rate=0.1),
    "step": CurrentPulses(array(0.1), array(5), array(20)),
    "steps": CurrentPulses(array(0.1, -0.2), array(5, 30), array(20, 3.5)),
    "ramp": CurrentRamp(0.1, 0.5, 5.0, 20.0),
    "level_ramp": CurrentRamp(0.1, 0.1, 5.0, 20.0),
    "relative_ramp": CurrentRamp(80.0, 120.0, 5.0, 20.0, TH),
    "hyperpolarizing": Hyperpolarizing(0.0, 50.0),
    "subthreshold": Subthreshold(20.0, 5.0, 20.0),
    "sinusoid": SinusoidalCurrent(0.2, 8.0, 5.0, 20.0),
    "sinusoid_dt": SinusoidalCurrent(0.2, 8.0, 5.0, 20.0, 0.5),
    "noise": NoiseCurrent(0.1, 0.001, 5.0, 20.0),
    "relative_noise": NoiseCurrent(70.0, 0.001, 5.0, 20.0, TH, 0.5),
    "ou": OrnsteinUhlenbeck(2.8, 0.1, 0.01, 5.0, 20.0, seed=3),
    "ou_conductance": OrnsteinUhlenbeck(2.8, 0.1, 0.01, 5.0, 20.0, conductance=True, reversal=10.0, interval=0.25),
    "relative_ou": OrnsteinUhlenbeck(2.8, 70.0, 10.0, 5.0, 20.0, relative=TH),
    "relative_ou_conductance": OrnsteinUhlenbeck(2.8, 70.0, 10.0, 5.0, 20.0, True, relative=IN),
    "shot": ShotNoise(0.4, 4.0, 5.0, 20.0, rate=4.0, amplitude_mean=0.07, amplitude_variance=0.04),
    "absolute_shot": ShotNoise(0.4, 4.0, 5.0, 20.0, mean=0.5, sigma=0.05, conductance=True, relative_skew=0.1),
    "relative_shot": ShotNoise(0.4, 4.0, 5.0, 20.0, mean=70.0, sigma=40.0, relative=TH, seed=9, amplitude_cv=0.6),
    "clamp": VoltageClamp(array(-60.0), array(20.0), 0.0, 0.01),
    "clamp_levels": VoltageClamp(array(-80.0, -10.0, -60.0), array(10.0, 2.5, 20.0), 0.0, 0.5),
    "late_clamp": VoltageClamp(array(-60.0), array(20.0), 5.0, 1.0),
    "xstim": OtherStimulus("xstim", {"input_type": "lfp", "module": "xstim", "resistance": 300.0, "node_set": "cells"}),
}


def _with(what: What, name: str = "one", **more: object) -> SimulationPlan:
    node_set = what.population if isinstance(what, SpikeTrains) else "cells"
    return SimulationPlan(
        duration=50.0,
        timestep=0.1,
        seed=4,
        output=Output("./output", "spikes.h5"),
        node_sets=CELLS,
        stimuli=(Stimulus(name, what, **{"node_set": node_set, **more}),),  # type: ignore[arg-type]
    )


_COMPARTMENTS = {"tips": {"population": "bio", "compartment_set": [[0, 1, 0.25], [0, 1, 0.75], [1, 0, 0.5]]}}
_STEP = CurrentPulses(array(0.1), array(5), array(20))
SETTINGS: dict[str, SimulationPlan] = {
    "electrode": _with(_STEP, physical_electrode=True),
    "dendrite": _with(_STEP, section="dend[2]", position=0.25, physical_electrode=True),
    "distance": _with(_STEP, section="dend apic", distance_range=(50.0, 120.0), physical_electrode=True),
    "compartments": replace(_with(_STEP, node_set=None, compartment_set="tips"), compartment_sets=_COMPARTMENTS),
    "inline_set": _with(_STEP, node_set={"population": "bio", "node_id": [1]}, physical_electrode=True),
    "run": SimulationPlan(
        duration=50.0,
        timestep=0.025,
        spike_threshold=-20.0,
        celsius=34.0,
        v_init=-75.0,
        seed=11,
        start=0.0,
        section_length=20.0,
        spike_location="AIS",
        spike_times="precise",
        variable_step=True,
        integration_method="crank_nicolson",
        min_delay=0.1,
        extracellular_calcium=1.2,
        randomize_gaba_rise_time=False,
        seeds={"stimulus": 1, "ionchannel": 2, "minis": 3, "synapse": 4},
        node_set="cells",
        mechanism_variables={("ProbAMPANMDA_EMS", "init_depleted"): 1.0, ("ProbAMPANMDA_EMS", "mg"): 0.9},
        output=Output("./results", "s.h5", "s.csv", "by_id", "log.txt", {"overwrite_output_dir": True}),
        target_simulator="NEURON",
        extra={"run": {"nsteps_block": 5000}, "metadata": {"note": "one"}},
        node_sets=CELLS,
    ),
    "grid": SimulationPlan(
        duration=50.0, timestep=0.1, seed=0, spike_times="grid", output=Output("./output", "spikes.h5")
    ),
    "modified": SimulationPlan(
        duration=50.0,
        timestep=0.1,
        seed=0,
        output=Output("./output", "spikes.h5"),
        compartment_sets=_COMPARTMENTS,
        node_sets=CELLS,
        modifications=(
            Modification("block", "ttx", "cells"),
            Modification("all", "configure_all_sections", "cells", (Assignment("%s", "gbar_Ih", 1e-05, "*="),)),
            Modification("list", "section_list", "cells", (Assignment("apical", "gbar_NaTg", 0.0),)),
            Modification(
                "sections",
                "section",
                "cells",
                (Assignment("apic[10]", "gbar_KTst", 0.0), Assignment("apic[3]", "cm", -2.5)),
            ),
            Modification("places", "compartment_set", None, (Assignment("", "gbar_Ca", 1.5),), "tips"),
        ),
        overrides=(
            ConnectionOverride("weak", "cells", "cells", weight=0.5, spont_minis=0.01),
            ConnectionOverride(
                "erev",
                "cells",
                "cells",
                delay=5.0,
                synapse_delay=0.5,
                mod_override="GluSynapse",
                configure=(Assignment("%s", "e_GABAA", -82.0), Assignment("", "tau_d_GABAB_ProbGABAAB_EMS", 77.0)),
                parameters={"neuromodulation_dtc": 100},
            ),
        ),
    ),
}

RECORDINGS: dict[str, Recording] = {
    "soma": Recording("r", "v", "cells", start=0.0, stop=50.0, interval=0.1),
    "all": Recording("r", "cai", "cells", "all", 1.0, 20.0, 0.2, compartments="center", unit="mM", file="cai.h5"),
    "disabled": Recording("r", "v", "cells", start=0.0, stop=50.0, interval=0.1, enabled=False),
    "silent": Recording("r", "v", "cells"),
    "dendrites": Recording("r", "v", "cells", "dend, apic", 0.0, 50.0, 0.1),
    "several": Recording("r", "v, cai", "cells", start=0.0, stop=50.0, interval=0.1),
    "sum": Recording(
        "r", "i_membrane, IClamp", "cells", start=0.0, stop=50.0, interval=0.1, kind="summation", scaling="area"
    ),
    "synapse": Recording("r", "g", "cells", "all", 0.0, 50.0, 0.1, kind="synapse"),
    "lfp": Recording(
        "r", "", "cells", start=0.0, stop=50.0, interval=0.1, kind="lfp", parameters={"electrodes_file": "e.h5"}
    ),
    "set": Recording("r", "v", None, start=0.0, stop=50.0, interval=0.1, compartment_set="tips"),
    "ecp": Recording("r", "v", "cells", kind="extracellular", parameters={"electrode_positions": "electrodes.csv"}),
    "netcon": Recording("r", "tau1", "cells", kind="netcon_report", parameters={"syn_type": "Exp2Syn"}),
    "weights": Recording(
        "r", "", "cells", kind="weight_recorder", file="w.csv", parameters={"nest_model": "stdp_synapse"}
    ),
    "clamp": Recording("r", "se", "cells", kind="clamp_report"),
    "save": Recording("r", "", "cells", kind="save_synapses"),
}

PLANS: dict[str, SimulationPlan] = {
    **{f"stimulus-{name}": _with(what) for name, what in STIMULI.items()},
    **{f"settings-{name}": plan for name, plan in SETTINGS.items()},
    **{
        f"recording-{name}": SimulationPlan(
            duration=50.0,
            timestep=0.1,
            seed=0,
            output=Output("./output", "spikes.h5"),
            recordings=(recording,),
            node_sets=CELLS,
            compartment_sets=_COMPARTMENTS,
        )
        for name, recording in RECORDINGS.items()
    },
}
