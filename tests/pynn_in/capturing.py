"""A plugin of pytest that puts the recording backend under the names of PyNN's, for PyNN's own scenarios.

Used as ``-p tests.pynn_in.capturing --captured FILE``: FILE gets, by test, what was built there, or why nothing was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pynn_io.graph.validate import problems
from pynn_io.importers.pynn_capture import modules
from pynn_io.importers.pynn_capture.simulator import Session, state
from pynn_io.importers.pynn_objects.network import Objects, build
from pynn_io.report import Report

modules.install()
_found: dict[str, Any] = {}


def _freeze(session: Session) -> Any:
    objects = Objects(session.populations, session.projections, session.views, session.assemblies)
    return build(objects, Report()).network


state.freeze = _freeze


def pytest_addoption(parser: Any) -> None:
    parser.addoption("--captured", type=Path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: Any) -> Any:
    state.sessions.clear()
    state.begin(Session())
    _found[item.nodeid] = "no population"
    try:
        return (yield)
    except BaseException as error:
        _found[item.nodeid] = f"{type(error).__name__}: {error}".splitlines()[0]
        raise
    finally:
        networks = [session.frozen or _freeze(session) for session in state.sessions if session.populations]
        if networks:
            _found[item.nodeid] = {
                "populations": sum(len(network.populations) for network in networks),
                "edges": sum(projection.size for network in networks for projection in network.projections.values()),
                "problems": [text for network in networks for text in problems(network)],
                "ended": _found[item.nodeid],
            }


def pytest_sessionfinish(session: Any) -> None:
    session.config.getoption("--captured").write_text(json.dumps(_found, indent=1))
