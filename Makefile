# Every target prepares what it needs first; `make` alone lists them.

BIN       := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Some images set it; every start of rsppc and rspp would compile its modules again, and the tests start hundreds.
unexport PYTHONDONTWRITEBYTECODE
JOBS      ?= 2
CARRIED   := runtime_base/src/rspp_runtime/contracts/schemas
PIPELINES := $(wildcard pipelines/*.rspp)

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format types tables schemas goldens drift features pictures bench bench-serve flame bench-compiler fuzz clean

help:      ## this list
	@echo "RSPP: compile a voice agent's pipeline into a package, and run it."
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

setup:     ## .venv with everything in it; a second run is instant
	@PYTHON="$(PYTHON)" .ci/setup

demo: setup ## hear it: builds the voice assistant, asks it a question, interrupts it
	@mkdir -p out
	@$(BIN)/rsppc run pipelines/voice_assistant.rspp --wav pipelines/samples/question.wav --out out/reply.wav --timeline out/question.html --log out/question.log
	@$(BIN)/rsppc run pipelines/voice_assistant.rspp --wav pipelines/samples/interruption.wav --out out/interrupted.wav --timeline out/interruption.html --log out/interruption.log

test: lint types ## lint, types, and the whole test suite (JOBS=2 at a time)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal --durations 25 --durations-min 5 $(PYTEST_ARGS)

lint: setup ## ruff and cython-lint
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/cython-lint $$(find runtime_base/src generated -name '*.pyx' -o -name '*.pxd' | LC_ALL=C sort)

format: setup ## lays the Python code out, and fixes what ruff can fix
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

types: setup ## mypy, strict
	@$(BIN)/mypy

tables: setup ## writes the parser's tables anew, after a change of grammar/rspp.lark
	@$(BIN)/python -m rspp_compiler.syntax.make_tables

schemas: setup ## writes docs/schemas/ anew, after a change of a model or of a table of settings; the runtime gets its copies
	@$(BIN)/rsppc schema -o docs/schemas
	@for file in $(CARRIED)/*.json; do cp "docs/schemas/$${file##*/}" "$$file"; done

goldens: tables schemas ## writes generated/ and all snapshots anew; read the diff before committing it
	@$(BIN)/rsppc build $(PIPELINES)
	@$(BIN)/pytest -n $(JOBS) --snapshot-update

drift: setup ## fails if generated/ is not what the compiler writes today
	@$(BIN)/rsppc build --check $(PIPELINES)

features: setup ## docs/FEATURES.md, from what the last `make test` saw
	@test -f out/features.json || $(MAKE) --no-print-directory test
	@$(BIN)/python tests/plugins/feature_report.py

pictures: setup ## docs/pictures/console-*.png anew: the console in Chromium, with the real server
	@RSPP_PICTURES=docs/pictures $(BIN)/pytest -q tests/browser/test_pictures.py

bench: setup ## the speed goals beside the peers (.venv-bench) and the floor: writes benchmarks/RESULTS.md (BENCH_ARGS=--quick, --long, --only PART)
	@cd benchmarks && ../$(BIN)/python -m speed.run $(BENCH_ARGS)

flame: setup ## where the time of a frame goes: draws docs/pictures/flame.svg anew
	@cd benchmarks && ../$(BIN)/python -m speed.flame

bench-serve: setup ## conversations over WebSocket on one core, beside Pipecat's transport and a bare echo: writes benchmarks/results/serve.md (BENCH_ARGS=--quick)
	@cd benchmarks && ../$(BIN)/python serve.py $(BENCH_ARGS)

bench-compiler: setup ## how the compiler grows with a pipeline, and the kernel beside its twin
	@$(BIN)/python benchmarks/compiler.py
	@$(BIN)/rsppc build pipelines/voice_assistant.rspp --no-install
	@$(BIN)/python benchmarks/kernel.py

fuzz: setup ## fuzzes the compiler's front end for an hour (SECONDS=3600); finds and inputs are kept in out/fuzz
	@$(BIN)/python tests/robust/fuzz.py --seconds $(or $(SECONDS),3600)

clean:     ## removes what make, the compilers and the tools left; environments stay
	@rm -rf out build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis runtime_base/build .venv/.setup/runtime
	@find . -path './.venv*' -prune -o -name __pycache__ -type d -exec rm -rf {} +
	@find runtime_base/src generated \( -name '*.so' -o -name '*.c' \) -type f -delete
	@find generated -name build -type d -exec rm -rf {} +
