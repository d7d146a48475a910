# Each target makes .venv first if it is not there, or if the pins changed.
PYTHON ?= python3
# The CPU build of torch where PyTorch's own index can be reached. For a GPU, before the first run: make repro TORCH=torch==2.13.0
TORCH ?= --extra-index-url https://download.pytorch.org/whl/cpu torch==2.13.0

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION := false
export DVC_NO_ANALYTICS := true

.PHONY: repro test test-quick test-faults test-environments fuzz mutants schema reference docs lint ui bench lock audit

repro: .venv/ready ## run what changed: download, clean, split, suspects, vocab, encode, vectors, train, evaluate, curve, compare, track; JOBS=N models at a time; then tell whether these are the committed results
	@textmill repro $(JOBS:%=-j %)

test: .venv/ready ## all tests, a core each; those of a file share what they need
	@pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-environments: .venv/ready ## the pipeline in five environments, some 6 minutes: locales, hash seeds, time zones, threads, folders, a clock that jumps
	@ENVIRONMENTS=1 pytest tests/test_pipeline.py -k another_checkout

schema: .venv/ready ## params.schema.json and docs/reference/params.md, from the comments beside the keys
	@python -m textmill.schema

reference: .venv/ready ## the docs' pages that are made from the code: the command, exit codes, modules, the notebook
	@python -m textmill.reference

docs: .venv/ready ## the site, into site/: open site/index.html; a link or an anchor that leads nowhere is an error
	@zensical build --strict --clean

test-quick: .venv/ready ## the tests that take a second or two at most: a minute on two cores
	@pytest -n auto --maxprocesses 4 --dist loadfile -m "not slow"

FAULTS ?= 300
SEED ?= 1
test-faults: .venv/ready ## faults in the real stages, a quarter of an hour: errors of the disk and of memory, kills, damage, two runs at once; ALL=1: every one
	@cd tests && PYTHONPATH=$(CURDIR) python -m faults $(if $(ALL),0,$(FAULTS)) $(SEED)

EXAMPLES ?= 2000
fuzz: .venv/ready ## damaged params and files, each read or refused in one line: some 10 minutes
	@EXAMPLES=$(EXAMPLES) pytest tests/test_mutated_params.py
	@EXAMPLES=$$(($(EXAMPLES) / 10)) pytest tests/test_mutated_files.py

MUTANTS ?= 200
mutants: .venv/ready ## small changes to splits, cleaning, vocabulary, metrics, comparison, batching and checkpoints that tests must notice, some 30 minutes
	$(PYTHON) -m venv .venv-mutants
	python -c 'import site; print(*site.getsitepackages())' > `ls -d .venv-mutants/lib/python*/site-packages`/project.pth
	.venv-mutants/bin/pip install --quiet mutmut==3.8.1
	.venv-mutants/bin/python tests/mutants.py $(MUTANTS) $(SEED); found=$$?; rm -r .venv-mutants; exit $$found

lint: .venv/ready ## ruff and mypy, as CI runs them
	@ruff check .
	@ruff format --check .
	@mypy

ui: .venv/ready ## MLflow's pages on http://127.0.0.1:5000
	@textmill ui

ONLY ?= text linear training precision inference predict startup door models scale small compare
bench: .venv/ready ## timings as ratios, into bench/results; one script alone: make bench ONLY=text
	@test -n "$$TEXTMILL_HUB_MIRROR" -o -e data/split/train.parquet || dvc repro split
	@for name in $(ONLY); do echo "$$name:"; python bench/$$name.py || exit 1; done

lock: ## pin what pyproject.toml asks for, from a fresh environment
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet --retries 0 $(TORCH)
	.venv-lock/bin/pip install --quiet --editable '.[dev]'
	.venv-lock/bin/pip freeze --exclude-editable | sed 's/+cpu$$//' > requirements.lock
	rm -r .venv-lock

audit: .venv/ready ## known vulnerabilities of the pinned packages; fails if there are any
	$(PYTHON) -m venv .venv-audit
	.venv-audit/bin/pip install --quiet pip-audit
	.venv-audit/bin/pip-audit --no-deps --disable-pip -r requirements.lock; found=$$?; rm -r .venv-audit; exit $$found

.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --retries 0 $(TORCH)
	if command -v uv >/dev/null; then uv pip install --quiet --python .venv/bin/python -r requirements.lock; \
	else .venv/bin/pip install --quiet -r requirements.lock; fi
	.venv/bin/pip install --quiet --no-deps --editable .
	@touch $@
