"""sPyNNaker's settings, written into the run's own folder: the user's home is neither read nor written.

sPyNNaker wants ``.spynnaker.cfg`` in the home or in the user's folder of configurations, and writes a template into the
home where there is none. So for the run both are folders of the run. Passwords of a server of boards stay where
sPyNNaker itself looks for them, in the environment (SPALLOC_USER, SPALLOC_PASSWORD).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pynn_io.errors import FormatError

FILE = ".spynnaker.cfg"
#: sPyNNaker's number for boards of 48 chips.
_VERSION = 5


@dataclass(frozen=True, slots=True)
class Board:
    """Where it runs. host: of one board. spalloc: URL of a server that gives boards. Neither: a virtual board."""

    host: str = ""
    spalloc: str = ""

    @property
    def is_virtual(self) -> bool:
        return not (self.host or self.spalloc)

    @property
    def hint(self) -> str:
        """What helps where it cannot be had."""
        if self.is_virtual:
            return ""
        option = "--board" if self.host else "--spalloc"
        return f"can {self} be reached from here? Without {option} the network is mapped, and nothing is executed"

    def __str__(self) -> str:
        if self.is_virtual:
            return "the virtual board"
        return f"the board {self.host}" if self.host else f"a board of {self.spalloc}"


def board_of(options: Mapping[str, Any]) -> Board:
    """The board that a profile's options ask for.

    Raises FormatError for two places at once, for names that would be more than one setting, and for a URL with a
    password, which would end in files.
    """
    stated = {name: str(options[name]) for name in ("board", "spalloc") if options.get(name) is not None}
    if len(stated) > 1:
        raise FormatError("a board and a server of boards are two places", hint="give --board or --spalloc")
    for name, value in stated.items():
        if not value or not value.isprintable() or any(character.isspace() for character in value):
            raise FormatError(f"--{name} {value!r} is no address")
    host, spalloc = stated.get("board", ""), stated.get("spalloc", "")
    parts = urlsplit(spalloc)
    if parts.username or parts.password:
        hint = "name and password belong in the environment: SPALLOC_USER and SPALLOC_PASSWORD"
        raise FormatError("--spalloc has a name or a password in it, which would be written to files", hint=hint)
    return Board(host, spalloc)


def settings(board: Board, reports: Path) -> str:
    """The text of the file. sPyNNaker takes no comments behind values."""
    if board.is_virtual:
        machine = ["virtual_board = True", f"version = {_VERSION}"]
    elif board.host:
        machine = [f"machine_name = {board.host}", f"version = {_VERSION}"]
    else:
        machine = [f"spalloc_server = {board.spalloc}"]
    return "\n".join(
        [
            "[Machine]",
            *machine,
            "[Mode]",
            "mode = Production",
            "[Reports]",
            f"default_report_file_path = {reports}",
            "write_network_graph = False",
            "",
        ]
    )


def configure(board: Board, folder: Path) -> None:
    """Write the settings under ``folder``, and make it the home of this process, which is that of one run alone."""
    home = folder / "spynnaker"
    home.mkdir(exist_ok=True)
    (home / FILE).write_text(settings(board, home), encoding="utf-8")
    os.environ["HOME"] = str(home)
    # a file of the user's there as well would be one too many
    os.environ["XDG_CONFIG_HOME"] = str(home / "config")
