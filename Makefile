# Needs make and Python 3.11 or newer; everything else goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help demo test check bench chaos

export PYTHONDONTWRITEBYTECODE :=

help: ## List the targets.
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | tr '@' '\t' | expand -t 16

demo: .venv/ready ## Seed the shop, drive traffic through its eight services and watch it live.
	@cd examples/shop && exec ../../.venv/bin/python -m demo $(ARGS)

test: .venv/ready ## Run every test; one that needs a missing server is skipped and says how to start it.
	@.venv/bin/pytest -n 2 --dist worksteal

check: .venv/ready ## Lint, format, types (mypy, pyright) and the direction of imports.
	@sh tools/check

bench: .venv/ready ## Measure Ramet against its peers, side by side, and print which targets it meets.
	@sh tools/bootstrap --group bench && exec .venv/bin/python -m benchmarks

chaos: .venv/ready ## Break the shop again and again under load, as one process and as many, then compare the books.
	@exec .venv/bin/python -m tests.chaos all

.venv/ready: pyproject.toml uv.lock tools/bootstrap
	@sh tools/bootstrap && touch $@
