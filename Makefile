PYTHON ?= python3
BIN := .venv/bin
# One environment, two stamps: what serving needs, and what the tests need besides.
SERVING := .venv/.serving
DEVELOPING := .venv/.developing

# Five processes of tests, and some hundred that they start, read what was compiled once, also where
# the machine says that nothing compiled is to be written.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: install develop serve test suite fuzz lint types bench readme lock sizes clean

install: $(SERVING)

develop: $(DEVELOPING)

$(SERVING): pyproject.toml requirements.lock
	$(PYTHON) deploy/install.py
	touch $@

$(DEVELOPING): pyproject.toml requirements-dev.lock
	$(PYTHON) deploy/install.py --dev
	touch $(SERVING) $@

serve: install
	$(BIN)/voice-agent serve

# Five at a time, a file to each: most tests wait, for a caller to speak or a server to be slow. What
# fails is asked once more, alone: a second of real time is long on a machine that others use. Both
# answers are printed, and what fails twice has failed.
PYTEST := $(BIN)/pytest -m "not registry"

# Types are looked at beside it: a minute of one core, of which the tests leave some.
test: develop lint
	$(MAKE) --no-print-directory --jobs 2 types suite

suite: develop
	$(PYTEST) --numprocesses 5 --dist loadfile || \
		$(PYTEST) --last-failed --last-failed-no-failures none --maxfail 1

# Look for examples that nobody has tried yet.
fuzz: develop
	HYPOTHESIS=fuzz $(BIN)/pytest --numprocesses 2 -m hypothesis

lint: develop
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: develop
	nice $(BIN)/mypy

bench: develop
	$(BIN)/python -m tests.benchmarks

# Put the generated tables into the docs.
readme: develop
	$(BIN)/python -m tests.readme

# What each part of the environment weighs.
sizes: install
	$(BIN)/python -m tests.sizes

# Pin every package with its hashes, for every platform and Python that we support. What runs is a
# part of what is tested; the image has the database and the tools of many machines besides.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --extra local pyproject.toml
PART := $(COMPILE) --constraint requirements-dev.lock

lock: develop
	$(COMPILE) --group dev -o requirements-dev.lock
	$(PART) --group install -o requirements.lock
	$(PART) --extra mcp --extra postgresql --extra encryption --extra storage --extra oidc --extra traces -o deploy/requirements.lock

clean:
	rm -rf .venv .venv-newest dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
