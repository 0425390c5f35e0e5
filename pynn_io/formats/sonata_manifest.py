"""Manifest variables of SONATA configurations: ``$NAME`` and ``${NAME}``, nested, with BMTK's built-in ones."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pynn_io.errors import ReadError

_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_BRACES = str.maketrans("", "", "${}")
#: Keys whose values hold no paths, and may hold a literal ``$`` (regular expressions).
VERBATIM = ("node_sets",)


def expand_manifest(manifest: Mapping[str, Any], path: Path) -> dict[str, str]:
    """The manifest's variables with their values, nested ones replaced, by name without ``$``.

    Adds BMTK's ``configdir``, ``configfname``, ``workingdir``, ``date``, ``time`` and ``datetime``. Values need not
    be paths.
    Raises ReadError for an unknown variable and for a cycle, which it names.
    """
    raw = {key.translate(_BRACES): value for key, value in manifest.items()}
    now = datetime.datetime.now()
    builtin = {
        "configdir": str(path.parent),
        "configfname": str(path),
        "workingdir": str(Path.cwd()),
        "date": now.strftime("%Y-%m-%d"),
        "time": now.strftime("%H-%M-%S"),
        "datetime": now.strftime("%Y-%m-%d_%H-%M-%S"),
    }
    done: dict[str, str] = {key: value for key, value in builtin.items() if key not in raw}
    for name in raw:
        _expand(name, raw, done, [], path)
    return done


def _expand(name: str, raw: Mapping[str, Any], done: dict[str, str], chain: list[str], path: Path) -> str:
    if name in done:
        return done[name]
    if name in chain:
        cycle = " -> ".join(f"${step}" for step in [*chain[chain.index(name) :], name])
        raise ReadError(f"the manifest is cyclic: {cycle}", where=path, hint="give one of them a path of its own")
    if name not in raw:
        raise _unknown(name, path)
    value = raw[name]
    text = str(value)
    if isinstance(value, str):
        text = _VARIABLE.sub(lambda match: _expand(match[1] or match[2], raw, done, [*chain, name], path), value)
    done[name] = text
    return text


def substitute(value: Any, variables: Mapping[str, str], path: Path) -> Any:
    """``value`` with ``$NAME`` and ``${NAME}`` replaced in every string in it. Raises ReadError for an unknown name."""

    def replace(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name not in variables:
            raise _unknown(name, path)
        return variables[name]

    if isinstance(value, str):
        return _VARIABLE.sub(replace, value)
    if isinstance(value, Mapping):
        return {key: item if key in VERBATIM else substitute(item, variables, path) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, variables, path) for item in value]
    return value


def _unknown(name: str, path: Path) -> ReadError:
    return ReadError(
        f"the variable ${name} is not in the manifest", where=path, hint=f'add "${name}" to "manifest", or spell it out'
    )
