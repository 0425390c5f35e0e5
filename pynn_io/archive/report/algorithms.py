"""The algorithm that ran, beside the one that the archive asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def algorithms_of(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """``asked``: the term of KiSAO that a document states, or the method that a plan names, None for neither; ``ran``:
    what the backend says it used; ``as_asked``: whether that is the term that is asked for and nothing else, None for
    no term."""
    ran = list(_ran(provenance))
    asked = provenance.get("algorithm") or provenance.get("integration_method")
    terms = {each["kisao"] for each in ran}
    known = any(terms) and str(asked).startswith("KISAO:")
    return {"asked": asked, "ran": ran, "as_asked": terms == {asked} if known else None}


def _ran(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Of one simulator, or of each that took part."""
    yield from provenance.get("algorithms", ())
    for part in provenance.get("parts", {}).values():
        yield from part.get("algorithms", ())


def in_words(algorithm: Mapping[str, Any]) -> str:
    """``membranes: Euler backward method (KISAO:0000031), every 0.025 ms``."""
    term = f" ({algorithm['kisao']})" if algorithm["kisao"] else ""
    step = f", every {algorithm['step']:g} ms" if algorithm["step"] else ""
    parts = f" in {algorithm['parts']} parts" if algorithm["parts"] > 1 else ""
    return f"{algorithm['of']}: {algorithm['name']}{term}{step}{parts}"
