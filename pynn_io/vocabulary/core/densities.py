"""What flows through channels on a membrane (per area, or through a number of them), and pools of ions.

Currents are positive inwards, as everywhere in NeuroML. F and R are those of the core types, not CODATA's.
"""

from __future__ import annotations

from collections.abc import Sequence

from pynn_io.graph.dynamics import ComponentType
from pynn_io.units import to_coherent
from pynn_io.vocabulary.core.notation import Equation, core

FARADAY = ("charge_per_mole", to_coherent(96485.3, "C_per_mol"))
_GAS = {"R": ("idealGasConstantDims", to_coherent(8.3144621, "J_per_K_per_mol")), "zCa": ("none", 2.0), "F": FARADAY}
_CHANNEL = "ionChannel:baseIonChannel"
_OPEN = "channelf <- ionChannel/fopen"
_BASE = (
    core("baseChannelDensity", refs=_CHANNEL, needs="v:voltage", gives="iDensity:currentDensity"),
    core(
        "baseChannelDensityCond",
        "condDensity:conductanceDensity",
        extends="baseChannelDensity",
        gives="gDensity:conductanceDensity",
    ),
)
_BOTH = "iDensity:currentDensity gDensity:conductanceDensity"
_UNSHIFTED = {"vShift": ("voltage", 0.0)}


def _where_outside(variable: str, inside: str, otherwise: str, outside: str) -> Equation:
    """An equation that holds where the ion is outside at all."""
    return (variable, [(f"{outside} > 0", inside), ("", otherwise)])


def _nernst(name: str, pool: str) -> ComponentType:
    """``erev`` from the concentrations of a pool of calcium: ``caConc``, or ``caConc2``."""
    inside, outside = f"caConc{pool}", f"caConcExt{pool}"
    derived: Sequence[Equation] = [
        _OPEN,
        _where_outside("gDensity", "condDensity * channelf", "0", outside),
        _where_outside("erev", f"R * temperature / (zCa * F) * log({outside} / {inside})", "0", outside),
        "iDensity = gDensity * (erev - v)",
    ]
    return core(
        name,
        extends="baseChannelDensityCond",
        constants={**_GAS, **_UNSHIFTED},
        texts="segmentGroup ion",
        needs=f"temperature:temperature {inside}:concentration {outside}:concentration",
        gives=f"{_BOTH} erev:voltage",
        local="channelf:none",
        derived=derived,
    )


_DENSITIES = (
    core(
        "channelDensity",
        "erev:voltage",
        extends="baseChannelDensityCond",
        constants=_UNSHIFTED,
        texts="segmentGroup ion",
        gives=_BOTH,
        local="channelf:none",
        derived=[_OPEN, "gDensity = condDensity * channelf", "iDensity = gDensity * (erev - v)"],
    ),
    core("channelDensityVShift", "vShift:voltage", extends="channelDensity", texts="segmentGroup ion"),
    _nernst("channelDensityNernst", ""),
    _nernst("channelDensityNernstCa2", "2"),
    core(
        "channelDensityGHK",
        "permeability:permeability",
        extends="baseChannelDensity",
        constants={**_GAS, **_UNSHIFTED},
        texts="segmentGroup ion",
        needs="temperature:temperature caConc:concentration caConcExt:concentration",
        gives="iDensity:currentDensity",
        local="K:per_voltage expKv:none channelf:none drive:concentration",
        derived=[
            "K = zCa * F / (R * temperature)",
            "expKv = exp(-K * v)",
            _OPEN,
            # K v / (1 - exp(-K v)) has the limit 1 at v = 0, which the core type does not state
            (
                "drive",
                [
                    ("abs(K * v) > 1e-6", "K * v * (caConc - caConcExt * expKv) / (1 - expKv)"),
                    ("", "(caConc - caConcExt * expKv) * (1 + K * v / 2)"),
                ],
            ),
            _where_outside("iDensity", "-channelf * permeability * zCa * F * drive", "0", "caConcExt"),
        ],
    ),
    core(
        "channelDensityGHK2",
        extends="baseChannelDensityCond",
        constants={
            "VOLT_SCALE": ("voltage", 1.0),
            "V1": ("voltage", 1000.0),
            "TEMP_SCALE": ("temperature", 1.0),
            **_UNSHIFTED,
        },
        texts="segmentGroup ion",
        needs="temperature:temperature caConc:concentration caConcExt:concentration",
        gives=_BOTH,
        local="V:none T:none channelf:none tmp:none x:none ratio:none pOpen:voltage",
        derived=[
            "V = v / VOLT_SCALE",
            "T = temperature / TEMP_SCALE",
            _OPEN,
            "gDensity = condDensity * channelf",
            "tmp = 25 * T / (293.15 * 2)",
            "x = V / tmp",
            "ratio = 1 - caConc / caConcExt * exp(x)",
            (
                "pOpen",
                [
                    ("abs(x) > 1e-6", "V1 * tmp * 1e-3 * ratio * x / (exp(x) - 1)"),
                    ("", "V1 * tmp * 1e-3 * ratio * (1 - x / 2)"),
                ],
            ),
            _where_outside("iDensity", "gDensity * pOpen", "0", "caConcExt"),
        ],
    ),
)

_POPULATIONS = (
    core(
        "baseChannelPopulation",
        extends="baseVoltageDepPointCurrent",
        refs=_CHANNEL,
        needs="v:voltage",
        gives="i:current",
    ),
    core(
        "channelPopulation",
        "number:none erev:voltage",
        extends="baseChannelPopulation",
        constants=_UNSHIFTED,
        texts="ion",
        gives="i:current",
        local="channelg:conductance geff:conductance",
        derived=["channelg <- ionChannel/g", "geff = channelg * number", "i = geff * (erev - v)"],
    ),
    core(
        "channelPopulationNernst",
        "number:none",
        extends="baseChannelPopulation",
        constants={**_GAS, **_UNSHIFTED},
        texts="ion",
        needs="temperature:temperature caConc:concentration caConcExt:concentration",
        gives="i:current erev:voltage",
        local="singleChannelConductance:conductance totalConductance:conductance",
        derived=[
            "singleChannelConductance <- ionChannel/g",
            "totalConductance = singleChannelConductance * number",
            "erev = R * temperature / (zCa * F) * log(caConcExt / caConc)",
            "i = totalConductance * (erev - v)",
        ],
    ),
)

_CONCENTRATIONS = "concentration:concentration extConcentration:concentration"
_INITIAL = ("concentration = initialConcentration", "extConcentration = initialExtConcentration")
_POOL_NEEDS = "surfaceArea:area initialConcentration:concentration initialExtConcentration:concentration"
_NOT_BELOW = {"concentration < 0": ["concentration = 0"]}


def _pool(name: str, parameters: str, rate: str, *derived: str, **more: object) -> ComponentType:
    """A concentration that a current fills and that decays; it does not go below 0."""
    return core(
        name,
        parameters,
        extends="concentrationModel",
        texts="ion species",
        needs="iCa:current surfaceArea:area",
        gives=_CONCENTRATIONS,
        states=_CONCENTRATIONS,
        derived=derived,
        rates=[f"concentration = {rate}"],
        start=_INITIAL,
        when=_NOT_BELOW,
        **more,  # type: ignore[arg-type]
    )


_POOLS = (
    core(
        "concentrationModel",
        texts="ion",
        needs=_POOL_NEEDS,
        gives=_CONCENTRATIONS,
        states=_CONCENTRATIONS,
        start=_INITIAL,
    ),
    _pool(
        "decayingPoolConcentrationModel",
        "restingConc:concentration decayConstant:time shellThickness:length",
        "iCa / (2 * Faraday * shellVolume) - (concentration - restingConc) / decayConstant",
        "effectiveRadius = LENGTH_SCALE * sqrt(surfaceArea / (AREA_SCALE * 4 * 3.14159))",
        "innerRadius = effectiveRadius - shellThickness",
        "shellVolume = 4 * 3.14159 / 3 * (effectiveRadius ^ 3 - innerRadius ^ 3)",
        constants={"Faraday": FARADAY, "AREA_SCALE": ("area", 1.0), "LENGTH_SCALE": ("length", 1.0)},
        local="effectiveRadius:length innerRadius:length shellVolume:volume",
    ),
    _pool(
        "fixedFactorConcentrationModel",
        "restingConc:concentration decayConstant:time rho:rho_factor",
        "iCa / surfaceArea * rho - (concentration - restingConc) / decayConstant",
    ),
    _pool(
        "fixedFactorConcentrationModelTraub",
        "restingConc:concentration beta:per_time phi:rho_factor",
        "iCa / surfaceArea * 1e-9 * phi - (concentration - restingConc) * beta",
    ),
)

TYPES = (*_BASE, *_DENSITIES, *_POPULATIONS, *_POOLS)
