# Everything a developer runs. `make` alone lists it.

PYTHON ?= python3
# Tests at once: more than there are cores, as those with real components mostly wait for these.
WORKERS ?= 6
# More arguments for the program that a target runs: make test ARGS='-k abort'
ARGS ?=

ENVIRONMENTS = $(PYTHON) -m tools.environments
DEV = .envs/dev/bin
DOCS = .envs/docs/bin
SOURCES = ironic_inspector alembic tests tools benchmarks
export KEEP

.PHONY: help
help:  ## List what can be made
	@awk -F ':.*##' '/^[a-z-]+:.*##/ { printf "  %-10s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: python dev-environment  ## Introspect this machine for real; KEEP=1 leaves everything running until Ctrl-C
	@$(ENVIRONMENTS) ironic ipa $(if $(KEEP),clients)
	@$(PYTHON) -m tools.debian
	@$(DEV)/python -m tools.demo

.PHONY: test
test: python dev-environment components  ## Run all tests: unit, functional, and with real components
	$(DEV)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

.PHONY: fuzz
fuzz: python dev-environment  ## Try random input for about half an hour; INSPECTOR_FUZZ_SEED=N tries the same again
	INSPECTOR_FUZZ=1 INSPECTOR_FUZZ_SEED=$${INSPECTOR_FUZZ_SEED:-$$(date +%s)} \
	    $(DEV)/python -m pytest -n $(WORKERS) -m 'fuzz or hypothesis' tests/fuzz tests/unit $(ARGS)

.PHONY: lint
lint: python dev-environment  ## Check format, style and types
	$(DEV)/ruff format --check $(SOURCES)
	$(DEV)/ruff check $(SOURCES)
	@# The migrations would pass for the library that they are named after.
	$(DEV)/mypy $(filter-out alembic,$(SOURCES))

.PHONY: format
format: python dev-environment  ## Bring the sources into the format that lint asks for
	$(DEV)/ruff check --fix $(SOURCES)
	$(DEV)/ruff format $(SOURCES)

.PHONY: docs
docs: python docs-environment  ## Build the documentation into doc/build/html
	$(DOCS)/sphinx-build -W --keep-going -q -b html doc/source doc/build/html $(ARGS)

.PHONY: api-ref
api-ref: python docs-environment  ## Build the API reference into api-ref/build/html
	$(DOCS)/sphinx-build -W --keep-going -q -b html api-ref/source api-ref/build/html $(ARGS)

.PHONY: benchmark
benchmark: python dev-environment  ## Measure the service beside ironic-inspector 12.5.0
	@$(ENVIRONMENTS) reference
	$(DEV)/python -m benchmarks $(ARGS)

.PHONY: wheel
wheel: python dev-environment  ## Build the sdist, and the wheel from it, into dist/
	@rm -rf dist build
	$(DEV)/python -m build --outdir dist . $(ARGS) > .envs/wheel.log 2>&1 || { tail -n 30 .envs/wheel.log; exit 1; }
	@ls dist/*

.PHONY: clean
clean:  ## Remove everything made here, the environments too
	rm -rf .envs .demo .tox build dist doc/build api-ref/build *.egg-info .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: python
python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { \
	    echo 'Python 3.10 or newer is needed; name one with: make PYTHON=python3.11 ...'; exit 1; }

.PHONY: dev-environment
dev-environment: python
	@$(ENVIRONMENTS) dev

.PHONY: docs-environment
docs-environment: python
	@$(ENVIRONMENTS) docs

.PHONY: components
components: python
	@$(ENVIRONMENTS) ironic ipa sushy clients reference swift keystone wsgi
	@$(PYTHON) -m tools.debian --tests || echo 'Tests that need these programs will be skipped.'
