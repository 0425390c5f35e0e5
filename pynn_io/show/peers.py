"""What other projects' readers and validators say of a file: each asked in a child process, with a time limit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pynn_io.formats.sonata_config import find

#: Seconds that a peer may take.
TIME_LIMIT = 300
#: Characters of a peer's message that fit a line or two; all of it is in the JSON.
SHOWN = 240

#: format -> (name of the peer, the distribution that brings it)
PEERS = {
    "sonata": (("libsonata", "libsonata"), ("bluepysnap", "bluepysnap")),
    "neuroml": (("jneuroml", "pyNeuroML"),),
}
#: What the rows are called: jNeuroML itself has no distribution, its jar comes with pyNeuroML.
TITLES = {"jneuroml": "jNeuroML (pyNeuroML {version})"}


#: The exception's name before its message says nothing to a modeller.
_EXCEPTION = re.compile(r"^[\w.]*(Error|Exception|Warning): ")


@dataclass(frozen=True, slots=True)
class Verdict:
    """ok: None where there is no verdict (not installed, not applicable). messages: why not, all of them."""

    name: str
    ok: bool | None
    messages: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.ok:
            return f"{self.name}: ok"
        first = textwrap.shorten(self.messages[0], SHOWN, placeholder=" ...") if self.messages else ""
        if self.ok is None:
            return f"{self.name}: {first}"
        more = f" (and {len(self.messages) - 1} more)" if len(self.messages) > 1 else ""
        return f"{self.name}: refuses: {first}{more}"


def verdicts(source: Path, format: str) -> list[Verdict]:
    """One verdict for every peer that knows ``format``; an empty list where none does."""
    if format == "sonata" and source.is_dir():
        source = find(source)  # the peers take a configuration, not its folder
    return [_verdict(peer, package, source) for peer, package in PEERS.get(format, ())]


def _verdict(peer: str, package: str, source: Path) -> Verdict:
    try:
        number = version(package)
    except PackageNotFoundError:
        return Verdict(peer, None, ("not installed",))
    name = TITLES.get(peer, "{peer} {version}").format(peer=peer, version=number)
    command = [sys.executable, "-m", "pynn_io.cli.peer", peer, str(source.absolute())]
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
    except subprocess.TimeoutExpired:
        return Verdict(name, None, (f"no answer within {TIME_LIMIT} s",))
    return Verdict(name, *_outcome(done))


def _outcome(done: subprocess.CompletedProcess[str]) -> tuple[bool | None, tuple[str, ...]]:
    if done.returncode == 0:
        messages = tuple(" ".join(str(one).split()) for one in json.loads(done.stdout.splitlines()[-1]))
        return not messages, messages
    if done.returncode < 0:
        return False, (f"crashes (signal {-done.returncode})",)
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    last = lines[-1] if lines else f"ends with status {done.returncode}"
    if last.startswith(("ModuleNotFoundError", "ImportError")):
        return None, (f"cannot be used here: {last}",)
    return False, (_EXCEPTION.sub("", last),)
