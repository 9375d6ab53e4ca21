# `make serve` and `make test` need python3 (3.11 or newer), python3-venv and make; nothing else.
PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin/python -m
PIP    := $(RUN) pip --disable-pip-version-check --quiet install
WHERE  ?= tests

.PHONY: serve test clients proof check fix bench lock
serve: $(VENV)/serve.stamp
	exec $(VENV)/bin/vna serve $(ARGS)

test: $(VENV)/test.stamp
	$(RUN) pytest -n auto $(ARGS) $(WHERE)
clients: $(VENV)/bin/python # fetches what tests need from npm
	$(RUN) tests.peers.npm

proof: $(VENV)/test.stamp
	VNA_TEST_SIZE=proof $(RUN) pytest -n 0 --timeout 7200 --junit-xml build/proof.xml $(ARGS) \
	  $$(grep -rl --include='test_*.py' 'tests.size' tests)
	$(RUN) tests.proof build/proof.xml docs/proof.md

check: $(VENV)/test.stamp
	$(RUN) ruff format --check && $(RUN) ruff check && $(RUN) mypy && $(VENV)/bin/lint-imports

fix: $(VENV)/test.stamp
	$(RUN) vna conformance > docs/conformance.md && $(RUN) ruff format && $(RUN) ruff check --fix

bench: $(VENV)/test.stamp
	$(RUN) benchmarks $(ARGS)

lock: # the newest of everything, tried in an environment of its own
	$(PYTHON) tools/lock.py

$(VENV)/bin/python:
	@echo "installing into $(VENV), once"
	$(PYTHON) -m venv $(VENV)
$(VENV)/serve.stamp: pyproject.toml requirements/serve.txt | $(VENV)/bin/python
	$(PIP) -r requirements/serve.txt && $(PIP) --no-deps -e . && touch $@
$(VENV)/test.stamp: $(VENV)/serve.stamp requirements/test.txt
	$(PIP) -r requirements/test.txt && touch $@
