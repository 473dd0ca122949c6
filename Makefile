# Everything runs inside .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO   := demo_lake

.DEFAULT_GOAL := help
.PHONY: help demo install test test-slow test-engines lint format bench evaluate screenshots wheel-check clean

help: ## Show the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml setup.py $(wildcard native/*.c native/*.h)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "flowscan needs Python 3.11 or newer (PYTHON=python3.12 make …)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/.dev: $(READY)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

install: $(READY) ## Make .venv and install flowscan into it

demo: $(READY) ## Ingest sample_logs, match, detect, print the report, write report.html
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh sample_logs/demo.sh $(DEMO)

test: $(VENV)/.dev ## Run the tests (under 10 minutes on 2 cores)
	$(BIN)/python -m pytest -q -m "not slow and not engines" -n 2 --dist loadfile

$(VENV)/.spark: $(VENV)/.dev
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[spark]'
	@touch $@

test-slow: $(VENV)/.spark ## Run the tests that take minutes: soak, big inputs, crash matrices
	$(BIN)/python -m pytest -q -m "slow and not engines"

test-engines: $(VENV)/.dev ## Run every query on a real Trino server and compare with DuckDB
	bash tests/engines/run.sh -q

lint: $(VENV)/.dev ## ruff and mypy --strict
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev ## Measure flowscan against its peers (medians, one run)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[bench]'
	$(BIN)/python -m benchmarks

evaluate: $(VENV)/.dev ## Measure precision and recall of the detections on labelled data
	$(BIN)/python -m benchmarks.evaluate

screenshots: $(VENV)/.dev ## Make the pictures of the docs
	$(BIN)/python docs/screenshots.py

wheel-check: $(VENV)/.dev ## Build the wheel, install it elsewhere, run it from another folder
	sh tests/wheel_check.sh

clean: ## Remove what was built, keep .venv
	rm -rf build dist *.egg-info $(DEMO) report.html .pytest_cache .mypy_cache .ruff_cache

-include native/native.mk
