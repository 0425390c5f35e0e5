"""Scripts of plain sPyNNaker on its virtual board, in a process and a home of their own: the oracle of the runner."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

CONFIG = """[Machine]
virtual_board = True
version = 5
[Mode]
mode = Production
[Reports]
default_report_file_path = {folder}
write_network_graph = False
"""

needs_spynnaker = pytest.mark.skipif(find_spec("spynnaker") is None, reason="sPyNNaker is not installed")


def run_script(folder: Path, text: str) -> Any:
    """The value that a script gives to ``give(value)``, by JSON. It finds ``sim`` there, which it has not set up."""
    (folder / ".spynnaker.cfg").write_text(CONFIG.format(folder=folder))
    head = "import json\nimport numpy as np\nimport pyNN.spiNNaker as sim\n"
    head += "give = lambda value: open('given.json', 'w').write(json.dumps(value))\n"
    (folder / "script.py").write_text(head + text)
    done = subprocess.run(
        [sys.executable, "script.py"],
        cwd=folder,
        env={**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder / "config")},
        capture_output=True,
        text=True,
        check=False,
        timeout=400,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads((folder / "given.json").read_text())
