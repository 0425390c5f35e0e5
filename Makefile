# `make demo` and `make test` need nothing but Python 3.11 to 3.13: they create .venv themselves.
PYTHON ?= python3
VENV   ?= .venv
PYTEST ?=
EDGES  ?= 10000000
BIN    := $(VENV)/bin
# Without what its wheel asks for (Qt, VPython ...), of which nothing here needs anything; its tests are skipped without it.
MOOSE   = $(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps 'pymoose>=5' \
	  || echo "no MOOSE here: its tests will be skipped"

.PHONY: demo test lint bench docs fixtures clean help

help:
	@echo "make demo      convert the circuits in fixtures/, run one on two simulators, and look at demo_output/"
	@echo "make test      all tests (PYTEST='-n 2 -k sonata' passes options on)"
	@echo "make lint      ruff, mypy, import-linter"
	@echo "make bench     ratios against peers (EDGES=1000000 for a quick look)"
	@echo "make docs      print docs/support.md, fields.md, hardware.md again from the tables"
	@echo "make fixtures  make fixtures/ again from its scripts"
	@echo "make clean     remove .venv, demo_output and caches"

demo: $(VENV)/demo.stamp
	@$(BIN)/python demo.py

test: $(VENV)/test.stamp
	$(BIN)/python -m pytest $(PYTEST)

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/dev.stamp
	$(BIN)/python benchmarks/bench_sonata_read.py --edges $(EDGES)
	$(BIN)/python benchmarks/bench_sonata_write.py --edges $(EDGES)
	$(BIN)/python benchmarks/bench_neuroml_read.py
	$(BIN)/python benchmarks/bench_neuroml_xml.py
	$(BIN)/python benchmarks/bench_neuroml_hdf5.py
	$(BIN)/python benchmarks/bench_peers.py
	$(BIN)/python benchmarks/bench_nix_network.py
	$(BIN)/python benchmarks/bench_nix_results.py
	$(BIN)/python benchmarks/bench_nest_build.py
	$(BIN)/python benchmarks/bench_neuron.py
	$(BIN)/python benchmarks/bench_cosim.py
	$(BIN)/python benchmarks/bench_neuroml_run.py
	$(BIN)/python benchmarks/bench_pynn_export.py
	$(BIN)/python benchmarks/bench_startup.py

docs: $(VENV)/demo.stamp
	$(BIN)/python docs/make_support.py
	$(BIN)/python docs/make_fields.py
	$(BIN)/python docs/make_hardware.py
	$(BIN)/python -m docs.make_nmodl

fixtures: $(VENV)/demo.stamp
	for script in fixtures/make_*.py; do $(BIN)/python $$script; done

clean:
	rm -rf .venv demo_output build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	  || { echo "pynn_io needs Python 3.11 to 3.13; name one with: make PYTHON=python3.12 ..."; exit 2; }
	@echo "making $(VENV)"
	@$(PYTHON) -m venv $(VENV) || { echo "on Debian and Ubuntu: apt install python3-venv"; exit 2; }

$(VENV)/demo.stamp: pyproject.toml | $(BIN)/python
	@echo "installing pynn_io and what the demo shows into $(VENV); this takes a minute or two"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[plot,neuroml,sonata-check,nest,neuron]' 'numpy<2.4'
	@touch $@

$(VENV)/test.stamp: pyproject.toml | $(BIN)/python
	@echo "installing pynn_io and what the tests compare with into $(VENV); this takes a few minutes"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[test]'
	@$(MOOSE)
	@touch $@ $(VENV)/demo.stamp

$(VENV)/dev.stamp: pyproject.toml | $(BIN)/python
	@echo "installing pynn_io and the tools of its developers into $(VENV)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -e '.[dev]'
	@$(MOOSE)
	@touch $@ $(VENV)/test.stamp $(VENV)/demo.stamp
