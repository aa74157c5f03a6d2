# `make run` and `make test` do everything on a fresh machine; the other targets are their parts.
# Lines run in the built environment through env.sh, so nothing has to be sourced first.
SHELL := /bin/bash
PYTHON ?= python3
DEMO ?= job
PHOTOS ?=
ARGS ?=
IN_ENV := . ./env.sh &&

.PHONY: setup setup-tests run test fast slow lint coverage api paddleocr clean help

help:           ## show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## / — /'

setup:          ## set the workspace up
	@$(PYTHON) tools/setup.py

setup-tests:    ## set the workspace up with the test tools
	@$(PYTHON) tools/setup.py --tests

run: setup      ## start the cell with simulated devices and run a demo (DEMO=none: no demo; PHOTOS=folder: real photographs)
	@$(IN_ENV) cell run --demo $(DEMO) $(if $(PHOTOS),--photos "$(PHOTOS)") $(ARGS)

test: setup-tests   ## run the house rules and all tests, fast and slow
	@$(IN_ENV) python tools/check.py lint fast slow

fast: setup-tests   ## run the house rules and the fast tests
	@$(IN_ENV) python tools/check.py lint fast

slow: setup-tests   ## run the tests that need the whole graph or a browser
	@$(IN_ENV) python tools/check.py slow

lint: setup-tests   ## run the house rules only
	@$(IN_ENV) python tools/check.py lint

coverage: setup-tests   ## measure branch coverage of the fast tests and print it per package
	@$(IN_ENV) python tools/check.py coverage

api: setup-tests   ## write API pages from the docstrings to build/api/index.html
	@$(IN_ENV) python tools/api_pages.py

paddleocr: setup    ## make the environment of OCR engine paddleocr (.venv-paddleocr, with models) and try it
	@$(PYTHON) tools/setup.py --paddleocr
	@$(IN_ENV) cell models check --engine paddleocr --python "$(CURDIR)/.venv-paddleocr/bin/python"

clean:          ## remove what set-up made
	rm -rf .venv .venv-paddleocr build install src/cell_web/hmi/node_modules src/cell_web/hmi/dist
