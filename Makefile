# Every target sets up what it needs. A fresh machine needs Python 3.11 or newer, git and make.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/sh

# The first interpreter that is new enough and can make a virtual environment; `make PYTHON=...` overrides it.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
  if $$p -c 'import ensurepip, sys, venv; raise SystemExit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
  then echo $$p; break; fi; done)

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUN_STAMP := $(VENV)/.installed-run
DEV_STAMP := $(VENV)/.installed-dev
WHEEL_DIR := build/wheel
WHEEL_VENV := build/wheel-venv
WHEEL_TESTS := tests/wheel tests/cli tests/golden
WORKERS ?= 2
# One version of each package for every Python, so that what is tested is what runs.
COMPILE := $(BIN)/uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-annotate --no-header --system-certs

.PHONY: help demo test lint format unit attack mutants bench wheel wheel-test transcripts docs lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# An environment that is already there is used as it is; only the installs below run into it.
$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer with venv was found; set one with make PYTHON=/path/to/python." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The build back end comes from the same pinned file, so the editable install fetches nothing of its own.
$(RUN_STAMP): requirements/run.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV_STAMP): requirements/dev.txt pyproject.toml | $(BIN)/python
	$(PIP) install --require-hashes -r requirements/dev.txt
	$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@ $(RUN_STAMP)

demo: $(RUN_STAMP) ## replay the March 2022 incident and write its workbook
	$(BIN)/python examples/email_delivery_2022/demo.py

test: lint unit wheel-test ## everything that must pass before a commit

lint: $(DEV_STAMP) ## types, rules, format and import contracts
	$(BIN)/mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports

format: $(DEV_STAMP) ## rewrite the files in the project's format
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

unit: $(DEV_STAMP) ## the tests against the checkout
	$(BIN)/python -m pytest -n $(WORKERS)

attack: $(DEV_STAMP) ## alter all of a small ledger, its views, proofs and bundles, and see that each is found
	$(BIN)/python -m tools.attack

mutants: $(DEV_STAMP) ## change the calculator place by place and see whether a test notices; ONLY='module*' for a part
	$(BIN)/python -m tools.mutants --workers $(WORKERS) $(if $(ONLY),'$(ONLY)')

bench: $(DEV_STAMP) ## measure the figures kept in benchmarks/
	$(BIN)/python -m benchmarks

wheel: $(DEV_STAMP) ## build the wheel into build/wheel
	@rm -rf $(WHEEL_DIR)
	$(PIP) wheel --no-deps --no-build-isolation --wheel-dir $(WHEEL_DIR) .

# The wheel's environment sees the pinned packages of $(VENV) through a path file. Python reads no path files in
# folders named by one, so the editable install stays out of sight.
wheel-test: wheel ## a quick part of the tests against the wheel, away from the checkout
	@rm -rf $(WHEEL_VENV)
	$(BIN)/python -m venv --without-pip $(WHEEL_VENV)
	$(PIP) --python $(WHEEL_VENV)/bin/python install --no-deps --no-index $(WHEEL_DIR)/*.whl
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' \
	  > "$$($(WHEEL_VENV)/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/pinned.pth"
	@set -e; away=$$(mktemp -d); trap 'rm -rf "$$away"' EXIT; python="$(CURDIR)/$(WHEEL_VENV)/bin/python"; \
	  cp -R tests pyproject.toml $(wildcard examples) "$$away"; cd "$$away"; \
	  env -u PYTHONPATH LEDGER_EXPECT_WHEEL=1 "$$python" -m pytest -n $(WORKERS) $(wildcard $(WHEEL_TESTS))

transcripts: $(DEV_STAMP) ## rewrite the command transcripts from what the commands print now
	LEDGER_REWRITE_TRANSCRIPTS=1 $(BIN)/python -m pytest -q tests/cli

docs: $(DEV_STAMP) ## rewrite the generated pages
	$(BIN)/python -m tools.docs

lock: $(DEV_STAMP) ## pin the newest allowed versions again
	$(COMPILE) --upgrade pyproject.toml --all-extras --group build -o requirements/run.txt
	$(COMPILE) --upgrade -c requirements/run.txt pyproject.toml --all-extras --group dev -o requirements/dev.txt

clean: ## remove what was built; the environment stays
	rm -rf build dist mutants .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
