# P-HIS from a bare clone: `make run` or `make test`. Both make what they need first, once.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

BIN := .venv/bin
MADE := .venv/.made
ENVIRONMENT := $(MADE)-environment
ASSETS := $(MADE)-assets
BUNDLE := $(MADE)-bundle
TABLES := $(MADE)-tables
BROWSER := $(MADE)-browser
CATALOGUES := $(patsubst %.po,%.mo,$(wildcard api/ui/locale/*/LC_MESSAGES/*.po))

.PHONY: help setup run test test-long bench lint types fmt migrate messages screenshots lock sbom

help: ## List these targets.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(ENVIRONMENT) $(ASSETS) $(BUNDLE) $(TABLES) $(CATALOGUES) ## Make the environment: .venv, assets of the screens, FHIR tables, translations.

run: setup ## Start a whole P-HIS with a living demo hospital at http://127.0.0.1:8000 (Ctrl-C stops it).
	$(BIN)/phis up --demo full

test: setup $(BROWSER) lint types ## Check everything a change must pass: lint, types and all tests but the long ones.
	$(BIN)/python -m pytest -n 2 -m "not long"

test-long: setup $(BROWSER) ## Run the tests that take minutes: whole matrices and crash runs.
	$(BIN)/python -m pytest -m long

bench: setup ## Measure start, memory and throughput; print a table and write bench/results/.
	$(BIN)/python -m bench

lint: $(ENVIRONMENT) ## Check style, format and which folder imports which.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(ENVIRONMENT) ## Check types (mypy --strict).
	$(BIN)/mypy

fmt: $(ENVIRONMENT) ## Format the code and mend what can be mended.
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

migrate: setup ## Bring the database named by PHIS_DATABASE_MIGRATE_URL up to date.
	$(BIN)/phis migrate

messages: $(ENVIRONMENT) ## Collect the sentences of the screens and bring the translations up to date.
	$(BIN)/pybabel -q extract --no-location -F api/ui/locale/babel.cfg -o api/ui/locale/messages.pot api
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-pot-creation-date --width 120 -i api/ui/locale/messages.pot -d api/ui/locale
	rm api/ui/locale/messages.pot
	$(MAKE) $(CATALOGUES)

screenshots: setup $(BROWSER) ## Take pictures of every screen, in Korean and English, into .screenshots/.
	$(BIN)/python setup/screenshots.py

lock: $(ENVIRONMENT) ## Compile requirements/*.txt again from pyproject.toml, with hashes.
	$(LOCK) pyproject.toml -o requirements/base.txt
	$(LOCK) pyproject.toml --group dev -c requirements/base.txt -o requirements/dev.txt
	$(LOCK) requirements/node.in -o requirements/node.txt
	$(LOCK) --no-deps requirements/fhir-definitions.in -o requirements/fhir-definitions.txt

sbom: $(ENVIRONMENT) ## Write the bill of materials (CycloneDX), dist/sbom.cdx.json, from the locks.
	$(BIN)/python setup/sbom.py dist/sbom.cdx.json

LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate

$(ENVIRONMENT): requirements/dev.txt pyproject.toml setup/environment.sh
	bash setup/environment.sh
	@touch $@

$(ASSETS): package.json package-lock.json setup/assets.py | $(ENVIRONMENT)
	$(BIN)/python setup/assets.py
	@touch $@

$(BUNDLE): $(ASSETS) $(wildcard api/ui/static/*.*)
	$(BIN)/python setup/assets.py --bundle
	@touch $@

$(TABLES): requirements/fhir-definitions.txt setup/fhir_definitions.py $(wildcard setup/definitions/*.py) | $(ENVIRONMENT)
	$(BIN)/python setup/fhir_definitions.py
	@touch $@

$(BROWSER): setup/browser.sh | $(ENVIRONMENT)
	bash setup/browser.sh
	@touch $@

%.mo: %.po | $(ENVIRONMENT)
	$(BIN)/pybabel -q compile -i $< -o $@
