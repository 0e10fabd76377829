# Two commands do everything: `make up` and `make test`. Each prints what it does and how long it takes.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
# Compiled once, and not by each of the hundreds of processes that a deployment or a test starts.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help up node down status test test-fast test-e2e lint format lock tools

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

up: $(INSTALLED) ## Set this machine up and deploy the local stack on a real Kubernetes node
	@$(PYTHON) -m local up

node: $(INSTALLED) ## The Kubernetes node alone, without the platform
	@$(PYTHON) -m local.node up

down: $(INSTALLED) ## Remove the local stack and its node; leaves nothing but the tool cache
	@$(PYTHON) -m local down

status: $(INSTALLED) ## Show what runs
	@$(PYTHON) -m local status

test: lint test-fast test-e2e ## Everything: lint, types, unit and policy tests, end to end on a real node

test-fast: $(INSTALLED) ## Unit and policy tests: no cluster, less than a minute
	@$(PYTHON) -m pytest --numprocesses auto --dist worksteal

test-e2e: $(INSTALLED) ## End-to-end tests on a real node of their own, beside a running `make up`
	@$(PYTHON) -m local prepare
	@$(PYTHON) -m pytest -m e2e --timeout 1800

lint: $(INSTALLED) ## Format, lint and strict types
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy .

format: $(INSTALLED) ## Rewrite the sources in the project's format
	@$(VENV)/bin/ruff format .
	@$(VENV)/bin/ruff check --fix .

tools: $(INSTALLED) ## Install packages and find or build every tool, without starting anything
	@$(PYTHON) -m local prepare

lock: ## Resolve requirements*.txt anew into the hash-locked files (needs uv)
	@for name in requirements requirements-dev; do \
	  uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" $$name.txt -o $$name.lock || exit 1; \
	done

$(INSTALLED): requirements-dev.lock
	@command -v python3 >/dev/null || { echo "python3 is missing: apt-get install python3 python3-venv"; exit 1; }
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Strongroom needs Python 3.11 or newer; this is $$(python3 --version)"; exit 1; }
	@python3 -c 'import ensurepip' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@echo "installing the Python packages of requirements-dev.lock into $(VENV) (about half a minute)"
	@python3 -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.lock
	@touch $@
