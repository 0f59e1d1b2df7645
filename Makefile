PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: install serve test lint types bench readme lock clean

install: $(STAMP)

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("Python 3.11 or later is needed; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

serve: install
	$(BIN)/voice-agent serve

# Three at a time, a file to each: most tests wait, for a caller to speak or a server to be slow.
test: install lint types
	$(BIN)/pytest --numprocesses 3 --dist loadfile

lint: install
	$(BIN)/ruff format --check
	$(BIN)/ruff check

types: install
	$(BIN)/mypy

bench: install
	$(BIN)/python -m tests.benchmarks

# Put the generated tables into the docs.
readme: install
	$(BIN)/python -m tests.readme

# Pin every package with its hashes, for every platform and Python that we support.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --extra local pyproject.toml

lock: install
	$(COMPILE) --group dev -o requirements.lock
	$(COMPILE) --extra mcp --extra postgresql --constraint requirements.lock -o deploy/requirements.lock

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
