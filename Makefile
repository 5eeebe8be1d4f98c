# What a contributor types. `make help` lists it.

.DEFAULT_GOAL := help
.PHONY: help demo build package install check fmt vet lint vuln test bench microbench

# Longer than the slowest package takes on two cores, the browser tests included.
TIMEOUT ?= 45m

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

demo: ## an example site, with and without the gateway; needs nothing else
	go run ./cmd/consentgate demo

build: ## bin/consentgate
	CGO_ENABLED=0 go build -trimpath -buildvcs=auto -tags timetzdata -ldflags="-s -w" -o bin/ ./cmd/consentgate

package: build ## bin/*.deb, from what build made
	VERSION=$$(bin/consentgate version | cut -d' ' -f2) GOARCH=$$(go env GOARCH) \
		go tool -modfile=.ci/tools/go.mod nfpm package --packager deb --target bin/

install: ## what the tests need beside Go (as root on Debian; elsewhere it tells)
	@.ci/install
	@.ci/install-npm

check: fmt vet lint vuln ## everything that reads the code without running it

fmt:
	@echo '== gofmt'
	@unformatted=$$(gofmt -l .); test -z "$$unformatted" || { echo "gofmt would change:"; echo "$$unformatted"; exit 1; }

vet:
	@echo '== go vet'
	@go vet ./...

lint:
	@echo '== staticcheck'
	@go tool staticcheck ./...

vuln:
	@echo '== govulncheck'
	@.ci/vulncheck

test: install check ## everything, as CI runs it
	@echo '== go test -race'
	@go test -race -timeout $(TIMEOUT) ./...
	@.ci/fuzz

bench: ## the gateway beside other proxies, and its goals (ten minutes; Linux with nginx)
	go run ./examples/bench

microbench: ## every benchmark of a package, with allocations
	go test -run '^$$' -bench . -benchmem ./...
