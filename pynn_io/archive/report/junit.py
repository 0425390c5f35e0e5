"""The matrix as JUnit XML, which every build service reads: a suite an entry, a case a check."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from lxml import etree

from pynn_io.archive.values import Verdict

#: What a build service is told of a verdict; nothing of one that passes.
_ELEMENTS = {
    Verdict.DIFFERS: "failure",
    Verdict.INEXACT: "failure",
    Verdict.NOT_COMPARABLE: "error",
    Verdict.CANNOT_RUN: "error",
    Verdict.TIMED_OUT: "error",
    Verdict.NO_EXPECTATION: "skipped",
}


def write_junit(record: Mapping[str, Any], path: Path) -> None:
    """``junit.xml`` of `record.record_of`."""
    root = etree.Element("testsuites", name="pynn-reproduce")
    for name, cells in groupby(sorted(record["cells"], key=lambda each: each["entry"]), lambda each: each["entry"]):
        suite = etree.SubElement(root, "testsuite", name=_text(name))
        for cell in cells:
            for check in cell["checks"] or [_whole(cell)]:
                _case(suite, cell, check)
        _count(suite)
    _count(root)
    path.write_bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _whole(cell: Mapping[str, Any]) -> Mapping[str, Any]:
    """A cell without checks, as one."""
    message = cell["error"]["text"] if cell["error"] else "nothing was published of it"
    return {"name": "run", "verdict": cell["verdict"], "message": message}


def _case(suite: etree._Element, cell: Mapping[str, Any], check: Mapping[str, Any]) -> None:
    seconds = f"{cell['process'].get('seconds', 0.0):.3f}"
    name = _text(f"{check['name']} [{cell['backend']}]")
    case = etree.SubElement(suite, "testcase", classname=_text(cell["entry"]), name=name, time=seconds)
    kind = _ELEMENTS.get(Verdict(check["verdict"]))
    if kind is not None:
        found = etree.SubElement(case, kind, message=_text(check["message"] or check["verdict"]), type=check["verdict"])
        found.text = _text(cell["log"]) if kind == "error" else None


def _count(element: etree._Element) -> None:
    element.set("tests", str(len(element.findall(".//testcase"))))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(attribute, str(len(element.findall(f".//{tag}"))))


def _text(text: str) -> str:
    """Without the characters that XML cannot hold."""
    return "".join(letter for letter in text if letter in "\t\n\r" or (letter >= " " and letter not in "\ufffe\uffff"))
