# The usual jobs: `make` lists them. They need asdkit[test] installed: python -m pip install -e ".[test]"
PYTHON ?= python

.PHONY: help test fast lint format options site drawing benchmark versions ci

help: ## list the jobs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

test: ## all tests
	$(PYTHON) -m pytest -q

fast: ## the tests that show in minutes whether the installed versions work
	.ci/fast $(PYTHON)

lint: ## style, types and layers
	ruff check .
	ruff format --check .
	.ci/types
	lint-imports

format: ## mend what style can be mended
	ruff check --fix .
	ruff format .

options: ## write docs/options.md and docs/components.md from the program
	$(PYTHON) docs/options.py --write
	$(PYTHON) docs/components.py --write

site: ## build the documentation as a site, into site/
	NO_MKDOCS_2_WARNING=1 $(PYTHON) -m mkdocs build --strict

drawing: ## write the picture in docs/architecture.md from the imports
	$(PYTHON) docs/drawing.py --write

benchmark: ## memory and time of videos of 1 and 10 minutes
	$(PYTHON) -m benchmarks.length

versions: ## the ends of what pyproject.toml claims; takes three quarters of an hour
	.ci/versions

ci: ## all that CI runs
	.ci/run
