# The one entrance; `make` alone lists what there is. Kept to what make 3.81 (macOS) knows, and to relative paths,
# so that the tree may lie anywhere, a path with spaces included.

PY := .venv/bin/python
JOBS ?= 2
# Whole platforms under load: they have the machine to themselves.
ALONE := tests/faults tests/scenarios
# The browser's driver keeps an event loop in the process: nothing else may want one there.
BROWSER := tests/browser
PG15 ?= /usr/lib/postgresql/15/bin
PG15_TESTS := $(wildcard tests/store tests/control tests/flow)

.NOTPARALLEL:
.PHONY: help setup run test faults check bench fuzz engine races profiles docs lock clean setup-test test-pg15

help: ## This list
	@echo "Troth: transactional email that keeps its word. Start with: make run"
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Make .venv and install Troth into it (.venv/bin/troth)
	@sh scripts/setup.sh run

run: setup ## The demo: every stage, real mail, then it keeps serving (ONCE=1: end after the main job)
	@.venv/bin/troth demo $(if $(filter-out 0 no false,$(ONCE)),--once)

test: setup-test ## The whole test suite and its coverage (ARGS="-k gate" for a part, JOBS=4 for more cores)
	@$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest -n $(JOBS) $(if $(ARGS),$(ARGS),$(foreach part,$(ALONE) $(BROWSER),--ignore=$(part)))
	$(if $(ARGS),,$(PY) -m coverage run -m pytest -n $(JOBS) $(BROWSER))
	$(if $(ARGS),,$(PY) -m coverage run -m pytest $(ALONE))
	@$(PY) scripts/coverage_gate.py $(if $(ARGS),--print-only)

faults: setup-test ## Kill workers, doors, PostgreSQL and supervisors under load (ARGS="-s tests/faults/test_kills.py")
	$(PY) -m pytest $(if $(ARGS),$(ARGS),tests/faults)

check: setup-test ## Lint, types, import contracts, house rules, fresh docs
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo
	$(PY) scripts/house.py
	$(PY) scripts/gen_tree.py --check
	$(PY) scripts/gen_docs.py --check
	$(PY) -m towncrier build --draft --version unreleased >/dev/null

bench: setup-test ## End to end, beside Postfix with OpenDKIM (docs/performance.md; ARGS="--only plain" for a part)
	@$(PY) -m tests.bench $(ARGS)

fuzz: setup-test ## Every property test with EXAMPLES=10000 examples; MINUTES=10: what strangers send, for as long as told
	$(if $(MINUTES),$(PY) scripts/fuzz_parsers.py --minutes $(MINUTES) --jobs $(JOBS),EXAMPLES="$(EXAMPLES)" $(PY) -m pytest -p scripts.fuzz -n $(JOBS) --timeout 3600 $(ARGS))

engine: setup-test ## Random sequences of the change engine, 10,000 of them (SEQUENCES=500 for fewer)
	@SEQUENCES="$(SEQUENCES)" $(PY) scripts/engine.py

races: setup-test ## Six races at the gate and the mark, 10,000 times each (new times 1,000), on 4 processes (ROUNDS=500 WORKERS=6 ONLY=pause)
	@$(PY) -m tests.races $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(WORKERS),--workers $(WORKERS)) $(if $(ONLY),--only $(ONLY))

profiles: setup-test ## One script of 200 messages under each of the three profiles, side by side, against the claims
	@$(PY) -m tests.profiles

docs: setup-test ## Write the generated pages and the tree in docs/ARCHITECTURE.md
	$(PY) scripts/gen_tree.py
	$(PY) scripts/gen_docs.py

lock: setup-test ## Compile requirements/*.txt anew (UPGRADE=1: to the newest versions)
	$(PY) scripts/lock.py $(if $(UPGRADE),--upgrade)

clean: ## Remove what make made: .venv, the demo's data, caches
	rm -rf .venv var/demo htmlcov tests/node/node_modules .coverage .coverage.*
	rm -rf .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests scripts -name __pycache__ -type d -prune -exec rm -rf {} +

setup-test:
	@sh scripts/setup.sh test

# CI runs the database's part of the suite a second time, on the oldest PostgreSQL we promise.
test-pg15: setup-test
	@test -x "$(PG15)/postgres" || { echo "$(PG15)/postgres is missing: apt install postgresql-15"; exit 1; }
	@test -n "$(PG15_TESTS)" || { echo "No tests/store, tests/control or tests/flow to run."; exit 1; }
	TROTH_PG_BIN="$(PG15)" $(PY) -m pytest -n $(JOBS) -m "not slow and not pages" $(PG15_TESTS)
