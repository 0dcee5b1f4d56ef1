# Everything stays in the checkout: .venv/ for the tools, .cache/ for downloads and caches, build/ for what is made.
# Written for make 3.81, which macOS still ships.

PY := .venv/bin/python
CACHE := $(CURDIR)/.cache

# Where the practice cloud keeps its blob server.
export ODIBI_CACHE := $(CACHE)
export HYPOTHESIS_STORAGE_DIRECTORY := $(CACHE)/hypothesis
# Notebooks run in this venv's kernel, with none of the user's own Jupyter settings read or written.
export IPYTHONDIR := $(CACHE)/ipython
export JUPYTER_CONFIG_DIR := $(CACHE)/jupyter/config
export JUPYTER_DATA_DIR := $(CACHE)/jupyter/data
export JUPYTER_RUNTIME_DIR := $(CACHE)/jupyter/runtime
export JUPYTER_PREFER_ENV_PATH := 1
unexport JUPYTER_PATH JUPYTER_CONFIG_PATH PYTHONHOME PYTHONPATH
# Hundreds of tests start Python: compiling the libraries each time would take most of theirs.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup venv demo docs test check format notebooks bench bench-quick lock clean

help:
	@echo "make setup        .venv/ from the locks (PYTHON=... names the Python), and the tests' Spark, browser, blob server and floors"
	@echo "make demo         run the quickstart notebook and say where its tables are"
	@echo "make docs         build/site/ from docs/, and say where it begins"
	@echo "make test         lint, types, layers, tests and notebooks"
	@echo "make check        of these, all but tests and notebooks"
	@echo "make format       format the code and mend what ruff can"
	@echo "make notebooks    run the example notebooks and save their outputs"
	@echo "make bench        measure what the documentation claims (bench-quick: in minutes)"
	@echo "make lock         renew requirements/ from pyproject.toml, the sums of Spark's jars, and the blob server's lock"
	@echo "make clean        remove all that these made, the downloads too"

setup: venv
	@.ci/docs
	@.ci/spark
	@.ci/browser
	@.ci/databricks
	@$(PY) -c 'from odibi_magics.sandbox.azurite import install; install()'
	@$(PY) -m tests.editor.language_server

# All but what only tests need: the docs' site, Spark (440 MB, Java), a browser, and the versions that Databricks has.
venv:
	@PYTHON="$(PYTHON)" .ci/setup

demo: venv
	@rm -rf build/demo && mkdir -p build/demo && cp notebooks/01_quickstart.ipynb build/demo/
	@echo "Running the quickstart notebook on 336,776 flights"
	@$(PY) -m nbconvert --log-level WARN --KernelManager.transport_encryption=auto \
		--execute --inplace build/demo/01_quickstart.ipynb
	@$(PY) -m nbconvert --log-level WARN --to html build/demo/01_quickstart.ipynb
	@echo "The rendered notebook: $(CURDIR)/build/demo/01_quickstart.html"
	@find build/demo -type d -name _delta_log | sed -e 's|/_delta_log$$||' -e 's|^|A Delta table:         $(CURDIR)/|' | sort

# The theme's makers say on each build that they go on with another program.
docs: venv
	@.ci/docs
	@NO_MKDOCS_2_WARNING=1 $(PY) -m mkdocs build --strict
	@echo "The pages begin at $(CURDIR)/build/site/index.html"

# The notebooks are tested as copies, so that they start without the tables of an earlier run.
test: setup check
	@rm -rf build/notebooks && mkdir -p build && cp -R notebooks build/notebooks && rm -rf build/notebooks/data
	$(PY) -m tests.lanes

check: venv
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	.venv/bin/lint-imports --no-logo --cache-dir $(CACHE)/import-linter

format: venv
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

notebooks: setup
	ODIBI_PROGRESS=off $(PY) -m notebooks.save_outputs

bench: setup
	$(PY) -m benchmarks
	$(PY) -m benchmarks.plots

bench-quick: setup
	$(PY) -m benchmarks --quick

# One resolution for Linux and macOS and for every Python from 3.11 on; `make lock UPGRADE=--upgrade` moves to the newest.
LOCK = UV_CACHE_DIR=$(CACHE)/uv .venv/bin/uv pip compile --quiet $(UPGRADE) --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock"

lock: venv
	$(LOCK) --group tools --output-file requirements/tools.txt
	$(LOCK) --group spark-tests --output-file requirements/spark.txt
	$(LOCK) pyproject.toml --extra dev --extra azure --extra sandbox --output-file requirements/dev.txt
	$(LOCK) pyproject.toml --extra azure --extra sandbox --extra widgets --group binder \
		--constraint requirements/dev.txt --output-file requirements/binder.txt
	$(LOCK) --group docs --constraint requirements/dev.txt --output-file requirements/docs.txt
	$(LOCK) pyproject.toml --extra widgets --extra azure --group databricks --output-file requirements/databricks.txt
	$(LOCK) --group framework --output-file requirements/framework.txt
	cd odibi_magics/sandbox/node && $(CURDIR)/.venv/bin/npm install --package-lock-only --ignore-scripts --no-audit --no-fund \
		--omit-lockfile-registry-resolved --cache $(CACHE)/npm
	.ci/spark lock

clean:
	rm -rf .venv .cache build dist *.egg-info
