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
# Runs a module with the arguments in a variable, or with others if it is empty: MODULE VARIABLE …
override RUN_WITH := $(RUN) project.run_module
# Runs a program with the first Python that is new enough. Needs no virtual environment.
override WITH_PYTHON := tools/project/with_python.sh

### Every day
.PHONY: help demo test generate adopt check docs emulator clean

help:  ## List the targets
	@awk -F ':.*## ' '/^### / {print "\n" substr($$0, 5)} \
		/^[a-z0-9]+:.*## / {printf "  make %-12s%s\n", $$1, $$2}' Makefile

demo: $(DEMO)  ## Regenerate the client, then update a conversation over a real socket
	@"$$BIN/python" examples/demo.py

test: $(DEV)  ## Run all tests (or some: TESTS=tests/client/test_calls.py)
	@$(RUN_WITH) pytest TESTS --numprocesses auto --dist loadfile

generate: $(DEMO)  ## Write generated/ and docs/api.md from spec/openapi.yaml
	@$(RUN) generate
	@$(RUN) project.api_index

adopt: $(DEV)  ## Add an operation of the vendor's: make adopt OPERATION=search-conversation (upgrade: UPGRADE=1)
	@$(RUN) adopt

check: $(DEV) lint  ## Check the spec, generated/, formatting, lint, types and workflows
	$(RUN) openapi_spec_validator spec/openapi.yaml tools/leadconnector_emulator/control.yaml
	$(RUN) generate --check
	$(RUN) project.api_index --check
	$(RUN) generate.templates
	$(RUN) ruff format --check .
	$(RUN) ruff check .
	$(RUN) mypy
	$(RUN) pyright
	$(RUN) pyright --project tests/typing/generated.json

docs: $(DEV)  ## Build the documentation site in build/docs
	@$(RUN) sphinx --builder html --fail-on-warning --keep-going --quiet \
		--doctree-dir build/doctrees docs build/docs
	@echo "docs: open build/docs/index.html"

emulator: $(DEMO)  ## Run the API locally until Ctrl-C (another port: ARGS="--port 9000")
	@$(RUN_WITH) leadconnector_emulator ARGS

clean:  ## Remove the output of the other targets, including the virtual environment
	rm -rf .venv .generated-* build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

### When the API changes
.PHONY: drift diff gate

drift: $(DEV)  ## Compare the spec with the documents that the vendor publishes (or one: UPSTREAM=FILE)
	@$(RUN) project.drift

diff: $(DEV)  ## Show changes in the spec and in public Python names: make diff BASE=main
	@$(RUN) project.diff

gate: $(DEV)  ## Fail if a change breaks users without a CHANGELOG entry: make gate BASE=main
	@$(RUN) project.gate

### Copies in other projects
.PHONY: vendor changes

vendor:  ## Copy the client: make vendor DEST=src/app/_vendor (despite local changes: FORCE=1)
	@$(WITH_PYTHON) tools/project/vendor.py

changes: $(DEV)  ## Report what an upgrade of a copy changes: make changes DEST=src/app/_vendor
	@$(RUN) project.changes

### Newer dependencies
.PHONY: lock preview templates httpx2

lock: $(DEV)  ## Update requirements/ from pyproject.toml (to newer versions: UPGRADE=--upgrade)
	@$(RUN) project.lock

preview: $(DEV)  ## Show what a newer generator would change (or another: VERSION=0.29.1)
	@$(RUN) project.preview

templates: $(DEMO)  ## Record the generator's templates that ours override, after a review
	@$(RUN) generate.templates --record

httpx2: $(DEV)  ## Run the tests with httpx2, the continuation of httpx (some: TESTS=…)
	@$(RUN) project.httpx2

### Long runs and measurements
.PHONY: bench compare fuzz wire rates soak refreshes kills rewrites conform

bench: $(DEV)  ## Compare the speed with other clients, and write docs/performance.md (a part: ARGS=…)
	@$(RUN_WITH) benchmarks.speed ARGS

compare: $(DEV)  ## Compare with other clients, and write docs/comparison.md (one row: ARGS=…)
	@$(RUN_WITH) benchmarks.compare ARGS

fuzz: $(DEV)  ## Try 200,000 random responses and arguments (fewer: ARGS="--responses 1000")
	@$(RUN_WITH) benchmarks.long.fuzz ARGS

wire: $(DEV)  ## Send cut responses and random streams over sockets (fewer: ARGS="--step 50")
	@$(RUN_WITH) benchmarks.long.wire ARGS

rates: $(DEV)  ## Call at the rate limit for six minutes (shorter: ARGS=…)
	@$(RUN_WITH) benchmarks.long.rates ARGS

soak: $(DEV)  ## Make 100,000 updates with 5 % faulty requests, then look for losses and leaks
	@$(RUN_WITH) benchmarks.long.soak ARGS

refreshes: $(DEV)  ## Count token refreshes of threads, tasks and processes that share a token
	@$(RUN_WITH) benchmarks.long.oauth ARGS

kills: $(DEV)  ## Kill vendoring at each of its steps, and at 200 random moments
	@$(RUN_WITH) benchmarks.long.kills ARGS

rewrites: $(DEV)  ## Rewrite and break OpenAPI documents: make rewrites ARGS=FOLDER
	@$(RUN_WITH) benchmarks.long.rewrites ARGS

conform: $(DEV)  ## Compare a generated client with its OpenAPI document: make conform ARGS=SPEC
	@$(RUN_WITH) benchmarks.long.conform ARGS

### For the workflows in .github/
.PHONY: lint coverage regenerate push issue comment notes dist installed

lint: $(DEV)  ## Lint the workflows, the actions, the hooks and Dependabot's configuration
	"$$BIN/zizmor" --offline --pedantic --strict-collection --no-progress --quiet .
	$(RUN) check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(RUN) check_jsonschema --builtin-schema vendor.github-actions .github/actions/*/action.yml
	$(RUN) check_jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml

coverage: $(DEV)  ## Run all tests, and fail below the coverage in pyproject.toml (or some: TESTS=…)
	@$(RUN) project.coverage

regenerate: $(DEMO)  ## Regenerate, and fail with the difference (or write it: PATCH=FILE)
	@$(RUN) project.regenerate

push:  ## Check, commit and push what make regenerate has written: make push PATCH=FILE
	@PYTHONPATH=tools $(WITH_PYTHON) -B -m project.push

issue: $(DEMO)  ## Open, update or close the issue about drift on GitHub (for the nightly job)
	@$(RUN) project.github.issue

comment: $(DEMO)  ## Add or update the comment on a pull request: make comment PULL_REQUEST=1
	@$(RUN) project.github.comment

notes: $(DEV)  ## Check that a tag can be released, and write its notes: make notes TAG=v1.2.3
	@$(RUN) project.notes

dist: $(DEV)  ## Build the wheels and sdists of the three packages into dist/, and check them
	@$(RUN) project.dist

installed: $(DEV)  ## Test the wheels in dist/ as installed (or with other tests: TESTS=…)
	@$(RUN) project.installed

.venv/%.installed: requirements/%.txt
	@$(WITH_PYTHON) tools/project/install.py "$*"
