"""How long the commands take to say what they can do: `--help`, against a Python that does nothing.

Target: under 0.3 s wall. Each is a process of its own; the minimum of several counts.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

RUNS = 7


def wall(command: list[str]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    nothing = wall([sys.executable, "-c", "pass"])
    print(f"python, nothing         {nothing:6.3f} s")
    for name in ("pynn-convert", "pynn-show"):
        taken = wall([str(Path(sys.executable).with_name(name)), "--help"])
        print(f"{name} --help{'' if len(name) > 9 else '   '}   {taken:6.3f} s  {taken / nothing:5.1f} x")


if __name__ == "__main__":
    main()
