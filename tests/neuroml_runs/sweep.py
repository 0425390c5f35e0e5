"""Runs models with published spike times and prints how far each is from them: ``python -m tests.neuroml_runs.sweep``.

Arguments: a backend, ``--engine`` of jNeuroML, and words of which one must be in the model's path (none: all models).
"""

from __future__ import annotations

from argparse import ArgumentParser
from time import perf_counter

from pynn_io.errors import PynnIOError
from tests.neuroml_runs.published import deviations, models, run


def main(backend: str, words: list[str], **options: str) -> None:
    for name, model in models().items():
        if words and not any(word in name for word in words):
            continue
        begin = perf_counter()
        try:
            found = deviations(model, run(model, backend, **options))
        except PynnIOError as error:
            print(f"{name} | {type(error).__name__}: {str(error).splitlines()[0]}", flush=True)
            continue
        seconds = perf_counter() - begin
        relative = max((each.relative or 0.0 for each in found), default=0.0)
        absolute = max((each.absolute or 0.0 for each in found), default=0.0)
        counts = [f"{each.experiment}: {each.found} for {each.expected}" for each in found if each.relative is None]
        loosest = max(model.tolerances.values())
        print(f"{name} | {relative:.1e} | {absolute:.3f} ms | {loosest:.1e} | {seconds:.0f} s | {counts}", flush=True)


if __name__ == "__main__":
    parser = ArgumentParser()
    parser.add_argument("backend")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--engine")
    stated = parser.parse_intermixed_args()
    main(stated.backend, stated.words, **({"engine": stated.engine} if stated.engine else {}))
