# Trailwarden. `make` alone explains itself. Needs Go, Python 3 and Node.js; everything
# else is fetched, pinned, into Go's caches and .cache/.

SHELL := /bin/sh
.DEFAULT_GOAL := help

TOOL := go tool -modfile=tools.mod
LINT := $(TOOL) golangci-lint
# The race detector needs a C compiler. Without one the tests still run.
RACE = $(if $(filter 1,$(shell go env CGO_ENABLED)),-race)
FUZZTIME ?= 60s
# Generated cases of each property test in `make test-long`, and the seed of those
# that are put to another project's simulator.
CASES ?= 20000
SEED ?= 1
# The heaps of the tests are small. Collected less often they are a third faster.
GOTEST := GOGC=400 go test
# Runs of each benchmark in `make bench BASE=…`, on each side, and how long one is.
BENCHCOUNT ?= 6
BENCHTIME ?= 300ms

# How the functions are built. `sam build` knows the architecture of the
# template but does not tell: build for x86_64 with LAMBDA_ARCH=amd64.
LAMBDA_ARCH ?= arm64
# Only the evaluator (policy, glob, delivery) is worth it that small functions are copied into others, which makes a tenth of
# the binary. The SDK, what carries its requests, and the loop around them wait for the network.
NOT_INLINED := github.com/aws/... golang.org/x/... vendor/golang.org/x/... net/... encoding/... compress/... mime/... \
	crypto/tls crypto/x509 crypto/rsa crypto/hpke math/big context time fmt log/... os internal/poll \
	$(addprefix github.com/trailwarden/trailwarden/pkg/,alert app awsapi guardrail inventory ledger repair trail trigger)
LAMBDA_FLAGS := -tags lambda.norpc -trimpath -buildvcs=false -ldflags=-s $(NOT_INLINED:%=-gcflags=%=-l)
# A function that grows past this starts slowly. Nobody waits for the sweep, which reads an organization.
MAX_SIZE := 12000000
MAX_SIZE_SWEEP := 12500000

.PHONY: help
help: ## show this list
	@awk 'BEGIN {FS = ":.*## "; print "Usage: make <target>\n"} \
		/^[a-z][a-zA-Z-]*:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## break a trail bucket in memory and watch the guard restore it
	@go run ./cmd/trailwarden demo

.PHONY: quick
quick: ## for every save: build, vet, and all tests that need no emulator, without the race detector
	go build ./...
	go vet ./...
	$(GOTEST) $$(go list ./... | grep -v /test/e2e)

.PHONY: test
test: template ## run all tests, those against the AWS emulator included
	@test -n "$(RACE)" || echo "No C compiler found: the tests run without the race detector."
	$(GOTEST) $(RACE) -count=1 -timeout 30m $$(go list ./... | grep -v /test/e2e)
	@# One by one, with their names and figures.
	$(GOTEST) $(RACE) -count=1 -timeout 30m -v ./test/e2e

# What changes no answer: the order and the spelling of statements, a statement more,
# a key that comes to be known. And what an independent simulator answers.
.PHONY: differential
differential: ## hold the evaluator against changes that change nothing, and against another simulator (needs Node.js)
	$(GOTEST) ./pkg/policy -v -count=1 -rapid.checks=$(CASES) \
		-run '^Test(OrderOfStatementsIsIrrelevant|AddingStatements|SpellingIsIrrelevant|UnknownKeysAreSound|ListedValuesAreExact)$$'
	@# A judgement asks for several hundred decisions.
	$(GOTEST) ./pkg/delivery -v -count=1 -rapid.checks=$$(($(CASES) / 10)) \
		-run '^Test(DocumentedDelivers|ForeignDenyBlocks|StatementOrder|JudgeIsDeterministic)$$'
	simulator=$$(sh test/npm.sh differential) && cp test/differential/simulate.mjs "$$simulator/" && \
		$(GOTEST) ./pkg/policy -tags differential -v -count=1 -run '^TestDifferential$$' \
			-rapid.checks=$(CASES) -rapid.seed=$(SEED) -simulator "$$simulator"

.PHONY: test-long
test-long: differential ## run the fault matrix, and the properties of evaluator and repairs over CASES generated cases
	$(GOTEST) ./pkg/guardrail -v -count=1 -run '^TestFaults$$|^TestConcurrent'
	@run="env $(GOTEST) ./pkg/repair -v -count=1 -timeout 60m -rapid.checks=$(CASES)"; \
		$$run -run 'Harden|TestHarmless$$' & harden=$$!; \
		$$run -skip 'Harden|TestHarmless$$'; plan=$$?; \
		wait $$harden && exit $$plan

.PHONY: template
template: ## validate, lint and scan the templates and the state machine, and build with SAM
	@sh test/python/template.sh

.PHONY: check
check: fmt vet lint words workflows tidy vuln ## check formatting, vet, lint, words, workflows, go.mod and known vulnerabilities

.PHONY: fmt
fmt:
	$(LINT) fmt --diff

.PHONY: vet
vet:
	go vet ./...

.PHONY: lint
lint:
	$(LINT) run

.PHONY: words
words:
	go test ./test

.PHONY: workflows
workflows:
	go tool -modfile=release.mod actionlint -shellcheck= -pyflakes=

# tools.mod holds no packages: it is tidied by itself, outside of the module.
.PHONY: tidy
tidy:
	go mod tidy -diff
	@sh test/tidy.sh tools

.PHONY: vuln
vuln:
	@sh test/vuln.sh

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 60s)
	@grep -rlE '^func Fuzz' --include='*_test.go' pkg | while read -r file; do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file"); do \
			echo "$$target ($$(dirname "$$file"))"; \
			go test "./$$(dirname "$$file")" -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done || exit 1; \
	done

.PHONY: plans
plans: ## record the Terraform plans of pkg/iac/tfplan anew, with OpenTofu (builds it, unless TOFU names one)
	@sh test/plans/record.sh

.PHONY: bench
bench: ## measure the engine; with BASE=<commit>, side by side with that commit
	@if [ -n "$(BASE)" ]; then sh test/bench.sh "$(BASE)" $(BENCHCOUNT) $(BENCHTIME); \
		else go test ./pkg/... ./test/start -run '^$$' -bench . -benchmem; fi

.PHONY: build
build: ## build the command line into bin/
	go build -trimpath -o bin/trailwarden ./cmd/trailwarden

.PHONY: lambda-flags
lambda-flags:
	@echo '$(LAMBDA_FLAGS)'

# Called by `sam build`: build-GuardFunction builds ./functions/guard.
build-%Function:
	CGO_ENABLED=0 GOOS=linux GOARCH=$(LAMBDA_ARCH) go build $(LAMBDA_FLAGS) \
		-o "$(ARTIFACTS_DIR)/bootstrap" ./functions/$(shell echo $* | tr A-Z a-z)

.PHONY: size
size: ## build the functions and fail if one is over 12 MB, the sweep over 12.5 MB
	@for name in Guard Sweep SecurityHub; do \
		$(MAKE) --no-print-directory -s build-$${name}Function ARTIFACTS_DIR=.cache/size/$$name || exit 1; \
		size=$$(wc -c < .cache/size/$$name/bootstrap); \
		echo "$$name: $$size bytes ($(LAMBDA_ARCH))"; \
		max=$(MAX_SIZE); test $$name != Sweep || max=$(MAX_SIZE_SWEEP); \
		test "$$size" -le $$max || { echo "over $$max bytes"; exit 1; }; \
	done

.PHONY: snapshot
snapshot: ## build what a release is made of into dist/, and check it (builds goreleaser once)
	@sh test/release.sh snapshot

.PHONY: release
release: ## publish the tag that is checked out (what the release workflow does)
	@sh test/release.sh publish

.PHONY: clean
clean: ## remove everything that was built or fetched into this folder
	rm -rf bin dist .cache .aws-sam

.PHONY: browser
browser: ## check the HTML pages in headless Chromium (installs it)
	@sh test/browser/install.sh
	go test -tags browser -count=1 -timeout 30m ./test/browser
