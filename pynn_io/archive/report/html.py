"""``report.html``: one page that needs nothing but itself, with the matrix, every check, and the plots behind it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pynn_io.archive.report.algorithms import in_words
from pynn_io.archive.report.pictures import pictures_of
from pynn_io.archive.values import Cell, Verdict
from pynn_io.optional import needed
from pynn_io.results.compare.compare import STATISTICAL

#: A sign beside every verdict, so that it can be told without its colour.
_SIGNS = {
    Verdict.REPRODUCED: "✓",
    Verdict.DIFFERS: "✗",
    Verdict.INEXACT: "≈",
    Verdict.NOT_COMPARABLE: "?",
    Verdict.CANNOT_RUN: "!",
    Verdict.TIMED_OUT: "⧖",
    Verdict.NO_EXPECTATION: "–",
}
#: Letters of a message in the matrix.
_GLANCE = 60
#: ms: less is the rounding of a number.
_SAME = 1e-9
_PASSED = frozenset({Verdict.REPRODUCED, Verdict.NO_EXPECTATION})
#: Facts of a run that the page tells, and their names for people.
_FACTS = {
    "simulator": "simulator",
    "simulator_version": "its version",
    "backend_chosen": "chosen because",
    "timestep": "time step (ms)",
    "duration": "duration (ms)",
    "seed": "seed",
    "celsius": "temperature (degC)",
    "spike_threshold": "spike threshold (mV)",
    "threads": "threads",
}


def write_html(record: Mapping[str, Any], cells: Sequence[Cell], path: Path) -> None:
    """Write the page of `record.record_of`. Raises BackendUnavailable without Jinja2 or matplotlib."""
    jinja = needed("jinja2", "the report needs", "archive")
    loader = jinja.PackageLoader("pynn_io.archive.report", ".")
    environment = jinja.Environment(loader=loader, autoescape=True, undefined=jinja.StrictUndefined)
    environment.filters.update(words=_words, sign=lambda verdict: _SIGNS[Verdict(verdict)], short=_short_number)
    views = [_view(number, each, cell) for number, (each, cell) in enumerate(zip(record["cells"], cells, strict=True))]
    backends = list(dict.fromkeys(view["backend"] for view in views))
    page = environment.get_template("report.html.jinja").render(
        record=record,
        title=Path(record["archive"]["source"]).name,
        summary=_summary(record, len(views)),
        counts=list(_counts(views)),
        backends=backends,
        matrix=list(_matrix(views, backends)),
        cells=views,
        notes=record["archive"]["notes"].get("issues", ()),
        facts=list(_made_by(record)),
    )
    path.write_text(page, encoding="utf-8")


def _words(verdict: str) -> str:
    return verdict.replace(" ", "-")


def _short_number(number: float | None) -> str:
    return "" if number is None else f"{number:.3g}"


def _summary(record: Mapping[str, Any], cells: int) -> str:
    """What was reproduced, in a line."""
    archive, when = record["archive"], record["provenance"]["started"][:10]
    kind = {"omex": "COMBINE archive", "ro-crate": "RO-Crate", "zip": "zip file"}.get(archive["kind"], archive["kind"])
    runs = "1 run" if cells == 1 else f"{cells} runs"
    return f"{kind} of {archive['files']} files, {runs}, {when}"


def _counts(views: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, int]]:
    found = Counter(view["verdict"] for view in views)
    return ((verdict, found[verdict]) for verdict in Verdict if found[verdict])


def _matrix(views: Sequence[Mapping[str, Any]], backends: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for entry in dict.fromkeys(view["entry"] for view in views):
        own = {view["backend"]: view for view in views if view["entry"] == entry}
        yield entry, {"cells": [own.get(name) for name in backends], "passed": all(v["passed"] for v in own.values())}


def _view(number: int, record: Mapping[str, Any], cell: Cell) -> dict[str, Any]:
    checks = [
        {
            **each,
            "measured": measured(each["numbers"]),
            "pictures": list(pictures_of(check, cell.backend)),
            "features": each["numbers"].get("features", ()),
            "distances": (each["numbers"].get("statistics") or {}).get("distances", ()),
            "means": (each["numbers"].get("statistics") or {}).get("means", ()),
            "seen": each["numbers"].get("would_have_been_seen", ()),
        }
        for each, check in zip(record["checks"], cell.checks, strict=True)
    ]
    return {
        **record,
        "id": f"cell-{number}",
        "passed": Verdict(record["verdict"]) in _PASSED,
        "checks": checks,
        "has_omv": any(check["omv"] is not None for check in checks),
        "short": _short(record, checks),
        "issues": record["losses"].get("issues", ()),
        "facts": list(_facts(record)),
        "other_algorithm": record["algorithm"]["as_asked"] is False,
    }


def _short(record: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]) -> str:
    """What a glance at the matrix should tell."""
    if record["error"]:
        return _shortened(str(record["error"]["text"]))
    apart = [check for check in checks if check["verdict"] == Verdict.DIFFERS]
    if apart:
        counts = [f"{two} for {one} spikes" for one, two in _counted(apart) if one != two]
        return counts[0] if counts else _shortened(apart[0]["message"] or apart[0]["name"])
    shifted = sum(check["numbers"].get("spikes_shifted", 0) for check in checks)
    distances = [check["numbers"].get("dt_max_ms") for check in checks]
    known = [distance for distance in distances if distance is not None]
    if any(check["numbers"].get("tier") == STATISTICAL for check in checks):
        return "by the statistics of several seeds"
    if record["verdict"] == Verdict.INEXACT:
        return f"{shifted} spikes shifted, by {max(known):.2g} ms at most" if shifted else "recordings are off"
    if known and max(known) < _SAME:
        return "spikes at the same times"
    return f"spikes within {max(known):.2g} ms" if known else ""


def _counted(checks: Sequence[Mapping[str, Any]]) -> Iterator[tuple[int, int]]:
    """Numbers of spikes, as expected and as found."""
    for check in checks:
        numbers = check["numbers"]
        if "expected" in numbers:
            yield numbers["expected"], numbers["found"]
        yield from numbers.get("spikes", {}).values()


def _shortened(text: str) -> str:
    """The beginning of a message, without the place that it may start with."""
    parts = text.partition("\n")[0].split(": ")
    first = next((part for part in parts if " " in part and "/" not in part), parts[-1])
    return first if len(first) <= _GLANCE else f"{first[:_GLANCE].rstrip()} …"


def measured(numbers: Mapping[str, Any]) -> str:
    """The numbers of a check in a line."""
    parts = []
    if "expected" in numbers:
        parts.append(f"{numbers['found']} for {numbers['expected']}")
    parts += [f"{name}: {two} for {one} spikes" for name, (one, two) in numbers.get("spikes", {}).items()]
    one_by_one = numbers.get("tier") != STATISTICAL
    if one_by_one and numbers.get("dt_max_ms") is not None:
        parts.append(f"within {numbers['dt_max_ms']:.3g} ms")
    if numbers.get("relative") is not None:
        parts.append(f"{numbers['relative']:.2g} relative")
    if one_by_one and (numbers.get("missing") or numbers.get("extra")):
        parts.append(f"{numbers['missing']} missing, {numbers['extra']} extra")
    if numbers.get("feature"):
        parts.append(_feature(numbers["feature"]))
    if numbers.get("statistics"):
        statistics = numbers["statistics"]
        allowed = f"{statistics['ratio_null_p95']:.3g} between seeds"
        parts.append(f"distributions {statistics['ratio']:.3g} times as far apart as seeds on average, {allowed}")
    for name, trace in numbers.get("traces", {}).items():
        if trace["rms"] is not None:
            parts.append(f"{name}: RMS {trace['rms']:.3g} {trace['unit']}".rstrip())
    return "; ".join(parts)


def _feature(numbers: Mapping[str, Any]) -> str:
    if not numbers["cells"]:
        return "in one of the two only"
    means = f"{numbers['found']:.4g} for {numbers['published']:.4g}"
    return f"{means}, {numbers['worst']:.2g} apart at most in {numbers['cells']} cell{'s' * (numbers['cells'] > 1)}"


def _facts(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    provenance, process = record["provenance"], record["process"]
    for name, words in _FACTS.items():
        if provenance.get(name) not in (None, ""):
            yield words, provenance[name]
    algorithm = record["algorithm"]
    if algorithm["asked"]:
        other = ", and another one ran" if algorithm["as_asked"] is False else ""
        yield "algorithm asked for", f"{algorithm['asked']}{other}"
    for each in algorithm["ran"]:
        yield "algorithm that ran", in_words(each)
    if process:
        yield "wall clock", f"{process['seconds']:.1f} s"
        yield "memory, at most", f"{process['memory'] / 2**20:.0f} MB"
    if record["other_seeds"]:
        yield "other seeds", ", ".join(map(str, record["other_seeds"]))
    if record["network"]:
        yield "network", record["network"]
    yield "kept from an earlier call", "yes" if record["reused"] else "no"
    yield "its files", f"cells/{record['folder']}"


def _made_by(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    provenance, archive = record["provenance"], record["archive"]
    yield "command", shlex.join(provenance["command"])
    yield "started", provenance["started"]
    yield "ended", provenance["ended"]
    yield "archive", f"{archive['source']} ({archive['kind']}, {archive['files']} files)"
    if archive["sha256"]:
        yield "its SHA-256", archive["sha256"]
    machine = provenance["machine"]
    yield (
        "machine",
        f"{machine['system']} {machine['release']}, {machine['machine']}, {machine['processors']} processors",
    )
    yield "Python", machine["python"]
    known = {name.lower().replace("_", "-"): version for name, version in provenance["packages"].items()}
    for name in ("pynn-io", "numpy", "nest-simulator", "neuron", "arbor", "brian2", "pyneuroml", "pynn"):
        if name in known:
            yield name.replace("pynn-io", "pynn_io"), known[name]
