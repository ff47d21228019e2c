# make sheets: the models on the bundled sample (or on the copy that is there), then the workbooks in out/
# make test:   all that can be checked on this machine
PYTHON ?= python3
INSTALL := PYTHON="$(PYTHON)" sh requirements/install.sh
DEV := .venv/.installed
MYSQL := .venv-mysql/.installed
SPARK := .venv-spark/.installed
LLM := .venv-llm/.installed

.PHONY: sheets test test-fast lint format bench bench-spark soak fuzz pictures audit requirements .venv .venv-mysql .venv-spark .venv-llm

sheets: $(DEV)
	.venv/bin/probesheets run --out out

# Each process has servers of its own; a file of tests stays in one process, which shares its builds.
test: $(DEV) $(MYSQL) $(SPARK) $(LLM) lint
	.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# In under two minutes, for while you work: DuckDB only, and no faults, kills or servers.
test-fast: $(DEV) lint
	.venv/bin/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile -k "not mariadb and not mysql" \
	  tests/engines/test_macro_tables.py tests/exporter/test_workbook.py tests/exporter/test_readable.py \
	  tests/exporter/test_export.py tests/exporter/test_sample.py tests/exporter/test_docs.py

.venv: $(DEV)
.venv-mysql: $(MYSQL)
.venv-spark: $(SPARK)
.venv-llm: $(LLM)

.venv/.installed: requirements/duckdb.txt requirements/install.sh pyproject.toml dbt_project.yml
	$(INSTALL) .venv duckdb --with-probesheets
	touch $@

.venv-mysql/.installed: requirements/mysql.txt requirements/install.sh pyproject.toml dbt_project.yml
	$(INSTALL) .venv-mysql mysql --with-probesheets
	touch $@

.venv-spark/.installed: requirements/spark.txt requirements/install.sh pyproject.toml dbt_project.yml
	$(INSTALL) .venv-spark spark --with-probesheets
	touch $@

.venv-llm/.installed: requirements/llm.txt requirements/install.sh
	$(INSTALL) .venv-llm llm
	touch $@

# In under five minutes; SIZES=--full measures the sizes of the goals, SIZES=--help lists them all.
bench: $(DEV) $(MYSQL)
	$(INSTALL) .venv bench --more
	.venv/bin/python -m benchmarks.bench $(SIZES)

# In half an hour: builds on Spark with one worker and two, 100,000 and 1,000,000 texts, and DuckDB beside them.
bench-spark: $(DEV) $(SPARK)
	.venv/bin/python -m benchmarks.spark $(SIZES)

# Kills after each model, 360 random SIGKILLs, a file of 5 GB, 10 million texts: an hour and 30 GB of disk. make test does a fiftieth of them.
soak: $(DEV) $(MYSQL)
	PROBESHEETS_SOAK=1 .venv/bin/python -m pytest -s tests/trust/test_kills.py tests/trust/test_builds.py
	.venv/bin/python -m benchmarks.soak

# Ten times as many mutated files as make test gives to the loader.
fuzz: $(DEV)
	PROBESHEETS_FUZZ=10 .venv/bin/python -m pytest tests/trust/test_input.py

# Known vulnerabilities of the pinned versions; asks a public database (SERVICE=pypi or osv), so needs the internet.
# --strict: a package that the database does not know is a failure, too, not a silent pass.
SERVICE ?= osv
audit: .venv-audit/.installed
	@for pins in requirements/*.txt; do \
	  .venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off \
	    --vulnerability-service $(SERVICE) --requirement $$pins >.venv-audit/log 2>&1 && result=0 || result=$$?; \
	  if grep -q '^Traceback' .venv-audit/log; then \
	    tail -1 .venv-audit/log; echo "$$pins: NOT CONFIRMED, the database $(SERVICE) could not be asked."; exit 1; \
	  fi; \
	  cat .venv-audit/log; test $$result -eq 0 || { echo "$$pins: see SECURITY.md for what to do."; exit 1; }; \
	done

.venv-audit/.installed: requirements/audit.txt requirements/install.sh
	$(INSTALL) .venv-audit audit
	touch $@

# docs/pictures/, from the bundled sample; needs LibreOffice, pdftoppm and Chromium.
pictures: $(DEV)
	bash docs/pictures.sh

lint: $(DEV)
	.venv/bin/ruff check exporter tests benchmarks
	.venv/bin/ruff format --check exporter tests benchmarks
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	.venv/bin/sqlfmt --check --line-length 110 models tests/data

format: $(DEV)
	.venv/bin/ruff check --fix exporter tests benchmarks
	.venv/bin/ruff format exporter tests benchmarks
	.venv/bin/sqlfmt --line-length 110 models tests/data

# The pinned versions, for every system and Python, from pyproject.toml and requirements/*.in; needs uv. Versions that are
# pinned already stay: UPGRADE=--upgrade takes the newest. duckdb.txt holds the tests' tools, too. pip needs the extras.
COMPILE := uv pip compile --quiet --universal --python-version 3.11 --no-strip-extras --generate-hashes --no-emit-index-url \
  --custom-compile-command "make requirements" $(UPGRADE)
requirements:
	$(COMPILE) --extra dev --output-file requirements/duckdb.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra mysql --output-file requirements/mysql.txt pyproject.toml requirements/build.in
	$(COMPILE) --extra spark --output-file requirements/spark.txt pyproject.toml requirements/build.in
	$(COMPILE) --output-file requirements/bench.txt requirements/bench.in
	$(COMPILE) --output-file requirements/llm.txt requirements/llm.in
	$(COMPILE) --output-file requirements/audit.txt requirements/audit.in
	$(COMPILE) --output-file requirements/uv.txt requirements/uv.in
