# The project's commands; `make` lists them.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

# The newest interpreter that runs: a name on PATH may be a shim without an interpreter.
RUNS_HERE = import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
PYTHON ?= $(shell for name in python3.14 python3.13 python3.12 python3 python3.11; do \
	"$$name" -c '$(RUNS_HERE)' >/dev/null 2>&1 && { echo "$$name"; break; }; done)

VENV := .venv
TRAINING_VENV := .venv-training
RUN := $(VENV)/bin/python
INSTALL := -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: --requirement
PORT ?= $(or $(SAGEMAKER_BIND_TO_PORT),8080)
# A variable that is given but empty is usually one of the shell that is not set, and the sample model
# would take its place.
EMPTY := $(strip $(foreach name,FOLDER INPUT SAMPLE TARGET MODEL,\
	$(if $(filter command,$(origin $(name))),$(if $(strip $($(name))),,$(name)))))
$(if $(EMPTY),$(error $(firstword $(EMPTY)) is empty: give it a value, or leave it out))
NOT_YES := $(strip $(foreach name,FORCE JOIN PLAIN TRUST,$(if $($(name)),$(if $(filter-out yes,$($(name))),$(name)))))
$(if $(NOT_YES),$(error $(firstword $(NOT_YES)): expected yes, got $($(firstword $(NOT_YES)))))

# The artifact's folder: FOLDER, or else the server's own variable, or else the sample model.
ARTIFACT = $(or $(FOLDER),$(SM_MODEL_DIR),model/artifact)

VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' serve/__init__.py)
REVISION = $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
ARCH ?= $(if $(filter aarch64 arm64,$(shell uname -m)),arm64,amd64)
IMAGE ?= xgb-endpoint:$(VERSION)-$(ARCH)

.PHONY: help
help: ## List these commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 24

.PHONY: setup
setup: $(VENV)/ready kernel/build/ready ## Create .venv from the pinned, hashed requirements, and build the kernel

# A virtual environment is created again when its lock changes.
$(VENV)/ready: tests/requirements.txt
	@$(call make-venv,$(VENV),$<)

$(TRAINING_VENV)/ready: model/requirements.txt
	@$(call make-venv,$(TRAINING_VENV),$<)

# The kernel is optional: without a C compiler, one line says so, and XGBoost predicts.
KERNEL_SOURCES := kernel/build.sh $(wildcard kernel/*.c kernel/*.h)
BUILD_KERNEL = kernel/build.sh "$(or $(wildcard $(RUN)),$(PYTHON))"

kernel/build/ready: $(KERNEL_SOURCES) | $(VENV)/ready
	@$(BUILD_KERNEL) kernel/build || true
	@mkdir -p kernel/build && touch $@

.PHONY: kernel
kernel: ## Build the kernel, the optional predictor: docs/performance.md
	@$(BUILD_KERNEL) kernel/build

# Groups of additional packages for some commands, in the same .venv.
$(VENV)/deploy-ready: deploy/requirements.txt $(VENV)/ready
	@$(call add-group,$<,$@)

$(VENV)/aws-ready: tests/requirements-aws.txt $(VENV)/ready
	@$(call add-group,$<,$@)

$(VENV)/app-ready: tests/requirements-app.txt $(VENV)/ready
	@$(call add-group,$<,$@)

define add-group
	echo "Adding $(1) to $(VENV)"
	$(RUN) $(INSTALL) $(1)
	touch $(2)
endef

define make-venv
	test -n "$(PYTHON)" || { echo "No Python from 3.11 to 3.14 with venv runs here: install one, or name one with PYTHON=..." >&2; exit 1; }
	echo "Setting up $(1) with $$("$(PYTHON)" --version) from $(2)"
	"$(PYTHON)" -m venv --clear $(1)
	$(1)/bin/python $(INSTALL) $(2)
	touch $(1)/ready
endef

.PHONY: demo
demo: setup ## Start the server, predict prices of real diamonds with the sample model, and stop
	@$(RUN) -m local_test.demo

.PHONY: serve
serve: setup ## Serve the artifact FOLDER (default: the sample model) on PORT (8080) until Ctrl-C
	@SAGEMAKER_BIND_TO_PORT=$(PORT) SM_MODEL_DIR="$(ARTIFACT)" exec $(RUN) container/entrypoint.py serve

.PHONY: predict
predict: setup ## Send the sample diamonds to a running server of the sample model on PORT (8080)
	@$(RUN) local_test/predict.py http://127.0.0.1:$(PORT)

.PHONY: runtime
runtime: setup ## Emulate SageMaker's Runtime API on PORT (8090) for FOLDER or VARIANTS: docs/runtime.md
	@exec $(RUN) -m local_test.runtime --port $(if $(filter file,$(origin PORT)),8090,$(PORT)) --image "$(IMAGE)" --folder "$(ARTIFACT)" \
		$(if $(ENDPOINT),--endpoint "$(ENDPOINT)") $(foreach variant,$(VARIANTS),--variant "$(variant)") \
		$(if $(CAPTURE),--capture $(CAPTURE)) $(if $(MAX_BODY_MIB),--max-body-mib $(MAX_BODY_MIB))

.PHONY: app
app: setup $(if $(VIA),$(VENV)/deploy-ready) ## Start the web application on PORT (8000) for FOLDER or ENDPOINT; VIA=runtime uses boto3
	@exec $(RUN) -m local_test.app --port $(if $(filter file,$(origin PORT)),8000,$(PORT)) --image "$(IMAGE)" \
		--folder "$(ARTIFACT)" $(if $(ENDPOINT),--endpoint "$(ENDPOINT)") $(if $(VIA),--via "$(VIA)")

.PHONY: batch
batch: setup $(if $(INPUT),,local_test/diamonds.csv) ## Run a batch transform job on INPUT (default: all diamonds) with FOLDER: docs/batch.md
	@$(RUN) -m local_test.batch "$(or $(INPUT),local_test/diamonds.csv)" $(if $(OUTPUT),"$(OUTPUT)") \
		$(if $(and $(ENDPOINT),$(filter-out command,$(firstword $(origin IMAGE)))),,--image "$(IMAGE)") \
		$(if $(ENDPOINT),--endpoint "$(ENDPOINT)" $(if $(FOLDER),--folder "$(FOLDER)"),--folder "$(ARTIFACT)") \
		$(if $(CONTENT_TYPE),--content-type '$(CONTENT_TYPE)') $(if $(ACCEPT),--accept '$(ACCEPT)') \
		$(if $(OUTPUTS),--outputs '$(OUTPUTS)') $(if $(filter yes,$(JOIN)),--join) \
		$(if $(MAX_PAYLOAD_IN_MB),--max-payload-in-mb $(MAX_PAYLOAD_IN_MB)) $(if $(STRATEGY),--strategy $(STRATEGY)) \
		$(if $(MAX_CONCURRENT_TRANSFORMS),--max-concurrent-transforms $(MAX_CONCURRENT_TRANSFORMS)) $(if $(HEADER),--header $(HEADER))

.PHONY: capacity
capacity: setup ## Load-test a container with FOLDER until p99 exceeds P99_MS (50): docs/capacity.md
	@$(RUN) -m capacity --image "$(IMAGE)" --folder "$(ARTIFACT)" $(if $(PAYLOAD),--payload "$(PAYLOAD)") \
		$(if $(P99_MS),--p99-ms $(P99_MS)) $(if $(PEAK_RPS),--peak-rps $(PEAK_RPS)) $(if $(PLOT),--plot "$(PLOT)")

# The data set is part of a 50 MB package, which only the training environment contains.
local_test/diamonds.csv: model/diamonds.py model/train.py | $(TRAINING_VENV)/ready
	@$(TRAINING_VENV)/bin/python model/diamonds.py $@

# Tests wait for servers most of the time, so there are more processes than processors.
TEST_PROCESSES ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$(( (n > 2 ? n : 2) + 2 )))
PYTEST = $(RUN) -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal
QUICK_TESTS := tests/docs tests/test_architecture.py tests/serve/test_csv.py tests/serve/test_json.py \
	tests/serve/test_libsvm.py tests/serve/test_npy.py tests/serve/test_recordio.py tests/serve/test_schema.py \
	tests/contract/test_http.py tests/contract/test_media_types.py tests/deploy/test_configuration.py

.PHONY: test
test: setup $(VENV)/aws-ready .venv-openapi/ready ## Run all tests except those that need Docker or a browser, or repeat others
	@$(PYTEST) -m "not long" --ignore tests/app/browser
	@echo "Not run: make test-long (load, volume, churn), test-app (needs Chromium), test-image (needs Docker)"

.venv-openapi/ready: tests/requirements-openapi.txt
	@$(call make-venv,.venv-openapi,$<)

.PHONY: test-long
test-long: setup $(VENV)/aws-ready ## Run the tests that repeat a tested promise: load, volume, churn
	@$(PYTEST) -m long

KERNEL_OFF_TESTS := $(foreach name,ensembles rounds missing_values,tests/serve/test_$(name).py)
.PHONY: test-kernel-off
test-kernel-off: setup ## Run the tests of predictions with XGBoost instead of the kernel
	@TEST_KERNEL=off $(PYTEST) -m "not long" $(KERNEL_OFF_TESTS)

.PHONY: test-quick
test-quick: setup $(VENV)/aws-ready ## Run the tests of codecs, schema, HTTP and documents in under a minute
	@$(PYTEST) -m "not long" $(QUICK_TESTS)

.PHONY: adversary
adversary: setup ## Attack the server in every known way for MINUTES (5), with SEED (1): docs/reliability.md
	@$(RUN) -m tests.adversary --minutes $(or $(MINUTES),5) --seed $(or $(SEED),1)

SANITIZED := kernel/build/sanitized
.PHONY: sanitize
sanitize: setup ## Test the kernel under AddressSanitizer and UndefinedBehaviorSanitizer
	@$(BUILD_KERNEL) $(SANITIZED) -g -fsanitize=address,undefined -fno-sanitize-recover=all
	@KERNEL_FILE=$(SANITIZED)/_forest.abi3.so ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$$(cc -print-file-name=libasan.so)" \
		$(PYTEST) tests/serve/test_kernel.py

.PHONY: test-app
test-app: setup $(VENV)/app-ready chromium ## Test the web application in headless Chromium
	@$(RUN) -m pytest tests/app/browser

.PHONY: app-picture
app-picture: setup $(VENV)/app-ready chromium ## Update the README's picture of the web application
	@APP_PICTURE=docs/images/app.png $(RUN) -m pytest --quiet tests/app/browser -k picture

.PHONY: chromium
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		echo "Installing Debian's chromium" && apt-get update --quiet=2 && apt-get install --quiet=2 --yes chromium >/dev/null; } || \
		{ echo "Chromium is missing: install it, on Debian with: sudo apt-get install chromium" >&2; exit 1; }

.PHONY: lint
lint: setup ## Check style and formatting
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

.PHONY: types
types: setup $(VENV)/deploy-ready ## Check types
	@$(RUN) -m mypy

.PHONY: image
image: ## Build the image for ARCH (amd64 or arm64) with the tag IMAGE
	@docker buildx build --platform linux/$(ARCH) --provenance=false --sbom=false --load --tag $(IMAGE) \
		--build-arg VERSION=$(VERSION) --build-arg REVISION=$(REVISION) .
	@docker image inspect --format '$(IMAGE): {{.Architecture}}, {{.Size}} bytes' $(IMAGE)

.PHONY: run
run: ## Run the image with FOLDER (default: the sample model) on PORT (8080) until Ctrl-C
	@folder="$$(cd "$(ARTIFACT)" && pwd)" && \
		exec docker run --rm --init=false --publish 127.0.0.1:$(PORT):8080 --volume "$$folder:/opt/ml/model:ro" "$(IMAGE)" serve

.PHONY: test-image
test-image: setup image ## Run the contract tests against the image, and the image's own tests
	@IMAGE=$(IMAGE) $(RUN) -m pytest tests/image

.PHONY: test-sdk
test-sdk: .venv-sdk/ready image test-sdk-runtime ## Deploy the image with the SageMaker SDK's local mode, and predict with it
	@.venv-sdk/bin/python tests/sdk/deploy_local.py $(IMAGE)

.PHONY: test-sdk-runtime
test-sdk-runtime: setup .venv-sdk/ready ## Predict with the SageMaker SDK's Predictor through `make runtime`, without Docker
	@$(RUN) -m local_test.runtime --port 8091 & \
		trap "kill $$!; wait $$!" EXIT; \
		curl --silent --output /dev/null --retry 60 --retry-delay 1 --retry-connrefused http://127.0.0.1:8091/ && \
		.venv-sdk/bin/python tests/sdk/predict_through_runtime.py http://127.0.0.1:8091

.venv-sdk/ready: tests/sdk/requirements.txt
	@$(call make-venv,.venv-sdk,$<)

.PHONY: bench
bench: .venv-bench/ready kernel ## Compare this server with others, and write bench/results; takes half an hour
	@.venv-bench/bin/python -m bench.run

.PHONY: bench-quick
bench-quick: .venv-bench/ready kernel ## Run a small part of the benchmark; takes three minutes
	@.venv-bench/bin/python -m bench.run --quick

.PHONY: bench-wide
bench-wide: setup ## Send 100 MiB bodies that are wide or amplify, and measure pings and memory; PLAIN=yes
	@$(RUN) -m bench.wide --front-end $(or $(FRONT_END),asgi) $(if $(PLAIN),--plain)

.venv-bench/ready: bench/requirements.txt
	@$(call make-venv,.venv-bench,$<)

.PHONY: sbom
sbom: setup ## Write sbom.json, the image's bill of materials (CycloneDX), and docs/licenses.md
	@container/sbom.sh > sbom.json
	@$(RUN) docs/licenses.py sbom.json > docs/licenses.md

.PHONY: push
push: ## Push the image of this commit to REPOSITORY, and print its digest
	@container/push.sh "$(REPOSITORY)" $(IMAGE) $(VERSION) $(REVISION) $(ARCH)

.PHONY: deploy-setup
deploy-setup: $(VENV)/deploy-ready ## Add the packages for `python -m deploy` to .venv

.PHONY: deploy-demo
deploy-demo: $(VENV)/aws-ready ## Create, update, roll back and delete an endpoint in an AWS emulator
	@$(RUN) -m tests.deploy.demo

.PHONY: docs
docs: setup ## Update the generated tables in the documentation
	@$(RUN) docs/tables.py

.PHONY: model
model: $(TRAINING_VENV)/ready ## Train the sample model, and pack model/model.tar.gz
	@$(TRAINING_VENV)/bin/python model/train.py

.PHONY: check
check: setup ## Report what the server would do with the artifact FOLDER, and with the payload SAMPLE
	@$(RUN) container/entrypoint.py check "$(ARTIFACT)" $(if $(SAMPLE),"$(SAMPLE)")

.PHONY: schema
schema: setup ## Write schema.json for the model in FOLDER, with SAMPLE=train.csv and TARGET=column: docs/artifact.md
	@$(RUN) -m model.schema "$(ARTIFACT)" $(if $(SAMPLE),"$(SAMPLE)") $(if $(TARGET),--target "$(TARGET)") \
		$(if $(filter yes,$(FORCE)),--force)

.PHONY: convert
convert: setup ## Convert MODEL, an old binary model or (with TRUST=yes) a pickle, to .ubj or OUT
	@$(RUN) model/convert.py "$(MODEL)" $(if $(OUT),--out "$(OUT)") $(if $(filter yes,$(TRUST)),--trust-pickle)

LOCKS := container/requirements tests/requirements model/requirements model/requirements-convert \
	model/requirements-convert-new tests/requirements-sbom tests/sdk/requirements bench/requirements \
	deploy/requirements tests/requirements-aws tests/requirements-app tests/requirements-openapi

.PHONY: lock
lock: setup ## Pin and hash the newest versions of all requirements
	@for lock in $(LOCKS); do \
		$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
			--only-binary :all: --no-annotate --no-emit-index-url --no-emit-find-links \
			--custom-compile-command "make lock" $$lock.in --output-file $$lock.txt || exit 1; done

.PHONY: clean
clean: ## Remove the files that the other commands created
	@rm -rf $(VENV) $(TRAINING_VENV) kernel/build .venv-convert .venv-sdk .venv-openapi .venv-bench bench/.work sbom.json model/model.tar.gz local_test/diamonds.csv local_test/diamonds.csv.out .mypy_cache .pytest_cache .ruff_cache .hypothesis
