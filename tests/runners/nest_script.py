"""Hand-written NEST scripts as oracles: each in a process of its own, its ``result`` back as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

_BEFORE = """
import json, sys
import numpy as np
import nest
nest.verbosity = nest.VerbosityLevel.ERROR
nest.ResetKernel()
"""
_AFTER = """
json.dump(result, open(sys.argv[1], "w"), default=lambda value: np.asarray(value).tolist())
"""


def run_script(code: str, folder: Path) -> Any:
    """``result`` of a script that uses ``nest``, ``np`` and whatever it imports."""
    script, out = folder / "script.py", folder / "result.json"
    script.write_text(_BEFORE + code + _AFTER)
    done = subprocess.run([sys.executable, str(script), str(out)], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        raise AssertionError(done.stdout + done.stderr)
    return json.loads(out.read_text())
