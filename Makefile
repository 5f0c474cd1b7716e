# Developers' habits; `make help` explains every target.
PYTHON = .venv/bin/python
UV = $(firstword $(wildcard var/tools/uv/bin/uv) uv)
LOCK = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --only-binary :all: --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help setup start db seed worker simulate fmt lint types layers test test-fast check lock migration

help: ## Print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install everything the tests need
	@bin/test --version

start: ## Start CRM Admin here with its demo (bin/start)
	bin/start

db: ## Bring the database up to date
	bin/crm database upgrade

seed: ## Make the demo organisation
	bin/crm seed

worker: ## Carry out syncs and checks until Ctrl-C
	bin/crm worker

simulate: ## Serve the simulated CRMs at port 8100
	bin/crm simulate --port 8100

fmt: ## Sort imports and format
	$(PYTHON) -m ruff check --select I --fix
	$(PYTHON) -m ruff format

lint: ## Look for mistakes and unformatted files
	$(PYTHON) -m ruff check
	$(PYTHON) -m ruff format --check

types: ## Check types, strictly
	$(PYTHON) -m mypy

layers: ## Check that imports point downwards
	.venv/bin/lint-imports --no-cache

test: ## Run every test (bin/test)
	bin/test

test-fast: ## Run the tests of pure rooms and of the architecture
	bin/test tests/records tests/mapping tests/sync tests/packs tests/architecture

check: lint types layers test ## What CI runs

lock: ## Write the lock files anew from pyproject.toml
	$(LOCK) pyproject.toml -o requirements/run.lock
	$(LOCK) pyproject.toml --group dev -o requirements/dev.lock
	$(LOCK) pyproject.toml --group dev --group bench -o requirements/bench.lock
	$(LOCK) --group pyproject.toml:uv -o requirements/uv.lock
	$(LOCK) --group pyproject.toml:node -o requirements/node.lock

migration: ## Draft a migration: make migration m="Say what changes"
	bin/crm database draft "$(m)"
