"""``ro-crate-metadata.json`` of an archive that is packed: a Workflow Run RO-Crate, which tools of provenance read.

The plan of the simulation is its workflow, since it says what is made of what. Two actions tell of its run: that of the
workflow, and, as Process Run Crate has it, that of the simulator with its version.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from pynn_io.archive.container import RO_CRATE
from pynn_io.archive.expected import Packed
from pynn_io.archive.values import Kind
from pynn_io.formats.omex import format_of
from pynn_io.optional import needed

#: What the crate conforms to: each but the last is an extension of those after it.
_PROFILES = {
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
#: The specification that these extend: later ones call a workflow by another IRI. _TERMS: its words for checksums.
_VERSION, _TERMS = "1.1", "https://w3id.org/ro/terms/workflow-run/context"
#: What plans are written in: name, and a page about it.
_LANGUAGES = {
    Kind.SONATA: ("SONATA", "https://github.com/AllenInstitute/sonata"),
    Kind.LEMS: ("LEMS", "https://docs.neuroml.org/Userdocs/LEMS.html"),
    Kind.SEDML: ("SED-ML", "https://sed-ml.org"),
    Kind.PYNN: ("PyNN", "http://neuralensemble.org/PyNN"),
}
_WORKFLOW = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
#: Of simulators, the pages that name them for good.
_PAGES = {
    "nest": "https://www.nest-simulator.org",
    "neuron": "https://nrn.readthedocs.io",
    "jneuroml": "https://github.com/NeuroML/jNeuroML",
    "brian2": "https://briansimulator.org",
    "arbor": "https://arbor-sim.org",
    "moose": "https://moose.ncbs.res.in",
}
_MEDIA = "http://purl.org/NET/mediatypes/"
_DONE = "http://schema.org/CompletedActionStatus"
_LICENCE = "That of the model: the archive was packed from its files, and states no other."


def write_crate(
    content: Path, sums: Mapping[str, str], packed: Packed, made: str, provenance: Mapping[str, Any]
) -> None:
    """Write the metadata into the folder that is packed.

    sums: SHA-256 of every file, by its name. made: the folder of what the run gave. provenance: of the run. Raises
    BackendUnavailable without the rocrate package.
    """
    crate = needed("rocrate.rocrate", "RO-Crate metadata need", "archive").ROCrate(version=_VERSION)
    crate.metadata.extra_contexts.append(_TERMS)
    crate.name = f"Simulation of {packed.entry}"
    crate.description = "A simulation with the results that it gave, packed to be reproduced."
    crate.license = _LICENCE
    profiles = [
        _add(crate, uri, "CreativeWork", name=name, version=version) for uri, (name, version) in _PROFILES.items()
    ]
    crate.root_dataset["conformsTo"] = profiles
    crate.metadata["conformsTo"] = [{"@id": crate.metadata.profile}, profiles[-1]]
    page = _PAGES.get(packed.backend.partition(":")[0])
    simulator = _add(
        crate,
        page or f"#{packed.backend}",
        "SoftwareApplication",
        name=provenance.get("simulator", packed.backend),
        softwareVersion=packed.simulator_version,
        url=page and {"@id": page},
    )
    files = _files(crate, content, sums, packed)
    workflow = files[packed.entry]
    workflow["softwareRequirements"] = simulator
    crate.mainEntity = workflow
    facts = {
        "name": f"{packed.entry} on {packed.backend}",
        "object": [file for name, file in files.items() if not name.startswith(f"{made}/") and file is not workflow],
        "result": [file for name, file in files.items() if name.startswith(f"{made}/")],
        "startTime": provenance.get("date"),
        "endTime": _end(provenance),
        "actionStatus": _DONE,
    }
    told = {
        "#run": (workflow, "The simulation was run as its plan says."),
        "#simulation": (simulator, "It was run on this simulator."),
    }
    actions = [
        _add(crate, name, "CreateAction", instrument=instrument, description=description, **facts)
        for name, (instrument, description) in told.items()
    ]
    crate.root_dataset["mentions"] = actions
    (content / RO_CRATE).write_text(json.dumps(crate.metadata.generate(), indent=1) + "\n", encoding="utf-8")


def _files(crate: Any, content: Path, sums: Mapping[str, str], packed: Packed) -> dict[str, Any]:
    """Every file as an entity, the plan as a workflow."""
    found = {}
    for name, digest in sums.items():
        types = {"@type": _WORKFLOW, "name": crate.name} if name == packed.entry else {}
        facts = {"sha256": digest, "encodingFormat": _media_type(name), **types}
        found[name] = crate.add_file(content / name, name, properties=facts)
    name, url = _LANGUAGES[packed.kind]
    language = _add(crate, f"#{name.lower()}", "ComputerLanguage", name=name, url={"@id": url})
    found[packed.entry]["programmingLanguage"] = language
    return found


def _media_type(name: str) -> str:
    """Of a file; what COMBINE's URIs name is XML."""
    stated = format_of(name).removeprefix(_MEDIA)
    return "application/xml" if ":" in stated else stated


def _end(provenance: Mapping[str, Any]) -> str | None:
    """When the run ended, by its start and the seconds of its steps."""
    if "date" not in provenance:
        return None
    seconds = sum(provenance.get("seconds", {}).values())
    return (datetime.fromisoformat(provenance["date"]) + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def _add(crate: Any, identifier: str, kind: str, **properties: Any) -> Any:
    entity = needed("rocrate.model.contextentity", "RO-Crate metadata need", "archive").ContextEntity
    made = crate.add(entity(crate, identifier, properties={"@type": kind}))
    for name, value in properties.items():
        if value is not None:
            made[name] = value
    return made
