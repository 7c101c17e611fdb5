# The front door. Each command does its own set-up; `make help` lists them.
# With its flags: macOS brings GNU make 3.81, which does not know .SHELLFLAGS.
SHELL := /bin/bash -euo pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

STACK ?= dev
CACHE := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/property-search
# By which `make admin DEV=1` finds its way into `make dev`.
DEV_TOKEN := $(CACHE)/dev-admin-token

# Node runs our TypeScript as it is, and Jest requires ES modules from Node 24.9 on. Where the host's
# Node is older, npm's own package of it goes first on PATH, for these commands only.
NODE_VERSION := $(shell cat .node-version)
NODE_PLATFORM := $(shell uname -s | tr '[:upper:]' '[:lower:]')-$(shell uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
# As npm's package `node` chooses among its own.
NODE_PACKAGE := $(if $(filter darwin-arm64,$(NODE_PLATFORM)),node-bin,node)-$(NODE_PLATFORM)
NODE_HOME := $(CACHE)/node/$(NODE_VERSION)
NODE_IS_NEW := $(shell node -e 'const [a,b]=process.versions.node.split(".").map(Number);process.exit(a>24||(a===24&&b>=9)?0:1)' 2>/dev/null && echo yes)
ifneq ($(NODE_IS_NEW),yes)
export PATH := $(NODE_HOME)/node_modules/$(NODE_PACKAGE)/bin:$(PATH)
NODE := $(NODE_HOME)/.installed
endif

INSTALLED := node_modules/.package-lock.json

$(NODE_HOME)/.installed:
	@command -v npm >/dev/null || { echo "npm is missing: install Node.js (any version with npm), then run make again" >&2; exit 1; }
	@echo "Node $(NODE_VERSION) from npm: the host has $$(node --version 2>/dev/null || echo none), 24.9 or newer is needed"
	@npm install --no-audit --no-fund --no-save --prefix $(NODE_HOME) $(NODE_PACKAGE)@$(NODE_VERSION) >/dev/null || \
	  { echo "npm has no $(NODE_PACKAGE) $(NODE_VERSION): install Node.js 24.9 or newer by hand, then run make again" >&2; exit 1; }
	@touch $@

$(INSTALLED): package-lock.json package.json $(wildcard */package.json) | $(NODE)
	@echo "Installing the locked packages"
	@# Not `npm ci`: it insists on the metadata of every other platform's binaries, which a mirror may lack.
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED)

# Types and lint beside each other; the recipe fails when either does.
LINT = npm run --silent types & types=$$!; npm run --silent lint && wait $$types

.PHONY: lint
lint: $(INSTALLED) ## ESLint with the Pulumi rules, Prettier, the direction of imports, types
	@$(LINT)

.PHONY: format
format: $(INSTALLED) ## Write the house style into every file
	@npm run --silent format

.PHONY: hooks
hooks: $(INSTALLED) ## Format and lint what is staged at each commit of this clone (lefthook.yml; undone by npx lefthook uninstall)
	@node_modules/.bin/lefthook install

.PHONY: up
up: $(INSTALLED) ## Run the whole platform on this machine (or CONTEXT=name STACK=dev); ends with its URL
	@node local/src/main.ts up $(if $(CONTEXT),--context "$(CONTEXT)" $(STACK_FLAG))

.PHONY: down
down: $(INSTALLED) ## End it and leave nothing behind
	@node local/src/main.ts down

JEST = npm run --silent jest --

.PHONY: test
test: $(INSTALLED) check-tools ## Lint, types, unit tests, and integration tests with real Redis, Prometheus and the model
	@$(LINT)
	@$(JEST) --config jest.gate.config.js

.PHONY: test-all
test-all: $(INSTALLED) check-tools $(if $(TESTED),,test) ## make test, then each mutant, the Pulumi CLI, full property counts (TESTED=1: those alone)
	@PROPERTY_SCALE=$${PROPERTY_SCALE:-1} $(JEST) --config jest.exhaustive.config.js
	@PROPERTY_SCALE=$${PROPERTY_SCALE:-1} $(JEST) --config jest.gate.config.js $$(grep -rlE 'propertyRuns|describeRemedy' --include='*.test.ts' . --exclude-dir=node_modules)

.PHONY: check-tools
check-tools:
	@tests/support/tools.sh check $(TEST_TOOLS)
	@app/model/fetch.sh --check >/dev/null

# Real programs that tests start; the second name is Debian's package.
TEST_TOOLS := curl=curl redis-server=redis-server promtool=prometheus amtool=prometheus-alertmanager openssl=openssl

.PHONY: test-tools
test-tools: model ## Install what the tests need: Redis, Prometheus, Alertmanager (Debian packages) and the model
	@tests/support/tools.sh install $(TEST_TOOLS)

.PHONY: python-clients
python-clients: ## The Python clients that make test-all asks the service by, in the user's cache
	@app/test/clients/install.sh >/dev/null

.PHONY: model
model: ## The local model, checked against its pinned hashes, in the user's cache
	@app/model/fetch.sh

# Whether a switch such as DIRECT=1 is on; DIRECT=0 is not.
on = $(filter-out 0 no false,$(1))

# What a command says is also kept in a file, where one is asked for.
INTO_REPORT = $(if $(REPORT),2>&1 | tee "$(REPORT)")

.PHONY: policies
policies: $(INSTALLED) ## The policy pack over the rendered STACK=…, without Pulumi or a cluster (TIMES=1: by rule, REPORT=file)
	@# Not by a pipe: where the stack cannot be rendered, that alone is to be said.
	@{ manifests="$$(node render.ts --stack "$(STACK)" --format json)"; \
	  node policies/main.ts check --subject "stack $(STACK)" --stack "$(STACK)" \
	  $(if $(FORMAT),--format "$(FORMAT)") $(if $(call on,$(TIMES)),--times) <<<"$$manifests"; } $(INTO_REPORT)

.PHONY: settings
settings: $(INSTALLED) ## Write the service's settings into Pulumi.yaml from their declarations
	@node config/projectFile.ts

.PHONY: policies-docs
policies-docs: $(INSTALLED) ## Write docs/policies.md from the rules
	@manifests="$$(node render.ts --stack prod --format json)"; \
	  node policies/main.ts docs --config policies/stacks/prod.json <<<"$$manifests" > docs/policies.md.new
	@npx prettier --parser markdown < docs/policies.md.new > docs/policies.md; rm docs/policies.md.new

.PHONY: pulumi-cli
pulumi-cli: $(INSTALLED) ## The Pulumi CLI for tests; where PATH has none it is built once, in some minutes
	@node local/src/main.ts pulumi-cli

.PHONY: certificate-tools
certificate-tools: $(INSTALLED) ## cert-manager, Helm and an ACME server for the cluster tests, built once from source
	@node local/src/main.ts certificate-tools

.PHONY: actionlint
actionlint: $(INSTALLED) ## The linter of .github/workflows for tests, built once
	@node local/src/main.ts actionlint

.PHONY: dev
dev: $(INSTALLED) ## The service alone on 8001 (PORT=…) with the local model; needs no Redis
	@umask 077; mkdir -p $(CACHE); [ -s $(DEV_TOKEN) ] || \
	  node -p 'crypto.randomBytes(32).toString("hex")' > $(DEV_TOKEN)
	@MODEL_DIR="$$(app/model/fetch.sh)" ANONYMOUS=true ADMIN_TOKEN="$${ADMIN_TOKEN:-$$(cat $(DEV_TOKEN))}" \
	  exec node app/src/server.ts

.PHONY: bench
bench: $(INSTALLED) bench-tools ## The service beside its peers, by ratios (QUICK=1: a minute; SOAK=10m: its memory, HOSTILE=1: under attack)
	@node bench/service/main.ts $(if $(call on,$(QUICK)),--quick) $(if $(SOAK),--soak $(SOAK)) $(if $(call on,$(HOSTILE)),--hostile) $(if $(ONLY),--only $(ONLY))

.PHONY: bench-policies
bench-policies: $(INSTALLED) ## The policy pack beside its peers, on the same faults of the stack prod
	@for stack in prod dev local; do node render.ts --stack $$stack --format json --out rendered; done
	@node bench/policies/main.ts rendered/{prod,dev,local}.json
	@npx prettier --log-level warn --write docs/policies-peers.md

.PHONY: bench-tools
bench-tools: test-tools
	@tests/support/tools.sh install wrk=wrk

CLUSTER_JEST = $(JEST) --config jest.cluster.config.js --runInBand --selectProjects

.PHONY: test-cluster
test-cluster: $(INSTALLED) ## The tests that need the cluster of `make up` (QUICK=1: without the half hour of alerts)
	@$(if $(call on,$(QUICK)),,$(CLUSTER_JEST) cluster-slow)
	@$(CLUSTER_JEST) cluster

.PHONY: test-certificates
test-certificates: $(INSTALLED) ## Certificates by ACME on the cluster of `make up`, HTTPS and a switch over it (make certificate-tools first)
	@$(CLUSTER_JEST) certificates

.PHONY: test-switching
test-switching: $(INSTALLED) ## An hour of switches on the cluster of `make up`: pods killed, bad candidates, controls
	@$(CLUSTER_JEST) switching

.PHONY: test-lifecycle
test-lifecycle: $(INSTALLED) ## Up and down for real: killed at each step, run twice, nothing left; ends down
	@$(CLUSTER_JEST) lifecycle

OPERATIONS = node operations/cli/main.ts
REPORT_FLAG = $(if $(REPORT),--report "$(REPORT)")
# Only where it is given: what writes to a cluster has no default stack.
STACK_FLAG = $(if $(filter command line environment,$(origin STACK)),--stack "$(STACK)")
CONTEXT_FLAG = $(if $(CONTEXT),--context "$(CONTEXT)")
ADMIN_PROCESS = $(if $(DEV)$(URL),--url $(or $(URL),http://127.0.0.1:8801) --token-file $(DEV_TOKEN))

.PHONY: deploy
deploy: $(INSTALLED) ## Deploy a stack (STACK=prod), verify it, switch to what is new (IMAGE=… VERSION=… on the idle colour)
	@$(OPERATIONS) deploy $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(IMAGE),--image "$(IMAGE)") \
	  $(if $(VERSION),--version "$(VERSION)") $(if $(call on,$(IN_PLACE)),--in-place) $(PLAN)

.PHONY: switch
switch: $(INSTALLED) ## Move the traffic in judged steps (TO=green, PLAN="--steps 10,50,100 --hold 60"); goes on where one was left
	@$(OPERATIONS) switch --to "$(TO)" $(STACK_FLAG) $(CONTEXT_FLAG) $(PLAN)

.PHONY: status
status: $(INSTALLED) ## Who serves, and where the switch stands (WATCH=1, JSON=1)
	@$(OPERATIONS) status $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(call on,$(WATCH)),--watch) $(if $(call on,$(JSON)),--json)

.PHONY: rollback
rollback: $(INSTALLED) ## Take the traffic back: of the switch under way, else of the last (DIRECT=1: the brake)
	@$(OPERATIONS) rollback $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(call on,$(DIRECT)),--direct) $(PLAN)

.PHONY: preview
preview: $(INSTALLED) ## What `make deploy` by Pulumi would change, and what policies say of it (STACK=dev, REPORT=file)
	@$(OPERATIONS) preview $(STACK_FLAG) $(CONTEXT_FLAG) $(REPORT_FLAG)

.PHONY: drift
drift: $(INSTALLED) ## Whether the cluster still is what the stack says; fails by any change (STACK=prod, REPORT=file)
	@$(OPERATIONS) preview --drift $(STACK_FLAG) $(CONTEXT_FLAG) $(REPORT_FLAG)

.PHONY: secrets
secrets: $(INSTALLED) ## Store a stack's generated secrets in its config for `pulumi up` by hand; or SECRET=key < file, without Pulumi
	@$(OPERATIONS) secrets $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(SECRET),--secret "$(SECRET)")

.PHONY: pulumi-env
pulumi-env: $(INSTALLED) ## For `eval "$$(make pulumi-env STACK=dev)"`: pulumi by hand then finds what `make deploy` uses
	@$(OPERATIONS) environment $(STACK_FLAG) $(CONTEXT_FLAG)

.PHONY: verify
verify: $(INSTALLED) ## Use a deployed stack as a client would (default: that of `make up`; STACK=prod, CONTEXT=name)
	@$(OPERATIONS) verify $(STACK_FLAG) $(CONTEXT_FLAG)

.PHONY: image
image: ## Build the service's image, push it and sign it, once for each content (REPOSITORY=registry/name)
	@app/publish.sh "$(REPOSITORY)"

.PHONY: verify-image
verify-image: ## Whether an image, by its digest, is signed by the workflow that deploys (IMAGE=name@sha256:…)
	@app/publish.sh --verify "$(IMAGE)"

.PHONY: backup
backup: $(INSTALLED) ## Write what Redis has into a file (OUT=cache.gz CONTEXT=name)
	@$(OPERATIONS) backup $(CONTEXT_FLAG) --file "$(OUT)"

.PHONY: restore
restore: $(INSTALLED) ## Bring a backup into Redis, beside what it has (IN=cache.gz CONTEXT=name)
	@$(OPERATIONS) restore $(CONTEXT_FLAG) --file "$(IN)"

.PHONY: rotate
rotate: $(INSTALLED) ## Replace a secret, with no failed request (SECRET=redis.passwords.app STACK=prod; values of issuers by < file)
	@$(OPERATIONS) rotate $(STACK_FLAG) $(CONTEXT_FLAG) --secret "$(SECRET)" $(if $(call on,$(FINISH)),--finish)

.PHONY: tenant-key
tenant-key: $(INSTALLED) ## A new API key, and its hash for the stack's config (TENANT=id)
	@$(OPERATIONS) tenant-key --tenant "$(TENANT)"

.PHONY: admin
# By environment, and as they are: words with quotes and dollars are not for make or the shell to read.
admin: export CMD := $(value CMD)
admin: export DATA := $(value DATA)
admin: export IN := $(value IN)
admin: export OUT := $(value OUT)
admin: export COLOUR := $(value COLOUR)
admin: export POD := $(value POD)
admin: $(INSTALLED) ## Ask the admin port of a pod, or of `make dev` by DEV=1 (CMD="GET /state"; alone it lists all)
	@$(OPERATIONS) admin $(CONTEXT_FLAG) $(ADMIN_PROCESS)

.PHONY: undeploy
undeploy: $(INSTALLED) ## Remove what a stack has created, by what brought it (STACK=dev, CONTEXT=name; DATA=delete: its volumes too)
	@$(OPERATIONS) remove $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(DATA),--data "$(DATA)")

.PHONY: render
render: $(INSTALLED) ## A stack's manifests as YAML in rendered/, secrets masked (STACK=prod, OUT=folder)
	@node render.ts --stack "$(STACK)" --out "$(or $(OUT),rendered)"
