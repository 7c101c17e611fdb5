# Entry point of the repository. Each target installs what it needs; `make help` lists the targets.
# The flags are part of SHELL because GNU make 3.81 on macOS does not support .SHELLFLAGS. Under ssh, or with a socket as
# its input, bash would read bashrc, which fails by -u on Debian.
SHELL := /bin/bash --norc -euo pipefail
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

STACK ?= dev
# A relative path is ignored, as the XDG base directory specification says.
CACHE := $(or $(filter /%,$(XDG_CACHE_HOME)),$(HOME)/.cache)/property-search
# Token with which `make admin DEV=1` calls the process of `make dev`.
DEV_TOKEN := $(CACHE)/dev-admin-token

# Node runs TypeScript without a build step, and Jest needs Node 24.9 for ES modules. If the host's Node is
# older, the npm package `node` is put first on PATH for these targets only.
NODE_VERSION := $(shell cat .node-version)
NODE_PLATFORM := $(shell uname -s | tr '[:upper:]' '[:lower:]')-$(shell uname -m | sed 's/x86_64/x64/;s/aarch64/arm64/')
# Platform names of the npm package `node`.
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

$(INSTALLED): package-lock.json package.json $(wildcard */package.json examples/*/package.json) | $(NODE)
	@echo "Installing the locked packages"
	@# Not `npm ci`: it insists on the metadata of every other platform's binaries, which a mirror may lack.
	@npm install --no-save --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: help
help: ## List the commands
	@# Lines of at most 100 columns. In this file a dollar is written twice.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { \
	  gsub(/[$$][$$]/, "$$", $$2); line = sprintf("  make %-17s", $$1); count = split($$2, words, " "); \
	  for (at = 1; at <= count; at++) { \
	    if (length(line) + length(words[at]) > 99) { print line; line = sprintf("%-24s", "") } \
	    line = line " " words[at] } \
	  print line }' $(MAKEFILE_LIST)

.PHONY: install
install: $(INSTALLED) ## Install Node, if the host's is older, and the locked packages

# Types and lint run in parallel; the recipe fails if either fails.
LINT = npm run --silent types & types=$$!; npm run --silent lint && wait $$types

.PHONY: lint
lint: $(INSTALLED) ## Run ESLint with the Pulumi rules, Prettier, the import direction check, and the type checker
	@$(LINT)

.PHONY: format
format: $(INSTALLED) ## Format all files
	@npm run --silent format

.PHONY: hooks
hooks: $(INSTALLED) ## Format and lint staged files at each commit of this clone (lefthook.yml; npx lefthook uninstall removes it)
	@node_modules/.bin/lefthook install

.PHONY: up
up: $(INSTALLED) ## Start the platform on this machine (or CONTEXT=name STACK=dev) and print its URL
	@node local/src/main.ts up $(if $(CONTEXT),--context "$(CONTEXT)" $(STACK_FLAG))

.PHONY: down
down: $(INSTALLED) ## Tear down the local platform
	@node local/src/main.ts down

JEST = npm run --silent jest --

.PHONY: test
test: $(INSTALLED) check-tools ## Run lint, types, unit tests, and integration tests with real Redis, Prometheus and the model
	@$(LINT)
	@$(JEST) --config jest.gate.config.js

.PHONY: test-all
test-all: $(INSTALLED) check-tools $(if $(TESTED),,test) ## Run make test, then every mutant, the Pulumi CLI and full property counts (TESTED=1: skip make test)
	@PROPERTY_SCALE=$${PROPERTY_SCALE:-1} $(JEST) --config jest.exhaustive.config.js
	@PROPERTY_SCALE=$${PROPERTY_SCALE:-1} $(JEST) --config jest.gate.config.js $$(grep -rlE 'propertyRuns|describeRemedy' --include='*.test.ts' . --exclude-dir=node_modules)

.PHONY: check-tools
check-tools:
	@tests/support/tools.sh check $(TEST_TOOLS)
	@app/model/fetch.sh --check >/dev/null

# Programs that tests start, each with the name of its Debian package.
TEST_TOOLS := curl=curl redis-server=redis-server promtool=prometheus amtool=prometheus-alertmanager openssl=openssl chromium=chromium go=golang-go

.PHONY: test-tools
test-tools: model ## Install the tests' dependencies: Redis, Prometheus, Alertmanager, Chromium, Go (Debian packages) and the model
	@tests/support/tools.sh install $(TEST_TOOLS)

.PHONY: python-clients
python-clients: ## Install the Python clients of make test-all into the user's cache
	@app/test/clients/install.sh >/dev/null

.PHONY: model
model: ## Download the local model into the user's cache and check its pinned hashes
	@app/model/fetch.sh

# Whether a boolean variable such as FORCE=1 is set; FORCE=0 is not.
on = $(filter-out 0 no false,$(1))

# With REPORT=file, the output of a command is also written to that file.
INTO_REPORT = $(if $(REPORT),2>&1 | tee "$(REPORT)")

.PHONY: policies
policies: $(INSTALLED) ## Check the rendered STACK=… against the policy pack, without Pulumi or a cluster (TIMES=1: time per rule, REPORT=file)
	@# Not a pipe: if the stack cannot be rendered, only that error must be printed.
	@{ manifests="$$(node render.ts --stack "$(STACK)" --format json)"; \
	  node policies/main.ts check --subject "stack $(STACK)" --stack "$(STACK)" \
	  $(if $(FORMAT),--format "$(FORMAT)") $(if $(call on,$(TIMES)),--times) <<<"$$manifests"; } $(INTO_REPORT)

.PHONY: settings
settings: $(INSTALLED) ## Write the config of Pulumi.yaml, and docs/settings.md, from the declarations of all settings
	@node config/projectFile.ts
	@node config/settingsReference.ts
	@npx prettier --log-level warn --write docs/settings.md

.PHONY: capacity
capacity: $(INSTALLED) ## Plan pods, memory, network and cost (TEXTS=1000000 REQUESTS=100 HIT_RATE=0.8 MODEL=… FLAGS="--help": docs/capacity.md)
	@node config/capacityCommand.ts $(if $(TEXTS),--texts "$(TEXTS)") $(if $(REQUESTS),--requests-per-second "$(REQUESTS)") \
	  $(if $(HIT_RATE),--hit-rate "$(HIT_RATE)") $(if $(MODEL),--model "$(MODEL)") $(FLAGS)

.PHONY: policies-docs
policies-docs: $(INSTALLED) ## Generate docs/policies.md from the rules
	@manifests="$$(node render.ts --stack prod --format json)"; \
	  node policies/main.ts docs --config policies/stacks/prod.json <<<"$$manifests" > docs/policies.md.new
	@npx prettier --stdin-filepath docs/policies.md < docs/policies.md.new > docs/policies.md; rm docs/policies.md.new

.PHONY: pulumi-cli
pulumi-cli: $(INSTALLED) ## Build the Pulumi CLI for tests once, unless PATH has one (takes minutes)
	@node local/src/main.ts pulumi-cli

.PHONY: certificate-tools
certificate-tools: $(INSTALLED) ## Build cert-manager, Helm and an ACME server for the cluster tests once, from source
	@node local/src/main.ts certificate-tools

.PHONY: actionlint
actionlint: $(INSTALLED) ## Build actionlint once, for the tests of .github/workflows
	@node local/src/main.ts actionlint

.PHONY: audit
audit: $(INSTALLED) ## Fail if a dependency has a known vulnerability of high or critical severity (asks the npm registry)
	@npm audit --audit-level=high

.PHONY: sbom
sbom: $(NODE) ## Write the packages of each image as CycloneDX into sbom/ (OUT=folder)
	@node .github/scripts/sbom.ts "$(or $(OUT),sbom)"

.PHONY: licences
licences: $(INSTALLED) ## Check the licences of what the images contain, and write THIRD_PARTY.md
	@node .github/scripts/sbom.ts --notice
	@npx prettier --log-level warn --write THIRD_PARTY.md

# Go builds it at this version; its database of vulnerabilities comes from the internet at each run.
SCANNER := github.com/anchore/grype/cmd/grype@v0.121.2

.PHONY: scan
scan: ## Fail if an image has a fixable vulnerability of high severity (IMAGE=name@sha256:…; needs Go and the internet)
	@[ -n "$(IMAGE)" ] || { echo "IMAGE is not set; allowed: name@sha256:…" >&2; exit 1; }
	@go run $(SCANNER) "$(IMAGE)" --only-fixed --fail-on high

.PHONY: dev
dev: $(INSTALLED) ## Run the service on port 8001 (PORT=…) with the local model and without Redis
	@umask 077; mkdir -p $(CACHE); [ -s $(DEV_TOKEN) ] || \
	  node -p 'crypto.randomBytes(32).toString("hex")' > $(DEV_TOKEN)
	@MODEL_DIR="$$(app/model/fetch.sh)" ANONYMOUS=true ADMIN_TOKEN="$${ADMIN_TOKEN:-$$(cat $(DEV_TOKEN))}" \
	  exec node app/src/server.ts

.PHONY: example
example: $(INSTALLED) ## Run the example, a property search, on port 3000 (PORT=…) beside `make dev` (docs/example.md)
	@exec node examples/property-search/src/main.ts

.PHONY: bench
bench: $(INSTALLED) bench-tools ## Compare the service with its peers, by ratios (QUICK=1: a minute; SOAK=10m: its memory, HOSTILE=1: under attack)
	@node bench/service/main.ts $(if $(call on,$(QUICK)),--quick) $(if $(SOAK),--soak $(SOAK)) $(if $(call on,$(HOSTILE)),--hostile) $(if $(ONLY),--only $(ONLY))

.PHONY: bench-semantic
bench-semantic: $(INSTALLED) model ## Evaluate semantic reuse on public data (DATA=folder, SEEDS=20, MINUTES=60: run again to continue)
	@node bench/semantic/main.ts $(if $(DATA),--data "$(DATA)") $(if $(SEEDS),--seeds $(SEEDS)) $(if $(MINUTES),--minutes $(MINUTES))

.PHONY: bench-policies
bench-policies: $(INSTALLED) ## Compare the policy pack with its peers, on the same mutations of the stack prod
	@for stack in prod dev local; do node render.ts --stack $$stack --format json --out rendered; done
	@node bench/policies/main.ts rendered/{prod,dev,local}.json
	@npx prettier --log-level warn --write docs/policies-peers.md

LOAD_FLAGS = $(if $(SCENARIO),--scenario "$(SCENARIO)") $(if $(TRACE),--trace "$(TRACE)") $(if $(URL),--url "$(URL)") \
  $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(USERS),--users "$(USERS)") $(if $(RATE),--rate "$(RATE)") \
  $(if $(THINK),--think "$(THINK)") $(if $(SEED),--seed "$(SEED)") $(if $(SERVICES),--services "$(SERVICES)") \
  $(if $(OUT),--out "$(OUT)")

.PHONY: load
load: $(INSTALLED) ## Load the platform of make up (SCENARIO=s2|users|soak|spike|stress, or TRACE=file; URL=http://127.0.0.1:port MINUTES=… USERS=… RATE=… SERVICES=embed; HELP=1)
	@node bench/load/main.ts $(if $(call on,$(HELP)),--help,$(LOAD_FLAGS))

.PHONY: load-check
load-check: $(INSTALLED) bench-tools ## Compare the load generator with wrk under the same closed-loop load: they agree within 10 %
	@node bench/load/crossCheck.ts

.PHONY: accept
accept: $(INSTALLED) model ## Measure every success criterion on the platform of make up, in 25 minutes at most (QUICK=1: 10; OUT=folder ONLY=day,users FRESH=1)
	@node bench/accept/main.ts $(if $(call on,$(QUICK)),--quick) $(if $(call on,$(FRESH)),--fresh) \
	  $(if $(ONLY),--only "$(ONLY)") $(if $(OUT),--out "$(OUT)")

.PHONY: bench-tools
bench-tools: test-tools
	@tests/support/tools.sh install wrk=wrk

CLUSTER_JEST = $(JEST) --config jest.cluster.config.js --runInBand --selectProjects

.PHONY: test-cluster
test-cluster: $(INSTALLED) ## Run the tests that need the cluster of `make up` (QUICK=1: without the half hour of alert tests)
	@$(if $(call on,$(QUICK)),,$(CLUSTER_JEST) cluster-slow)
	@$(CLUSTER_JEST) cluster

.PHONY: test-certificates
test-certificates: $(INSTALLED) ## Test ACME certificates, HTTPS and a rollout over HTTPS on the cluster of `make up` (make certificate-tools first)
	@$(CLUSTER_JEST) certificates

.PHONY: test-switching
test-switching: $(INSTALLED) ## Test rollouts for an hour on the cluster of `make up`: killed pods, bad candidates, control experiments
	@$(CLUSTER_JEST) switching

.PHONY: test-lifecycle
test-lifecycle: $(INSTALLED) ## Test make up and make down: killed at each step, run twice, nothing left behind; ends without a platform
	@$(CLUSTER_JEST) lifecycle

OPERATIONS = node operations/cli/main.ts
REPORT_FLAG = $(if $(REPORT),--report "$(REPORT)")
# Only if STACK is set: commands that write to a cluster have no default stack.
STACK_FLAG = $(if $(filter command line environment,$(origin STACK)),--stack "$(STACK)")
CONTEXT_FLAG = $(if $(CONTEXT),--context "$(CONTEXT)")
ADMIN_PROCESS = $(if $(DEV)$(URL),--url $(or $(URL),http://127.0.0.1:8801) --token-file $(DEV_TOKEN))

.PHONY: deploy
deploy: $(INSTALLED) ## Deploy a stack (STACK=prod), verify it, roll out a new version, and list what was verified (IMAGE=… VERSION=… on the idle colour; INSIGHTS=image EXAMPLE=image)
	@$(OPERATIONS) deploy $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(IMAGE),--image "$(IMAGE)") \
	  $(if $(VERSION),--version "$(VERSION)") $(if $(INSIGHTS),--insights-image "$(INSIGHTS)") \
	  $(if $(EXAMPLE),--example-image "$(EXAMPLE)") $(if $(call on,$(IN_PLACE)),--in-place) $(PLAN)

.PHONY: switch
switch: $(INSTALLED) ## Shift traffic to a colour in analysed steps (TO=green, PLAN="--steps 10,50,100 --min-step-seconds 60"); resumes an interrupted switch
	@$(OPERATIONS) switch --to "$(TO)" $(STACK_FLAG) $(CONTEXT_FLAG) $(PLAN)

.PHONY: status
status: $(INSTALLED) ## Show traffic weights and rollout progress (WATCH=1, JSON=1)
	@$(OPERATIONS) status $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(call on,$(WATCH)),--watch) $(if $(call on,$(JSON)),--json)

.PHONY: rollback
rollback: $(INSTALLED) ## Roll back the current switch, or the last one (FORCE=1: write the route directly, past Pulumi)
	@$(OPERATIONS) rollback $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(call on,$(FORCE)),--force) $(PLAN)

.PHONY: preview
preview: $(INSTALLED) ## Show what `make deploy` with Pulumi would change, and policy violations (STACK=dev, REPORT=file)
	@$(OPERATIONS) preview $(STACK_FLAG) $(CONTEXT_FLAG) $(REPORT_FLAG)

.PHONY: drift
drift: $(INSTALLED) ## Detect drift; fails if anything changed (STACK=prod, REPORT=file)
	@$(OPERATIONS) preview --drift $(STACK_FLAG) $(CONTEXT_FLAG) $(REPORT_FLAG)

.PHONY: secrets
secrets: $(INSTALLED) ## Store a stack's generated secrets in its config for manual `pulumi up`; or SECRET=key < file, without Pulumi
	@$(OPERATIONS) secrets $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(SECRET),--secret "$(SECRET)")

.PHONY: pulumi-env
pulumi-env: $(INSTALLED) ## Print the environment with which pulumi finds the backend of `make deploy`: eval "$$(make pulumi-env STACK=dev)"
	@$(OPERATIONS) environment $(STACK_FLAG) $(CONTEXT_FLAG)

.PHONY: verify
verify: $(INSTALLED) ## Verify a deployed stack with client requests (default: that of `make up`; STACK=prod, CONTEXT=name)
	@$(OPERATIONS) verify $(STACK_FLAG) $(CONTEXT_FLAG)

.PHONY: image
image: ## Build, push and sign an image, once per content (REPOSITORY=registry/name, WORKSPACE=insights: not the service's)
	@app/publish.sh "$(REPOSITORY)" "$(or $(WORKSPACE),app)"

.PHONY: verify-image
verify-image: ## Verify that an image digest was signed by the deploy workflow (IMAGE=name@sha256:…)
	@app/publish.sh --verify "$(IMAGE)"

.PHONY: backup
backup: $(INSTALLED) ## Back up the entries of Redis to a file (OUT=cache.gz CONTEXT=name)
	@$(OPERATIONS) backup $(CONTEXT_FLAG) --file "$(OUT)"

.PHONY: restore
restore: $(INSTALLED) ## Restore a backup into Redis; existing keys stay (IN=cache.gz CONTEXT=name)
	@$(OPERATIONS) restore $(CONTEXT_FLAG) --file "$(IN)"

.PHONY: rehearse
rehearse: $(INSTALLED) ## Rehearse an incident and write its evidence; without NAME list them (NAME=redis-loss or all, QUICK=1, OUT=folder)
	@$(OPERATIONS) rehearse $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(NAME),--name "$(NAME)") $(if $(OUT),--out "$(OUT)") \
	  $(if $(call on,$(QUICK)),--quick) $(if $(CONFIRM),--confirm "$(CONFIRM)")

.PHONY: training
training: $(INSTALLED) ## Train operators by five exercises on `make up`; without EXERCISE list them (EXERCISE=1, then CHECK=1 or RESET=1)
	@$(OPERATIONS) training $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(EXERCISE),--exercise "$(EXERCISE)") \
	  $(if $(call on,$(CHECK)),--check) $(if $(call on,$(RESET)),--reset) $(if $(CONFIRM),--confirm "$(CONFIRM)")

.PHONY: node-restart
node-restart: $(INSTALLED) ## Restart the node of `make up`, as after a power failure; its data stays
	@node local/src/main.ts restart-node

.PHONY: rotate
rotate: $(INSTALLED) ## Rotate a secret without failed requests (SECRET=redis.passwords.app STACK=prod; externally issued values by < file)
	@$(OPERATIONS) rotate $(STACK_FLAG) $(CONTEXT_FLAG) --secret "$(SECRET)" $(if $(call on,$(FINISH)),--finish)

.PHONY: tenant-key
tenant-key: $(INSTALLED) ## Create an API key and its hash for the stack's config (TENANT=id)
	@$(OPERATIONS) tenant-key --tenant "$(TENANT)"

.PHONY: admin
# Passed by environment: neither make nor the shell must expand quotes and dollars in them.
admin: export CMD := $(value CMD)
admin: export DATA := $(value DATA)
admin: export IN := $(value IN)
admin: export OUT := $(value OUT)
admin: export COLOUR := $(value COLOUR)
admin: export POD := $(value POD)
admin: $(INSTALLED) ## Call the admin port of a pod, or of `make dev` with DEV=1 (CMD="GET /state"; without CMD it lists the commands)
	@$(OPERATIONS) admin $(CONTEXT_FLAG) $(ADMIN_PROCESS)

.PHONY: experiment
experiment: $(INSTALLED) ## Compare the arms of an experiment (NAME=cache_ttl_optimization, WINDOW=14d)
	@$(OPERATIONS) experiment --name "$(NAME)" $(CONTEXT_FLAG) $(if $(WINDOW),--window "$(WINDOW)")

OPTIMIZE_FLAGS = --out "$(or $(OUT),reports)" $(if $(HOURS),--hours "$(HOURS)") \
  $(if $(SLACK_WEBHOOK_FILE),--slack-webhook-file "$(SLACK_WEBHOOK_FILE)")

.PHONY: optimize
optimize: $(INSTALLED) ## Analyse the savings of the last 24 hours and write a report into reports/ (HOURS=…, OUT=folder, SLACK_WEBHOOK_FILE=file; PROMETHEUS=url: without a cluster)
	@$(if $(PROMETHEUS),node insights/src/main.ts analyse --prometheus "$(PROMETHEUS)" \
	  $(if $(PROMETHEUS_TOKEN_FILE),--token-file "$(PROMETHEUS_TOKEN_FILE)"),$(OPERATIONS) optimize $(CONTEXT_FLAG)) $(OPTIMIZE_FLAGS)

.PHONY: impact
impact: $(INSTALLED) ## Show the URL of the insights page and how to log in; forward a port to it if the Gateway does not serve it (CONTEXT=name)
	@$(OPERATIONS) impact $(CONTEXT_FLAG)

.PHONY: undeploy
undeploy: $(INSTALLED) ## Remove the objects that a stack created (STACK=dev, CONTEXT=name; DATA=delete: its volumes too)
	@$(OPERATIONS) remove $(STACK_FLAG) $(CONTEXT_FLAG) $(if $(DATA),--data "$(DATA)")

.PHONY: render
render: $(INSTALLED) ## Render a stack's manifests as YAML into rendered/, with masked secrets (STACK=prod, OUT=folder)
	@node render.ts --stack "$(STACK)" --out "$(or $(OUT),rendered)"
