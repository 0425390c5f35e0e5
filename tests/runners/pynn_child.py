"""``python -m tests.runners.pynn_child MODULE FOLDER``: documents on a backend of PyNN and on our NEST, in one process.

Reads ``cases.pickle``, ``{name: Document}``, and writes ``outcomes.pickle``, ``{name: (by PyNN, by NEST)}``, each a
pair of `Results` and the codes of the report, or the text of what was raised. For pyNN.neuron the second is None.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import cloudpickle

from pynn_io.document import Document
from pynn_io.errors import PynnIOError
from pynn_io.progress import quiet
from pynn_io.report import Report
from pynn_io.runners.base import Profile, Runner
from pynn_io.runners.nest import NestRunner
from pynn_io.runners.pynn import PynnRunner


def outcome(runner: Runner, document: Document) -> Any:
    report = Report()
    try:
        lowered = runner.lower(document.network, document.plan, report)
        model = runner.build(lowered, Profile(), report, quiet)
        runner.run(model, quiet)
        return runner.collect(model, lowered), report.codes()
    except PynnIOError as error:
        return f"{type(error).__name__}: {error}"


def main() -> None:
    module, folder = sys.argv[1], Path(sys.argv[2])
    cases = pickle.loads((folder / "cases.pickle").read_bytes())
    if module == "pyNN.brian2":
        import brian2

        brian2.prefs.codegen.target = "numpy"  # compiling takes minutes, once for every kind of cell
    against = NestRunner() if module != "pyNN.neuron" else None
    found = {}
    for name, document in cases.items():
        found[name] = outcome(PynnRunner(module), document), against and outcome(against, document)
    (folder / "outcomes.pickle").write_bytes(cloudpickle.dumps(found))


if __name__ == "__main__":
    main()
