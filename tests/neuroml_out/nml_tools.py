"""What the NeuroML tests share: the two outside judges, and where the data is."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"


def jnml() -> str:
    """The jnml command of this Python, or skip."""
    command = Path(sys.executable).with_name("jnml")
    if not command.exists() or shutil.which("java") is None:
        pytest.skip("jnml (pip install pyNeuroML) or Java is not installed")
    return str(command)


def jnml_validates(*paths: Path) -> str:
    """What ``jnml -validate`` says of the files; one JVM for all."""
    done = subprocess.run([jnml(), "-validate", *map(str, paths)], capture_output=True, text=True, timeout=300)
    return done.stdout


def xsd() -> etree.XMLSchema:
    """The 2.3.1 schema from the libNeuroML package, or skip."""
    neuroml = pytest.importorskip("neuroml")
    path = Path(neuroml.__file__).parent / "nml" / "NeuroML_v2.3.1.xsd"
    if not path.exists():
        pytest.skip("this libNeuroML has no 2.3.1 schema")
    return etree.XMLSchema(etree.parse(str(path)))


def data(name: str) -> Path:
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path
