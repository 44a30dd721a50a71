# Each line can be typed by hand. Needs git, make and CPython 3.11 or newer with pip and venv.

PYTHON ?= python3
VENV ?= .venv
UV ?= uv
BIN = $(VENV)/bin
READY = $(VENV)/installed
PYTEST = $(BIN)/python -m pytest --numprocesses auto --dist worksteal

# The question may hold quotes, dollars and blanks: neither make nor the shell reads into it.
override ONCE := $(value ONCE)
export ONCE

.PHONY: demo run manifest test check bench crash fix constraints
.DEFAULT_GOAL := demo

demo: $(READY)  ## a local Slack with the bot in it; ONCE="question" prints one answered thread
	@$(BIN)/python -m bot demo $${ONCE:+--once "$$ONCE"}

run: $(READY)  ## the bot, with the settings of .env
	@$(BIN)/python -m bot run

manifest: $(READY)  ## what to create the Slack app from
	@$(BIN)/python -m bot manifest

test: $(READY)
	$(PYTEST)

check: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) --cov --cov-branch
	$(BIN)/coverage report --fail-under=95 --include='bot/turns/*'
	$(BIN)/coverage report --fail-under=95 --include='bot/responses/*'
	$(BIN)/coverage report --fail-under=95 --include='bot/slack/*'

bench: $(READY)  ## the bot beside the least that could do its work; DB=postgres, QUICK=1
	@$(BIN)/python -m tests.bench

crash: $(READY)  ## kills a bot so often while people ask: make crash KILLS=1000 SEED=7 DB=postgres
	@$(BIN)/python -m tests.crash --kills $(or $(KILLS),100) --seed $(or $(SEED),1) --db $(or $(DB),sqlite)

fix: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Names, versions and hashes; where they come from is each machine's own setting. What runs the bot
# stands first, what only tests and checks need below `# development`. Needs uv.
RESOLVE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
  --no-header --no-annotate --no-emit-index-url pyproject.toml
constraints:
	$(RESOLVE) > constraints.new
	echo '# development' > constraints.dev
	$(RESOLVE) --extra dev --constraints constraints.new \
	  $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' constraints.new) >> constraints.dev
	cat constraints.new constraints.dev > constraints.txt
	rm constraints.new constraints.dev

# What stands there is all that is needed, so nothing is resolved anew: where a package asks for another
# one with an extra, pip 23.2 takes the newest of that, whatever is pinned, and stops.
$(READY): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Footnote needs CPython 3.11 or newer; name one: make PYTHON=python3.12' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --no-deps --require-hashes -r constraints.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@
