PYTHON ?= python3
BIN = .venv/bin
READY = .venv/.ready

.PHONY: report site test bench app clean

report: $(READY)
	$(BIN)/stvae report $(ARGS)

# The same book from the committed notebooks, in under a minute.
site: $(READY)
	$(BIN)/stvae site $(ARGS)

# Two workers, one thread each: the notebooks and the tests share the cores without fighting for them. The notebooks, which take
# longest, come first, so that no worker waits at the end for the other one's. The slowest tests run with SLOW=1.
test: $(READY)
	$(BIN)/ruff check .
	OMP_NUM_THREADS=1 $(BIN)/pytest notebooks tests -n 2 --dist loadscope --no-loadscope-reorder --nbval-lax --nbval-current-env \
	    --nbval-cell-timeout=600 --nbval-sanitize-with tests/notebooks/sanitize.cfg \
	    -m "$(if $(SLOW),,not slow)" $(ARGS)

bench: $(READY)
	$(BIN)/stvae bench $(ARGS)

# The explorers in a browser, without code: prints the address that it serves.
app: $(READY)
	mkdir -p runs
	$(BIN)/python -c "from stvae_lib.report import explorers; explorers.write_app('runs/app.ipynb')"
	$(BIN)/voila runs/app.ipynb --config stvae_lib/report/templates/voila.json $(ARGS)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[docs,test,app]"
	touch $(READY)

clean:
	rm -rf .venv build *.egg-info .pytest_cache .ruff_cache .import_linter_cache
