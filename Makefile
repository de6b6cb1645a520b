# `make help` lists the targets. Everything is installed into .venv and .local, and nowhere else.

# The Python to install with. If none is named, the best on the PATH: a tested version, an optimized build.
PYTHON ?=

# Most tests wait for servers, so there may be more processes than cores. Each has its own servers.
# On a slow machine: make test CALLFOLD_TEST_PATIENCE=3 (a factor of all time limits).
JOBS ?= 3

VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m deploy.local
INSTALL := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

SEED := 1
DURATION := 600

ONLY :=

FAULT :=

KEEP :=

PART :=
QUICK :=
ROUNDS := 3
RECORD :=
AGAINST :=
AGAINST_PYTHON :=

# A step writes its file when it is done: a failed step runs again, and so does one whose inputs changed.
# LOCAL is all that runs Callfold and its servers; PACKAGES has a developer's tools too.
LOCAL := $(VENV)/installed-local
PACKAGES := $(VENV)/installed
KAFKA := .local/kafka/libs/installed

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help install demo drill check test lint faults mutants clients bench up down status contracts screenshots clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(LOCAL) $(KAFKA) ## start the stack, publish calls, read their records, stop the stack; KEEP=1 leaves it up to look at
	@$(RUN) demo $(if $(KEEP),--keep)

drill: $(LOCAL) $(KAFKA) ## start a stack with a fault, to find it: make drill FAULT='?'; without FAULT list the faults
	@$(BIN)/python -m deploy.drills $(if $(FAULT),start '$(FAULT)')

check: install lint ## the fast checks: linters, types, architecture, unit and property tests
	$(BIN)/python -m pytest --numprocesses=2 --dist=worksteal --hypothesis-profile=fast tests/unit tests/property

test: install lint ## the linters and every test, on real servers; stop at the first failing step
	$(BIN)/python -m pytest --numprocesses=$(JOBS) --dist=loadfile

lint: $(PACKAGES) ## linters, types and architecture
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/mypy

faults: install ## run the fault tests for SEED=1 DURATION=600 (seconds)
	$(BIN)/python -m tests.faults --seed $(SEED) --duration $(DURATION)

mutants: install ## plant mistakes, one for each guarantee, and see that its proof finds them: ONLY='keeps a message'
	$(BIN)/python -m tests.mutants $(if $(ONLY),--only '$(ONLY)')

clients: install ## publish with clients of other makers and languages (needs Node and Go): make clients ONLY=sarama
	$(BIN)/python -m tests.clients $(ONLY:%=--only %)

bench: install ## measure Callfold and its alternatives: make bench PART=ingest QUICK=1 ROUNDS=3 RECORD=1 (into docs)
	@$(BIN)/python -m benchmarks --rounds $(ROUNDS) $(PART:%=--part %) $(AGAINST:%=--against %) $(AGAINST_PYTHON:%=--against-python %) $(if $(QUICK),--quick) $(if $(RECORD),--record)

up: $(LOCAL) $(KAFKA) ## start the stack in the background: Kafka, MongoDB, the services, the console, Prometheus
	@$(RUN) up

down: $(LOCAL) ## stop the stack; data stay
	@$(RUN) down

status: $(LOCAL) ## show the state of each service
	@$(RUN) status

contracts: $(PACKAGES) ## write docs/contracts, docs/settings.md, docs/metrics.md and the dashboards again, from the code
	@$(BIN)/python -m deploy.contracts
	@$(BIN)/python -m deploy.grafana

screenshots: $(PACKAGES) $(KAFKA) ## write docs/screenshots again: the console, on a stack of its own (needs Chromium)
	@$(BIN)/python -m deploy.screenshots

install: $(PACKAGES) $(KAFKA) ## install the Python packages and Kafka's jars

clean: ## stop the stack, remove packages, jars and caches; data in .local stay
	@if [ -e $(LOCAL) ]; then $(RUN) down; fi
	rm -rf $(VENV) .local/kafka/libs .local/clients .local/connect .local/quix .local/streams .local/against .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis *.egg-info

$(LOCAL): pyproject.toml constraints.txt
	@if $(BIN)/python -m pip --version >/dev/null 2>&1 && \
		$(BIN)/python -I -S deploy/local/interpreter.py | grep -q '^[1-9]'; then \
		$(BIN)/python -m deploy.local.prerequisites && \
		echo '$(VENV) is kept$(PYTHON:%=; to make it again with %: make clean)'; \
	else \
		python=$$(deploy/local/find-python '$(PYTHON)') && \
		"$$python" -m deploy.local.prerequisites && "$$python" -m venv --clear $(VENV); \
	fi
	@$(BIN)/python deploy/local/interpreter.py --describe
	@echo 'Installing packages into $(VENV)'
	@$(INSTALL) -e '.[local]'
	@touch $@

$(PACKAGES): $(LOCAL)
	@echo 'Installing the tools of a developer into $(VENV)'
	@$(INSTALL) -e '.[dev]'
	@touch $@

$(KAFKA): deploy/local/servers/kafka-pom.xml $(LOCAL)
	@$(RUN) install
