# `make demo` and `make test` do all their own set-up. Choose another torch build through PIP_ARGS, for example
#   make demo PIP_ARGS="--extra-index-url URL"     (URL: see the install selector on pytorch.org)
PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
DATA ?= octo-data
CONSTRAINTS ?= constraints.txt

.PHONY: demo test test-all lint setup clean

demo: $(VENV)/.ready
	$(BIN)/octo demo --data $(DATA)

test: $(VENV)/.ready-dev
	$(BIN)/python -m pytest

test-all: $(VENV)/.ready-dev
	$(BIN)/python -m pytest -m ""

lint: $(VENV)/.ready-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

setup: $(VENV)/.ready-dev

$(VENV)/.ready: pyproject.toml $(CONSTRAINTS)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check $(PIP_ARGS) -c $(CONSTRAINTS) -e '.[rl]'
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(BIN)/python -m pip install --quiet --quiet --disable-pip-version-check $(PIP_ARGS) -c $(CONSTRAINTS) -e '.[rl,suggest,dev]'
	touch $@

clean:
	rm -rf $(VENV) $(DATA) .pytest_cache .ruff_cache .mypy_cache
