"""How the losses are told: the same thing of many places is one paragraph, and what changes the model comes first."""

import io
import json

import pytest

from pynn_io.cli.losses import grouped, print_losses
from pynn_io.report import Kind, Report
from tests.commands.circuits import run, write_circuit

CHANNEL = "{} has no NeuroML definition: this ion channel is left out."
CELLS = [f"cell_{number}" for number in range(9, 12)]


def told(report: Report) -> str:
    stream = io.StringIO()
    print_losses(report, stream)
    return stream.getvalue()


def paragraphs(report: Report) -> list[str]:
    """The text of each group, on one line."""
    lines = [line for line in told(report).splitlines() if line and not line.startswith(tuple("LANDE"))]
    found: list[str] = []
    for line in lines:
        if line.startswith("  ") and line[2] != " ":
            found.append(line.strip())
        else:
            found[-1] += " " + line.strip()
    return found


def test_one_sentence_at_several_places_is_told_once_with_the_places() -> None:
    report = Report()
    for name, count in (("a", 3), ("b", 1)):
        report.lost("edges-gone", f"projection {name}", "Connections without a cell are left out.", count=count)
    assert paragraphs(report) == ["4 x edges-gone  at projection a (3), b (1) Connections without a cell are left out."]


def test_counts_that_agree_are_not_repeated() -> None:
    report = Report()
    for name in "abc":
        report.lost("gone", f"cell {name}", "Its membrane is left out of the file.")
    assert paragraphs(report) == ["3 x gone  at cell a, b, c Its membrane is left out of the file."]


def test_sentences_that_differ_in_a_name_are_told_once_with_the_names() -> None:
    report = Report()
    for name in ("SK", "Ih", "K_10", "K_9"):
        report.lost("channel", "cable cells", CHANNEL.format(name), count=3, examples=CELLS)
    (text,) = paragraphs(report)
    assert text.startswith("12 x channel  at cable cells Each of Ih, K_9, K_10, SK has no NeuroML definition: ")
    assert text.endswith("namely: cell_9, cell_10, cell_11")


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        (
            ["The population becomes 5 populations of one kind.", "The population becomes 12 populations of one kind."],
            "The population becomes 5 / 12 populations of one kind.",
        ),
        (
            ["The reversal potentials of na, k are left out.", "The reversal potentials of k, na are left out."],
            "The reversal potentials of na, k are left out.",
        ),
        (
            ["Every edge states what its type states: id, delay", "Every edge states what its type states: id, x"],
            "Every edge states what its type states: id, delay / id, x",
        ),
        (
            ["hoc:A: its membrane is NEURON's own.", "hoc:B: its membrane is NEURON's own."],
            "hoc:A, hoc:B: its membrane is NEURON's own.",
        ),
    ],
)
def test_where_sentences_differ_both_are_told(messages: list[str], expected: str) -> None:
    report = Report()
    for number, message in enumerate(messages):
        report.lost("code", f"cell c{number}", message)
    (group,) = grouped(report)
    assert group.message() == expected
    assert group.count == 2


def test_sentences_of_another_meaning_stay_apart() -> None:
    report = Report()
    report.lost("code", "cell a", "The capacitance is stated twice and the second is left out.")
    report.lost("code", "cell a", "The morphology is not there and the cell is a point.")
    report.lost("other", "cell b", "The capacitance is stated twice and the second is left out.")
    assert len(grouped(report)) == 3


def test_clauses_are_not_mixed() -> None:
    report = Report()
    for key in ("dt; 0.1", "type; 'soma'"):
        report.defaulted("code", "file", f"The simulation is refused without {key} stands in")
    assert len(grouped(report)) == 2


def test_a_sentence_with_a_word_more_is_another_sentence() -> None:
    report = Report()
    for words in ("No point of the morphology has a diameter.", "No point of the morphology really has a diameter."):
        report.lost("code", "cell a", words)
    assert len(grouped(report)) == 2


def test_places_of_another_sort_stay_apart() -> None:
    report = Report()
    report.lost("extra-column", "population a", "There is no place for free columns.", examples=["ei"])
    report.lost("extra-column", "projection a", "There is no place for free columns.", examples=["query"])
    assert [group.place() for group in grouped(report)] == ["population a", "projection a"]


def test_files_of_one_folder_are_told_by_their_names() -> None:
    report = Report()
    for name in ("a.swc", "b.swc"):
        report.lost("radius", f"/data/cells/{name}", "The soma has no radius at all here.")
    (group,) = grouped(report)
    assert group.place() == "/data/cells: a.swc, b.swc"


def test_channels_come_before_labels_however_many_there_are() -> None:
    report = Report()
    report.lost("extra-column", "population a", "There is no place for free columns.", count=1000)
    report.lost("channel", "cable cells", CHANNEL.format("Ih"), count=2)
    assert [group.issues[0].code for group in grouped(report)] == ["channel", "extra-column"]


def test_a_long_list_is_cut_and_says_so() -> None:
    report = Report()
    for number in range(100):
        report.lost("gone", f"cell c{number}", "Its membrane is left out of the file.")
    (text,) = paragraphs(report)
    assert text.startswith("100 x gone  at cell c0, c1, ") and "and 84 more" in text


def test_incomplete_examples_are_called_examples() -> None:
    report = Report()
    report.lost("gone", "population a", "Cells of no kind are left out.", count=50, examples=["7", "8"])
    assert paragraphs(report)[0].endswith("for example: 7, 8")


def test_the_json_report_keeps_every_place_apart(tmp_path) -> None:
    extra = {"quality": [0.1, 0.2, 0.3, 0.4]}
    config = write_circuit(tmp_path / "circuit", extra=extra)
    done = run("pynn-convert", config, "out", "--to", "neuroml", "--report", "losses.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    issues = json.loads((tmp_path / "losses.json").read_text())["issues"]
    report = Report()
    for issue in issues:
        report.add(
            issue["code"], Kind(issue["kind"]), issue["where"], issue["message"],
            count=issue["count"], examples=issue["examples"],
        )  # fmt: skip
    assert " ".join(told(report).split()) in " ".join(done.stderr.split())
    assert len(report) == len(issues)
