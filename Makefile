# Every target works from any directory: make -C path/to/orchestrator test

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

BIN := .venv/bin
READY := .venv/.ready
BENCH_READY := .venv/.bench-ready
UV := uv==0.13.9

.PHONY: help venv demo test check check-campaigns check-forecasts format bench bench-compare lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' Makefile

venv: $(READY) ## Install the locked dependencies and the project into .venv

# A python3.x on the PATH may be a stub that does not run, so each candidate is asked for its version.
$(READY): requirements.lock pyproject.toml
	@for python in "$${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do \
	  [ -n "$$python" ] || continue; \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    found="$$python"; break; \
	  fi; \
	done; \
	if [ -z "$${found:-}" ]; then \
	  echo "orchestrator needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3 make venv." >&2; \
	  exit 1; \
	fi; \
	echo "Installing into .venv with $$("$$found" --version)..."; \
	"$$found" -m venv .venv
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install -qq --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY) ## Run a whole maintenance campaign against a simulated fleet
	@$(BIN)/orchestrator demo

test: $(READY) ## Run the tests
	@$(BIN)/python -m pytest

check: $(READY) ## Check format, lint, types and layers
	@$(BIN)/ruff format --check --quiet . || { echo "Run 'make format'." >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

# SEED=17 tells the story of one of them.
check-campaigns: $(READY) ## Run SEEDS=500 drawn campaigns and check every promise of a run
	@$(BIN)/python -m tests.campaigns $(if $(SEED),--seed $(SEED),$(or $(SEEDS),500))

# EACH=6 campaigns of each of the ten kinds.
check-forecasts: $(READY) ## Hold forecasts against the campaigns they foresaw
	@$(BIN)/python -m tests.forecasts $(EACH)

format: $(READY) ## Format the code and apply the safe fixes
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .

# What the engine is held against is installed for the bench only, at versions that fit the lock.
$(BENCH_READY): requirements-bench.lock $(READY)
	@$(BIN)/python -m pip install -qq --require-hashes -r requirements-bench.lock
	@touch $@

# BENCH='--only a,e --rounds 3', or --quick for a look; a run is saved in logs/bench by its date.
bench: $(BENCH_READY) ## Measure everything beside its yardstick, in one table
	@$(BIN)/python -m tests.bench $(BENCH)

# Without AGAINST= it measures first.
bench-compare: $(BENCH_READY) ## Hold the saved run WITH=FILE against a new one, or against AGAINST=FILE
	@[ -n "$(WITH)" ] || { echo "Name the earlier run: make bench-compare WITH=logs/bench/FILE.json" >&2; exit 2; }
	@$(BIN)/python -m tests.bench --compare '$(WITH)' $(if $(AGAINST),--saved '$(AGAINST)') $(BENCH)

# Resolved for every platform and every Python from 3.11 on; LOCK=--upgrade moves all pins.
lock: ## Pin again what pyproject.toml asks for (make lock LOCK=--upgrade for newer versions)
	@python3 -m venv .venv-lock
	@.venv-lock/bin/python -m pip install -qq '$(UV)'
	@.venv-lock/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 \
	  --group dev --generate-hashes --no-annotate \
	  --custom-compile-command 'make lock' --output-file requirements.lock $(LOCK)
	@.venv-lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
	  --group bench --constraint requirements.lock --generate-hashes --no-annotate \
	  --custom-compile-command 'make lock' --output-file requirements-bench.lock $(LOCK)
	@rm -rf .venv-lock

clean: ## Remove the environment and everything generated, but no run
	rm -rf .venv .venv-lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis \
	  build dist ./*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
