# Every target does its own set-up: virtual environments with pinned versions.

PYTHON ?= python3
VENV := .venv
OLDEST := .venv-oldest
RUN := $(VENV)/bin/python
PARALLEL := -n auto --maxprocesses 8
SOURCES := skae tests benchmarks examples docs .ci setup.py README.md CONTRIBUTING.md

.PHONY: help demo test test-oldest lint doctest examples bench dist clean

help:
	@echo "make demo         compare an autoencoder with PCA on the digits"
	@echo "make test         run the tests"
	@echo "make test-oldest  run them with the oldest supported versions"
	@echo "make lint         check style, formatting and docstrings"
	@echo "make doctest      run the examples in docstrings and in pages"
	@echo "make examples     run every examples/plot_*.py"
	@echo "make bench        run the benchmarks"
	@echo "make dist         build and check the source archive and the wheel"
	@echo "make clean        remove what the targets made"

$(VENV)/installed: pyproject.toml constraints.txt
	$(call new_environment,$(VENV),constraints.txt,.[compare])

$(VENV)/installed-dev: $(VENV)/installed
	$(RUN) -m pip install -q -c constraints.txt -e ".[test,lint,dist]"
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(RUN) -m pip install -q -c constraints.txt -e ".[compare,benchmark]"
	@touch $@

$(OLDEST)/installed: pyproject.toml constraints-oldest.txt
	$(call new_environment,$(OLDEST),constraints-oldest.txt,.[test])

# The constraints pin torch: without them pip may fetch gigabytes of GPU libraries.
define new_environment
	@$(PYTHON) -c "import sys; v = sys.version_info; v >= (3, 11) or sys.exit( \
	  'skae needs Python 3.11 or later, this is %d.%d: make PYTHON=...' % v[:2])"
	$(PYTHON) -m venv $(1)
	$(1)/bin/python -m pip install -q -c $(2) torch
	$(1)/bin/python -m pip install -q -c $(2) -e "$(3)"
	@touch $@
endef

demo: $(VENV)/installed
	$(RUN) -m skae compare digits

test: $(VENV)/installed-dev
	$(RUN) -m pytest $(PARALLEL)

test-oldest: $(OLDEST)/installed
	$(OLDEST)/bin/python -m pytest $(PARALLEL) --ignore tests/test_docstrings.py

lint: $(VENV)/installed-dev
	$(RUN) -m ruff check $(SOURCES)
	$(RUN) -m ruff format --check $(SOURCES)
	$(RUN) -m pytest tests/test_docstrings.py

doctest: $(VENV)/installed-dev
	$(RUN) -m pytest --doctest-modules skae docs/test_pages.py

examples: $(VENV)/installed-dev
	set -e; for file in examples/plot_*.py; do \
	  echo "== $$file"; MPLBACKEND=Agg $(RUN) -W error $$file; done

bench: $(VENV)/installed-bench
	$(RUN) benchmarks/against_pca.py
	$(RUN) benchmarks/speed.py
	$(RUN) benchmarks/speed_variants.py
	$(RUN) benchmarks/papers.py
	$(RUN) benchmarks/outliers.py
	$(RUN) benchmarks/imputation.py
	$(RUN) benchmarks/imputation.py --protocol
	$(RUN) benchmarks/images.py
	$(RUN) benchmarks/uses.py
	$(RUN) benchmarks/labels.py
	$(RUN) benchmarks/features.py
	$(RUN) benchmarks/hashes.py
	$(RUN) benchmarks/density.py

dist: $(VENV)/installed-dev
	rm -rf build dist
	$(RUN) -m build --quiet
	$(RUN) .ci/check_dist.py

clean:
	rm -rf $(VENV) $(OLDEST) build dist skae-comparison *.egg-info
	find . -name __pycache__ -prune -exec rm -rf {} +
