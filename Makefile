# From a fresh clone: make demo, make test, make lab, make bench. `make PYTHON=python3.12 ...` chooses the Python.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo lab test check lint format bench browser clean

PYTHON ?= python3
BIN := .venv/bin
DEMO := build/demo/digits
SIDEBAR := $(shell find labextension -type f -not -path '*/node_modules/*' -not -path '*/lib/*' -not -path '*/.yarn/*' -not -name '*.tsbuildinfo')
SOURCES := pyproject.toml hatch_build.py $(SIDEBAR)
# One more than there are cores: many tests wait for processes that they started.
WORKERS ?= $(shell expr $$($(PYTHON) -c 'import os; print(os.cpu_count())') + 1)
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 15

demo: .venv/.demo ## research the digits notebook for 8 cycles, offline
	-@test ! -d $(DEMO)/.deepresearch || $(BIN)/jupyter deepresearch stop $(DEMO) --yes
	@rm -rf $(DEMO) && mkdir -p $(dir $(DEMO)) && cp -R example_notebooks/digits $(DEMO)
	@cd $(DEMO) && rm -rf .deepresearch experiments forks reports directives MEMORY_LOG.md
	$(BIN)/jupyter deepresearch run $(DEMO) --cycles 8
	@$(BIN)/jupyter deepresearch status $(DEMO) --json | $(BIN)/python -c \
	  'import json, sys; s = json.load(sys.stdin); sys.exit(s["stop_reason"] != "cycles" or s["cycle"] < 8 or not s["champion"])'

lab: .venv/.demo ## JupyterLab on example_notebooks/
	$(BIN)/jupyter lab $(ROOT_FLAG) example_notebooks

test: .venv/.test .venv/.libraries browser lint ## every check and every test
	@# Bytecode is kept, whatever the environment says: the suite starts some thousand Pythons.
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder

check: .venv/.test lint ## the quick checks: no browser, nothing slow
	$(BIN)/python -m pytest -m "not slow and not browser"

lint: .venv/.test ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/mypy

format: .venv/.test ## let ruff tidy the Python sources
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.test .venv/.libraries ## the benchmarks
	$(BIN)/python -m benchmarks

clean: ## remove what the build and the demo made (not .venv)
	rm -rf build dist jupyter_deepresearch/labextension labextension/lib labextension/*.tsbuildinfo

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed, but '$(PYTHON)' is $$($(PYTHON) --version 2>&1). Name another: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq python3-venv; \
	  else echo "'$(PYTHON)' cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv" >&2; exit 1; fi; }
	$(PYTHON) -m venv .venv
	@touch $@

# An old build of the sidebar would be kept where only its styles or settings changed, so it goes first.
.venv/.demo: $(SOURCES) | .venv/.made
	@rm -rf jupyter_deepresearch/labextension
	$(BIN)/python -m pip install --quiet --editable '.[demo]'
	@touch $@

.venv/.test: $(SOURCES) | .venv/.made
	@rm -rf jupyter_deepresearch/labextension
	$(BIN)/python -m pip install --quiet --editable '.[test]'
	@touch .venv/.demo $@

# Only the notebooks under test train with torch and the like; the package itself never needs them.
.venv/.libraries: tests/libraries.txt | .venv/.made
	$(BIN)/python -m pip install --quiet --requirement tests/libraries.txt
	@touch $@

browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; \
	  fi; } || true
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  echo "No Chromium here: the browser tests cannot run. On Debian: sudo apt-get install chromium"
