# Doors for people; cargo does the work. Each target first makes the machine ready,
# which costs nothing on one that is.
#
#   make run              the desktop application, or the demo where there is none
#   make demo DIR=folder  a whole network on this machine: back up, lose, recover
#   make test             all tests; .ci/run calls it with CI=true, which adds forms and a package
#   make test-long        the same at full size, before a big change is called done
#   make ui               what is in the window, built into ui/dist
#   make screenshots      pictures of every view, in docs/screenshots
#   make package          what people install, in target/release/bundle
#   make test-package     the .deb on a bare Debian, as root; PROFILE=dev for a quick build
#   make bench            measures beside those of peers; BENCH=desktop for one of them,
#                         BENCH="jobs --corpus small --rounds 5" for a part of one
#   make bench-stages     what each step takes, by criterion; STAGE=cut for one of them
#   make check            formatting, lints and, where installed, cargo deny and cargo machete

# A toolchain that setup-dev.sh has just installed is in no one's PATH yet.
export PATH := $(or $(CARGO_HOME),$(HOME)/.cargo)/bin:$(HOME)/.local/bin:$(PATH)

# What `make run` and `make demo` back up if nothing else is named.
DIR ?= $(firstword $(wildcard /usr/share/doc) crates)

# In CI warnings are errors and the lock file is final. They are made errors by clippy
# and not by RUSTFLAGS: other flags would build every dependency a second time.
in_ci := $(filter-out 0 false,$(CI))
locked := $(if $(in_ci),--locked)
deny_warnings := $(if $(in_ci),-- -D warnings)
nextest_profile := $(if $(in_ci),--profile ci)

target := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)

# The window's packages are fetched again only when their lock file is newer.
ui_packages := ui/node_modules/.package-lock.json
# And the window is built again only when something that it is made of is.
ui_built := ui/dist/index.html
ui_sources := $(shell find ui/src ui/public ui/index.html ui/vite.config.ts ui/svelte.config.js \
	docs/fsm -type f 2>/dev/null)

# The window's files are inside the program, as in what is shipped.
features := --features bitdust-desktop/custom-protocol

# What `make test` consists of; in CI forms are checked first and a package is tried at last.
parts := fetch test-ui $(if $(in_ci),lint) build-tests test-rust test-doc $(if $(in_ci),test-package)
# CI packs what was tested; optimising it once more is for whoever gives it away.
profile := $(or $(PROFILE),$(if $(in_ci),dev,release))

.PHONY: run test test-long test-ui build-tests test-rust test-doc lint demo check ui screenshots \
	package test-package bench bench-stages prepare fetch

prepare:
	installer/setup-dev.sh

# Everything that is built and tested from here on is at hand.
fetch: prepare $(ui_packages)
	cargo fetch $(locked)

$(ui_packages): ui/package-lock.json | prepare
	cd ui && npm ci --no-audit --no-fund
	touch $@

ui: prepare $(ui_built)

$(ui_built): $(ui_packages) $(ui_sources)
	cd ui && npm run build
	touch $@

test-ui: ui fetch
	cd ui && npm run check && npm test && npm run e2e

screenshots: ui
	cd ui && npm run screenshots

# Each part by itself, and at the end, also where one fails, where the time went.
test:
	@took=; trap 'printf "$$took"' EXIT; for part in $(parts); do \
		begun=$$(date +%s); \
		$(MAKE) --no-print-directory $$part || exit; \
		took="$$took$$(($$(date +%s) - begun)) s $$part\n"; \
	done

lint: ui fetch
	cargo fmt --all --check
	cargo clippy --workspace --all-targets $(features) $(locked) $(deny_warnings)

build-tests: ui fetch
	cargo test --no-run --workspace --lib --bins --tests $(features) $(locked)

test-rust: build-tests
	if cargo nextest --version >/dev/null 2>&1; then \
		cargo nextest run --workspace $(features) $(locked) $(nextest_profile); \
	else \
		cargo test --workspace --lib --bins --tests $(features) $(locked); \
	fi

test-doc: ui fetch
	cargo test --workspace --doc --quiet $(features) $(locked)

# The whole workspace each time, as cargo knows the window's feature nowhere else; what is meant
# is chosen by the filter.
test-long: test-ui build-tests
	BITDUST_TESTS=full cargo nextest run --workspace $(features) $(locked) --profile long \
		--run-ignored all -E 'package(bitdust-e2e-tests) | package(bitdust-protocol-model)'
	SEEDS=5000 PROPTEST_CASES=2000 cargo nextest run --workspace $(features) $(locked) --profile long \
		-E 'not (package(bitdust-e2e-tests) | package(bitdust-protocol-model))'
	$(MAKE) test-doc test-package

package: ui fetch
	PROFILE=$(profile) installer/package.sh

test-package: package
	installer/setup-dev.sh debootstrap
	PROFILE=$(profile) installer/test-package.sh

bench:
	$(MAKE) package PROFILE=release
	cargo build --release -p bitdust-e2e-tests --bin bitdust-bench $(locked)
	installer/setup-dev.sh restic time
	cargo install --quiet --locked rustic-rs --version 0.11.4 --root $(target)/peers --target-dir $(target)/peers/build
	PATH="$(target)/peers/bin:$$PATH" BITDUST_PROGRAM=$(target)/release/bitdust $(target)/release/bitdust-bench $(target)/bench $(BENCH)

bench-stages: prepare
	cargo bench -p bitdust-pipeline -p bitdust-store -p bitdust-net --benches $(locked) -- $(STAGE)

run: prepare
	if { [ -n "$$DISPLAY$$WAYLAND_DISPLAY" ] || [ "$$(uname -s)" = Darwin ]; }; then \
		$(MAKE) ui && cargo run -p bitdust-desktop; \
	else \
		cargo run -p bitdust-cli -- demo "$(DIR)"; \
	fi

demo:
	installer/setup-dev.sh
	cargo run -p bitdust-cli -- demo "$(DIR)"

check: lint
	if cargo machete --version >/dev/null 2>&1; then cargo machete; fi
	if cargo deny --version >/dev/null 2>&1; then cargo deny check; fi
