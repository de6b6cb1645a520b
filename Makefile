# `make help` lists what there is to make. What is installed goes into .venv and .local, nowhere else.

PYTHON ?= python3

# Tests wait for servers most of the time: more of them than cores, each with servers of its own.
JOBS ?= 3

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m deploy.local

SEED := 1
DURATION := 600

PART :=
QUICK :=
ROUNDS := 3
RECORD :=

# Each file is written when its step is done: a step that failed is taken again, and so is one whose inputs changed.
PACKAGES := $(VENV)/installed
KAFKA := .local/kafka/libs/installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install demo test faults bench up down status contracts clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: install ## start everything, show calls being folded, stop everything
	@$(RUN) demo

test: install ## lint, check types and architecture, run every test; stop at the first failure
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile

faults: install ## run the fault tests for long: make faults SEED=1 DURATION=600 (seconds)
	$(BIN)/python -m tests.faults --seed $(SEED) --duration $(DURATION)

bench: install ## measure Callfold and its alternatives: make bench PART=ingest QUICK=1 ROUNDS=3 RECORD=1 (into docs)
	@$(BIN)/python -m benchmarks --rounds $(ROUNDS) $(PART:%=--part %) $(if $(QUICK),--quick) $(if $(RECORD),--record)

up: install ## start the stack in the background: Kafka, MongoDB, the API and the worker
	@$(RUN) up

down: $(PACKAGES) ## stop the stack; the data stay
	@$(RUN) down

status: $(PACKAGES) ## show what runs
	@$(RUN) status

contracts: $(PACKAGES) ## write docs/contracts and docs/settings.md again, from the code
	@$(BIN)/python -m deploy.contracts

install: $(PACKAGES) $(KAFKA) ## install Python's packages and Kafka's jars, each once

clean: ## stop the stack and remove what was installed and cached; the data in .local stay
	@if [ -e $(PACKAGES) ]; then $(RUN) down; fi
	rm -rf $(VENV) .local/kafka/libs .local/connect .local/quix .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

$(PACKAGES): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo 'Python 3.11 or newer is needed; name one: make PYTHON=python3.12'; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo 'Python cannot make virtual environments here (Debian, Ubuntu: apt install python3-venv)'; exit 1; }
	@echo 'Installing packages into $(VENV)'
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

$(KAFKA): deploy/local/servers/kafka-pom.xml $(PACKAGES)
	@$(RUN) install
