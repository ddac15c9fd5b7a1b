# `make demo` and `make test` do all the set-up they need; so does everything else here.
PYTHON ?= python3
# Where torch comes from, if not from where pip looks: on Linux without a GPU,
# make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu spares gigabytes of CUDA.
TORCH_INDEX ?=
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ENCODER := runs/encoder
MODEL := runs/offline/model

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format clean

help: ## list what there is to make
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make .venv with everything that training and tests need

# torch is installed first and alone, so that no other package's wish brings another build of it.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "marsad needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX) --no-deps) torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[train,export,notebooks,serve,ray,dev]'
	touch $@

$(ENCODER)/config.json: | $(READY)
	$(BIN)/marsad encoder $(ENCODER)

demo: $(READY) $(ENCODER)/config.json ## train on the corpus with the embedded encoder, score it, read a report (CPU, offline)
	$(BIN)/python scripts/train.py --config configs/offline.yaml --overwrite
	$(BIN)/marsad evaluate $(MODEL) data/annotations/test --gold-entities
	$(BIN)/marsad predict $(MODEL) data/sample.txt --format csv

test: $(READY) ## run the tests
	$(BIN)/python -m pytest

check: $(READY) ## lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY) ## put the code into the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the virtual environment and all runs
	rm -rf $(VENV) runs dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
