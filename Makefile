# Every target makes the virtual environment that it needs, from a lock file. `make` alone lists the targets.
SHELL := /bin/sh
.DELETE_ON_ERROR:
# Targets share one virtual environment, which is not to be made twice at once.
.NOTPARALLEL:
.DEFAULT_GOAL := help

# The first Python that is new enough; `make PYTHON=/path/to/python` takes another.
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header --no-annotate --extra emulator

# What `make demo` needs is part of what development needs, in the same versions: where the latter is there, it serves.
DEV := $(VENV)/dev.installed
DEMO := $(if $(wildcard $(DEV)),$(DEV),$(VENV)/demo.installed)
COPY = $(DEST)/leadconnector

# What the vendor says of the API, and from where what it refers to may be read: the folder above `apps`.
UPSTREAM ?= https://raw.githubusercontent.com/GoHighLevel/highlevel-api-docs/main/apps/conversations.json
UPSTREAM_ROOT ?= $(patsubst %/apps/,%,$(dir $(UPSTREAM)))

.PHONY: help demo test generate check drift diff bench fuzz rates soak refreshes emulator vendor lock clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(DEMO)  ## Regenerate the client, then update a conversation over a real socket
	@$(BIN)/python examples/demo.py

test: $(DEV)  ## Run all tests
	@$(BIN)/python -m pytest $(TESTS)

generate: $(DEMO)  ## Write generated/ from spec/openapi.yaml
	@$(BIN)/python -m generate

check: $(DEV)  ## Spec lint, generated/ in step, formatting, lint, types
	$(BIN)/python -m openapi_spec_validator spec/openapi.yaml
	$(BIN)/python -m generate --check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/pyright --project tests/typing/generated.json

drift: $(DEV)  ## Where the vendor's document differs from the spec (another than the published: UPSTREAM=FILE)
	@$(BIN)/python -m specdrift spec/openapi.yaml "$(UPSTREAM)" --within-base --advise --waivers drift-waivers.yaml \
		--root "$(UPSTREAM_ROOT)" $(ARGS)

diff: $(DEV)  ## What changed in the spec, and in the client's Python names, since a revision: make diff BASE=main
	@test -n "$(BASE)" || { echo "usage: make diff BASE=REVISION" >&2; exit 2; }
	@worst=0; $(BIN)/python -m specdrift $(ARGS) -- "$(BASE):spec/openapi.yaml" spec/openapi.yaml || worst=$$?; echo; \
		$(BIN)/python -m surface --root . -- "$(BASE)" || { last=$$?; test $$last -lt $$worst || worst=$$last; }; exit $$worst

bench: $(DEV)  ## Measure a call of the client, and the emulator (every script in benchmarks/)
	@for script in benchmarks/*.py; do $(BIN)/python "$$script" || exit; done

fuzz: $(DEV)  ## Try 200,000 odd answers and arguments, for minutes (fewer: ARGS="--responses 1000 --arguments 1000")
	@$(BIN)/python -m benchmarks.long.fuzz $(ARGS)

rates: $(DEV)  ## Six minutes at the limit: calls lost or refused, how much of the limit is used (shorter: ARGS=…)
	@$(BIN)/python -m benchmarks.long.rates $(ARGS)

soak: $(DEV)  ## 100,000 updates while one request in twenty goes wrong: what becomes of each, what is left behind
	@$(BIN)/python -m benchmarks.long.soak $(ARGS)

refreshes: $(DEV)  ## Threads, tasks and processes with one token of no use: how often it is refreshed
	@$(BIN)/python -m benchmarks.long.oauth $(ARGS)

emulator: $(DEMO)  ## Run the API locally until Ctrl-C (another port: ARGS="--port 9000")
	@$(BIN)/python -m leadconnector_emulator $(ARGS)

vendor:  ## Copy the client into DEST, self-contained: make vendor DEST=src/app/_vendor
	@test -n "$(DEST)" || { echo "usage: make vendor DEST=DIRECTORY" >&2; exit 2; }
	@test ! -e "$(COPY)" || { test -f "$(COPY)/_generated/contract.json" && test ! -L "$(COPY)/_generated"; } \
		|| { echo "$(COPY) is no copy that this target made: it stays as it is" >&2; exit 2; }
	@mkdir -p "$(DEST)" && rm -rf "$(COPY).new" && cp -RP overrides/leadconnector "$(COPY).new"
	@rm -rf "$(COPY).new/_generated" && cp -RP generated "$(COPY).new/_generated"
	@find "$(COPY).new" \( -name __pycache__ -o -name '.*' \) -prune -exec rm -rf {} +
	@rm -rf "$(COPY)" && mv "$(COPY).new" "$(COPY)"
	@echo "$(COPY)"

lock: $(DEV)  ## Bring requirements/ up to date with pyproject.toml (with newer versions: UPGRADE=--upgrade)
	$(COMPILE) --extra drift --extra redis --group dev $(UPGRADE) --output-file requirements/dev.txt
	$(COMPILE) --group demo --constraint requirements/dev.txt --output-file requirements/demo.txt

clean:  ## Remove what the other targets made, the virtual environment included
	rm -rf $(VENV) .generated-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/%.installed: requirements/%.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed$(if $(PYTHON),: $(PYTHON) is not,: none was found); name one: make PYTHON=…" >&2; exit 2; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv --clear $(VENV) \
		|| { rm -rf $(VENV); echo "$(PYTHON) cannot make a virtual environment; on Debian: apt install python3-venv" >&2; exit 2; }
	@echo "Installing requirements/$*.txt into $(VENV) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/$*.txt
	@printf '%s\n' ../../../../overrides ../../../../tools \
		> "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/leadconnector.pth"
	@touch $@
