# make run builds and serves; make test installs what the tests need and runs everything.
GO       ?= go
TOOL     := $(GO) tool -modfile=tools/go.mod
FUZZTIME ?= 10s

.PHONY: help
help: ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: run
run: ## build and run the server with nothing configured
	$(GO) run ./cmd/linnet serve

.PHONY: build
build: ## build bin/linnet
	CGO_ENABLED=0 $(GO) build -trimpath -o bin/linnet ./cmd/linnet

.PHONY: test
test: deps lint cross test-go fuzz ## everything, as CI runs it

.PHONY: deps
deps: ## install the programs that tests talk to
	scripts/install-test-deps.sh

.PHONY: lint
lint: ## formatting, vet, staticcheck, tidy modules
	@out=$$($(TOOL) gofumpt -l client cmd examples internal wire test); if [ -n "$$out" ]; then echo "not gofumpt'd: $$out" >&2; exit 1; fi
	$(GO) vet ./...
	$(TOOL) staticcheck ./...
	$(GO) mod tidy -diff

.PHONY: fmt
fmt: ## format
	$(TOOL) gofumpt -w client cmd examples internal wire test

.PHONY: cross
cross: ## build for every system that is served
	scripts/cross.sh

.PHONY: test-go
test-go: ## all Go tests, with the race detector
	$(GO) test -race -shuffle=on -timeout 20m ./...

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (10s)
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: soak
soak: ## the long versions: 400 power cuts, 200 kills, 2,000 cut-offs, four times 5,000 acts of the domain, 10 minutes a fuzz target
	LINNET_DOMAIN_STEPS=5000 $(GO) test -race -timeout 1h -count=1 -run TestDomain ./internal/chat
	LINNET_POWER_CUTS=400 LINNET_KILLS=200 $(GO) test -race -timeout 3h -count=1 ./test/power ./test/kill
	LINNET_CHAOS_CUTS=2000 LINNET_CHAOS_STEPS=5000 $(GO) test -race -timeout 3h -count=1 ./test/chaos
	LINNET_HALF_OPEN=1 LINNET_COMEBACK=9000 $(GO) test -race -timeout 1h -count=1 ./test/hostile
	scripts/fuzz.sh 10m

.PHONY: bench
bench: build ## measure the server against what this machine can do
	bin/linnet bench all

.PHONY: docs
docs: ## write docs/api anew from the table of methods
	$(GO) test ./internal/api -run 'TestReference|TestOpenAPI' -update
