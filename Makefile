# Most people need two commands:
#   make demo   grade the sample submissions and leave a page for each in out/demo
#   make test   run the tests
# Both first set up .venv. PIP_ARGS is passed to pip, for example to choose a smaller build of torch.

PYTHON ?= python3
PIP_ARGS ?=
VENV := .venv
BIN := $(VENV)/bin
# Each test file runs in one process, because its tests share slow fixtures.
SIDE_BY_SIDE := --numprocesses auto --dist loadfile
SAMPLES := autograder/assignments/cvae/solution cs5814_vae.py $(sort $(wildcard examples/*))

# nbgrader runs the programs of its packages by name.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: demo test test-slow test-exhaustive corpus hostile figures lint kit oldest course fill-in clean

demo: $(VENV)/ready
	@mkdir -p out/demo
	@for sample in $(SAMPLES); do \
		name=$$(basename $$sample .py); \
		printf '%-28s ' $$name; \
		$(BIN)/autograder grade $$sample --quiet --html out/demo/$$name.html || exit 1; \
	done
	@echo "Open out/demo/four-layer-encoder.html in a browser to read a report as its student would."

test: $(VENV)/ready
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "not slow and not exhaustive" --cov

test-slow: $(VENV)/ready
	$(BIN)/pytest $(SIDE_BY_SIDE) -m "slow and not exhaustive"

test-exhaustive: $(VENV)/ready
	$(BIN)/pytest $(SIDE_BY_SIDE) -m exhaustive

# Count grading mistakes over about 900 modules. CORPUS is passed on, as in make corpus CORPUS="--seeds 10".
CORPUS ?=
corpus: $(VENV)/ready
	$(BIN)/python -m tests.corpus $(CORPUS)

# What each isolation level stops, by class of attack: the table in docs/measured.md.
hostile: $(VENV)/ready
	$(BIN)/python -m tests.hostile_table

# Measure the figures of docs/measured.md again. FIGURES chooses sections by a word of their headings.
FIGURES ?=
figures: $(VENV)/ready
	$(BIN)/python -m benchmarks.figures $(FIGURES)

lint: $(VENV)/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

kit: $(VENV)/ready
	$(BIN)/autograder release --out out

# The kit's checks and its notebook, with the solution and the oldest packages that docs/student.md promises. CI does not
# run it: the download takes several GB. It needs Python 3.11 to 3.13. Choose a smaller build of torch with PIP_ARGS.
OLDEST := out/oldest
oldest: kit
	rm -rf $(OLDEST)/hw3-part3
	$(PYTHON) -m zipfile -e out/hw3-part3.zip $(OLDEST)
	cp autograder/assignments/cvae/solution/cs5814_vae.py $(OLDEST)/hw3-part3
	test -d $(OLDEST)/venv || $(PYTHON) -m venv $(OLDEST)/venv
	$(OLDEST)/venv/bin/pip install --quiet $(PIP_ARGS) torch==2.6.0 torchvision==0.21.0 nbconvert ipykernel matplotlib pytest
	cd $(OLDEST)/hw3-part3 && export PATH="$(CURDIR)/$(OLDEST)/venv/bin:$$PATH" PYTHONPATH= && \
		python -m pytest -q -p no:cacheprovider public_checks.py && \
		CS5814_SMOKE=1 MNIST_ROOT=none python -m nbconvert --to notebook --execute --output executed cvae.ipynb
	@echo "The kit works with torch 2.6.0."

# An nbgrader course, for TAs: make course COURSE=~/cs5814
COURSE ?= out/course
course: $(VENV)/ready
	$(BIN)/autograder course $(COURSE)

fill-in: $(VENV)/ready
	$(BIN)/autograder fill-in cs5814_vae.py

clean:
	rm -rf $(VENV) out

$(VENV)/ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Python 3.11 or newer is needed; name yours with: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "Python's venv module is missing; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --no-compile --constraint constraints.txt $(PIP_ARGS) \
		--editable '.[notebook,postgresql,dev]'
# On all cores, because pip compiles on one. Like pip, ignore files for newer versions of Python.
	@$(BIN)/python -m compileall -qq --workers 0 $(VENV)/lib || true
	@touch $@
