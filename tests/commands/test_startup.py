"""Starting the commands costs next to nothing: whoever asks for help does not wait for numpy."""

import re
import subprocess
import sys

import pytest

from tests.commands.circuits import run

HEAVY = ["numpy", "h5py", "lxml", "rich", "matplotlib", "neuron", "morphio", "libsonata", "importlib.metadata"]


def modules_after(code: str) -> set[str]:
    """The heavy modules that are loaded once ``code`` has run in a fresh interpreter."""
    program = f"import sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\nfound = sys.modules\n"
    program += f"print('LOADED', *[name for name in {HEAVY!r} if name in found])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize("module", ["compare", "convert", "run", "show"])
def test_help_loads_nothing_heavy(module):
    assert modules_after(f"from pynn_io.cli.{module} import main; main(['--help'])") == set()


def test_importing_the_package_loads_nothing_heavy():
    assert modules_after("import pynn_io; dir(pynn_io)") == set()


def test_the_probe_sees_what_is_loaded():
    assert "numpy" in modules_after("import numpy")


@pytest.mark.parametrize("name", ["pynn-convert", "pynn-run", "pynn-show"])
def test_help_has_examples_and_exit_statuses(name):
    text = run(name, "--help").stdout
    assert "examples:" in text
    assert re.search(rf"\n  {name} (circuit|simulation)_config.json", text)
    statuses = text.partition("exit status:")[2].split("\n")
    assert next(line.split()[0] for line in statuses if line.strip()) == "0"


@pytest.mark.parametrize("name", ["pynn-convert", "pynn-run", "pynn-show"])
def test_version(name):
    import importlib.metadata

    done = run(name, "--version")
    assert (done.returncode, done.stdout) == (0, f"{name} {importlib.metadata.version('pynn_io')}\n")
