"""What the benchmarks share: each case in a child process of its own, CPU seconds and peak memory above the imports.

A case is a function ``case(arguments) -> dict`` of a benchmark script; it imports what it needs, calls `start()`, does
the work, and returns `stop()`. CPU seconds are those of the process (user and system); on a busy machine they mean more
than the wall clock. Cases of one run take turns, and the best of ``--repeat`` counts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MB = 1e6
_started: dict[str, float] = {}


def start() -> None:
    """After the imports, before the work: zero for CPU seconds and memory."""
    try:
        Path("/proc/self/clear_refs").write_text("5")  # resets the high-water mark, where Linux allows it
    except OSError:
        _started["mark"] = _peak()
    _started["rss"] = _status("VmRSS")
    _started["wall"] = time.perf_counter()
    _started["cpu"] = time.process_time()


def stop(**more: Any) -> dict[str, Any]:
    """After the work: CPU and wall seconds, and MB above what the process held at `start()`."""
    cpu, wall = time.process_time() - _started["cpu"], time.perf_counter() - _started["wall"]
    return {"cpu": cpu, "wall": wall, "peak": (_peak() - _started["rss"]) / MB, **more}


def _status(key: str) -> float:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return next(float(line.split()[1]) * 1024 for line in lines if line.startswith(key))


def _peak() -> float:
    return _status("VmHWM")


def arguments(description: str, **numbers: int) -> argparse.Namespace:
    """The command line of a benchmark; ``numbers`` are options with their defaults."""
    parser = argparse.ArgumentParser(description=description)
    for name, default in numbers.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default {default}")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each case; the best counts")
    parser.add_argument("--data", type=Path, help="keep generated input here and use it again")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    parser.add_argument("--settings", help=argparse.SUPPRESS)
    return parser.parse_args()


def serve(cases: dict[str, Callable[[dict], dict]], options: argparse.Namespace) -> None:
    """In a child: run the one case asked for, print its result as JSON, and leave."""
    if options.case:
        result = cases[options.case](json.loads(options.settings))
        sys.stdout.write("\nRESULT " + json.dumps(result) + "\n")
        sys.stdout.flush()
        os._exit(0)  # simulators may not survive the interpreter's own end


def run(names: Sequence[str], settings: dict[str, Any], repeat: int) -> dict[str, dict[str, Any]]:
    """Every case ``repeat`` times, taking turns. A case that fails has only the key ``error``, its last line."""
    best: dict[str, dict[str, Any]] = {}
    for _ in range(repeat):
        for name in names:
            if "error" in best.get(name, {}):
                continue
            result = _child(name, settings)
            if "error" in result or name not in best or result["cpu"] < best[name]["cpu"]:
                best[name] = result
    return best


def _child(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        handed = json.dumps(settings | {"folder": folder})
        command = [sys.executable, sys.argv[0], "--case", name, "--settings", handed]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    for line in done.stdout.splitlines():
        if line.startswith("RESULT "):
            return json.loads(line.removeprefix("RESULT "))
    said = [line for line in done.stderr.splitlines() if line.strip()]
    errors = [line for line in said if re.match(r"[\w.]+(Error|Exception|Unavailable)\b", line)]
    return {"error": (errors or said or [f"exit status {done.returncode}"])[-1]}


@contextmanager
def input_folder(options: argparse.Namespace) -> Iterator[Path]:
    """Where generated input goes: ``--data``, or a folder that is gone afterwards."""
    if options.data is not None:
        options.data.mkdir(parents=True, exist_ok=True)
        yield options.data
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def table(title: str, rows: Sequence[tuple[str, dict[str, Any]]], baseline: str, results: dict) -> None:
    """CPU seconds, MB and the ratio to the baseline, one line a case."""
    print(f"\n{title}\n")
    print(f"{'':46s} {'CPU s':>8s} {'wall s':>8s} {'peak MB':>8s} {'ratio':>7s}")
    base = results.get(baseline, {}).get("cpu")
    for label, result in rows:
        if "error" in result:
            print(f"{label:46s} not run: {result['error'][:150]}")
            continue
        ratio = f"{result['cpu'] / base:7.2f}" if base else "      -"
        print(f"{label:46s} {result['cpu']:8.2f} {result['wall']:8.2f} {result['peak']:8.0f} {ratio}")


def verdict(what: str, value: float, target: float, *, at_most: bool, unit: str = "") -> None:
    """One line that says whether a target is met. Nothing fails: timings depend on the machine."""
    met = value <= target if at_most else value >= target
    bound = f"{'<=' if at_most else '>='} {target:g}{unit}"
    print(f"{'met   ' if met else 'MISSED'}  {what}: {value:.2f}{unit} (target {bound})")
