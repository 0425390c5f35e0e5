"""What `make demo` runs: the public commands on the circuits in fixtures/, step by step, into demo_output/."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent
MARK = ".made-by-make-demo"
COMMANDS = Path(sys.executable).parent

#: The words before each step, the command line, and the exit status that it should end with. A step on a simulator that
#: cannot be here is passed over: see `missing`.
STEPS: tuple[tuple[str, str, int], ...] = (
    (
        "1. A circuit. fixtures/synfire is a SONATA circuit: a chain of 11 layers of excitatory and inhibitory cells.\n"
        "   What does it hold, and what does it look like?",
        "pynn-show fixtures/synfire/simulation_config.json --plot demo_output/synfire.png",
        0,
    ),
    (
        "2. SONATA to NeuroML, with the stimulus and a LEMS simulation file.",
        "pynn-convert fixtures/synfire/simulation_config.json demo_output/synfire_neuroml --to neuroml",
        0,
    ),
    (
        "3. The same circuit again as SONATA, in the dialect of each of SONATA's two worlds: the Allen Institute's ...",
        "pynn-convert fixtures/synfire/simulation_config.json demo_output/synfire_allen --to sonata+allen",
        0,
    ),
    (
        "   ... and the Open Brain Institute's. Neither world's tools open the other's files.",
        "pynn-convert fixtures/synfire/simulation_config.json demo_output/synfire_obi --to sonata+obi",
        0,
    ),
    (
        "4. Is what we wrote sound? By our rules, and by libsonata's and bluepysnap's.",
        "pynn-show demo_output/synfire_obi/simulation_config.json --validate --quiet",
        0,
    ),
    (
        "5. A harder one: fixtures/mixed has cells with dendrites and ion channels beside point cells. It names the\n"
        "   channels, and their equations are elsewhere, in NEURON's own language (--mechanisms DIR, where you have\n"
        "   these files, translates them). You are told what is lost, by name:",
        "pynn-convert fixtures/mixed/simulation_config.json demo_output/mixed_neuroml --to neuroml"
        " --report demo_output/mixed_losses.json",
        0,
    ),
    (
        "6. Run it. The same plan on NEST ...",
        "pynn-run fixtures/synfire/simulation_config.json --backend nest -o demo_output/run_nest"
        " --plot demo_output/run_nest.png",
        0,
    ),
    (
        "   ... and on NEURON, where the cells are mechanisms of ours (they are compiled the first time, which takes\n"
        "   a while) ...",
        "pynn-run fixtures/synfire/simulation_config.json --backend neuron -o demo_output/run_neuron",
        0,
    ),
    (
        "   ... and spike by spike, the two agree:",
        "pynn-compare demo_output/run_nest demo_output/run_neuron --plot demo_output/nest_and_neuron.png",
        0,
    ),
    (
        "7. NeuroML runs, too: fixtures/neuroml is a cell with a dendrite, ion channels and calcium, and an abstract\n"
        "   cell. Their equations are written as mechanisms for NEURON; the files that the simulation names stand\n"
        "   beside the results.",
        "pynn-run fixtures/neuroml/LEMS_pair.xml --backend neuron -o demo_output/run_neuroml"
        " --plot demo_output/run_neuroml.png",
        0,
    ),
    (
        "8. If you would rather have no file than an incomplete one, say --strict (exit status 3: refused):",
        "pynn-convert fixtures/mixed/circuit_config.json demo_output/mixed_strict --to neuroml --strict --quiet",
        3,
    ),
)

END = """\
What happened
  Each circuit was read into one description of a network, checked, compared with what the target format can express,
  and written; one was run on two simulators, and a NeuroML model on NEURON. What a target cannot carry was listed;
  nothing is dropped in silence.

Now look at
  demo_output/synfire.png
      the chain: positions, degrees, connectivity
  demo_output/run_nest.png and demo_output/nest_and_neuron.png
      the volley running down the chain, and the two runs laid over each other; spikes and voltages as SONATA are in
      demo_output/run_nest/ and demo_output/run_neuron/
  demo_output/run_neuroml/
      pair_v.dat and pair.spikes: potentials and spikes in SI units, as jNeuroML writes them; run_neuroml.png beside it
  demo_output/synfire_neuroml/
      NeuroML and LEMS: open the .nml file in a text editor, or run it in jNeuroML (it needs Java):
      {bin}/pynml demo_output/synfire_neuroml/LEMS_*.xml -nogui
  demo_output/synfire_allen/ and demo_output/synfire_obi/
      the two SONATA dialects: compare their circuit_config.json and network/
  demo_output/mixed_losses.json
      what the mixed circuit lost, for a program to read

Try your own
  {bin}/pynn-show YOUR_circuit_config.json --plot YOUR_circuit.png
  {bin}/pynn-convert YOUR_circuit_config.json --to neuroml
  {bin}/pynn-run YOUR_simulation_config.json --plot YOUR_run.png
  {bin}/pynn-convert --help
"""


def missing(line: str) -> str:
    """What a step needs and this machine does not have; empty for nothing."""
    if not line.startswith(("pynn-run", "pynn-compare")):
        return ""
    compiler = shutil.which("c++") or shutil.which("g++")
    needs = (
        ("nest", find_spec("nest"), "NEST, whose package is for Linux only"),
        ("neuron", find_spec("neuron"), "NEURON"),
        ("neuron", compiler, "a C++ compiler for NEURON's mechanisms (Debian: apt install g++)"),
    )
    return next((said for simulator, there, said in needs if simulator in line and not there), "")


def main() -> int:
    output = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "demo_output"
    name = os.path.relpath(output, ROOT)
    if output.exists():
        if not (output / MARK).exists():
            print(f"{name} exists and is not of an earlier demo: please move it away", file=sys.stderr)
            return 5
        shutil.rmtree(output)
    output.mkdir(parents=True)
    (output / MARK).touch()
    for words, line, expected in STEPS:
        line = line.replace("demo_output", shlex.quote(name))
        print(f"\n{words}\n\n$ {line}", flush=True)
        if absent := missing(line):
            print(f"passed over: it needs {absent}")
            continue
        command, *arguments = shlex.split(line)
        done = subprocess.run([COMMANDS / command, *arguments], cwd=ROOT, stdin=subprocess.DEVNULL, check=False)
        if done.returncode != expected:
            said = f"this should have ended with exit status {expected}, not {done.returncode}"
            print(f"\nThe demo stops: {said}.", file=sys.stderr)
            return 1
    print("\n" + END.replace("demo_output", name).format(bin=os.path.relpath(COMMANDS, ROOT)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
