# Brokle for Go. `make help` lists the targets.

SHELL       := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO          ?= go
FUZZTIME    ?= 10m
BENCHTIME   ?= 1s
STATICCHECK := honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOVULNCHECK := golang.org/x/vuln/cmd/govulncheck@v1.9.0
BINARY      := bin/brokle
COMMIT      := $(shell git rev-parse --short=12 HEAD 2>/dev/null)

# What a fresh machine needs beside Go: a C compiler, because DuckDB is linked
# in, and npm (with Node.js 18 or newer) for the web page; for the tests a Redis
# to claim ids on, a browser, and Python with venv for the published clients.
APT_NEEDS   := gcc g++ npm
TEST_NEEDS  := redis-server chromium python3

# The built web page, what it is made of, and its packages.
PAGE        := web/site/app/index.html
PAGE_SRC    := $(shell find web/src web/style -type f 2>/dev/null) web/build.mjs web/package.json
PAGE_DEPS   := web/node_modules/.package-lock.json

# Modules beside the root one: integrations, each with the dependencies of what it integrates. A newer version of one is a line in its go.mod.
NESTED      := broklehttp brokleopenai brokleanthropic broklegenai broklelangchain brokleeino broklegenkit brokleotel examples/agent

# Packages whose goroutines share memory on the way of an event; the rest of
# the race detector's work is `make race RACE=./...`.
RACE        ?= . ./internal/delivery ./internal/modelcall ./internal/spool ./internal/ingest ./internal/indexer ./internal/keyring ./internal/removal ./internal/live ./internal/document ./internal/server ./internal/daemon \
               ./internal/store/...

# `make torture KILLS=100 SEED=7` repeats the choices of a run; FOR=10m bounds its time; DIR is where the ledgers stay.
KILLS       ?= 1000
SEED        ?= 0
FOR         ?= 0s
DIR         ?= $(CURDIR)/bin/torture
# `make torture-warehouse FAULTS=50 EVENTS=100000` is shorter; SEED, FOR and DIR as above.
FAULTS      ?= 200
EVENTS      ?= 500000
# `make equal MOVED=20000` is shorter.
MOVED       ?= 200000

.PHONY: help deps test-deps build shots run test check lint quick unit race fuzz vuln e2e torture torture-warehouse equal rounds mutations count bench bench-quick bench-otlp bench-clickhouse bench-reprice bench-sql microbench soak prices clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# $(call install,commands): installs with apt what is not there, and says so.
define install
	@missing=""; for tool in $(1); do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ]; then \
		command -v apt-get >/dev/null || { echo "missing:$$missing. Install them with your package manager."; exit 1; }; \
		echo "installing with apt-get:$$missing"; \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq; $$sudo apt-get install -y -qq $$missing; \
	fi
endef

deps:
	@command -v $(GO) >/dev/null || { echo "Go is missing: install Go 1.26 or newer from https://go.dev/dl/"; exit 1; }
	$(call install,$(APT_NEEDS))
	@$(GO) mod download || { echo "the Go modules did not download: see the lines above"; exit 1; }

test-deps: deps
	$(call install,$(TEST_NEEDS))
	@# Debian has Python's venv in a package of its own.
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { \
		command -v apt-get >/dev/null || { echo "Python's venv is missing. Install it with your package manager."; exit 1; }; \
		echo "installing with apt-get: python3-venv"; \
		sudo=""; [ "$$(id -u)" = 0 ] || sudo=sudo; \
		$$sudo apt-get update -qq; $$sudo apt-get install -y -qq python3-venv; \
	}

$(PAGE_DEPS): web/package-lock.json | deps
	@echo "npm ci"; cd web && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch node_modules/.package-lock.json

$(PAGE): $(PAGE_SRC) $(PAGE_DEPS)
	@cd web && npm run -s build

build: deps $(PAGE) ## build bin/brokle
	@echo "building $(BINARY) (the first build compiles everything and takes a few minutes)"
	@GO=$(GO) .ci/build $(BINARY) "$(COMMIT)"

run: build ## build, then serve with a sample: prints the URL, a key and a curl line
	@exec $(BINARY) serve --dev --sample

test: FUZZTIME := 5s
test: test-deps lint unit race fuzz e2e ## everything: lint, unit tests, race detector, fuzz targets (5s each), the binary under SIGKILL

check: test-deps lint quick ## before a commit: gofmt, vet, staticcheck, the page, unit tests in their short form

lint: deps $(PAGE_DEPS)
	@echo "web page: types and lint"; cd web && npm run -s check
	@echo "gofmt"; out=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$out" ] || { echo "not gofmt'ed:"; echo "$$out"; exit 1; }
	@echo "go vet"; $(GO) vet ./...; for module in bench $(NESTED); do (cd $$module && $(GO) vet ./...); done
	@echo "staticcheck"; $(GO) run $(STATICCHECK) ./...; for module in $(NESTED); do (cd $$module && $(GO) run $(STATICCHECK) ./...); done
	@echo "the public API"; $(GO) test -run '^TestPublicAPI$$' .
	@echo "the page: no way to write HTML"
	@! grep -rnE 'dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write' web/src

# Packages are tested in this order, as many at once as there are processors: what takes minutes comes first, so that the rest runs beside it.
SLOWEST     := ./internal/store/clickhouse ./internal/server

# -short leaves out what repeats the same code over other data; `unit` has all of it.
quick unit: test-deps
	@echo "unit tests"; $(GO) test -vet=off $(if $(filter quick,$@),-short) -timeout 30m $(SLOWEST) $$($(GO) list ./... | grep -v '/internal/e2e\(/torture\)\?$$')
	@for module in $(NESTED); do (cd $$module && $(GO) test -vet=off ./...); done

race: test-deps ## the tests of the concurrent packages under the race detector
	@echo "race detector"; $(GO) test -vet=off -race -short -timeout 30m $(SLOWEST) $(RACE)
	@for module in broklehttp broklelangchain brokleeino broklegenkit brokleotel; do (cd $$module && $(GO) test -vet=off -race ./...); done # the others only hand over to internal/modelcall

fuzz: test-deps ## each fuzz target for FUZZTIME (10m: more than five hours); writes docs/reliability.md
	@GO=$(GO) .ci/fuzz $(FUZZTIME)
	@[ "$(MAKECMDGOALS)" != fuzz ] || .ci/record fuzz "nothing found in $(FUZZTIME) a target"

# What a commit can wait for is a few rounds of each random test; this is TIMES as many. SEED as in `make torture`.
TIMES       ?= 10
rounds: test-deps $(PAGE) ## the random tests with TIMES (10) times the rounds of `make test`; writes docs/reliability.md
	@echo "random tests, $(TIMES) times their rounds"
	@$(GO) test -vet=off -count=1 -timeout 3h -times $(TIMES) -seed $(SEED) \
		$$(git grep -l '/internal/chance"' -- '*_test.go' ':!internal/e2e' | xargs -n1 dirname | sed 's|^|./|' | sort -u)
	@BROKLE_E2E_BROWSER=1 $(GO) test -vet=off -count=1 -timeout 1h -times $(TIMES) -run TestPageOfAMillionEvents ./internal/e2e
	@.ci/record rounds "all tests of the rooms that draw lots, with $(TIMES) times their rounds"

# No part of `check`: it needs the database of vulnerabilities, from the network. With
# findings govulncheck ends with status 3, which go run only prints.
vuln: deps ## known vulnerabilities in the Go code that is reached, and in Go itself
	@echo "govulncheck"; log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	if $(GO) run $(GOVULNCHECK) ./... 2>&1 | tee "$$log"; then exit 0; fi; \
	if grep -q '^exit status 3$$' "$$log"; then echo "vuln: there are findings, see above"; \
	else echo "vuln: NOT CHECKED: govulncheck did not run, or did not reach its database (see above). This says nothing about vulnerabilities"; fi; \
	exit 1

e2e: test-deps $(PAGE) ## the built binary: killed, restarted, compared with what its clients were told; published clients; the page in a browser
	@echo "end to end"; BROKLE_E2E_BROWSER=1 $(GO) test -count=1 -timeout 40m ./internal/e2e
	@echo "torture, the short form"; $(GO) test -count=1 -timeout 20m ./internal/e2e/torture

equal: test-deps ## every answer of the API from ClickHouse and from a node's own warehouse, of MOVED (200 000) random events
	@$(GO) test -count=1 -timeout 3h -v ./internal/e2e -run TestMoveToASharedWarehouseAndBack -move.events $(MOVED) -move.mixtures 60

torture: test-deps $(PAGE) ## the binary under load and random faults, killed KILLS (1000) times; writes docs/reliability.md
	@rm -rf $(DIR); mkdir -p $(DIR)
	@$(GO) test -count=1 -timeout 3h -v ./internal/e2e/torture -run '^TestTorture$$' -kills $(KILLS) -for $(FOR) -seed $(SEED) -dir $(DIR) -table $(CURDIR)/docs/reliability.md
	@.ci/record torture "nothing lost, nothing doubled; see below"

torture-warehouse: test-deps $(PAGE) ## two nodes, Redis and ClickHouse under load and FAULTS (200) random faults, EVENTS (500 000) events; writes docs/reliability.md
	@rm -rf $(DIR)-warehouse; mkdir -p $(DIR)-warehouse
	@$(GO) test -count=1 -timeout 6h -v ./internal/e2e/torture -run '^TestTortureOfAWarehouse$$' -faults $(FAULTS) -events $(EVENTS) -for $(FOR) -seed $(SEED) -dir $(DIR)-warehouse -table $(CURDIR)/docs/reliability.md
	@.ci/record torture-warehouse "nothing lost, nothing doubled; see below"

mutations: test-deps ## break the lines listed in docs/reliability.md, one at a time: the named test must turn red; writes docs/reliability.md
	@$(GO) run ./.ci/mutate
	@.ci/record mutations "every test turned red"

# TESTS is the output of a `go test -json` whose minutes are to be counted by room; LIST=1 names the files.
TESTS       ?=
count: deps $(PAGE) ## what a change costs: code that one event touches, edits of a column, rooms, lines; judges nothing
	@$(GO) run ./.ci/count $(if $(TESTS),-tests $(TESTS)) $(if $(LIST),-list)

shots: test-deps $(PAGE) ## pictures of the page for docs/img
	@BROKLE_E2E_BROWSER=1 BROKLE_SHOTS=$(CURDIR)/docs/img $(GO) test -count=1 -timeout 20m -run TestBrowser ./internal/e2e

bench: build ## the server beside a floor and other servers, and asked with 10 million events in it; writes docs/benchmarks.md (about half an hour)
	@cd bench && $(GO) run . -bin ../$(BINARY) -doc ../docs/benchmarks.md

bench-quick: build ## the same in a minute and a half: one short round of taking events in, printed
	@cd bench && $(GO) run . -bin ../$(BINARY) -quick

bench-otlp: build ## OpenTelemetry's protocol: the server beside a floor, the Collector and, given VICTORIATRACES (a binary), VictoriaTraces; writes its part of docs/benchmarks.md
	@cd bench && $(GO) run . -bin ../$(BINARY) -only otlp -events 100000 $(if $(VICTORIATRACES),-victoriatraces $(VICTORIATRACES)) -doc ../docs/benchmarks.md

bench-clickhouse: build ## a node with --warehouse-url beside one with its own warehouse: taking events in, and asked with 1 million; writes its part of docs/benchmarks.md (ASK=10000000 for more)
	@cd bench && $(GO) run . -bin ../$(BINARY) -only clickhouse -events 300000 -rounds 2 -ask $(or $(ASK),1000000) -doc ../docs/benchmarks.md

bench-reprice: build ## pricing a million observations again beside taking them in; writes its part of docs/benchmarks.md
	@cd bench && $(GO) run . -bin ../$(BINARY) -only reprice -events 1000000 -doc ../docs/benchmarks.md

bench-sql: build ## the ten questions of docs/sql.md over 10 million events beside a stock DuckDB on Parquet; writes its part of docs/benchmarks.md
	@cd bench && $(GO) run . -bin ../$(BINARY) -only sql -events 10000000 -doc ../docs/benchmarks.md

microbench: deps ## Go benchmarks of single parts (BENCHTIME each)
	@$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./...

SOAK        ?= 30m
soak: build ## 20 000 events/s for SOAK (30m) under a short retention: memory, files, backlog and disk within their bounds
	@echo "soak for $(SOAK)"; cd bench && $(GO) run . -bin ../$(BINARY) -soak $(SOAK) -chart ../docs/img/soak.svg -doc ../docs/reliability.md
	@.ci/record soak "all bounds held for $(SOAK); see below"

# The public tables that the price book is made from. What they are, and their licences: CONTRIBUTING.md.
PRICES_FROM := genai-prices==0.2.3 litellm==1.110.2
prices: test-deps ## the price book anew from public tables, at the versions above; look at the difference
	@dir=$$(mktemp -d); trap 'rm -rf "$$dir"' EXIT; python3 -m venv "$$dir"; \
	"$$dir/bin/pip" install -q --no-compile --disable-pip-version-check $(PRICES_FROM); \
	PYTHONDONTWRITEBYTECODE=1 "$$dir/bin/python" .ci/prices/make.py internal/price/book.txt
	@git --no-pager diff --stat internal/price/book.txt

clean:
	rm -rf bin web/site/app web/node_modules
