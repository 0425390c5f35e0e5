"""The support tables answer for everything, and the audit completes a writer that forgets."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from pynn_io.audit import audit, complete, facts
from pynn_io.graph import biophysics, cells, stimuli
from pynn_io.pipeline import convert
from pynn_io.report import Kind, Report
from pynn_io.vocabulary.support import ROWS, TARGETS, matrix, support
from tests.models import MODELS


@pytest.mark.parametrize("target", TARGETS)
def test_every_class_has_an_answer_for_every_target(target: str) -> None:
    classes = {
        "cell": get_args(cells.Cell),
        "decor": (*get_args(biophysics.Item), biophysics.Junction),
        "stimulus": get_args(stimuli.Stimulus.__annotations__["what"])
        or (stimuli.SpikeTrains, stimuli.CurrentPulses, stimuli.OtherStimulus),
    }
    for head, kinds in classes.items():
        for kind in kinds:
            assert f"{head}:{kind.__name__}" in ROWS
            level, reason = support(f"{head}:{kind.__name__}", target)
            assert level == "exact" or (level in {"approximate", "no"} and reason)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("model", MODELS)
def test_every_fact_of_the_models_has_an_answer(model: str, target: str) -> None:
    found = list(facts(MODELS[model]()))
    assert found
    for fact in found:
        support(fact.key, target)


def test_an_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError, match="no support row for 'colour'"):
        support("colour:red", "sonata")


def test_the_most_specific_row_counts() -> None:
    assert support("channel:nmodl:pas", "neuroml").level == "exact"
    assert support("channel:nmodl:Ih", "neuroml").level == "no"


def test_the_audit_names_channels_and_rotations() -> None:
    report = Report()
    audit(MODELS["cable"](), "neuroml", report)
    found = {(issue.code, issue.kind, example) for issue in report for example in issue.examples}
    assert ("channel", Kind.LOST, "NaTs") in found
    assert ("channel", Kind.LOST, "Ih") in found
    assert not any(example == "pas" for *_, example in found)
    assert ("rotation-column", Kind.LOST, "rotation_angle_yaxis") in found


def test_settings_of_a_simulator_and_unused_values_are_named(data: Path, tmp_path: Path) -> None:
    """dL is written as numbers of compartments; the erev of Ih is one that BMTK ignores."""
    source = data / "sonata" / "5_cells_iclamp" / "simulation_config.json"
    lost = {
        example: issue.code
        for issue in convert(source, tmp_path / "out", to="neuroml").report.of_kind(Kind.LOST)
        for example in issue.examples
    }
    assert lost["nsteps_block"] == lost["output"] == "run" and "dL" not in lost
    assert lost["channelDensity.gbar_Ih.erev"] == "unused"
    back = convert(source, tmp_path / "allen", to="sonata+allen").report
    assert not {"run", "unused"} & back.codes()


def test_complete_adds_only_what_the_writer_forgot() -> None:
    audited = Report()
    audited.lost("channel", "population bio", "no such thing", examples=["NaTs"])
    audited.lost("channel", "population bio", "no such thing", examples=["Ih"])
    report = Report()
    report.lost("mechanism", "cell bio_100", "the channel NaTs is not written")
    complete(report, audited)
    assert [(issue.code, issue.count, issue.examples) for issue in report] == [
        ("mechanism", 1, []),
        ("channel", 1, ["Ih"]),
    ]


def test_the_matrix_answers_for_every_target() -> None:
    rows = list(matrix())
    assert len(rows) > 30
    assert all(set(row) == set(TARGETS) for _, row in rows)
    assert len({title for title, _ in rows}) == len(rows)
