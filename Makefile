# The targets of this project. `make` alone lists them.
#
# A target first installs what it needs into .venv, from a lock file in requirements/.
# The programs behind the targets are in tools/project/.
SHELL := /bin/sh
.DELETE_ON_ERROR:
# All targets share one virtual environment. Two targets at once would install into it twice.
.NOTPARALLEL:
.DEFAULT_GOAL := help

# A value such as BASE=… is data: neither make nor a shell evaluates it. So `make diff BASE=…` is
# safe for every name that git allows a branch. Two rules achieve this:
# - No recipe contains a value as text. Programs read the values from the environment.
# - Make would expand `$(shell …)` in a value from its command line, or from the environment with
#   `make -e`. `keep_text` replaces such a value by its unexpanded text. Otherwise make passes
#   values from the environment on unexpanded.
# Known limitations: `make 'BASE:=…'`, `make 'BASE!=…'`, a variable *name* with `$(…)`, and make's own
# variables MAKEFILES and MAKEOVERRIDES ask make to evaluate something before it reads this file.
override define keep_text
override $(1) := $$(value $(1))
export $(1)
endef
override is_on_command_line = $(findstring command line,$(origin $(1)))
override is_in_environment = $(findstring environment,$(origin $(1)))
# Inside of `foreach`, a variable called `variable` is the loop's own. So it has a line of its own.
$(if $(call is_on_command_line,variable),$(eval $(call keep_text,variable)))
$(foreach variable,$(.VARIABLES),\
	$(if $(call is_on_command_line,$(variable)),$(eval $(call keep_text,$(variable)))))
# With `make -e`, the environment replaces the variables that this file sets, and expands.
override has_option_e := $(findstring e,$(firstword -$(MAKEFLAGS)))
$(if $(has_option_e),$(foreach variable,BIN DEV DEMO,\
	$(if $(call is_in_environment,$(variable)),$(eval $(call keep_text,$(variable))))))

# The tests replace BIN and DEV, in order to run a target with their own interpreter.
export BIN := .venv/bin
DEV := .venv/dev.installed
# The lock file for development contains the one for the demo, in the same versions.
DEMO := $(if $(wildcard $(DEV)),$(DEV),.venv/demo.installed)

# Runs a module in the virtual environment.
override RUN := "$$BIN/python" -m
# Runs a module with the arguments in a variable: MODULE VARIABLE.
override RUN_WITH := $(RUN) project.run_module
# Runs a program with the first Python that is new enough. Needs no virtual environment.
override WITH_PYTHON := tools/project/with_python.sh

.PHONY: help demo test generate check drift diff bench fuzz rates soak refreshes emulator
.PHONY: vendor lock clean
.PHONY: compare

help:  ## List the targets
	@grep -hE '^[a-z]+:.*## ' Makefile | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

demo: $(DEMO)  ## Regenerate the client, then update a conversation over a real socket
	@"$$BIN/python" examples/demo.py

test: $(DEV)  ## Run all tests (or some: TESTS=tests/client/test_calls.py)
	@$(RUN_WITH) pytest TESTS

generate: $(DEMO)  ## Write generated/ from spec/openapi.yaml
	@$(RUN) generate

check: $(DEV)  ## Check the spec, generated/, formatting, lint and types
	$(RUN) openapi_spec_validator spec/openapi.yaml
	$(RUN) generate --check
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) pyright
	$(RUN) pyright --project tests/typing/generated.json

drift: $(DEV)  ## Compare the spec with the vendor's published document (or another: UPSTREAM=FILE)
	@$(RUN) project.drift

diff: $(DEV)  ## Show changes in the spec and in public Python names: make diff BASE=main
	@$(RUN) project.diff

bench: $(DEV)  ## Measure a call of the client, and the emulator (every script in benchmarks/)
	@$(RUN) project.bench

fuzz: $(DEV)  ## Try 200,000 random responses and arguments (fewer: ARGS="--responses 1000")
	@$(RUN_WITH) benchmarks.long.fuzz ARGS

rates: $(DEV)  ## Call at the rate limit for six minutes (shorter: ARGS=…)
	@$(RUN_WITH) benchmarks.long.rates ARGS

soak: $(DEV)  ## Make 100,000 updates with 5 % faulty requests, then look for losses and leaks
	@$(RUN_WITH) benchmarks.long.soak ARGS

refreshes: $(DEV)  ## Count token refreshes of threads, tasks and processes that share a token
	@$(RUN_WITH) benchmarks.long.oauth ARGS

compare: $(DEV)  ## Compare with other clients, and write docs/comparison.md (one row: ARGS=…)
	@$(RUN_WITH) benchmarks.compare ARGS

emulator: $(DEMO)  ## Run the API locally until Ctrl-C (another port: ARGS="--port 9000")
	@$(RUN_WITH) leadconnector_emulator ARGS

vendor:  ## Copy the client into DEST, self-contained: make vendor DEST=src/app/_vendor
	@$(WITH_PYTHON) tools/project/vendor.py

lock: $(DEV)  ## Update requirements/ from pyproject.toml (to newer versions: UPGRADE=--upgrade)
	@$(RUN) project.lock

clean:  ## Remove the output of the other targets, including the virtual environment
	rm -rf .venv .generated-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

.venv/%.installed: requirements/%.txt
	@$(WITH_PYTHON) tools/project/install.py "$*"
